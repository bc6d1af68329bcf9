"""Real SDKs with only the host changed: each event once, right type, ids, text and times."""

import json
import subprocess
from pathlib import Path

import pytest

from e2e.front import away
from peers import peer_node, peer_python

CLIENTS = Path(__file__).parent / "clients"
TYPES = ["identify", "track", "page", "screen", "group", "alias"]


@pytest.fixture
def unwell(served):
    """The address of a front that refuses for three seconds, before a real server."""
    served.start()
    with away(served.url, 3) as front:
        yield front


def run(client, *args):
    done = subprocess.run(
        [peer_python(), CLIENTS / client, *args],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def check(served, prefix):
    served.wait_committed()
    found = served.events(prefix)
    assert sorted(e["message_id"] for e in found) == sorted(f"{prefix}{n}" for n in range(1, 207))
    by_id = {e["message_id"].removeprefix(prefix): e for e in found}
    assert [by_id[str(n)]["type"] for n in range(1, 7)] == TYPES
    assert {e["user_id"] for e in found} == {"u-王"}
    order = by_id["2"]
    assert order["name"] == "Order Completed"
    assert order["revenue"] == 39900
    assert order["properties"]["商品"] == "屏障修护精华"
    # The clocks of both ends are one: what the sender calls 20:30:15 is 20:30:15.
    assert order["timestamp"].startswith("2026-03-08T20:30:1")
    assert by_id["6"]["anonymous_id"] == "anon-9"
    status, body = served.get("/api/v1/people/u-%E7%8E%8B/timeline", "admin-key")
    person = json.loads(body)
    assert status == 200
    held = {(i["type"], i["value"]) for i in person["identifiers"]}
    assert held >= {("email", "wang.fang@example.com"), ("anonymous_id", "anon-9")}
    assert len([e for e in person["events"] if e["message_id"].startswith(prefix)]) == 206


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_segment_sdk(served, packing):
    served.start()
    run("segment_calls.py", served.url, "write-key", "sg-", packing)
    check(served, "sg-")


def test_rudderstack_sdk(served):
    served.start()
    run("rudder_calls.py", served.url, "write-key", "rs-")
    check(served, "rs-")


@pytest.mark.parametrize(
    ("client", "extra"), [("segment_calls.py", ["plain"]), ("rudder_calls.py", [])]
)
def test_a_server_that_is_away_for_a_while_loses_nothing(served, unwell, client, extra):
    url, front = unwell
    run(client, url, "write-key", "un-", *extra)
    assert front.refused > 0
    check(served, "un-")


def run_node(client, package, *args):
    node, env = peer_node(package)
    command = [node, CLIENTS / client, *args]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, env=env
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


NODE = [
    ("segment_calls.js", "@segment/analytics-node"),
    ("rudder_calls.js", "@rudderstack/rudder-sdk-node"),
]


@pytest.mark.parametrize(("client", "package"), NODE)
def test_sdks_of_node(served, client, package):
    served.start()
    run_node(client, package, served.url, "write-key", "no-")
    check(served, "no-")


def test_umami_of_node(served):
    served.start()
    told = json.loads(run_node("umami_calls.js", "@umami/node", served.url, "write-key"))
    assert told.keys() == {"cache", "sessionId", "visitId"}
    served.wait_committed()
    seen = {event["name"]: event for event in served.events()}
    assert seen.keys() == {"page", "Signup", "Add", "identify"}
    assert {event["anonymous_id"] for event in seen.values()} == {told["sessionId"]}
    assert seen["Signup"]["revenue"] == 39900
    assert seen["page"]["source_name"] == "xiaohongshu"
    assert seen["Add"]["user_id"] == "u-王"
