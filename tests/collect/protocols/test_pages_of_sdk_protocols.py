"""Pages of PostHog, Jitsu and Mixpanel against the code, and what the real libraries sent."""

import contextlib
import gzip
import json
import re
from pathlib import Path

import pytest
from calls import RECEIVED, SITE
from hypothesis import given, settings
from hypothesis import strategies as st

import recordings
from touchline.collect.context import UTM
from touchline.collect.protocols import mixpanel, posthog, read, spoken_at
from touchline.collect.reasons import REASONS
from touchline.collect.segment import content_hash, payload, to_event
from touchline.errors import BadInput
from touchline.model import RawRequest

HERE = Path(__file__).parent
PAGES = HERE.parents[2] / "docs/reference/protocols"
NAMES = ("posthog", "jitsu", "mixpanel")
PATHS = {"posthog": "/batch/", "jitsu": "/api/s/identify", "mixpanel": "/track"}
ROW = re.compile(r"^\| (`[^|]*`) \| (raw|refused|`[^`|]+`) \|", re.MULTILINE)
RECORDED = [one for name in NAMES for one in recordings.sent(f"{name}/*")]
RAW = {
    "fields": {"posthog": "posthog", "jitsu": "context", "mixpanel": "mixpanel"},
    "properties": dict.fromkeys(NAMES, "properties"),
    "profile": {"mixpanel": "properties"},
}
OBJECTS = {
    **{name: {"a": 1} for name in ("context.clientIds", "$add", "$append", "$union", "$remove")},
    **{name: {"email": "a@b.cn"} for name in ("$set", "$set_once", "traits")},
    **{name: {"b": 2} for name in ("properties", "context")},
    **dict.fromkeys(("time", "$time"), 1_795_249_000),
    "$unset": ["n"],
    "offset": 7,
    "timestamp": "2026-11-21T08:30:00Z",
    "sent_at": "2026-11-21T08:30:01Z",
}


def request(body, path, query="", headers=None):
    return RawRequest(
        received_us=RECEIVED,
        source="web",
        path=path,
        body=body,
        request_id=b"r" * 16,
        query=query,
        headers=headers or {},
    )


def sections(name):
    """(part of a page, parameter, where it is kept) of every row of its tables."""
    part = "fields"
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    for piece in re.split(r"^## ", page, flags=re.MULTILINE):
        head = piece.partition("\n")[0].lower()
        part = next((known for known in ("properties", "profile") if known in head), "fields")
        for words, kept in ROW.findall(piece):
            for parameter in re.findall(r"`([^`]+)`", words):
                yield name, part, parameter, kept.strip("`")


def sent(name, part, parameter):
    value = OBJECTS.get(parameter, f"value of {parameter}")
    if name == "jitsu":
        raw = {"userId": "u-7", "event": "e"}
        if parameter.startswith("context."):
            return {**raw, "context": {parameter.partition(".")[2]: value}}, value
        return {**raw, parameter: value}, value
    if part == "profile":
        raw = {"$token": "t", "$distinct_id": "u-7"}
        raw |= {"$group_key": "company"} if parameter == "$group_id" else {}
        return {**raw, parameter: value}, value
    around = {"event": "e", "properties": {}}
    if parameter not in ("distinct_id", "$user_id", "$device_id") or name == "posthog":
        (around if name == "posthog" else around["properties"])["distinct_id"] = "u-7"
    if part == "properties":
        around["properties"] |= {parameter: value}
    else:
        around[parameter] = value
    return around, value


def at(data, path):
    for step in path.split("."):
        data = data.get(step) if type(data) is dict else None
    return data


@pytest.mark.parametrize(
    ("name", "part", "parameter", "kept"), [row for name in NAMES for row in sections(name)]
)
def test_a_parameter_is_kept_where_its_page_says(name, part, parameter, kept):
    if parameter.startswith(("/", "$create", "$pageview")) or (name, kept) == ("mixpanel", "track"):
        return
    raw, value = sent(name, part, parameter)
    path = "/engage" if part == "profile" else PATHS[name]
    batch = read(request(json.dumps(raw).encode(), path))
    if kept == "sentAt" and name == "posthog":
        assert batch.sent_at == value or at(batch.items[0].data, "sentAt") == value
        return
    data = batch.items[0].data
    if kept == "refused":
        assert f"value of {parameter}" not in json.dumps(data)
    elif kept == "raw":
        assert at(data, f"{RAW[part][name]}.{parameter}") == value
    elif kept == "event" and name == "posthog":
        assert data["event"] == value
    else:
        found = at(data, kept)
        assert found == value or (type(found) is dict and value.items() <= found.items())


def test_pages_name_all_that_the_code_moves():
    for protocol, name in ((posthog, "posthog"), (mixpanel, "mixpanel")):
        kept = {(word, where) for _, _, word, where in sections(name)}
        for word, (group, field) in protocol.PLACES.items():
            assert (word, f"context.{group}.{field}") in kept
        for word, field in protocol.PLAIN_PLACES.items():
            assert (word, f"context.{field}") in kept
        for word, field in UTM.items():
            assert (word, f"context.campaign.{field}") in kept
        page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert all(f"`{event}`" in page for event in protocol.KINDS)


@pytest.mark.parametrize("one", RECORDED, ids=[one.client for one in RECORDED])
def test_what_the_real_libraries_send_lands(one):
    call = one.request(RECEIVED)
    protocol, route = spoken_at(call.path)
    if route.tells is not None:
        assert route.tells(call).status == 200
        return
    batch = protocol.read(call)
    expected = {"posthog": "posthog:phc_test", "jitsu": "jitsu:site", "mixpanel": "mixpanel:mptest"}
    assert batch.write_key == expected[one.protocol]
    assert batch.items
    for item in batch.items:
        assert item.reason is None
        event = to_event(item, call, batch.sent_at, SITE)
        if event.name == "Order Completed":
            assert (event.revenue, event.currency) == (39900, "CNY")
            assert event.properties["商品"]
    again = protocol.read(call)
    assert [i.message_id for i in again.items] == [i.message_id for i in batch.items]


def test_no_property_that_was_recorded_is_lost():
    """Every scalar a library sent is somewhere in the item, but for the key of its site."""
    for one in RECORDED:
        call = one.request(RECEIVED)
        protocol, route = spoken_at(call.path)
        if route.tells is not None or protocol.name == "jitsu":
            continue
        value = posthog.value_of(call)
        raws = value["batch"] if type(value) is dict and "batch" in value else value
        raws = raws if type(raws) is list else [raws]
        for raw, item in zip(raws, protocol.read(call).items, strict=True):
            kept = json.dumps(item.data, ensure_ascii=False)
            for name, scalar in (raw.get("properties") or {}).items():
                if name in ("token", "$distinct_ids") or scalar in (None, "$direct"):
                    continue
                words = json.dumps(scalar, ensure_ascii=False).strip('"').removeprefix("$device:")
                assert words in kept, (one.client, name)


text = st.text(max_size=12) | st.sampled_from(
    ["", "x\x00y", "\ud83d", "13800138000", "$pageview", "$identify", "$create_alias", "$merge",
     "$groupidentify", "$posthog_cookieless", "$device:", "Order Completed", "9" * 400, "NaN"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**15, 10**60) | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["event", "distinct_id", "uuid", "timestamp", "offset", "sent_at", "properties", "$set",
     "$set_once", "api_key", "token", "$token", "$distinct_id", "$time", "$group_id", "$group_key",
     "$append", "$ip", "$groups", "$anon_distinct_id", "alias", "$distinct_ids", "$device_id",
     "$user_id", "$insert_id", "time", "$current_url", "$referrer", "$session_entry_url", "revenue",
     "$set", "utm_source", "$group_set", "$screen_name", "$is_identified", "$transactions",
     "$amount", "type", "userId", "context", "historical_migration", "writeKey", "batch"]
)  # fmt: skip
objects = st.dictionaries(fields | text, values, max_size=6)
raws = st.builds(
    lambda top, inner: {**top, "properties": inner}, objects, objects | values
) | objects.map(lambda top: {**top, "$append": {"$transactions": top}})
ALL = (
    "/batch", "/e/", "/track", "/import", "/engage", "/groups/", "/api/s/track", "/api/s/batch",
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(ALL), st.lists(raws | values, min_size=1, max_size=4), objects, st.booleans()
)
def test_whatever_is_sent_gets_a_verdict_or_one_clear_error(path, items, around, is_list):
    body = json.dumps(items if is_list else {**around, "batch": items}).encode()
    call = request(gzip.compress(body) if len(items) % 2 else body, path, "_=1&compression=base64")
    try:
        batch = read(call)
    except BadInput:
        return
    assert batch.write_key is None or ":" in batch.write_key
    for item in batch.items:
        assert item.reason is None or item.reason in REASONS
        assert 0 < len(item.message_id) <= 255
        assert payload(item)
        if item.reason is None:
            assert len(content_hash(item.data)) == 16
            to_event(item, call, batch.sent_at, SITE)


@settings(max_examples=200)
@given(st.sampled_from(ALL), st.binary(max_size=200), st.text(max_size=40))
def test_any_bytes_are_read_or_refused(path, body, query):
    for sent_body in (body, b"data=" + body, gzip.compress(body), b""):
        call = request(sent_body, path, f"compression=base64&data={query}")
        with contextlib.suppress(BadInput):
            spoken_at(path)[0].answer(call, [])
            read(call)


@pytest.mark.parametrize("path", ALL)
def test_what_is_nested_too_deep_costs_no_neighbour(path):
    deep = "[" * 5000 + "]" * 5000
    good = '{"event":"e","distinct_id":"u","userId":"u","$distinct_id":"u","type":"track",'
    one = good + '"properties":{"distinct_id":"u"}}'
    other = good + f'"properties":{{"distinct_id":"u","x":{deep}}}}}'
    batch = f"[{one},{other},{deep}]" if path != "/api/s/track" else one
    items = read(request(batch.encode(), path)).items
    found = [item.reason for item in items]
    assert found[0] is None
    assert found[1:] in ([], ["too_deep", "not_an_object"])
    assert all(payload(item) for item in items)
