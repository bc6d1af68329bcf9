"""Clocks that jump and events that come late: each lands in its own day and session, once."""

import datetime as dt
from collections import Counter

import pytest

from build import DAY, HOUR, MINUTE, T0, Tracker, page
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.storage.table import day_of

SPRING = "https://shop.cn/?utm_source=google&utm_medium=cpc&utm_campaign=spring"
PAGE = "https://shop.cn/p"


def settled(workspace, *requests):
    """Each request ([(message id, url, when it happened)], when it came in), settled by itself."""
    tracker, writer = Tracker(workspace), Writer(workspace)
    for items, received in requests:
        sent = [page(name, url, at=at) for name, url, at in items]
        tracker.send(*sent, at=received)
        writer.catch_up()


def rows(workspace):
    columns = ("message_id", "ts_us", "local_day", "session_id", "campaign", "received_us", "seq")
    with workspace.view() as view:
        found = view.fetch(view.events(*columns)).to_pylist()
    return {row["message_id"]: row for row in found}


def day(at):
    return dt.datetime.fromtimestamp(at / 1e6, dt.UTC).date()


def test_events_an_hour_and_200_days_late_are_in_their_own_days_and_sessions(workspace):
    long_ago = T0 - 200 * DAY
    settled(
        workspace,
        ([("a", SPRING, T0), ("c", PAGE, T0 + 20 * MINUTE)], T0 + 20 * MINUTE),
        # Half an hour's silence on either side of the hour in which these come in between.
        ([("z", PAGE, T0 + 2 * HOUR)], T0 + 2 * HOUR),
        ([("b", PAGE, T0 + 10 * MINUTE), ("d", PAGE, T0 + 45 * MINUTE)], T0 + 2 * HOUR),
        ([("old", SPRING, long_ago), ("older", PAGE, long_ago - MINUTE)], T0 + 3 * HOUR),
        ([("old2", PAGE, long_ago + 5 * MINUTE)], T0 + 3 * HOUR),
    )
    found = rows(workspace)
    assert {name: row["local_day"] for name, row in found.items()} == {
        **{name: day(T0) for name in "abcdz"},
        **{name: day(long_ago) for name in ("old", "old2")},
        "older": day(long_ago - MINUTE),
    }
    session = {name: row["session_id"] for name, row in found.items()}
    assert len({session[name] for name in "abcd"}) == 1
    assert {found[name]["campaign"] for name in "abcd"} == {"spring"}
    assert session["old"] == session["old2"]
    assert len({session["a"], session["z"], session["old"], session["older"]}) == 4
    files = workspace.lake.events.snapshot().files
    assert Counter(map(day_of, files)) == Counter({row["local_day"] for row in found.values()})
    assert examine(workspace)["findings"] == []


@pytest.mark.parametrize("jump", [-40 * DAY, -HOUR, 400 * DAY])
def test_a_server_whose_clock_jumps_keeps_order_and_accounts_for_all(workspace, jump):
    """Times of events are the devices' own; what the server thinks says only when they came."""
    settled(
        workspace,
        ([("a", SPRING, T0)], T0 + MINUTE),
        ([("b", PAGE, T0 + 2 * MINUTE)], T0 + jump + 3 * MINUTE),
        ([("c", PAGE, T0 + 4 * MINUTE)], T0 + 5 * MINUTE),
        ([("b", PAGE, T0 + 2 * MINUTE)], T0 + 6 * MINUTE),  # again, by the right clock
    )
    found = rows(workspace)
    assert [found[name]["seq"] for name in "abc"] == [1, 2, 3]
    assert {row["ts_us"] for row in found.values()} >= {T0, T0 + 4 * MINUTE}
    assert {name: found[name]["local_day"] for name in "ac"} == dict.fromkeys("ac", day(T0))
    assert found["a"]["session_id"] == found["c"]["session_id"]
    assert found["c"]["campaign"] == "spring"
    (web,) = examine(workspace)["sources"]
    assert (web["received"], web["stored"], web["duplicate"]) == (4, 3, 1)
    assert examine(workspace)["findings"] == []
