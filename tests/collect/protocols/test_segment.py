"""What SDKs of Segment and RudderStack ask for beside their calls."""

import json

import pytest
from calls import event, request
from hypothesis import given
from hypothesis import strategies as st
from wild import values

from touchline.collect.protocols import read, spoken_at
from touchline.collect.segment import read as read_calls
from touchline.model import RawRequest

MERGE = [{"type": "email", "value": "Li@qq.com"}, {"type": "userId", "value": "u1"}]


def told(path, query="", **headers):
    protocol, route = spoken_at(path)
    assert protocol.has_our_keys
    call = RawRequest(1, "web", path, b"", b"r" * 16, query=query, headers=headers)
    return json.loads(route.tells(call).body)


def test_settings_name_the_key_and_the_host_that_were_asked():
    settings = told("/v1/projects/k%1/settings", host="t.shop.cn:8700")
    ours = settings["integrations"]["Segment.io"]
    assert (ours["apiKey"], ours["apiHost"], ours["protocol"]) == (
        "k%1",
        "t.shop.cn:8700/v1",
        "http",
    )
    assert settings["metrics"] == {"sampleRate": 0}


def test_settings_behind_a_proxy_name_the_host_outside():
    behind = {"host": "10.0.0.7", "x-forwarded-host": "t.shop.cn", "x-forwarded-proto": "https"}
    ours = told("/v1/projects/k/settings", **behind)["integrations"]["Segment.io"]
    assert (ours["apiHost"], ours["protocol"]) == ("t.shop.cn/v1", "https")


@pytest.mark.parametrize("host", ["", "a b", "x/y", '"', "<script>", "a" * 300])
def test_a_host_that_is_none_is_not_named(host):
    assert "apiHost" not in told("/v1/projects/k/settings", host=host)["integrations"]["Segment.io"]


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_a_source_of_rudderstack_is_enabled_and_has_no_destinations(path):
    source = told(path, "p=npm&v=3.0&writeKey=k%201")["source"]
    assert (source["enabled"], source["writeKey"], source["destinations"]) == (True, "k 1", [])


def test_metrics_of_the_sdk_are_dropped():
    assert told("/v1/m") == {"success": True}


@pytest.mark.parametrize("path", ["/v1/track/", "/v1/t/", "/v1/batch/", "/beacon/v1/batch/"])
def test_a_slash_behind_changes_nothing(path):
    one = {"type": "track", "event": "E", "userId": "u", "messageId": "m"}
    body = {"batch": [one]} if "batch" in path else one
    call = request(body, path)
    assert spoken_at(path)[0].name == "segment"
    assert read(call) == read_calls(request(body, path.rstrip("/")))


def merged(properties, **more):
    body = json.dumps({"mergeProperties": properties, **more}).encode()
    (item,) = read_calls(request(body, "/v1/merge")).items
    return item


def test_a_merge_joins_two_identifiers():
    found = event({"mergeProperties": MERGE, "messageId": "m1"}, "/v1/merge")
    assert (found.type, found.message_id) == ("identify", "m1")
    ids = {(known.type, known.value) for known in found.identifiers}
    assert ids == {("email", "li@qq.com"), ("user_id", "u1")}
    assert "mergeProperties" not in found.context


def test_two_of_a_kind_are_both_read():
    pair = [{"type": "email", "value": "a@qq.com"}, {"type": "email", "value": "b@qq.com"}]
    found = event({"mergeProperties": pair}, "/v1/merge")
    assert {known.value for known in found.identifiers} == {"a@qq.com", "b@qq.com"}


@pytest.mark.parametrize(
    "properties",
    [
        None,
        [],
        MERGE[:1],
        [*MERGE, *MERGE],
        [MERGE[0], 7],
        [MERGE[0], {"type": "phone"}],
        [MERGE[1], {"type": "userId", "value": "u2"}],
        [{"type": "anonymousId", "value": name} for name in "ab"],
    ],
)
def test_a_merge_that_says_no_two_values_is_rejected(properties):
    assert merged(properties).reason == "bad_merge"


def test_a_merge_may_stand_in_a_batch():
    body = {"batch": [{"type": "merge", "mergeProperties": MERGE}]}
    assert [item.reason for item in read_calls(request(body)).items] == [None]


@given(
    st.lists(st.fixed_dictionaries({"type": values, "value": values}) | values, max_size=3), values
)
def test_any_merge_has_a_verdict(properties, around):
    merged(properties, traits=around, context=around)
