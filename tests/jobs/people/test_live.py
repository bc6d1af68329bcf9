"""People of a working server come from the live store, and only where it is right."""

import numpy as np
import pytest
import sqlalchemy as sa

import build
from touchline import clock
from touchline.identity import people as batch
from touchline.identity.decisions import record
from touchline.identity.live.follow import AT_ONCE
from touchline.identity.live.store import kept, marks
from touchline.identity.match import queue
from touchline.jobs.doctor import examine
from touchline.jobs.intake.load import Load
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people import live
from touchline.jobs.people.live import SharedRegistry
from touchline.storage import schema
from touchline.storage.consent import Consent, written


@pytest.fixture
def site(tmp_path):
    workspace = build._init(tmp_path / "w")
    with workspace.write_lock():
        yield workspace, build.Tracker(workspace), Writer(workspace)
    workspace.close()


def ids(registry, workspace):
    with workspace.view() as view:
        return list(registry.at(view).person_ids)


def look(registry):
    registry._due_at = 0.0
    registry.follow_when_due(Load(0))


def test_people_are_followed_and_not_computed(site, monkeypatch):
    workspace, tracker, writer = site
    registry = SharedRegistry(workspace)
    tracker.send(build.track("a", "Ad", userId="ann", anonymousId="c1"))
    writer.commit_once()
    assert registry.follow()
    tracker.send(build.track("b", "Ad", userId="bob", anonymousId="c2"))
    writer.catch_up()
    expected = ids(batch.Registry(workspace), workspace)
    monkeypatch.setattr(batch, "person_map", None)
    assert ids(registry, workspace) == expected
    assert len(expected) == 2


def test_a_question_that_was_opened_earlier_leaves_the_store_as_it_is(site):
    workspace, tracker, writer = site
    registry = SharedRegistry(workspace)

    def came(number, **said):
        tracker.send(build.track(number, "Ad", **said))
        writer.catch_up()
        assert registry.follow()

    came("a", userId="ann", anonymousId="c1")
    came("b", userId=None, anonymousId="c2")
    with workspace.view() as early:
        came("c", userId="ann", anonymousId="c2")
        known = marks(workspace.state)
        assert len(registry.at(early).person_ids) == 2
    assert marks(workspace.state) == known
    assert registry.follow()
    told = workspace.state.read(sa.select(schema.person_change.c.kind))
    assert [row.kind for row in told] == ["person_merged"]


def test_a_store_that_fails_is_done_without(site, monkeypatch, capfd):
    workspace, tracker, writer = site
    registry = SharedRegistry(workspace)
    tracker.send(build.track("a", "Ad", userId="ann", anonymousId="c1"))
    writer.commit_once()
    monkeypatch.setattr(live.Follower, "follow", None)
    assert len(ids(registry, workspace)) == 1
    assert "live store" in capfd.readouterr().err


def spoilt(workspace, tracker, writer):
    """A registry whose store says that somebody is held back who is not."""
    registry = SharedRegistry(workspace)
    tracker.send(build.track("a", "Ad", userId="ann", anonymousId="c1"))
    writer.commit_once()
    assert registry.follow()
    with workspace.state.engine.begin() as connection:
        connection.execute(sa.update(schema.identity_component).values(cause=0))
    return registry


def test_once_a_day_it_is_compared_and_made_anew(site, capfd):
    workspace, tracker, writer = site
    registry = spoilt(workspace, tracker, writer)
    yesterday = clock.now_us() // clock.DAY_US - 2
    workspace.state.write(*kept({live.CHECKED: yesterday}))
    look(registry)
    assert "identifiers differ" in capfd.readouterr().err
    assert "rows" not in marks(workspace.state)
    look(registry)  # and nothing else has to come for it
    assert marks(workspace.state)["rows"] == 1
    with workspace.view() as view:
        assert not np.any(registry.at(view).people.quarantine.held)


def test_doctor_finds_it_and_has_it_made_anew(site):
    workspace, tracker, writer = site
    registry = spoilt(workspace, tracker, writer)
    (finding,) = [one for one in examine(workspace)["findings"] if one["check"] == "identity"]
    assert "2 identifiers" in finding["what"]
    assert registry.follow()
    assert not [one for one in examine(workspace)["findings"] if one["check"] == "identity"]


def test_what_people_are_judged_by_is_followed_when_nothing_else_comes(site, monkeypatch):
    workspace, tracker, writer = site
    registry = SharedRegistry(workspace)
    tracker.send(build.track("a", "Ad", userId="ann"))
    writer.commit_once()
    asked = []
    monkeypatch.setattr(SharedRegistry, "follow", lambda _: asked.append(1) or True)

    def looked():
        look(registry)
        return len(asked)

    assert [looked(), looked()] == [1, 1]
    record(workspace.state, "block", about=[b"n" * 16], author="li", reason="shop")
    assert [looked(), looked()] == [2, 2]
    queue.renew(workspace.state, [])  # suggestions join people
    assert [looked(), looked()] == [3, 3]
    refusal = Consent(
        act=b"a" * 16, node=b"n" * 16, purpose="linking", is_granted=False, at_us=1,
        known_at_us=1, source="test",
    )  # fmt: skip
    workspace.state.write(*written(workspace.state, [refusal]))  # and refusals part them
    assert [looked(), looked()] == [4, 4]


def test_a_lasting_load_leaves_the_store_a_little_behind_and_no_more(site, ticking, monkeypatch):
    """2,500 rows a second for an hour: portions go on once the patience ran out."""
    workspace, _, _ = site
    monkeypatch.setattr(live, "time", ticking)
    registry, load = SharedRegistry(workspace), Load(0)
    monkeypatch.setattr(workspace.lake, "last_commits_ns", lambda: (ticking.now,))
    came = taken = 0
    behind = []

    def pass_(seconds):
        nonlocal came
        for _ in range(seconds):
            ticking.now += 1
            came += 2500
            load.look(came, 0)
            behind.append(came - taken)

    def follow():
        nonlocal taken
        upto = min(came, taken + AT_ONCE)
        is_all = upto == came
        pass_(5)
        taken = upto
        return is_all

    monkeypatch.setattr(registry, "follow", follow)
    while len(behind) < 3600:
        pass_(1)
        registry.follow_when_due(load)
    assert max(behind) < 3 * AT_ONCE
    assert max(behind[600:]) < AT_ONCE
