"""An erasure that failed goes on by itself, or when somebody asks again; there is one of it."""

from functools import partial

import pytest
import sqlalchemy as sa

import build
from touchline import clock
from touchline.errors import NotFound, Unavailable
from touchline.jobs import commands, job
from touchline.jobs.commands import COMMANDS
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import KINDS
from touchline.jobs.privacy import erase as erasing
from touchline.jobs.privacy import erase_lake
from touchline.storage import schema


class Site:
    def __init__(self, workspace):
        self.workspace = workspace
        self.writer = Writer(workspace)
        self.registry = self.writer.registry
        tracker = build.Tracker(workspace)
        for name in ("bob.the.builder1", "amy.the.builder2"):
            tracker.send(build.track(f"of {name[:3]}", "Ad", userId=name))
        self.writer.catch_up()

    def ask(self, name="bob.the.builder1"):
        return erasing.ask(self.workspace, self.registry, name)

    def work(self):
        runs = {kind: partial(run, self.writer) for kind, run in KINDS.items()}
        while job.run_next(self.workspace.state, runs):
            pass

    def steps(self):
        return [one["step"] for one in erasing.erasures(self.workspace)]

    def jobs(self):
        return len(self.workspace.state.read(sa.select(schema.job.c.id)))


@pytest.fixture
def site(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        yield Site(workspace)
    workspace.close()


@pytest.fixture
def failed(site, monkeypatch):
    """One whose job met a full disk."""

    def full(*_args):
        raise Unavailable("disk_full", path="x")

    request = site.ask()
    erasing.queued(site.workspace, request)
    with monkeypatch.context() as patched:
        patched.setattr(erase_lake, "rewrite", full)
        site.work()
    assert site.steps() == ["shredded"]
    return request


def test_who_asks_again_for_somebody_gets_the_same_request_which_goes_on(site, failed, monkeypatch):
    monkeypatch.setattr(commands, "PATIENCE_S", 0.0)
    told = COMMANDS["erase_person"](site.workspace, site.registry, {"person": "bob.the.builder1"})
    assert told["request"] == failed
    site.work()
    assert site.steps() == ["done"]
    receipt = COMMANDS["job"](site.workspace, site.registry, {"number": told["job"]})["result"]
    assert (receipt["receipt"]["scan"]["hits"], receipt["receipt"]["identifiers"]) == (
        0, {"user_id": 1},
    )  # fmt: skip
    with pytest.raises(NotFound):
        site.ask()


def test_somebody_else_has_a_request_of_their_own(site, failed):
    assert site.ask("amy.the.builder2") != failed


def test_it_is_gone_on_with_by_itself_after_a_while(site, failed, monkeypatch):
    ran = site.jobs()
    for _ in range(3):
        erasing.resume(site.workspace)
    assert site.jobs() == ran
    later = clock.now_us() + 2 * erasing.AGAIN_US
    monkeypatch.setattr(clock, "now_us", lambda: later)
    for _ in range(3):
        erasing.resume(site.workspace)
    assert site.jobs() == ran + 1
    site.work()
    assert site.steps() == ["done"]
    erasing.resume(site.workspace)
    assert site.jobs() == ran + 1


def test_one_that_left_something_is_found_by_name_and_tried_again_the_next_day(site, monkeypatch):
    forgotten = site.workspace.dir / "notes.bak"
    forgotten.write_text("call bob.the.builder1 back", encoding="utf-8")
    request = site.ask()
    erasing.queued(site.workspace, request)
    site.work()
    assert site.steps() == ["shredded"]
    for name in ("bob.the.builder1", "user_id:bob.the.builder1"):
        assert site.ask(name) == request
    with pytest.raises(NotFound):
        site.ask("user_id:nobody")
    ran, now = site.jobs(), clock.now_us
    for hours, jobs in ((1, ran), (25, ran + 1)):
        monkeypatch.setattr(clock, "now_us", lambda hours=hours: now() + hours * 3600 * clock.US)
        erasing.resume(site.workspace)
        assert site.jobs() == jobs
    forgotten.unlink()
    site.work()
    assert site.steps() == ["done"]
