"""The short look at a request never says anything `read` would not."""

import gzip
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from touchline.collect import plain as module
from touchline.collect.plain import plain
from touchline.collect.segment import read
from touchline.errors import BadInput
from touchline.model import RawRequest

TIMES = st.sampled_from(
    (
        "2026-11-21T08:30:00.857Z|2026-11-21T08:30:00+08:00|2026-11-21 08:30|1795300180||soon|"
        "2026-11-21T08:30:00z|2026-02-30T00:00:00Z|1969-12-31T23:00:00Z|2200-01-01|2026-W47-6|"
        f"2026-11-21T08:30:00.{'1' * 80}Z|9999-12-31T23:59:59Z|20261121"
    ).split("|")
)
IDS = st.sampled_from(["u1", "", "null", "000", "  ", "test", "张三", "\ud800", "x" * 600, "**"])
ODD = st.sampled_from([None, 0, 1.5, True, [], {}, [1], {"a": 1}, "", "x", -1, 10**30, 1e300])
TEXT = st.one_of(IDS, ODD)
AMOUNT = st.one_of(st.sampled_from([0, 9.99, "12.50", "x", 1e10, -5, 10**19, "¥1,200"]), ODD)
CURRENCY = st.one_of(st.sampled_from(["CNY", "USD", "cny", "XXX", "元"]), ODD)
NAMES = st.one_of(
    st.sampled_from(["Order Completed", " order refunded ", "E", "", " \u3000", "\t"]), ODD
)


def deep(levels):
    value = "x"
    for _ in range(levels):
        value = {"d": [value]}
    return value


ANYTHING = st.one_of(ODD, st.sampled_from([deep(10), deep(29), deep(33), deep(40), "a\0b"]))
PROPERTIES = st.one_of(
    ODD,
    st.fixed_dictionaries(
        {},
        optional={
            "revenue": AMOUNT,
            "total": AMOUNT,
            "value": AMOUNT,
            "currency": CURRENCY,
            "any": ANYTHING,
        },
    ),
)
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(
            st.sampled_from(["track", "page", "identify", "screen", "group", "alias", "Track"]), ODD
        ),
        "messageId": st.one_of(
            st.sampled_from(["m1", "m2", "x" * 255, "x" * 256, "张" * 255, ""]), ODD
        ),
        "userId": TEXT,
        "anonymousId": TEXT,
        "groupId": TEXT,
        "previousId": TEXT,
        "event": NAMES,
        "timestamp": st.one_of(TIMES, ODD),
        "originalTimestamp": st.one_of(TIMES, ODD),
        "properties": PROPERTIES,
        "context": ANYTHING,
        "traits": ANYTHING,
        "integrations": ANYTHING,
        "writeKey": TEXT,
        "unheard of": ANYTHING,
    },
)
MANY = {"e" + "_" * n + "mail": f"{n}@b.cn" for n in range(35)} | {
    "e" + "-" * n + mark + "mail": f"{n}{mark}@b.cn" for n in range(33) for mark in ".-_ "
}
GOOD = {"type": "track", "messageId": "m", "userId": "u", "event": "E"}
FAIR = ITEM.map(lambda item: GOOD | item)
BATCH = st.fixed_dictionaries(
    {"batch": st.lists(st.one_of(FAIR, FAIR, ITEM, ODD), max_size=4)},
    optional={
        "context": ANYTHING,
        "integrations": ANYTHING,
        "writeKey": TEXT,
        "sentAt": st.one_of(TIMES, ODD),
    },
)
CALLS = st.sampled_from(["track", "page", "identify", "screen", "group", "alias", "t", "batch"])


def agrees(body, call):
    """Whether `plain` was sure; `read` must then have seen the same."""
    request = RawRequest(0, "web", f"/v1/{call}", body, b"r" * 16)
    found = plain(request)
    if found is None:
        return False
    batch = read(request)
    assert [item.reason for item in batch.items] == [None] * len(batch.items)
    assert found.message_ids == [item.message_id for item in batch.items]
    assert found.write_key == batch.write_key
    return True


@settings(max_examples=1500, deadline=None)
@given(value=st.one_of(FAIR, FAIR, BATCH, ITEM, ODD), call=CALLS, is_ascii=st.booleans())
@example(value=GOOD | {"context": deep(31)}, call="track", is_ascii=True)
@example(value=GOOD | {"traits": MANY}, call="identify", is_ascii=True)
@example(value=GOOD | {"context": {"traits": MANY}}, call="track", is_ascii=True)
@example(value={"batch": [GOOD], "context": {"traits": MANY}}, call="batch", is_ascii=True)
@example(value={"batch": [GOOD], "context": deep(31)}, call="batch", is_ascii=True)
def test_what_is_plain_is_faultless_with_the_same_ids(value, call, is_ascii):
    body = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    agrees(body, call)
    agrees(body, "batch")


@settings(max_examples=800, deadline=None)
@given(
    value=st.one_of(FAIR, BATCH),
    call=CALLS,
    at=st.integers(0, 400),
    put=st.sampled_from(
        [b"", b"\xff", b"\\", b"\\u0000", b"\\ud800", b'"', b"1e999", b"{", b"NaN", b",", b"\0"]
    ),
)
def test_spoilt_bytes_are_never_plainer_than_they_are(value, call, at, put):
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    at %= len(body) + 1
    spoilt = body[:at] + put + body[at + 1 :]
    try:
        agrees(spoilt, call)
    except BadInput as error:  # `read` refuses what `plain` accepted
        raise AssertionError(spoilt) from error


@pytest.mark.parametrize("fields", [b"", b',"x":1e999', b',"x":"\\udc00"', b',"x":' + b"9" * 5000])
@pytest.mark.parametrize(
    "twice", [b"", b',"messageId":"n"', b',"userId":null', b',"event":"F"', b',"context":[]']
)
def test_repeated_and_odd_members_are_seen_alike(fields, twice):
    body = b'{"messageId":"m","userId":"u","event":"E"' + twice + fields + b"}"
    agrees(body, "track")
    agrees(b'{"batch":[{"type":"track",' + body[1:] + b"]}", "batch")


def test_millions_of_nothings_are_not_taken_apart(monkeypatch):
    monkeypatch.setattr(module, "_batch", lambda _: pytest.fail("was taken apart"))
    body = b'{"batch":[' + b"1," * module.MANY + b"1]}"
    assert plain(RawRequest(0, "web", "/v1/batch", body, b"r" * 16)) is None


def test_the_usual_requests_are_plain():
    event = GOOD | {
        "timestamp": "2026-11-21T08:30:00.857Z",
        "properties": {"revenue": 199.5, "currency": "CNY", "items": [{"sku": "1"}]},
        "context": {"page": {"url": "https://shop.cn/?utm_source=百度"}},
    }
    assert agrees(json.dumps(event).encode(), "track")
    assert agrees(json.dumps({**event, "type": "page"}).encode(), "page")
    batch = {"batch": [event] * 100, "context": {"library": {"name": "x"}}, "writeKey": "k"}
    assert agrees(json.dumps(batch, ensure_ascii=False).encode(), "batch")


def test_what_is_not_plain_is_left_to_read():
    body = json.dumps(GOOD).encode()
    for other in (gzip.compress(body), b"\xef\xbb\xbf" + body, b" " + body, b"[" + body + b"]"):
        assert not agrees(other, "track")
    assert not agrees(body, "group")
