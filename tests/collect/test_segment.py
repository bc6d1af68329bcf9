import gzip
import json

import pytest
from calls import reasons, request, track, zipped

from touchline.collect.body import MAX_BODY, MAX_BOXES
from touchline.collect.reasons import REASONS
from touchline.collect.segment import content_hash, payload, read
from touchline.errors import BadInput


def code(body, path="/v1/batch"):
    with pytest.raises(BadInput) as caught:
        read(request(body, path))
    return caught.value.code


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *((f"/v1/{kind}", kind) for kind in ("track", "page", "screen", "identify", "group")),
        *(("/v1/t", "track"), ("/v1/p", "page"), ("/v1/s", "screen"), ("/v1/i", "identify")),
        *(("/v1/g", "group"), ("/v1/track/", "track"), ("/V1/TRACK", "track")),
    ],
)
def test_single_calls_take_their_type_from_the_path(path, kind):
    body = {"userId": "u", "event": "E", "groupId": "g", "messageId": "m"}
    (item,) = read(request(body, path)).items
    assert (item.type, item.reason, item.message_id) == (kind, None, "m")
    assert item.data["type"] == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
def test_batches_keep_their_order_and_each_item_its_type(path):
    batch = read(
        request({"batch": [track(messageId="1"), {"type": "page", "userId": "u"}, {}]}, path)
    )
    assert [item.type for item in batch.items] == ["track", "page", ""]
    assert [item.reason for item in batch.items] == [None, None, "unknown_type"]


def test_a_bare_list_is_a_batch():
    assert len(read(request([track(), track()])).items) == 2


def test_the_write_key_is_taken_from_batch_or_item_and_out_of_the_data():
    assert read(request({"writeKey": "k", "batch": [track(writeKey="x")]})).write_key == "k"
    batch = read(request({"batch": [track(), track(writeKey="x")]}))
    assert batch.write_key == "x"
    assert all("writeKey" not in item.data for item in batch.items)
    assert read(request(track(writeKey="k"), "/v1/track")).write_key == "k"
    assert read(request(track(writeKey=5), "/v1/track")).write_key is None


def test_context_and_integrations_of_the_batch_lie_under_the_item_s():
    batch = read(
        request(
            {
                "context": {"ip": "1.2.3.4", "app": {"name": "A"}},
                "integrations": {"All": True},
                "sentAt": "2026-11-21T08:30:00Z",
                "batch": [track(context={"app": {"build": "7"}}), track()],
            }
        )
    )
    first, second = (item.data for item in batch.items)
    assert first["context"] == {"ip": "1.2.3.4", "app": {"build": "7"}}
    assert second["context"] == {"ip": "1.2.3.4", "app": {"name": "A"}}
    assert first["integrations"] == {"All": True}
    assert batch.sent_at == "2026-11-21T08:30:00Z"


def test_bodies_are_told_by_their_first_bytes():
    body = {"batch": [track()]}
    plain = json.dumps(body).encode()
    for form in (plain, b"\xef\xbb\xbf" + plain, b" \n" + plain, zipped(body)):
        assert read(request(form)).items[0].reason is None
    two_members = gzip.compress(plain[:10]) + gzip.compress(plain[10:])
    assert read(request(two_members)).items[0].reason is None
    assert read(request(zipped(body) + b"\x00" * 8)).items[0].reason is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"{", b"null", b"5", b'"a"', b"{}", b'{"batch": {}}', b'{"batch": null}'),
        *(b'{"batch": [{]}', b"[" * 100_000, b'{"batch": [' + b"[" * 100_000, b"data=eyJ9"),
        *(zipped({"batch": []})[:-9], b"\x1f\x8b", b"\x1f\x8bxxxxxxxxxxxxxxxxxxxx", b"\xff\xfe{}"),
        b"[1] [2]",
    ],
)
def test_what_is_no_batch_is_an_unreadable_body(body):
    assert code(body) == "unreadable_body"


def test_single_calls_must_be_objects():
    assert code(b"[]", "/v1/track") == "unreadable_body"
    assert code(b"5", "/v1/track") == "unreadable_body"


def test_bodies_are_bounded_before_and_after_unzipping():
    big = b" " * (MAX_BODY + 1)
    assert code(big) == "body_too_large"
    assert code(gzip.compress(b" " * (64 << 20))) == "body_too_large"
    assert code(gzip.compress(b" " * MAX_BODY) + gzip.compress(b" ")) == "body_too_large"
    assert code({"batch": [0] * 10_001}) == "body_too_large"
    full = b'{"batch": []' + b" " * (MAX_BODY - 13) + b"}"
    assert read(request(full)).items == []


def test_lists_and_objects_are_bounded_since_each_weighs_more_than_its_bytes():
    item = (
        b'{"type": "track", "messageId": "m", "event": "x", "anonymousId": "a", "properties": %s}'
    )
    for box in (b"[]", b"{}", b'{"a":1}'):
        many = item % (b'{"x": [' + b",".join([box] * MAX_BOXES) + b"]}")
        assert len(many) < MAX_BODY
        assert code(many, "/v1/track") == "body_too_large"
        assert code(gzip.compress(many), "/v1/track") == "body_too_large"
    usual = item % b'{"products": [{"id": "1"}, {"id": "2"}]}'
    assert len(read(request(b"[" + b",".join([usual] * 10_000) + b"]")).items) == 10_000


def test_a_small_request_cannot_grow_into_a_large_one():
    shared = {"x": "a" * (1 << 20)}
    assert code({"context": shared, "batch": [track()] * 100}) == "body_too_large"
    assert code({"context": {"x": "a" * 6000}, "batch": [track()] * 2000}) == "body_too_large"
    assert read(request({"context": shared, "batch": [track()] * 3})).items[2].reason is None
    assert code(gzip.compress(b"{}") * 50_000) == "unreadable_body"
    deep = b"[" * 5000 + b"]" * 5000
    body = (
        b'{"context":{"x":' + deep + b'},"batch":[' + b",".join([json.dumps(track()).encode()] * 2)
    )
    assert [item.reason for item in read(request(body + b"]}")).items] == ["too_deep"] * 2


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, "not_an_object"),
        (7, "not_an_object"),
        ([track()], "not_an_object"),
        ({}, "unknown_type"),
        (track(type="purchase"), "unknown_type"),
        (track(type=5), "unknown_type"),
        (track(type=["track"]), "unknown_type"),
        (track(messageId="x" * 256), "bad_message_id"),
        (track(messageId=1.5), "bad_message_id"),
        (track(messageId={}), "bad_message_id"),
        (track(messageId=False), "bad_message_id"),
        (track(userId={}), "bad_id"),
        (track(userId=True), "bad_id"),
        (track(anonymousId=["a"]), "bad_id"),
        (track(groupId={}), "bad_id"),
        (track(anonymousId=None), "missing_id"),
        (track(anonymousId=""), "missing_id"),
        (track(anonymousId="null"), "missing_id"),
        (track(anonymousId=" "), "missing_id"),
        (track(anonymousId=None, context={"traits": {"phone": "null"}}), "missing_id"),
        (track(anonymousId="00000000-0000-0000-0000-000000000000"), "missing_id"),
        (track(""), "missing_event"),
        (track("  "), "missing_event"),
        (track(None), "missing_event"),
        (track({"a": 1}), "missing_event"),
        ({"type": "group", "userId": "u"}, "missing_group_id"),
        ({"type": "group", "userId": "u", "groupId": "null"}, "missing_group_id"),
        ({"type": "alias", "userId": "u"}, "missing_previous_id"),
        ({"type": "alias", "previousId": "p"}, "missing_id"),
        (track(properties="x"), "bad_properties"),
        (track(properties=[1]), "bad_properties"),
        (track(context=5), "bad_context"),
        ({"type": "identify", "userId": "u", "traits": "x"}, "bad_traits"),
        (track(timestamp="yesterday"), "bad_timestamp"),
        (track(timestamp={}), "bad_timestamp"),
        (track(timestamp="12026-01-01T00:00:00Z"), "bad_timestamp"),
        (track("Order Completed", properties={"revenue": "lots"}), "bad_amount"),
        (track("Order Completed", properties={"revenue": []}), "bad_amount"),
        (track("Order Completed", properties={"total": "1e99"}), "bad_amount"),
        (
            track("Order Completed", properties={"revenue": 1, "currency": "XXX"}),
            "unknown_currency",
        ),
        (track("Order Completed", properties={"total": 1, "currency": 5}), "unknown_currency"),
        (track("Signed Up", properties={"currency": "ZZZ"}), "unknown_currency"),
    ],
)
def test_each_fault_has_its_reason_and_costs_no_neighbour(item, reason):
    assert reasons(track(), item, track()) == [None, reason, None]
    assert reason in REASONS


@pytest.mark.parametrize(
    "item",
    [
        track(userId=None, messageId=None),
        track(messageId=""),
        track(messageId=12),
        track(userId=10086, anonymousId=None),
        track(anonymousId=5.0),
        track(properties=None, context=None, integrations=None),
        track(properties=[], context=[], integrations=[]),
        track(timestamp=None),
        track(timestamp=""),
        track(timestamp="bad", originalTimestamp="2026-11-21T08:30:00Z"),
        track(timestamp=1_795_249_800_000),
        track(sentAt="bad"),
        track(unknown={"a": 1}, integrations="x"),
        track("Order Completed", properties={"revenue": "", "total": "1,234.50"}),
        track("Order Completed", properties={"currency": ""}),
        track("Video Watched", properties={"value": "high", "currency": "CNY"}),
        track("Scored", properties={"value": "high", "total": "all"}),
        {"type": "identify", "anonymousId": None, "traits": {"email": "li@qq.com"}},
        {"type": "track", "event": "Called", "context": {"traits": {"phone": "13800138000"}}},
        {"type": "alias", "previousId": "p", "userId": "u"},
        {"type": "page", "anonymousId": "a", "name": 5},
        {"type": "group", "groupId": 5, "userId": "u"},
    ],
)
def test_odd_but_usable_items_are_taken(item):
    assert reasons(item) == [None]


def test_items_without_an_id_get_the_same_one_each_time_the_log_is_read():
    body = {"batch": [track(messageId=None), track(messageId=None), 5]}
    first, again = (read(request(body)) for _ in range(2))
    ids = [item.message_id for item in first.items]
    assert ids == [item.message_id for item in again.items]
    assert len(set(ids)) == 3
    other = read(request(body, request_id=b"s" * 16))
    assert ids[0] != other.items[0].message_id


def test_nan_infinity_cut_emoji_nul_and_broken_utf8_cost_nothing():
    body = (
        b'{"batch": [{"type":"track","anonymousId":"a","event":"A","properties":'
        b'{"a":NaN,"b":1e999,"c":-Infinity,"d":"\\ud83d","e":"x\\u0000y","f":"\xff",'
        b'"g":"tab\there","h":' + b"9" * 300 + b',"k\\u0000":1}},{"type":"page","userId":"u"}]}'
    )
    first, second = read(request(body)).items
    assert (first.reason, second.reason) == (None, None)
    properties = first.data["properties"]
    assert properties["d"] == "\ufffd"
    assert properties["e"] == "x\ufffdy"
    assert properties["f"] == "\ufffd"
    assert properties["k\ufffd"] == 1
    assert json.loads(payload(first))["properties"]["a"] is None


def test_a_nul_is_replaced_on_the_fast_way_too():
    (item,) = read(request(track("a\x00b"), "/v1/track")).items
    assert item.data["event"] == "a\ufffdb"


@pytest.mark.parametrize("depth", [70, 500, 950, 5000, 50_000])
def test_a_too_deep_item_costs_no_neighbour(depth):
    deep = b'{"type":"track","messageId":"d","x":' + b'{"y":[' * depth + b"]}" * depth + b"}"
    good = json.dumps(track()).encode()
    nul = json.dumps(track("a\x00")).encode()
    for neighbour in (good, nul):
        batch = read(request(b'{"batch":[' + neighbour + b"," + deep + b"," + good + b"]}"))
        assert [item.reason for item in batch.items] == [None, "too_deep", None]
        assert json.loads(payload(batch.items[1]))["messageId"] == "d"


def test_a_too_deep_list_beside_a_good_item_is_cut():
    body = b'{"batch":[' + b"[" * 5000 + b"]" * 5000 + b"," + json.dumps(track()).encode() + b"]}"
    batch = read(request(body))
    assert [item.reason for item in batch.items] == ["not_an_object", None]
    assert len(payload(batch.items[0])) < 200


def test_nesting_up_to_the_limit_is_taken():
    value = 1
    for _ in range(60):
        value = {"a": value}
    assert reasons(track(properties=value)) == [None]


def test_content_is_what_happened_and_not_how_it_travelled():
    one = track(sentAt="2026-11-21T08:30:00Z", _metadata={"n": 1}, properties={"b": 1, "a": 2})
    two = track(sentAt="2026-11-22T08:30:00Z", properties={"a": 2, "b": 1}, writeKey="k")
    assert content_hash(one) == content_hash(two)
    assert len(content_hash(one)) == 16
    assert content_hash(one) != content_hash(track(properties={"a": 2, "b": 2}))
    single = read(request(track(), "/v1/track")).items[0].data
    batched = read(request({"batch": [track()]})).items[0].data
    assert content_hash(single) == content_hash(batched)


def test_a_reject_s_payload_is_what_was_sent():
    batch = read(request({"batch": [5, None, {"type": "x", "a": "中"}]}))
    assert [json.loads(payload(item)) for item in batch.items] == [
        5,
        None,
        {"type": "x", "a": "中"},
    ]


def test_every_reason_says_what_to_do_in_both_languages():
    assert all(en.endswith(".") and zh.endswith("。") for en, zh in REASONS.values())
