"""Another system's JSON, read by what a site wrote about it; and whatever comes instead of it."""

import base64
import hashlib
import hmac
import json

import msgspec
import pytest
from calls import RECEIVED
from hypothesis import given
from hypothesis import strategies as st
from wild import values

from touchline.collect.event import to_event
from touchline.collect.item import payload
from touchline.collect.makers.makers import makers, sealed
from touchline.collect.protocol import RawRequest
from touchline.collect.protocols import read, spoken_at
from touchline.collect.protocols.webhook import WEBHOOK
from touchline.collect.reasons import REASONS
from touchline.collect.redact import REMOVED
from touchline.collect.site import Site
from touchline.errors import BadInput, Denied, NotFound
from touchline.model import Event, Flag, Identifier

SECRET = "correct horse"
CALLS = {
    "name": "calls",
    "secret": SECRET,
    "fields": {
        "message_id": "$.call.id",
        "name": "Call Received",
        "occurred_at": {"path": "$.call.started_at", "required": True},
        "phone": ["$.caller.mobile", "$.caller.number"],
        "channel": {"path": "$.line", "values": {"400-1": "Paid Search"}, "default": "Phone"},
        "campaign": "$.tracking.campaign",
        "properties.duration_s": "$.call.seconds",
        "traits.name": "$.caller.name",
    },
    "drop": ["$.recording"],
}
CALL = {
    "call": {"id": 7781, "started_at": "2026-11-21 10:30:00", "seconds": 95, "agent": "li"},
    "caller": {"number": "138 0013 8000", "name": "王小姐", "city": "杭州"},
    "line": "400-1",
    "tracking": {"campaign": "spring", "number": "13800138000", "sum": 13800138000},
    "recording": "https://calls.example/7781.mp3",
    "note": "回拨 138 0013 8000",
}
CHATS = {
    "name": "chats",
    "secret": SECRET,
    "check": "hmac-sha256",
    "items": "$.data.sessions",
    "fields": {
        "name": {"path": "@.kind", "values": {"1": "Chat Started", "2": "Lead Left"}},
        "occurred_at": "@.time",
        "anonymous_id": "@.guest",
        "account_id": "$.company",
        "url": "@.page",
        "email": "@.form[0].mail",
    },
}


def site(*hooks, opened=lambda sealed, _: sealed):
    return Site(workspace="w", makers=makers({"webhook": list(hooks)}, opened))


def request(body, name="calls", **more):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawRequest(RECEIVED, "", f"/hooks/{name}", body, b"r" * 16, **more)


def items(body, *hooks, name="calls"):
    return read(request(body, name), site(*hooks)).items


def event_of(item, hooks, name="calls"):
    assert item.reason is None, item.reason
    return to_event(item, request({}, name), None, site(*hooks))


def test_a_call_becomes_a_touch_of_its_caller():
    (item,) = items(CALL, CALLS)
    event = event_of(item, [CALLS])
    assert (event.name, event.message_id, event.channel) == ("Call Received", "7781", "Paid Search")
    assert event.campaign == "spring"
    assert event.flags & Flag.EXPLICIT_CHANNEL
    assert event.identifiers == (Identifier("phone", "+8613800138000"),)
    assert event.ts_us == 1_795_228_200_000_000  # 10:30 in Shanghai
    assert event.properties["duration_s"] == 95
    assert event.traits["name"] == "王小姐"


def test_the_rest_is_kept_without_what_names_the_caller():
    (item,) = items(CALL, CALLS)
    kept = event_of(item, [CALLS]).context["webhook"]
    assert kept == {
        "name": "calls",
        "record": {
            "call": {"agent": "li"},
            "caller": {"city": "杭州"},
            "tracking": {"number": "[removed]", "sum": "[removed]"},
            "note": "回拨 [removed]",
        },
    }


def test_a_value_without_a_word_of_its_own_falls_back():
    (item,) = items({**CALL, "line": "other"}, CALLS)
    assert event_of(item, [CALLS]).channel == "Phone"


SPELLED = ["13812345678", "8613812345678", "+86 138-1234-5678", "(0086) 138 1234 5678", 13812345678]


@pytest.mark.parametrize("sent", ["+86 138-1234-5678", "13812345678", 8613812345678])
@pytest.mark.parametrize("again", SPELLED)
@pytest.mark.parametrize("field", ["phone", "traits.mobile_phone"])
def test_no_spelling_of_a_phone_is_kept_beside_what_it_became(sent, again, field):
    hook = {**CALLS, "fields": {"name": "Call", "user_id": "$.id", field: "$.from"}}
    said = {"raw": again, "text": f"call {again}!", "by": {str(again): 1}, "sum": 1381234}
    (item,) = items({"id": "u-100", "from": sent, **said}, hook)
    record = item.data["context"]["webhook"]["record"]
    assert "1234" not in json.dumps(record).replace("1381234}", "}").replace("1381234,", ",")
    assert record["sum"] == 1381234


def test_a_phone_of_elsewhere_is_found_without_its_country_code():
    (item,) = items(
        {**CALL, "caller": {"number": "+44 20 7946 0958"}, "note": "020 79460958"}, CALLS
    )
    assert item.data["context"]["webhook"]["record"]["note"] == REMOVED


def test_a_small_body_does_not_become_much_work():
    many = [{"kind": "1", "guest": f"g-{n}", "form": [{"mail": "li@x.cn"}]} for n in range(200)]
    body = {"data": {"sessions": many}, "numbers": list(range(25_000))}
    with pytest.raises(BadInput) as refused:
        items(body, CHATS, name="chats")
    assert refused.value.code == "body_too_large"
    body["numbers"] = list(range(1000))
    assert len(items(body, CHATS, name="chats")) == 200


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_deep_around_a_list_is_cut(count):
    session = b'{"kind":"1","form":[{"mail":"li@x.cn"}]}'
    deep = b"[" * 900 + b"]" * 900
    many = b",".join([session] * count)
    raw = b'{"data":{"sessions":[%s]},"deep":%s}' % (many, deep)
    assert len(items(raw, CHATS, name="chats")) == count


def test_each_item_of_a_list_is_read_by_itself_with_what_stands_around_it():
    body = {
        "company": "acme",
        "day": "2026-11-21",
        "data": {
            "sessions": [
                {"kind": 1, "time": 1795249800, "guest": "g1", "page": "https://a.cn/?utm_source=bing"},
                {"kind": 2, "time": 1795249801, "guest": "g1", "form": [{"mail": "A@b.cn"}]},
                "nonsense",
                {"kind": 2, "time": "yesterday", "guest": "g2"},
            ]
        },
    }  # fmt: skip
    found = items(body, CHATS, name="chats")
    assert [item.reason for item in found] == [None, None, "not_an_object", "bad_timestamp"]
    first, second = (event_of(item, [CHATS], "chats") for item in found[:2])
    assert (first.name, first.source_name, first.account_id) == ("Chat Started", "bing", "acme")
    assert second.identifiers[-1] == Identifier("email", "a@b.cn")
    assert first.context["webhook"]["record"]["around"] == {"day": "2026-11-21"}


def test_what_is_kept_of_an_item_is_a_body_that_is_read_as_that_item_again():
    body = {"company": "acme", "data": {"sessions": [{"kind": 1, "time": 1, "guest": "g"},
                                                     {"kind": 1, "guest": "h"}]}}  # fmt: skip
    for item in items(body, CHATS, name="chats"):
        (again,) = items(payload(item), CHATS, name="chats")
        assert (again.reason, again.data) == (item.reason, item.data)


def test_an_item_is_the_same_however_often_it_is_delivered():
    once, twice = (items({**CALL, "call": {**CALL["call"], "id": None}}, CALLS) for _ in range(2))
    assert once[0].message_id == twice[0].message_id
    other = items({**CALL, "call": {**CALL["call"], "id": None, "seconds": 3}}, CALLS)
    assert other[0].message_id != once[0].message_id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"caller": {}}, "missing_id"),
        ({"caller": {"number": "anonymous"}}, "missing_id"),
        ({"call": {"id": 1}}, "missing_field"),
        ({"call": {"id": 1, "started_at": "soon"}}, "bad_timestamp"),
        ({"call": {"id": "x" * 300, "started_at": 1795249800}}, "bad_message_id"),
    ],
)
def test_what_cannot_be_stored_says_why(change, reason):
    (item,) = items({**CALL, **change}, CALLS)
    assert item.reason == reason


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"7", b"\x1f\x8b broken", b'{"a":'])
def test_a_body_that_is_no_object_is_unreadable(body):
    with pytest.raises(BadInput) as caught:
        items(body, CALLS)
    assert caught.value.code == "unreadable_body"


def test_a_body_without_the_list_is_unreadable():
    with pytest.raises(BadInput):
        items({"data": {"sessions": {}}}, CHATS, name="chats")


def test_a_small_body_cannot_grow_into_a_large_one():
    body = {"company": "x" * 50_000, "data": {"sessions": [{}] * 5_000}}
    with pytest.raises(BadInput) as caught:
        items(body, CHATS, name="chats")
    assert caught.value.code == "body_too_large"


@given(values, st.sampled_from(["call", "caller", "line", "tracking", "own"]))
def test_nothing_that_comes_is_an_exception(value, place):
    body = value if place == "own" else {**CALL, place: value}
    listed = {"company": value, "data": {"sessions": [value, {"guest": value, "time": value,
              "kind": value, "form": [value], "page": value}]}}  # fmt: skip
    for hook, sent in ((CALLS, body), (CHATS, listed), (CHATS, value)):
        raw = msgspec.json.encode(clean(sent))
        try:
            found = items(raw, hook, name=hook["name"])
        except BadInput:
            continue
        for item in found:
            assert item.message_id
            assert item.reason is None or item.reason in REASONS
            payload(item)
            if item.reason is None:
                event = to_event(item, request(b""), None, site(hook))
                assert isinstance(event, Event)
                assert b"\\u0000" not in msgspec.json.encode(event)


def clean(value):
    """As a sender of JSON could write it."""
    if isinstance(value, dict):
        return {clean(k): clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [clean(v) for v in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return float(value) if value < 10**300 else 0
    return value


# Who may send


def admitted(body, hook, headers=None, query=""):
    asked = request(body, hook["name"], headers=headers or {}, query=query)
    return WEBHOOK.defined.admit(asked, site(hook))


def test_a_token_is_known_in_its_header_and_is_not_logged():
    logged = admitted(CALL, CALLS, {"x-webhook-token": SECRET, "cookie": "a=1"})
    assert (logged.source, logged.headers) == ("calls", {})
    for headers in ({}, {"x-webhook-token": "wrong horse"}, {"authorization": SECRET}):
        with pytest.raises(Denied):
            admitted(CALL, CALLS, headers)


def test_a_token_in_the_address_is_taken_off_before_the_log():
    hook = {**CALLS, "query": "key", "source": "phones"}
    logged = admitted(CALL, hook, query="key=correct+horse&page=2")
    assert (logged.source, logged.query) == ("phones", "page=2")
    with pytest.raises(Denied):
        admitted(CALL, hook, {"x-webhook-token": SECRET})


@pytest.mark.parametrize("check", ["hmac-sha256", "hmac-sha1"])
@pytest.mark.parametrize("spelled", ["hex", "HEX", "base64"])
def test_a_signature_is_checked_over_the_body(check, spelled):
    hook = {**CALLS, "check": check, "header": "X-Sign", "prefix": "v1="}
    body = json.dumps(CALL).encode()
    made = hmac.digest(SECRET.encode(), body, getattr(hashlib, check[5:]))
    text = base64.b64encode(made).decode() if spelled == "base64" else made.hex()
    text = text.upper() if spelled == "HEX" else text
    assert admitted(body, hook, {"x-sign": f"v1={text}"}).source == "calls"
    for other in (text, f"v1={text[:-2]}", "v1=", f"v1={'0' * len(text)}", "v1=é"):
        with pytest.raises(Denied):
            admitted(body, hook, {"x-sign": other})
    with pytest.raises(Denied):
        admitted(body + b" ", hook, {"x-sign": f"v1={text}"})


def test_a_name_that_nobody_defined_is_not_found():
    with pytest.raises(NotFound, match="calls"):
        WEBHOOK.defined.admit(request(CALL), site())
    assert spoken_at("/hooks/a/b") is None
    assert spoken_at("/hooks/") is None


# Definitions


def stored(hooks, held=()):
    return sealed(
        {"webhook": list(hooks)},
        {"webhook": list(held)},
        lambda clear, place: b"S" + clear[::-1] + place,
        lambda raw, place: raw[1:].removesuffix(place)[::-1],
    )["webhook"]


@pytest.mark.parametrize("check", ["token", "hmac-sha256"])
def test_a_secret_is_not_stored_in_clear_and_works_as_before(check):
    hook = {**CALLS, "check": check}
    (kept,) = stored([hook])
    assert SECRET not in json.dumps(kept)
    opened = lambda raw, place: raw[1:].removesuffix(place)[::-1]  # noqa: E731
    one, two = (site(h, opened=opened).makers.webhooks["calls"].proof for h in (hook, kept))
    assert one == two
    assert SECRET not in repr(one)
    assert stored([hook], [kept]) == [kept]
    assert stored([kept], [kept]) == [kept]
    (other,) = stored([{**hook, "secret": "another horse"}], [kept])
    assert other["secret"] != kept["secret"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "Calls!"}, "a-z"),
        ({"name": 7}, "str"),
        ({"secret": "short"}, "characters"),
        ({"check": "md5"}, "none of"),
        ({"check": "hmac-sha1", "query": "sign"}, "header"),
        ({"header": "a", "query": "b"}, "both"),
        ({"check": "hmac-sha1", "secret": "sha256:00"}, "HMAC"),
        ({"items": "@.a"}, "body"),
        ({"items": "data"}, "starts"),
        ({"fields": {"name": "x"}}, "one of"),
        ({"fields": {"name": "x", "phone": "$.a[*]"}}, "cannot be read"),
        ({"fields": {"name": "x", "phone": "$.a", "fone": "$.b"}}, "properties.fone"),
        ({"fields": {"phone": "$.a"}}, "what happened"),
        ({"fields": {"name": "x", "phone": {"path": "$.a", "value": 1}}}, "value"),
        ({"fields": {"name": "x", "phone": []}}, "paths"),
        ({"fields": {"name": "x", "phone": "$" + ".a" * 40}}, "steps"),
        ({"field": {}}, "field"),
    ],
)
def test_a_definition_that_cannot_work_is_refused_with_its_reason(change, why):
    with pytest.raises(BadInput, match=why) as caught:
        site({**CALLS, **change})
    assert caught.value.code == "bad_webhook"


def test_two_of_one_name_are_refused():
    with pytest.raises(BadInput, match="two"):
        site(CALLS, CALLS)
