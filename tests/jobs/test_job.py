"""The job table: leased, repeated after a crash, its errors carried to whoever waits."""

import threading
import time

import pytest
import sqlalchemy as sa

import build
from touchline import clock
from touchline.errors import BadInput, NotFound, Unavailable
from touchline.jobs import job
from touchline.storage import schema


@pytest.fixture
def state(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made.state
    made.close()


def nothing(_share):
    pass


def row(state, number):
    return state.read(sa.select(schema.job).where(schema.job.c.id == number))[0]


def ended(state, error=None, result=None):
    number = job.submit(state, "x", {})

    def run(_args, _progress):
        if error is not None:
            raise error
        return result

    assert job.run_next(state, {"x": run})
    return number


def submit_at(monkeypatch, state, due_us, args):
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now_us", lambda: due_us)
        job.submit(state, "x", args)


def test_without_due_jobs_there_is_nothing_to_run(state, monkeypatch):
    assert not job.run_next(state, {})
    submit_at(monkeypatch, state, clock.now_us() + 10**9, {})
    assert not job.run_next(state, {"x": lambda *_: 1})


def test_jobs_run_in_the_order_they_fall_due(state, monkeypatch):
    ran = []
    for number, due in (("late", 2), ("early", 1)):
        submit_at(monkeypatch, state, due, {"name": number})
    while job.run_next(state, {"x": lambda args, _: ran.append(args["name"])}):
        pass
    assert ran == ["early", "late"]


def test_arguments_and_results_come_through_as_they_are(state):
    number = job.submit(state, "x", {"文件": [1, None, {"a": "b"}]})
    job.run_next(state, {"x": lambda args, _: args})
    assert job.wait(state, number, nothing) == {"文件": [1, None, {"a": "b"}]}


def test_progress_is_written_down_and_ends_at_one(state):
    number = job.submit(state, "x", {})
    seen = []

    def run(_args, progress):
        progress(0.25)
        seen.append(row(state, number).progress)

    job.run_next(state, {"x": run})
    assert seen == [0.25]
    assert row(state, number).progress == 1.0
    assert row(state, number).finished_at_us is not None


@pytest.mark.parametrize(
    ("error", "kind", "exit_code"),
    [
        (BadInput("file_missing", path="a.csv"), BadInput, 2),
        (NotFound("unknown_goal", name="x", known="y"), BadInput, 2),
        (Unavailable("disk_full", path="/data"), Unavailable, 3),
    ],
)
def test_an_error_reaches_who_waits_with_its_words_and_exit_code(state, error, kind, exit_code):
    with pytest.raises(kind) as caught:
        job.wait(state, ended(state, error), nothing)
    assert str(caught.value) == str(error)
    assert (caught.value.code, caught.value.exit_code) == (error.code, exit_code)


def test_a_job_that_breaks_ends_as_an_error_and_the_next_one_runs(state):
    number = ended(state, ZeroDivisionError("by 0"))
    with pytest.raises(BadInput, match=r"ZeroDivisionError at test_job\.py") as caught:
        job.wait(state, number, nothing)
    assert caught.value.code == "job_failed"
    assert "by 0" not in str(caught.value)  # its words may be a customer's
    assert job.wait(state, ended(state, result=5), nothing) == 5


def test_a_kind_nobody_knows_ends_as_an_error(state):
    number = job.submit(state, "mystery", {})
    assert job.run_next(state, {})
    with pytest.raises(BadInput, match="mystery"):
        job.wait(state, number, nothing)


def test_a_leased_job_is_left_alone_until_its_lease_runs_out(state, monkeypatch):
    """A worker that is killed leaves its lease behind."""
    number = job.submit(state, "x", {})
    with pytest.raises(KeyboardInterrupt):
        job.run_next(state, {"x": lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)})
    assert row(state, number).lease_us is not None
    assert not job.run_next(state, {"x": lambda *_: 1})
    later = clock.now_us() + job.LEASE_US + 1
    monkeypatch.setattr(clock, "now_us", lambda: later)
    assert job.run_next(state, {"x": lambda *_: "again"})
    assert job.wait(state, number, nothing) == "again"
    assert not job.run_next(state, {"x": lambda *_: 1})


def test_a_cancelled_job_does_not_run(state):
    number = job.submit(state, "x", {})
    with state.engine.begin() as connection:
        connection.execute(sa.update(schema.job).values(is_cancelled=True))
    ran = []
    assert job.run_next(state, {"x": ran.append})
    assert not job.run_next(state, {"x": ran.append})
    assert not ran
    with pytest.raises(BadInput, match="cancelled"):
        job.told(state, number)


def test_a_job_in_its_course_is_not_ended_by_who_cancels_it_however_long_its_step(
    state, monkeypatch
):
    number = job.submit(state, "x", {})
    later = clock.now_us() + 2 * job.LEASE_US

    def run(args, progress):
        monkeypatch.setattr(clock, "now_us", lambda: later)
        assert job.cancel(state, number) == {"job": number, "is_cancelled": True}
        assert job.told(state, number)["is_done"] is False
        with pytest.raises(BadInput, match="cancelled"):
            progress(0.5)
        return "ended all the same"

    assert job.run_next(state, {"x": run})
    assert job.told(state, number)["result"] == "ended all the same"


def test_a_job_that_is_cancelled_while_it_is_being_leased_does_not_run(state, monkeypatch):
    number = job.submit(state, "x", {})
    read = state.read

    def cancelled_meanwhile(statement):
        found = read(statement)
        job.cancel(state, number)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(state, "read", cancelled_meanwhile)
        assert not job.run_next(state, {"x": lambda *_: 1})
    with pytest.raises(BadInput, match="cancelled"):
        job.told(state, number)


def test_what_others_run_is_left_to_them(state):
    job.submit(state, "x", {})
    assert not job.run_next(state, {"y": lambda *_: 1}, leave=["x"])
    assert job.run_next(state, {"x": lambda *_: 1}, leave=["y"])


def test_who_waits_is_told_of_progress_meanwhile(state):
    number, told, go_on = job.submit(state, "x", {}), [], threading.Event()

    def run(_args, progress):
        progress(0.5)
        assert go_on.wait(10)

    worker = threading.Thread(target=job.run_next, args=(state, {"x": run}))
    worker.start()

    def progress(share):
        told.append(share)
        go_on.set()

    job.wait(state, number, progress)
    worker.join()
    assert told[0] == 0.5


def test_waiting_ends_when_nobody_has_been_there_for_a_while(state, monkeypatch):
    monkeypatch.setattr(job, "ASK_S", 0.0)
    monkeypatch.setattr(job, "AWAY_S", 0.2)
    number = job.submit(state, "x", {})
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        job.wait(state, number, nothing, lambda: time.monotonic() - began < 0.2)
    assert caught.value.code == "worker_away"
    assert time.monotonic() - began >= 0.3
    assert job.run_next(state, {"x": lambda *_: "done when the server is back"})


def test_a_job_is_told_of_whether_it_has_ended_or_not(state):
    number = job.submit(state, "add", {"n": 1})
    assert job.told(state, number)["is_done"] is False
    job.run_next(state, {"add": lambda args, _: args["n"] + 1})
    done = job.told(state, number, patience_s=5.0)
    assert (done["is_done"], done["result"], done["kind"]) == (True, 2, "add")
    with pytest.raises(NotFound):
        job.told(state, number + 1)


def test_the_error_of_a_job_is_raised_where_it_is_asked_for(state):
    number = ended(state, error=BadInput("file_missing", path="x"))
    with pytest.raises(BadInput, match="x: no such file"):
        job.told(state, number)
