"""Each event arrives once: when the tab closes, the network fails, the collector is ill.

TOUCHLINE_TRACKER_CLOSES tabs are closed (default 30), and TOUCHLINE_TRACKER_OFFLINE_S seconds pass
without a network (default 3); `make tracker-closes` does 1,000 and 600.
"""

import json
import os
import time
from collections import Counter

from tracker.pages import opened, settled

CLOSES = int(os.environ.get("TOUCHLINE_TRACKER_CLOSES", "30"))
OFFLINE_S = int(os.environ.get("TOUCHLINE_TRACKER_OFFLINE_S", "3"))
LEAST = 0.999


def test_tabs_that_close_at_once_report_what_was_done(context, site):
    for number in range(CLOSES):
        page = opened(context)
        page.goto(site.url(f"/{number}"), wait_until="commit")
        page.wait_for_function("window.touchline && touchline.version")
        page.evaluate(f"void touchline.track('Last {number}')")
        page.close()
    events = site.events(3 * CLOSES, seconds=30 + CLOSES / 20)
    found = Counter(e["name"].split()[0] for e in events)
    print(f"{CLOSES} closes:", dict(found))
    for name in ("page", "Last", "Page"):
        assert found[name] >= LEAST * CLOSES


def test_pages_closed_before_any_answer_do_not_drag_their_past_along(context, site):
    """What they took over from each other would soon fill the 64 KiB that outlive a page."""

    def slow(_body):
        time.sleep(2)

    site.illness = slow
    for number in range(20):
        page = opened(context)
        page.goto(site.url(f"/{number}"), wait_until="commit")
        page.wait_for_function("window.touchline && touchline.version")
        page.evaluate(f"void touchline.track('Last {number}', {{words: '字'.repeat(1500)}})")
        page.close()
    names = {e["name"] for e in site.events(60, seconds=60)}
    assert {f"Last {number}" for number in range(20)} <= names


def test_what_was_done_without_a_network_arrives_when_it_is_back(context, page, site):
    page.goto(site.url())
    context.set_offline(True)
    began = time.monotonic()
    count = 0
    while time.monotonic() - began < OFFLINE_S:
        page.evaluate(f"touchline.track('Offline {count}', {{n: {count}}})")
        count += 1
        page.wait_for_timeout(min(5000, OFFLINE_S * 100))
    context.set_offline(False)
    events = [e for e in site.events(1 + count) if e["name"].startswith("Offline")]
    assert [e["properties"]["n"] for e in events] == list(range(count))
    gap = (OFFLINE_S - 1) * 1e6
    first, last = events[0], events[-1]
    assert micros(last["timestamp"]) - micros(first["timestamp"]) > gap - 6e6 * (OFFLINE_S > 60)


def micros(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp() * 1e6


def test_ten_minutes_by_the_pages_clock_wear_nothing_out(page, site):
    page.clock.install()
    page.goto(site.url())
    site.illness = (503, {})
    page.evaluate("touchline.track('Long ago')")
    for _ in range(60):
        page.clock.run_for(10_000)
        page.wait_for_timeout(20)
    tries = len(site.refused)
    assert 8 <= tries <= 40, "it keeps trying, but not often"
    site.illness = None
    page.clock.run_for(61_000)
    page.clock.resume()
    assert [e["name"] for e in site.events(2)] == ["page", "Long ago"]


def test_what_waits_outlives_the_page_and_the_tab(context, page, site):
    page.goto(site.url("/a"))
    site.events(1)
    site.illness = (503, {})
    page.evaluate("touchline.track('Before')")
    settled(page)
    page.reload()
    page.evaluate("touchline.track('After')")
    settled(page)
    page.close()
    site.illness = None
    opened(context).goto(site.url("/b"))
    names = Counter(e["name"] for e in site.events(6))
    assert (names["Before"], names["After"], names["page"]) == (1, 1, 3)


def test_what_a_crashed_tab_left_is_sent_by_the_next(context, page, site):
    page.goto(site.url("/a"))
    site.events(1)
    site.illness = (503, {})
    page.evaluate("touchline.track('Kept')")
    settled(page)
    place, value = page.evaluate(
        "Object.entries(localStorage).find(([name]) => name.startsWith('tl_q.'))"
    )
    old = f"{int(value.split()[0]) - 60_000} {value.split(' ', 1)[1]}"
    page.evaluate("touchline.consent('off')")
    site.illness = None
    page.evaluate("([k, v]) => { localStorage.clear(); localStorage.setItem(k, v) }", [place, old])
    context.clear_cookies()
    opened(context).goto(site.url("/b"))
    assert [e["name"] for e in site.events(3)].count("Kept") == 1


def test_tabs_with_a_common_past_send_nothing_twice(context, page, site):
    page.goto(site.url("/a"))
    site.events(1)
    site.illness = (503, {})
    page.evaluate("for (let n = 0; n < 20; n++) touchline.track('Waiting ' + n)")
    settled(page)
    page.goto("about:blank")
    tabs = [opened(context) for _ in range(3)]
    for tab in tabs:
        tab.goto(site.url("/b"), wait_until="commit")
    site.illness = None
    for tab in tabs:
        tab.wait_for_function("!!window.touchline?.flush")  # the page may still be loading it
        tab.evaluate("touchline.flush()")
    names = Counter(e["name"] for e in site.events(25))
    assert {names[f"Waiting {n}"] for n in range(20)} == {1}


def test_retry_after_is_honoured_also_by_a_page_that_goes(page, site):
    page.goto(site.url())
    site.events(1)
    site.illness = (429, {"retry-after": "4", "access-control-expose-headers": "retry-after"})
    page.evaluate("touchline.track('One')")
    settled(page)
    page.evaluate("touchline.track('Two'); touchline.flush()")
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    settled(page, 1)
    assert len(site.refused) == 1
    site.illness = None
    began = time.monotonic()
    assert {e["name"] for e in site.events(4)} == {"page", "One", "Two", "Page Engaged"}
    assert time.monotonic() - began > 1.5


def test_one_item_that_cannot_be_taken_costs_only_itself(page, site):
    """A front that refuses every body with a certain word, as a too strict proxy would."""
    page.goto(site.url())
    site.events(1)

    site.illness = lambda body: (413, {}) if b"Bad" in body else None
    page.evaluate("for (const n of [1, 2, 3, 'Bad', 4, 5]) touchline.track('Item ' + n)")
    names = [e["name"] for e in site.events(6)]
    assert sorted(names)[:5] == [f"Item {n}" for n in (1, 2, 3, 4, 5)]
    settled(page)
    assert (
        page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('tl_q')).length") == 0
    )


def test_more_than_a_request_may_carry_leaves_in_several(page, site):
    page.goto(site.url())
    page.evaluate(
        "for (let n = 0; n < 60; n++) touchline.track('Big ' + n, {words: '字'.repeat(1500)})"
    )
    page.goto("about:blank")
    page.goto(site.url("/next"))
    found = Counter(e["name"] for e in site.events(62, seconds=30))
    assert {found[f"Big {n}"] for n in range(60)} == {1}
    assert max(map(len, site.taken)) <= 64 * 1024


def test_an_item_too_large_to_outlive_the_page_still_goes(page, site):
    page.goto(site.url())
    page.evaluate("touchline.track('Huge', {words: 'x'.repeat(90000)})")
    assert [len(e["properties"].get("words", "")) for e in site.events(2)] == [0, 90_000]


def test_the_store_is_bounded(page, site):
    site.illness = (503, {})
    page.goto(site.url())
    page.evaluate("for (let n = 0; n < 700; n++) touchline.track('Many ' + n)")
    stored = page.evaluate("Object.entries(localStorage).find(([k]) => k.startsWith('tl_q.'))[1]")
    items = json.loads(stored.split(" ", 1)[1])
    assert len(stored) < 600_000
    assert len(items) <= 500
    assert items[-1]["event"] == "Many 699"
