"""The short way to an event never says anything the long way would not."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.collect import segment
from touchline.collect.item import content_hash
from touchline.collect.quick import Quick
from touchline.collect.site import Site
from touchline.model import Members, RawRequest

SITE = Site(workspace="w", own_hosts=frozenset(["shop.example"]))
T0 = 1_795_250_000_000_000
MOZILLA = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
SHOP = "https://shop.example/p/9?utm_source=baidu&utm_medium=cpc&hmsr=x"

TEXT = st.sampled_from(
    ["", "a", "张三", "a@b.cn", "138 0013 8000", "x" * 700, "null", 'q"\\n', "é"]
)
ODD = st.sampled_from([None, 0, 1.5, True, [], {}, [1], {"b": 1, "a": "é"}, "x"])
PAGE = st.fixed_dictionaries(
    {},
    optional={
        "url": st.sampled_from([SHOP, "https://shop.example/?gclid=1", "/p", ""]),
        "path": st.sampled_from(["/p/9", None, 3]),
        "referrer": st.sampled_from(["https://www.baidu.com/", "https://shop.example/", ""]),
        "title": st.one_of(TEXT, ODD),
    },
)
TRAITS = st.fixed_dictionaries(
    {}, optional={"email": TEXT, "phone": TEXT, "openid": TEXT, "age": ODD, "name": TEXT}
)
CONTEXT = st.fixed_dictionaries(
    {},
    optional={
        "page": st.one_of(PAGE, ODD),
        "userAgent": st.sampled_from(
            [MOZILLA, MOZILLA + " MicroMessenger/8", "Googlebot/2.1", "x" * 1100, "", 5, None]
        ),
        "consent": st.one_of(st.sampled_from([{"mode": "full"}, {"mode": "off"}, True]), ODD),
        "consentManagement": st.sampled_from([{"deniedConsentIds": ["a"]}, {}, 3]),
        "touchline": ODD,
        "campaign": st.sampled_from([{"source": "wx", "name": "C"}, {}, {"source": ""}, 3]),
        "traits": st.one_of(TRAITS, ODD),
        "device": st.sampled_from([{"id": "d-1", "idfa": "AB-2"}, {}, None]),
        "app": st.sampled_from([{"id": "wx1"}, "app", None]),
        "ip": st.sampled_from(["1.2.3.4", "::1", "x", 7, None]),
        "direct": st.booleans(),
        "groupId": TEXT,
        "referrer": st.sampled_from([{"url": "https://t.co/"}, "https://t.co/", {}]),
        "channel": TEXT,
        "integrations": ODD,
        "name": TEXT,
        "zz": ODD,
    },
)
PROPERTIES = st.one_of(
    PAGE,
    st.fixed_dictionaries(
        {},
        optional={
            "revenue": st.sampled_from([9.99, 10, None, 0]),
            "total": st.sampled_from([5, None]),
            "value": st.one_of(st.sampled_from([3, "4.5"]), ODD),
            "currency": st.sampled_from(["CNY", "USD", "", None]),
            "channel": TEXT,
            "campaign": TEXT,
            "source": TEXT,
            "order_id": st.one_of(TEXT, ODD),
            "storeCode": TEXT,
            "store_code": ODD,
            "accountId": TEXT,
            "name": TEXT,
            "list": st.just([{"z": 1, "a": [2]}]),
        },
    ),
)
TIME = st.sampled_from(
    ["2026-11-21T08:30:00.857Z", "2026-11-21T08:30:00+08:00", "2029-01-01", "1975-01-01", None, ""]
)
MORE = {
    "anonymousId": st.sampled_from(["a-1", "a-2", None, "null"]),
    "name": st.one_of(TEXT, ODD),
    "category": st.one_of(TEXT, ODD),
    "channel": st.sampled_from(["web", "server", None]),
    "timestamp": TIME,
    "originalTimestamp": TIME,
    "sentAt": TIME,
    "receivedAt": ODD,
    "_metadata": ODD,
    "integrations": ODD,
    "properties": st.one_of(PROPERTIES, st.none()),
    "context": st.one_of(CONTEXT, st.none()),
    "traits": st.one_of(TRAITS, st.none()),
    "writeKey": st.just("k"),
}
ITEM = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "page", "screen", "identify"]),
        "messageId": st.sampled_from(["m1", "m2", "é"]),
        "userId": st.sampled_from(["u1", "u2"]),
        "event": st.sampled_from(["Order Completed", " Signed up ", "Order Refunded"]),
    },
    optional=MORE,
)
BATCH = st.fixed_dictionaries(
    {"batch": st.lists(ITEM, min_size=1, max_size=4)},
    optional={
        "context": st.one_of(CONTEXT, ODD),
        "integrations": ODD,
        "sentAt": TIME,
        "writeKey": st.just("k"),
    },
)
REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "user_agent": st.sampled_from([MOZILLA, "python/3.11", None]),
        "ip": st.sampled_from(["10.1.2.0", None]),
        "headers": st.sampled_from([{}, {"dnt": "1"}, {"dnt": "0", "sec-gpc": "1"}]),
    },
)


def read_both_ways(value, call, quick, **more):
    """The events of both ways, spelled alike; None when the short one passes."""
    body = json.dumps(value, ensure_ascii=False).encode()
    request = RawRequest(T0, "web", f"/v1/{call}", body, b"r" * 16, **more)
    made = quick.events(request)
    if made is None:
        return None
    batch = segment.read(request)
    long = [segment.to_event(item, request, batch.sent_at, SITE) for item in batch.items]
    for item, one in zip(batch.items, made, strict=True):
        assert msgspec.json.decode(msgspec.json.encode(one.item)) == item.data
        assert one.event.content_hash == content_hash(item.data)
    return [spelled(one.event) for one in made], long


def spelled(event):
    """The event with its objects read."""
    assert type(event.properties) is type(event.context) is Members
    read = {
        name: {key: msgspec.json.decode(raw) for key, raw in getattr(event, name).items()}
        for name in ("properties", "context")
    }
    return msgspec.structs.replace(event, **read)


@settings(max_examples=600, deadline=None)
@given(
    value=st.one_of(ITEM, BATCH),
    call=st.sampled_from(["track", "page", "screen", "identify"]),
    more=REQUEST,
)
def test_both_ways_make_the_same_events(value, call, more):
    found = read_both_ways(value, "batch" if "batch" in value else call, Quick(SITE), **more)
    if found is not None:
        short, long = found
        assert short == long


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BATCH, REQUEST), min_size=2, max_size=6))
def test_what_was_met_before_changes_nothing(requests):
    quick = Quick(SITE)
    for value, more in [*requests, *requests]:
        found = read_both_ways(value, "batch", quick, **more)
        if found is not None:
            short, long = found
            assert short == long


def test_the_usual_calls_of_an_sdk_go_the_short_way():
    calls = [
        {"type": kind, "messageId": kind, "userId": "u", "event": "E", "timestamp": "2026-11-21"}
        | {"context": {"library": {"name": "x"}, "userAgent": MOZILLA, "page": {"url": SHOP}}}
        | {"integrations": {}, "channel": "web", "_metadata": {"a": 1}, "sentAt": "2026-11-21"}
        for kind in ("track", "page", "screen", "identify")
    ]
    value = {"batch": calls, "sentAt": "2026-11-21T08:30:00Z", "context": {"locale": "zh"}}
    assert read_both_ways(value, "batch", Quick(SITE)) is not None
    assert read_both_ways(calls[0], "track", Quick(SITE)) is not None


@pytest.mark.parametrize(
    "item",
    [
        {"type": "alias", "previousId": "a", "userId": "u"},
        {"type": "track", "event": "E", "userId": "u", "unheard_of": 1},
        {"type": "track", "event": "E", "userId": 7},
        {"type": "track", "event": "E", "userId": "u", "context": {"x": "\ud800"}},
    ],
)
def test_unusual_items_go_the_long_way(item):
    body = json.dumps({"batch": [{"messageId": "m"} | item]}).encode()
    assert Quick(SITE).events(RawRequest(T0, "web", "/v1/batch", body, b"r" * 16)) is None


@pytest.mark.parametrize("field", ["event", "name", "context", "properties"])
def test_what_is_long_is_not_remembered(field):
    long = "x" * 5000
    item = {"type": "track", "messageId": "m", "userId": "u", "event": "E"}
    item[field] = {"any": long} if field in {"context", "properties"} else long
    quick = Quick(SITE)
    body = json.dumps(item).encode()
    assert quick.events(RawRequest(T0, "web", "/v1/track", body, b"r" * 16))
    assert quick._alike.cache_info().currsize == 0
