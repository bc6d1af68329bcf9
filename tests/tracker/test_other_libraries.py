"""Browser libraries of Segment, RudderStack and Plausible with only their host changed, on pages of
another origin: settings, calls and preflights go to a real server.
"""

import time

import pytest

from peers import ROOT, peer_node
from tracker.pages import opened

CALLS = """await Promise.all([a.page("商品页"), a.identify("u-王", {email: "wang@example.com"}),
  a.track("Order Completed", {order_id: ORDER, revenue: 399, currency: "CNY"}),
  a.group("acc-1", {name: "美丽诊所"})]);"""
SEGMENT = """const [a] = await AnalyticsNext.AnalyticsBrowser.load(
  {writeKey: "write-key", cdnURL: HOST}, {integrations: {"Segment.io": HOW}});"""
BATCHING = '{deliveryStrategy: {strategy: "batching", config: {size: 4, timeout: 200}}}'
RUDDER = """const a = new rudderanalytics.RudderAnalytics();
a.load("write-key", HOST, {configUrl: HOST, useBeacon: HOW, beaconQueueOptions: {maxItems: 4}});
await new Promise((ready) => a.ready(ready));"""
LIBRARIES = {
    "segment": ("@segment/analytics-next", "dist/umd/index.js", SEGMENT, "{}"),
    "segment in batches": ("@segment/analytics-next", "dist/umd/index.js", SEGMENT, BATCHING),
    "rudder": (
        *("@rudderstack/analytics-js", "dist/npm/modern/bundled/umd/index.js"),
        *(RUDDER, "false"),
    ),
    "rudder by beacon": (
        *("@rudderstack/analytics-js", "dist/npm/modern/bundled/umd/index.js"),
        *(RUDDER, "true"),
    ),
}
HTML = '<!doctype html><meta charset="utf-8"><title>冬季新品</title><body style="height:3000px">'
PLAUSIBLE = """
init({domain: "write-key", endpoint: HOST + "/api/event", captureOnLocalhost: true});
track("Buy", {props: {商品: "精华"}, revenue: {amount: 399, currency: "CNY"}});
history.pushState({}, "", location.pathname + "/2"); window.done = true"""


def script(package, path):
    """The text of a library, to stand inside a page."""
    peer_node(package)
    found = (ROOT / "node_modules" / package / path).read_text(encoding="utf-8")
    return found.replace("</script", "<\\/script")


def arrived(site, wanted, seconds=20):
    deadline = time.monotonic() + seconds
    found = []
    while len(found) < wanted:
        assert time.monotonic() < deadline, [event["name"] for event in found]
        time.sleep(0.2)
        site.server.wait_committed()
        here = f"/{site.token}"
        found = [event for event in site.server.events() if here in (event["page_url"] or "")]
    return {event["name"]: event for event in found}


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_call_arrives_once(site, page, name):
    package, path, start, how = LIBRARIES[name]
    calls = (start + CALLS).replace("HOST", f'"{site.collector}"').replace("HOW", how)
    calls = calls.replace("ORDER", f'"{site.token}"')
    site.pages["/p"] = (
        f"{HTML}<script>{script(package, path)}</script>"
        f"<script>(async () => {{{calls} window.done = true}})()</script>"
    )
    page.goto(site.url("/p?utm_source=xhs&utm_medium=kol"))
    page.wait_for_function("window.done")
    seen = arrived(site, 4)
    assert seen.keys() == {"商品页", "identify", "Order Completed", "group"}
    assert {event["source"] for event in seen.values()} == {"web"}
    assert len({event["anonymous_id"] for event in seen.values()}) == 1
    view, order = seen["商品页"], seen["Order Completed"]
    assert (view["source_name"], view["medium"]) == ("xiaohongshu", "kol")
    assert view["page_title"] == "冬季新品"
    assert (order["revenue"], order["currency"], order["user_id"]) == (39900, "CNY", "u-王")
    assert seen["group"]["account_id"] == "acc-1"


def test_plausible_counts_a_visitor_without_a_cookie(site, context):
    library = script("@plausible-analytics/tracker", "plausible.js")
    calls = PLAUSIBLE.replace("HOST", f'"{site.collector}"')
    site.pages["/p"] = f'{HTML}<script type="module">{library}{calls}</script>'
    page = opened(context)
    page.add_init_script("window.__plausible = true")  # it does not count automated browsers
    page.goto(site.url("/p?utm_source=xhs&utm_medium=kol"))
    page.wait_for_function("window.done")
    seen = arrived(site, 3)
    assert {"page", "Buy"} <= seen.keys()
    assert seen["Buy"]["revenue"] == 39900
    assert seen["Buy"]["source_name"] == "xiaohongshu"
    assert len({event["anonymous_id"] for event in seen.values()}) == 1
    assert context.cookies() == []
