"""An erasure that failed goes on by itself, or when somebody asks again; there is one of it."""

from functools import partial

import pytest
import sqlalchemy as sa

import build
from touchline import clock
from touchline.errors import BadInput, NotFound, Unavailable
from touchline.jobs import access, commands, job
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

    def rows(self):
        with self.workspace.view() as view:
            found = view.fetch(view.events("message_id", "node_ids")).to_pylist()
        return {row["message_id"]: len(row["node_ids"]) for row in found}

    def come_back(self, message):
        build.Tracker(self.workspace).send(build.track(message, "Back", userId="bob.the.builder1"))
        self.writer.catch_up()

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


def leave_something(site):
    """An erasure that finds a trace it cannot take away: the file, and the request."""
    left = site.workspace.dir / "notes.bak"
    left.write_text("call bob.the.builder1 back", encoding="utf-8")
    request = site.ask()
    erasing.queued(site.workspace, request)
    site.work()
    assert site.steps() == ["shredded"]
    return left, request


@pytest.fixture
def found(site):
    """One that left something behind."""
    left, request = leave_something(site)
    left.unlink()
    return request


def test_nobody_is_taken_in_again_before_they_are_erased(site, found):
    with pytest.raises(BadInput) as refused:
        erasing.readmit(site.workspace, "user_id:bob.the.builder1", "agreed anew")
    assert (refused.value.code, refused.value.params["request"]) == ("erasure_open", found)
    erasing.queued(site.workspace, found)
    site.work()
    assert site.steps() == ["done"]
    erasing.readmit(site.workspace, "user_id:bob.the.builder1", "agreed anew")
    site.come_back("m3")
    erasing.resume(site.workspace)
    site.work()
    assert site.rows() == {"of amy": 1, "m3": 1}


@pytest.mark.parametrize("name", ["bob.the.builder1", "user_id:bob.the.builder1"])
def test_who_asks_again_is_shut_out_again(site, found, name):
    """Though an earlier version took them in again meanwhile."""
    nothing = (sa.delete(schema.tombstone), [{}])
    site.workspace.state.write(nothing, erasing._moved(site.workspace))
    if name == "bob.the.builder1":
        site.come_back("m3")
    assert site.ask(name) == found
    site.come_back("m4")
    erasing.queued(site.workspace, found)
    site.work()
    site.come_back("m5")
    assert site.steps() == ["done"]
    assert {"m4", "m5"}.isdisjoint(site.rows())


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


def test_one_that_goes_on_failing_is_tried_ever_later(site, monkeypatch):
    def damaged(*_args):
        raise OSError("damaged file")

    now, real = [clock.now_us()], erase_lake.rewrite
    monkeypatch.setattr(clock, "now_us", lambda: now[0])
    monkeypatch.setattr(erase_lake, "rewrite", damaged)
    erasing.queued(site.workspace, site.ask())
    site.work()

    def rests(pause_s):
        ran = site.jobs()
        for rest_s, jobs in ((pause_s - 1, ran), (1, ran + 1)):
            now[0] += rest_s * clock.US
            erasing.resume(site.workspace)
            assert site.jobs() == jobs
        site.work()

    for failures in range(11):
        rests(60 << failures)
    rests(24 * 3600)
    monkeypatch.setattr(erase_lake, "rewrite", real)
    monkeypatch.setattr(erasing, "blank", damaged)
    rests(24 * 3600)
    assert site.steps() == ["rewritten"]
    rests(60)  # a step further, where it failed once
    rests(120)


def test_jobs_of_erasures_that_are_done_are_not_looked_at(site, failed, monkeypatch):
    erasing.queued(site.workspace, failed)
    site.work()
    assert site.steps() == ["done"]
    monkeypatch.setattr(erasing.msgspec.json, "decode", None)
    erasing.resume(site.workspace)


def test_however_one_comes_to_it_there_is_one_job(site, monkeypatch):
    request, asked = site.ask(), []
    erasing.resume(site.workspace)
    number = erasing.queued(site.workspace, request)
    monkeypatch.setattr(access, "is_served", lambda _: True)
    monkeypatch.setattr(job, "wait", lambda _state, number, *_: asked.append(number))
    access.writing(site.workspace.dir, "erase", {"request": request}, lambda _: None)
    assert (asked, site.jobs()) == ([number], 1)


def test_its_job_cannot_be_cancelled(site):
    number = erasing.queued(site.workspace, site.ask())
    with pytest.raises(BadInput) as refused:
        COMMANDS["cancel_job"](site.workspace, site.registry, {"number": number})
    assert refused.value.code == "job_not_cancelled"
    site.work()
    assert site.steps() == ["done"]
    ended = COMMANDS["cancel_job"](site.workspace, site.registry, {"number": number})
    assert ended == {"job": number, "is_cancelled": False}


def test_one_that_left_something_is_found_by_name_and_tried_again_the_next_day(site, monkeypatch):
    forgotten, request = leave_something(site)
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


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_failure_that_spoke_of_them_keeps_nobody_from_being_erased(site, monkeypatch, is_kept):
    """Their name may be in the words of an error: also in one that an older version kept."""
    request = site.ask()
    erasing.queued(site.workspace, request)
    with monkeypatch.context() as broken:

        def cannot(*_args):
            raise ValueError("cannot cast 'bob.the.builder1' to a number")

        broken.setattr(erase_lake, "rewrite", cannot)
        if is_kept:
            broken.setattr(job, "placed", str)
        site.work()
    assert site.steps() == ["shredded"]
    erasing.queued(site.workspace, request)
    site.work()
    if is_kept:  # what was shredded once already is found by the scan, and shredded again
        erasing.queued(site.workspace, request)
        site.work()
    assert site.steps() == ["done"]
    errors = [row.error for row in site.workspace.state.read(sa.select(schema.job.c.error))]
    assert not any("bob" in error for error in errors if error)
