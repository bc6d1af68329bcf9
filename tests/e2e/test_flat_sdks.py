"""Real trackers of Matomo and Snowplow with only the address changed, against a real server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.front import before, in_turn
from peers import peer_file, peer_node, peer_python
from touchline.storage.workspace import Workspace

CLIENTS = Path(__file__).parent / "clients"
AT = "2026-03-08T12:30:15"


def run(*command, env=None):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def workspace_dir(tmp_path):
    """A site that Matomo and Snowplow call by names of their own."""
    dir_ = tmp_path / "site"
    Workspace.init(dir_, admin_keys=["admin-key"]).close()
    aliases = ("--alias", "matomo:1", "--alias", "snowplow:shop")
    run(sys.executable, "-m", "touchline.cli", "keys", "create", dir_, "--name", "shop", *aliases)
    return dir_


def test_matomo_tracker_of_npm(served):
    node, env = peer_node("matomo-tracker")
    served.start()
    told = json.loads(run(node, CLIENTS / "matomo_calls.js", served.url, "1", env=env))
    assert told == {"status": "success", "tracked": 5, "invalid": 0}
    served.wait_committed()
    found = served.events()
    assert len(found) == 11
    events = {event["name"]: event for event in found}
    order = events["Order Completed"]
    assert (order["revenue"], order["user_id"], order["source"]) == (39900, "u-王", "shop")
    assert order["timestamp"].startswith(AT)
    assert order["properties"]["products"][0]["name"] == "精华"
    assert events["Cart Updated"]["revenue"] is None
    assert events["Goal 3"]["anonymous_id"] == "0123456789abcdef"


@pytest.mark.parametrize("method", ["post", "get"])
def test_snowplow_tracker_of_npm(served, method):
    node, env = peer_node("@snowplow/node-tracker")
    served.start()
    at = ("127.0.0.1", str(served.port))
    run(node, CLIENTS / "snowplow_calls.js", *at, "shop", method, env=env)
    served.wait_committed()
    found = served.events()
    assert len(found) == 6
    (order,) = (event for event in found if event["name"] == "Order Completed")
    assert (order["revenue"], order["user_id"], order["source"]) == (39900, "u-王", "shop")
    assert order["timestamp"].startswith(AT)


def test_a_pixel_of_an_unknown_site_shows_its_image_all_the_same(served):
    served.start()
    for path in ("/matomo.php?idsite=9&rec=1", "/i?e=pv&aid=nobody"):
        status, told = served.get(path)
        assert (status, told[:6]) == (401, b"GIF89a")
    assert served.get("/r/tp2?u=https://evil.example/")[0] == 403


@pytest.fixture
def refusing(served):
    """A front that answers its first request with 503 and hands on all others.

    Not its first two: of a round of GETs the library forgets those refused when the last is taken.
    """
    served.start()
    with before(served.url, in_turn((503, {}))) as front:
        yield front


@pytest.mark.parametrize("method", ["post", "get"])
def test_snowplow_tracker_of_pypi_also_when_it_is_refused_at_first(served, refusing, method):
    peer_file("snowplow_tracker/__init__.py")
    run(peer_python(), CLIENTS / "snowplow_calls.py", refusing.url, "shop", method)
    assert refusing.refused == 1
    served.wait_committed()
    events = {event["name"]: event for event in served.events()}
    assert len(served.events()) == 6
    assert events.keys() == {
        *("Order Completed", "Play", "page", "page_ping", "quote_requested", "首页")
    }
    assert {event["anonymous_id"] for event in events.values()} == {"d-1"}
    order = events["Order Completed"]
    assert (order["revenue"], order["user_id"], order["source"]) == (39900, "u-王", "shop")
    assert order["timestamp"].startswith(AT)
