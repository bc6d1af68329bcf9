"""Whatever is sent: a verdict for each item or one clear error, and events that can be stored."""

import contextlib
import gzip
import json
import re

import msgspec
from calls import SITE, request, track, without_identifiers
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.collect.reasons import REASONS
from touchline.collect.segment import content_hash, payload, read, to_event
from touchline.collect.time import EARLIEST_US, LATEST_US
from touchline.errors import BadInput
from touchline.model import Event

KINDS = ("track", "identify", "page", "screen", "group", "alias")

text = st.text(max_size=12) | st.sampled_from(
    ["", "null", "x\x00y", "\ud83d", "\udfff", "138****8000", "13800138000", "Li@QQ.com", "0" * 9,
     "2026-11-21T08:30:00Z", "https://a.cn/?utm_source=xhs&email=a@b.cn", "-0", "1e5", "CNY", "ZZZ",
     "Order Completed", "9" * 500, "é" * 200, "{{id}}", "Mozilla/5.0", "curl/8"]
)  # fmt: skip
scalar = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**15, 10**60)
    | st.floats(allow_nan=True, allow_infinity=True)
    | text
)
values = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def objects(*names):
    return st.dictionaries(st.sampled_from(names) | text, values, max_size=6) | values


properties = objects(
    *("channel", "campaign", "source", "medium", "revenue", "total", "value", "currency", "stage"),
    *("order_id", "url", "path", "referrer", "title", "name", "email", "phone", "store_code"),
)
context = (
    st.fixed_dictionaries(
        {},
        optional={
            "page": objects("url", "path", "referrer", "title", "search"),
            "campaign": objects("source", "medium", "name", "id"),
            "traits": objects("email", "phone", "openid", "unionid", "member_code"),
            "device": objects("id", "advertisingId"),
            "app": objects("name", "appId"),
            "referrer": objects("url"),
            "userAgent": values,
            "ip": values,
            "groupId": values,
            "item": values,
            "direct": values,
        },
    )
    | values
)
items = (
    st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS) | values},
        optional={
            "messageId": values,
            "anonymousId": values,
            "userId": values,
            "previousId": values,
            "groupId": values,
            "event": text | values,
            "name": values,
            "category": values,
            "timestamp": values,
            "originalTimestamp": values,
            "sentAt": values,
            "properties": properties,
            "traits": objects("email", "phone"),
            "context": context,
            "integrations": values,
            "writeKey": values,
            "channel": values,
            "item": values,
        },
    )
    | values
)
# Items that are most likely accepted, so that events get their share of the search.
usable = st.builds(
    lambda kind, more: {
        "type": kind, "event": "E", "userId": "u", "groupId": "g", "previousId": "p", **more
    },
    st.sampled_from(KINDS),
    st.fixed_dictionaries(
        {}, optional={"properties": properties, "context": context, "sentAt": values, "x": values}
    ),
)  # fmt: skip


def body_of(batch):
    # As a careless client writes it: NaN, Infinity and lone surrogates go out as they are.
    return json.dumps(batch).encode()


def check(event):
    assert isinstance(event, Event)
    assert EARLIEST_US <= event.ts_us < LATEST_US
    assert len(event.content_hash) == 16
    clean = without_identifiers(event, lambda type_, _: f"{type_}:token")
    encoded = msgspec.json.encode(clean).decode()
    assert "\\u0000" not in encoded
    assert not re.search("[\x00\ud800-\udfff]", encoded)
    assert "13800138000" not in json.dumps(clean.context.get("traits", ""))
    assert all(found.value.isprintable() for found in event.identifiers)
    if event.revenue is not None:
        assert event.currency is not None
        assert -(2**63) <= event.revenue < 2**63


@settings(max_examples=250, deadline=None)
@given(st.lists(items | usable, max_size=4), context, values, st.booleans())
def test_any_batch_gets_a_verdict_for_each_item(batch, shared, sent_at, is_zipped):
    good = track(messageId="good")
    body = body_of({"batch": [good, *batch, good], "context": shared, "sentAt": sent_at})
    call = request(gzip.compress(body) if is_zipped else body)
    found = read(call)
    assert len(found.items) == len(batch) + 2
    usual = None if not shared or isinstance(shared, dict) else "bad_context"
    assert found.items[0].reason == found.items[-1].reason == usual
    for item in found.items:
        assert item.reason is None or item.reason in REASONS
        assert 0 < len(item.message_id) <= 255
        assert json.loads(payload(item)) is not Ellipsis
        if item.reason is None:
            assert len(content_hash(item.data)) == 16
            check(to_event(item, call, found.sent_at, SITE))


@settings(max_examples=150, deadline=None)
@given(usable)
def test_any_single_call_becomes_an_event_or_has_a_reason(data):
    call = request(body_of(data), f"/v1/{data['type']}", user_agent="Mozilla/5.0", ip="10.0.0.0")
    (item,) = read(call).items
    if item.reason is None:
        check(to_event(item, call, None, SITE))


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(gzip.compress), st.sampled_from(KINDS))
def test_any_bytes_are_read_or_refused(body, kind):
    for path in ("/v1/batch", f"/v1/{kind}"):
        with contextlib.suppress(BadInput):
            read(request(body, path))


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_body_is_read_or_refused(data):
    body = bytearray(body_of({"batch": [track(context={"page": {"url": "https://a.cn/"}})]}))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    call = request(bytes(body))
    try:
        found = read(call)
    except BadInput:
        return
    for item in found.items:
        if item.reason is None:
            check(to_event(item, call, found.sent_at, SITE))


def test_an_event_with_a_list_of_identifiers_is_rejected():
    many = {"e" + "_" * n + "mail": f"{n}@b.cn" for n in range(30)}
    many |= {"phone" + "_" * n: f"1380013{n:04}" for n in range(30)} | {
        "mem" + "-" * n + "bercode": f"c{n}" for n in range(34)
    }
    more = many | {"open" + "_" * n + "id": f"o{n}" for n in range(30)}
    for traits, reason in ((many, None), (more, "too_many_identifiers")):
        for where in ({"traits": traits}, {"context": {"traits": traits}}):
            item = {"type": "identify", "userId": "u", "messageId": "m", **where}
            body = json.dumps({"batch": [item]}).encode()
            assert read(request(body)).items[0].reason == reason
