"""Mixpanel's events and profiles → items, and the answers its libraries wait for."""

import base64
import gzip
import json
from urllib.parse import quote, urlencode

import pytest
from calls import RECEIVED, SITE

from touchline.collect.protocol import GIF, Verdict
from touchline.collect.protocols import read, spoken_at
from touchline.collect.segment import to_event
from touchline.errors import BadInput, Denied, TooMany, Unavailable
from touchline.model import RawRequest

PAGE = "https://ours.cn/p?utm_source=xiaohongshu&utm_medium=kol"
EVENT = {"event": "Sign up", "properties": {"token": "t", "distinct_id": "u-7", "$insert_id": "i1"}}
PLAIN = json.dumps(EVENT).encode()
BASE64 = base64.b64encode(PLAIN)


def call(value=b"", path="/track", query=""):
    return RawRequest(
        received_us=RECEIVED,
        source="web",
        path=path,
        body=value if isinstance(value, bytes) else json.dumps(value).encode(),
        request_id=b"r" * 16,
        query=query,
    )


def item(event="Sign up", **properties):
    (found,) = read(call({"event": event, "properties": {"token": "t", **properties}})).items
    assert found.reason is None, found.reason
    return found


def profile(path="/engage", **fields):
    (found,) = read(call([{"$token": "t", "$distinct_id": "u-7", **fields}], path)).items
    assert found.reason is None, found.reason
    return found


def ids(found):
    names = ("userId", "anonymousId", "previousId", "groupId")
    return {name: found.data[name] for name in names if name in found.data}


BODIES = {
    "form of json": (b"data=" + quote(PLAIN).encode() + b"&verbose=1&ip=0", ""),
    "form of base64": (b"data=" + quote(BASE64).encode(), "verbose=1"),
    "form of a list": (urlencode({"data": json.dumps([EVENT])}).encode(), ""),
    "json": (PLAIN, ""),
    "list": (json.dumps([EVENT]).encode(), ""),
    "gzip": (gzip.compress(PLAIN), ""),
    "query": (b"", urlencode({"data": BASE64})),
}


@pytest.mark.parametrize(("body", "query"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/track", "/track/", "/import/"])
def test_every_form_of_a_body_is_read_at_every_path(path, body, query):
    batch = read(call(body, path, query))
    assert batch.write_key == "mixpanel:t"
    (found,) = batch.items
    assert (found.message_id, found.type, found.reason) == ("i1", "track", None)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_an_import_may_have_an_event_on_each_line_and_a_bad_line_costs_no_other(packed):
    lines = b"\n".join((PLAIN, b"{no", PLAIN))
    batch = read(call(packed(lines), "/import"))
    assert [found.reason for found in batch.items] == [None, "not_an_object", None]
    with pytest.raises(BadInput):
        read(call(packed(b"no\nno"), "/import"))


def test_the_project_is_the_token_else_what_the_query_says():
    bare = {"event": "e", "properties": {"distinct_id": "u"}}
    assert read(call(bare, "/import", "project_id=7")).write_key == "mixpanel:7"
    assert read(call(bare)).write_key is None
    other = {"event": "e", "properties": {"distinct_id": "u", "token": "other"}}
    assert [found.reason for found in read(call([EVENT, other])).items] == [None, "other_site"]


def test_who_it_is():
    assert ids(item(distinct_id="u-7")) == {"userId": "u-7"}
    assert ids(item(distinct_id="$device:d-1")) == {"anonymousId": "d-1"}
    assert ids(item(distinct_id="d-1", **{"$device_id": "d-1"})) == {"anonymousId": "d-1"}
    both = {"$device_id": "d-1", "$user_id": "u-7"}
    assert ids(item(distinct_id="u-7", **both)) == {"userId": "u-7", "anonymousId": "d-1"}
    odd = item(distinct_id="x", **both)
    assert odd.data["properties"] == {"distinct_id": "x"}


@pytest.mark.parametrize(
    ("event", "properties", "type_", "found"),
    [
        (
            "$identify",
            {"$identified_id": "u-7", "$anon_id": "d-1"},
            "identify",
            {"userId": "u-7", "anonymousId": "d-1"},
        ),
        (
            "$identify",
            {"distinct_id": "u-7", "$anon_distinct_id": "$device:d-1", "$user_id": "u-7"},
            "identify",
            {"userId": "u-7", "anonymousId": "d-1"},
        ),
        (
            "$create_alias",
            {"distinct_id": "$device:d-1", "alias": "u-7"},
            "alias",
            {"userId": "u-7", "previousId": "d-1"},
        ),
        (
            "$merge",
            {"$distinct_ids": ["u-7", "$device:d-1"]},
            "alias",
            {"userId": "u-7", "previousId": "d-1"},
        ),
    ],
)
def test_ids_are_joined(event, properties, type_, found):
    joined = item(event, **properties)
    assert (joined.type, ids(joined)) == (type_, found)
    assert joined.data["properties"] == {}


def test_a_page_view_has_its_page_and_its_own_campaign():
    found = item(
        "$mp_web_page_view",
        distinct_id="$device:d-1",
        utm_source="baidu",
        current_page_title="精华",
        **{"$current_url": PAGE, "$referrer": "https://www.xiaohongshu.com/"},
    )
    seen = to_event(found, call(), None, SITE)
    assert (seen.type, seen.page_url, seen.page_title) == ("page", PAGE, "精华")
    assert (seen.source_name, seen.medium) == ("xiaohongshu", "kol")
    server = item(distinct_id="u", utm_source="xhs")
    assert server.data["context"]["campaign"] == {"source": "xhs"}


def test_an_order_is_worth_something_and_times_are_seconds_or_milliseconds():
    order = {"order_id": "o1", "revenue": 399.0, "currency": "CNY"}
    for time in (1_773_001_815, 1_773_001_815_000):
        found = item("Order Completed", distinct_id="u-7", time=time, **order)
        event = to_event(found, call(), None, SITE)
        assert (event.revenue, event.order_id) == (39900, "o1")
        assert event.ts_us == 1_773_001_815_000_000


def test_a_browsers_clock_is_set_right():
    sent = {"event": "e", "properties": {"distinct_id": "u", "time": 1_700_000_000}}
    request = call(sent, "/track/", "verbose=1&_=1700000003000")
    batch = read(request)
    event = to_event(batch.items[0], request, batch.sent_at, SITE)
    assert RECEIVED - event.ts_us == 3_000_000


def test_a_profile_is_identified_and_its_sums_are_kept():
    found = profile(**{"$set": {"$email": "a@b.cn", "vip": 1, "$vip": 2}})
    assert (found.type, ids(found)) == ("identify", {"userId": "u-7"})
    assert found.data["traits"] == {"email": "a@b.cn", "vip": 1, "$vip": 2}
    once = profile(**{"$set_once": {"$phone": "13800138000", "first": 1}})
    assert once.data["traits"] == {"phone": "13800138000"}
    assert profile(**{"$add": {"n": 1}}).data["properties"] == {"$add": {"n": 1}}
    assert "context" not in profile(**{"$set": {}, "$ip": 0}).data


def test_a_charge_is_money():
    charge = {"$amount": 99.5, "sku": "S1", "$time": "2026-11-21T08:30:00"}
    found = profile(**{"$append": {"$transactions": charge, "tags": "vip"}})
    event = to_event(found, call(), None, SITE)
    assert (event.type, event.name, event.revenue) == ("track", "$transactions", 9950)
    assert event.properties == {"sku": "S1", "revenue": 99.5, "$append": {"tags": "vip"}}


def test_a_change_that_comes_twice_is_the_same_where_it_has_a_time():
    def name(**fields):
        return profile(**{"$set": {"vip": 1}}, **fields).message_id

    assert name(**{"$time": 1.5e9}) == name(**{"$time": 1.5e9}) != name(**{"$time": 1.5e9 + 1})


def test_a_group_is_an_account():
    found = profile("/groups/", **{"$group_key": "company", "$group_id": "acc-1", "$set": {"a": 1}})
    assert (found.type, ids(found)["groupId"]) == ("group", "acc-1")
    assert found.data["traits"] == {"a": 1}


def answered(request, *verdicts):
    return spoken_at(request.path)[0].answer(request, verdicts)


def test_answers_are_as_verbose_as_asked():
    assert answered(call(PLAIN)).body == b"1"
    verbose = b'{"status":1,"error":null}'
    assert answered(call(b"data=" + BASE64 + b"&verbose=1")).body == verbose
    assert answered(call(PLAIN, "/engage/", "verbose=1&ip=1")).body == verbose
    assert answered(call(b"", "/track", "img=1&data=e30")).body == GIF


def test_an_import_hears_of_its_records():
    good, bad = Verdict("i1", "stored"), Verdict("i2", "rejected", "missing_id")
    assert json.loads(answered(call(PLAIN, "/import"), good).body)["num_records_imported"] == 1
    strict = answered(call(PLAIN, "/import", "strict=1"), good, bad)
    told = json.loads(strict.body)
    assert (strict.status, told["num_records_imported"]) == (400, 1)
    assert [record["index"] for record in told["failed_records"]] == [1]
    assert answered(call(PLAIN, "/import", "strict=0"), good, bad).status == 200
    assert answered(call(b"data=" + BASE64, "/import"), bad).body == b"1"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("unreadable_body", why="x"), 400),
        (BadInput("body_too_large", limit=1), 413),
        (Denied("unknown_key"), 401),
        (TooMany("too_many_requests", after=7), 429),
        (Unavailable("disk_full", path="x"), 503),
    ],
)
@pytest.mark.parametrize("path", ["/track", "/engage"])
def test_errors_have_a_status_in_their_body_too(path, error, status):
    answer = spoken_at(path)[0].refuse(error)
    assert answer.status == status
    assert json.loads(answer.body)["status"] == 0
    assert (b"retry-after" in dict(answer.headers)) is (status in (429, 503))
