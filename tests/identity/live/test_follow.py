"""The live store brought up from a lake: at every step what is computed from all rows."""

import numpy as np
import sqlalchemy as sa

from touchline.identity.evidence import Decisions
from touchline.identity.live import follow
from touchline.identity.live import store as live
from touchline.identity.live.follow import Follower, is_level, renew
from touchline.identity.live.store import RENEW, marks
from touchline.identity.people import person_map
from touchline.identity.rules import DEFAULT, Rules
from touchline.identity.sources import TABLES, Extent
from touchline.storage import schema
from touchline.storage.lake import ERASED, SETTLED


def both(lake, follower, rules=DEFAULT, decisions=None):
    decisions = decisions or Decisions()
    with lake.workspace.view() as view:
        return follower.at(view, rules, decisions), person_map(view, rules, decisions)


def assert_same(mine, batch):
    assert mine is not None
    assert list(mine.person_ids) == list(batch.person_ids)
    for one, other in (
        (mine.known.hi, batch.known.hi),
        (mine.known.first_seen_us, batch.known.first_seen_us),
        (mine.people.person, batch.people.person),
        (mine.people.quarantine.cause, batch.people.quarantine.cause),
        (mine.people.quarantine.count, batch.people.quarantine.count),
    ):
        assert np.array_equal(one, other)


def test_each_commit_is_followed(lake):
    follower = Follower(lake.workspace.state)
    at = {"at": 1_700_000_000_000_000}
    for table, rows in (
        ("events", ["anonymous_id:c1 user_id:u1", ("anonymous_id:c1 email:e1", at)]),
        ("people", [("email:e1 phone:p1", {"source": "crm", "at": None})]),
        ("conversions", ["phone:p1 openid:o@A", "openid:o@B"]),
        ("fresh", [*(f"user_id:u{n} anonymous_id:kiosk" for n in range(8))]),
        ("people", [("phone:p1", {"source": "staff", "at": None})]),
    ):
        lake.put(table, *rows)
        assert_same(*both(lake, follower))
    assert marks(lake.workspace.state)["rows"] == 14


def test_a_new_process_goes_on_and_decisions_are_taken_up(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1", "email:e1 anonymous_id:c1")
    assert_same(*both(lake, Follower(lake.workspace.state)))
    lake.put("fresh", "email:e1 anonymous_id:c2")
    follower = Follower(lake.workspace.state)
    apart = Decisions(apart=((lake.node("user_id:u1"), lake.node("email:e1")),))
    for decisions in (
        Decisions(),
        apart,
        Decisions(quarantined=(lake.node("email:e1"),)),
        Decisions(),
    ):
        assert_same(*both(lake, follower, decisions=decisions))
    assert_same(*both(lake, follower, Rules(quarantine_above=1)))


def test_what_is_too_far_behind_is_taken_in_portions_meanwhile(lake, monkeypatch):
    monkeypatch.setattr(follow, "AT_ONCE", 3)
    lake.put("fresh", *(f"user_id:u{n % 3} anonymous_id:c{n}" for n in range(10)))
    follower = Follower(lake.workspace.state)
    assert both(lake, follower)[0] is None
    with lake.workspace.view() as view:
        rounds = 1
        while not follower.follow(view, DEFAULT, Decisions()):
            rounds += 1
    assert rounds == 4
    assert_same(*both(lake, follower))


def test_rows_that_left_the_lake_leave_the_store(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    lake.put("fresh", "user_id:u2 anonymous_id:c1")
    follower = Follower(lake.workspace.state)
    assert_same(*both(lake, follower))
    fresh = lake.workspace.lake.fresh
    fresh.commit(None, remove=fresh.snapshot().files[-1:], offsets={ERASED: 1})
    assert_same(*both(lake, follower))
    assert marks(lake.workspace.state)["rows"] == 1


def test_a_lake_that_does_not_add_up_is_not_answered_from_the_store(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    lake.put("fresh", "user_id:u2 anonymous_id:c2")
    follower = Follower(lake.workspace.state)
    assert_same(*both(lake, follower))
    fresh = lake.workspace.lake.fresh
    files = fresh.snapshot().files
    last = [path for path in files if fresh.snapshot().last_seq[path] == 1]
    fresh.commit(None, remove=last)
    found, batch = both(lake, follower)
    assert found is None or list(found.person_ids) == list(batch.person_ids)
    assert_same(*both(lake, follower))


def test_rows_that_moved_to_day_files_are_taken_once(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    lake.put("fresh", "user_id:u1 anonymous_id:c2")
    follower = Follower(lake.workspace.state)
    assert_same(*both(lake, follower))
    whole = lake.workspace.lake
    moved = list(whole.fresh.snapshot().read(whole.fresh.schema.names))
    (first,) = [rows for rows in moved if rows["seq"][0].as_py() == 1]
    whole.events.commit(first, offsets={SETTLED: 1})
    lake.put("fresh", "user_id:u1 anonymous_id:c3")
    assert_same(*both(lake, follower))


def test_what_takes_long_to_judge_anew_is_computed_meanwhile(lake, monkeypatch):
    lake.put("fresh", *(f"user_id:u{n} anonymous_id:kiosk" for n in range(9)))
    follower = Follower(lake.workspace.state)
    assert_same(*both(lake, follower))
    monkeypatch.setattr(follow, "SOON", 3)
    freed = Decisions(released=(lake.node("anonymous_id:kiosk"),))
    assert both(lake, follower, decisions=freed)[0] is None
    assert follower.waiting
    with lake.workspace.view() as view:
        while not follower.follow(view, DEFAULT, freed):
            pass
    assert not follower.waiting
    assert_same(*both(lake, follower, decisions=freed))


def test_a_store_that_is_made_anew_tells_nobody_again_who_became_whom(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    lake.put("fresh", "email:e1 anonymous_id:c2")
    follower = Follower(lake.workspace.state)
    assert_same(*both(lake, follower))
    lake.put("fresh", "user_id:u1 email:e1")
    assert_same(*both(lake, follower))
    told = lake.workspace.state.read(sa.select(schema.person_change))
    assert len(told) == 1
    follower.forget(Extent.of(lake.workspace.lake.files(*TABLES)))
    assert_same(*both(lake, follower))
    assert lake.workspace.state.read(sa.select(schema.person_change)) == told


def test_a_store_that_was_left_half_written_is_made_anew(lake):
    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    assert_same(*both(lake, Follower(lake.workspace.state)))
    with lake.workspace.view() as view:
        assert is_level(lake.workspace.state, view, DEFAULT, Decisions())
        renew(lake.workspace.state)
        assert not is_level(lake.workspace.state, view, DEFAULT, Decisions())
    assert_same(*both(lake, Follower(lake.workspace.state)))
    assert RENEW not in marks(lake.workspace.state)


def test_what_is_asked_during_a_large_write_is_not_forgotten_at_its_end(lake, monkeypatch):
    state = lake.workspace.state
    monkeypatch.setattr(live, "AT_ONCE", 1)
    real, written = state.write, []

    def write(*statements):
        real(*statements)
        written.append(statements)
        if len(written) == 2:
            renew(state)

    lake.put("fresh", "user_id:u1 anonymous_id:c1")
    with monkeypatch.context() as patch:
        patch.setattr(state, "write", write)
        assert_same(*both(lake, Follower(state)))
    assert RENEW in marks(state)
    assert live.HALF not in marks(state)
