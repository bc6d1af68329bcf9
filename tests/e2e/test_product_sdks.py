"""Real libraries of PostHog, Mixpanel and Jitsu with only the host changed, on a real server."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from e2e.conftest import ADMIN_KEY, WRITE_KEY, Served, ended
from e2e.front import away
from e2e.libraries import NAMES, WEBSITE
from peers import peer_file, peer_node, peer_python
from touchline.storage.workspace import Workspace

CLIENTS = Path(__file__).parent / "clients"


def run(*command, env=None):
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=90, env=env)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A server whose one write key answers under the names all of them give it."""
    dir_ = tmp_path_factory.mktemp("shop") / "site"
    Workspace.init(dir_, admin_keys=[ADMIN_KEY]).close()
    aliases = [word for name in NAMES for word in ("--alias", name)]
    key = ("--value", WRITE_KEY, "--name", "shop")
    run(sys.executable, "-m", "touchline.cli", "keys", "create", dir_, *key, *aliases)
    with ended(Served(dir_)) as server:
        yield server.start()


@pytest.fixture
def unwell(shop):
    """The address of a front that refuses for two seconds, before the server."""
    with away(shop.url, 2) as front:
        yield front


def events_of(shop, prefix):
    """The events of one test, by name; those of this person and of the account stand for it."""
    shop.wait_committed()
    person = f"{prefix}u-王"
    return [event for event in shop.events() if event["user_id"] == person]


def named(events, name):
    (found,) = [event for event in events if event["name"] == name]
    return found


def check(shop, prefix, *, at=None, order_id="o1"):
    events = events_of(shop, prefix)
    order = named(events, "Order Completed")
    assert (order["revenue"], order["currency"], order["source"]) == (39900, "CNY", "shop")
    assert order["properties"]["商品"] == "屏障修护精华"
    assert order["order_id"] == (order_id and f"{prefix}{order_id}")
    if at is not None:
        assert order["timestamp"].startswith(at)
    path = f"/api/v1/people/user_id:{quote(f'{prefix}u-王')}/timeline"
    status, body = shop.get(path, ADMIN_KEY)
    assert status == 200
    held = {(i["type"], i["value"]) for i in json.loads(body)["identifiers"]}
    return events, held


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_posthog_of_pypi(shop, packing):
    peer_file("posthog/__init__.py")
    prefix = f"pp-{packing}-"
    calls = (CLIENTS / "posthog_calls.py", shop.url, "phc_test", prefix, packing)
    run(peer_python(), *calls)
    run(peer_python(), *calls)
    events, held = check(shop, prefix, at="2026-03-08T20:30:1")
    assert len(events) == 28
    assert held >= {
        ("email", f"{prefix}wang.fang@example.com"),
        ("anonymous_id", f"{prefix}anon-9"),
    }
    page = named(events, "page")
    assert (page["type"], page["page_url"][:24]) == ("page", "https://shop.example.com")
    assert named(events, "group")["account_id"] == "acc-1"


def test_posthog_of_pypi_waits_for_a_server_that_is_away(shop, unwell):
    peer_file("posthog/__init__.py")
    url, front = unwell
    run(peer_python(), CLIENTS / "posthog_calls.py", url, "phc_test", "pu-", "plain")
    assert front.refused > 0
    assert len(check(shop, "pu-")[0]) == 28


def test_posthog_of_npm(shop):
    node, env = peer_node("posthog-node")
    run(node, CLIENTS / "posthog_calls.js", shop.url, "phc_test", "pn-", "gzip", env=env)
    events, held = check(shop, "pn-", at="2026-03-08T20:30:1")
    assert len(events) == 6
    assert held >= {("email", "pn-wang.fang@example.com"), ("anonymous_id", "pn-anon-9")}


def test_posthog_of_npm_waits_for_a_server_that_is_away(shop, unwell):
    node, env = peer_node("posthog-node")
    url, front = unwell
    run(node, CLIENTS / "posthog_calls.js", url, "phc_test", "pw-", "plain", env=env)
    assert front.refused > 0
    assert len(check(shop, "pw-")[0]) >= 6


@pytest.mark.parametrize("sending", ["single", "buffered"])
def test_mixpanel_of_pypi(shop, sending):
    peer_file("mixpanel/__init__.py")
    prefix = f"mp-{sending}-"
    run(peer_python(), CLIENTS / "mixpanel_calls.py", shop.url, "mptest", prefix, sending)
    events, held = check(shop, prefix, at="2026-03-08T20:30:15")
    assert len(events) == 12
    assert held >= {("email", f"{prefix}wang.fang@example.com"), ("anonymous_id", f"{prefix}d1")}
    charge = named(events, "$transactions")
    assert (charge["revenue"], charge["properties"]["sku"]) == (9950, "S1")
    assert named(events, "历史")["timestamp"].startswith("2026-02-25T")


def test_mixpanel_of_npm(shop):
    node, env = peer_node("mixpanel")
    run(node, CLIENTS / "mixpanel_calls.js", shop.url, "mptest", "mn-", env=env)
    events, held = check(shop, "mn-", at="2026-03-08T20:30:15")
    assert len(events) == 8
    assert held >= {("email", "mn-wang.fang@example.com"), ("anonymous_id", "mn-before")}


@pytest.mark.parametrize("from_", ["web", "s2s"])
def test_jitsu_of_npm(shop, from_):
    node, env = peer_node("@jitsu/js")
    prefix = f"j-{from_}-"
    calls = (CLIENTS / "jitsu_calls.js", shop.url, "site:secret", prefix, from_)
    run(node, *calls, env=env)
    events, held = check(shop, prefix)
    assert [event["type"] for event in events] == ["identify", "track", "page", "group"]
    assert ("email", f"{prefix}wang.fang@example.com") in held
    assert named(events, "group")["account_id"] == "acc-1"


def test_umami_of_pypi(shop):
    peer_file("umami/__init__.py")
    run(peer_python(), CLIENTS / "umami_calls.py", shop.url, WEBSITE, "up-")
    events, _ = check(shop, "up-", order_id=None)
    assert [event["name"] for event in events] == ["page", "Order Completed", "Signup"]
    assert {event["source_name"] for event in events if event["type"] == "page"} == {"xiaohongshu"}


def test_ga4mp_of_pypi(shop):
    peer_file("ga4mp/__init__.py")
    calls = (CLIENTS / "ga4_calls.py", shop.url, "G-SHOP", "gp-")
    run(peer_python(), *calls)
    events, _ = check(shop, "gp-")
    assert [event["name"] for event in events] == ["page", "Order Completed", "login", "later"]
