"""Browser libraries in Chromium with only their host changed, on pages of another origin: each
call arrives once, also at a collector that is ill at first, and so does what was done right before
a tab was closed.
"""

import json
import time
from collections import Counter
from urllib.parse import quote

import pytest

from e2e.conftest import ADMIN_KEY
from e2e.front import before, in_turn
from e2e.libraries import AGENT, LIBRARIES, pages
from e2e.test_product_sdks import shop
from tracker.conftest import chromium
from tracker.pages import opened

__all__ = ["chromium", "shop"]


@pytest.fixture(scope="module")
def served_pages():
    with pages() as served:
        yield served


@pytest.fixture
def visit(chromium, served_pages, shop, request):
    """Opens the page of a library, makes its calls, and gives the page and the id of the visit."""
    contexts = []

    def visited(name, host=shop.url):
        url, hosts = served_pages
        id_ = f"v{abs(hash(request.node.nodeid)):x}"
        hosts[id_] = host
        contexts.append(chromium.new_context(user_agent=AGENT))
        page = opened(contexts[-1])
        page.goto(f"{url}/{name}/{id_}?utm_source=xhs&utm_medium=kol")
        page.wait_for_function("window.isReady")
        page.evaluate("calls()")
        return page, id_

    yield visited
    for context in contexts:
        context.close()


def wait_for_identifier(shop, person, wanted, seconds=25):
    deadline = time.monotonic() + seconds
    known = set()
    while wanted not in known:
        assert time.monotonic() < deadline, known
        time.sleep(0.1)
        status, body = shop.get(f"/api/v1/people/{quote(person, safe=':')}/timeline", ADMIN_KEY)
        assert status == 200
        known = {(found["type"], found["value"]) for found in json.loads(body)["identifiers"]}


def seen(shop, id_, wanted, seconds=25):
    """Events of a visit by name, once all that are wanted are there; none of them twice."""
    deadline = time.monotonic() + seconds
    found = []
    while not {event["name"] for event in found} >= set(wanted):
        assert time.monotonic() < deadline, [event["name"] for event in found]
        time.sleep(0.3)
        shop.wait_committed()
        found = [event for event in shop.events() if id_ in str(event)]
    return found


def once(found, names):
    counted = Counter(event["name"] for event in found)
    assert {name: counted[name] for name in names} == dict.fromkeys(names, 1)
    return {event["name"]: event for event in found}


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_call_arrives_once_also_the_last_before_the_tab_is_closed(visit, shop, name):
    library = LIBRARIES[name]
    page, id_ = visit(name)
    names = (library.page, *library.names)
    names_a_person = "{email}" in library.script or "$email" in library.script
    wanted = {*names, *(["identify"] if names_a_person else [])}
    events = once(seen(shop, id_, wanted), names)
    view, order = events[library.page], events["Order Completed"]
    assert (view["source_name"], view["medium"]) == ("xiaohongshu", "kol")
    assert view["anonymous_id"] == order["anonymous_id"]
    assert order["properties"]["商品"] == "屏障修护精华"
    if library.package != "plausible-tracker":  # it has no word for money
        assert (order["revenue"], order["currency"]) == (39900, "CNY")
    if library.protocol != "plausible":
        assert view["page_title"] == "冬季新品"
    if "group" in events:
        assert events["group"]["account_id"] == "acc-1"
    if names_a_person and library.protocol != "umami":
        # Some send the address in a call of its own, after the one that was seen.
        wait_for_identifier(shop, f"user_id:{id_}u-王", ("email", f"{id_}wang.fang@example.com"))
    at = shop.url if library.protocol not in ("plausible", "umami") else None
    assert page.context.cookies(at) == []
    page.evaluate("last()")
    page.close()
    once(seen(shop, id_, ["最后"]), ["最后"])


# The others send each call once, whatever is answered.
RETRYING = [
    *("segment-browser", "segment-browser-batch", "rudder-browser", "posthog-js"),
    *("mixpanel-browser", "snowplow-browser", "snowplow-browser-get"),
]


@pytest.mark.parametrize("name", RETRYING)
def test_what_an_ill_collector_refuses_is_sent_again(visit, shop, name):
    library = LIBRARIES[name]
    flooded = 503 if name == "posthog-js" else 429  # as its protocol is answered: see its `refuse`
    ill = in_turn((503, {}), (flooded, {"retry-after": "1"}))
    with before(shop.url, ill) as front:
        page, id_ = visit(name, front.url)
        for _ in range(2):  # some send what they have only beside something new
            page.wait_for_timeout(700)
            page.evaluate("last()")
        names = (library.page, *library.names)
        once(seen(shop, id_, names, 40), names)
        assert front.refused == 2
