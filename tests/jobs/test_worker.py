"""The worker inside this process: it commits, recovers from failed commits, runs jobs, answers."""

import contextlib
import json
import threading
import time

import msgspec
import pytest
import sqlalchemy as sa

from touchline.errors import BadInput, TouchlineError, Unavailable
from touchline.identity.people import Registry
from touchline.jobs import job, queries, rpc
from touchline.jobs import worker as worker_module
from touchline.jobs.intake import filing
from touchline.jobs.intake import load as load_module
from touchline.jobs.intake import writer as writer_module
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.privacy import erase
from touchline.jobs.worker import Worker
from touchline.model import Event, Identifier, RawRequest
from touchline.storage import frames, schema
from touchline.storage.by_node import BUILT
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

T0 = 1_790_000_000_000_000


@pytest.fixture
def workspace(tmp_path):
    found = Workspace.init(tmp_path / "site", write_keys={"web": "k"}, admin_keys=["a"])
    yield found
    found.close()


@pytest.fixture
def log(workspace):
    with Log.open(workspace.dir) as found:
        yield found


@pytest.fixture
def start(workspace):
    """start() runs a worker; it is stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start():
            stack.enter_context(workspace.write_lock())
            worker = Worker(workspace)
            worker.start()
            stack.callback(worker.stop)
            return worker

        yield start


def send(log, *message_ids):
    items = [{"type": "track", "event": "E", "messageId": m, "userId": "u1"} for m in message_ids]
    request = RawRequest(
        received_us=T0,
        source="web",
        path="/v1/batch",
        body=json.dumps({"batch": items}).encode(),
        request_id=b"r" * 16,
    )
    log.append(msgspec.msgpack.encode(request)).result(5)


def stored(workspace):
    lines = b"".join(rpc.ask(workspace.dir, "events")).splitlines()
    return [json.loads(line)["message_id"] for line in lines]


def soon(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def health(workspace):
    return json.loads(b"".join(rpc.ask(workspace.dir, "ping")))


def test_what_is_logged_can_be_asked_for_a_moment_later(workspace, log, start):
    start()
    send(log, "a", "b")
    soon(lambda: stored(workspace) == ["a", "b"], 5)
    found = health(workspace)
    assert found["problem"] is None
    assert found["committed"] == found["log_end"] == log.end


def test_stopping_commits_what_just_came_in(workspace, log, start):
    worker = start()
    soon(lambda: health(workspace)["problem"] is None)
    send(log, "a")
    assert worker.stop()
    with workspace.view() as view:
        assert view.fetch(view.events().select("message_id")).column(0).to_pylist() == ["a"]
    assert not rpc.is_served(workspace.dir)


@pytest.mark.parametrize("after_lake", [False, True], ids=["before the lake", "after the lake"])
def test_a_failed_commit_is_told_and_repeated_without_doubling(
    workspace, log, start, monkeypatch, after_lake
):
    name = "_to_state" if after_lake else "_to_lake"
    whole = getattr(EventStore, name)
    failures = []

    def failing(self, *args, **kwargs):
        if len(failures) < 2:
            failures.append(1)
            raise Unavailable("disk_full", path="/x")
        return whole(self, *args, **kwargs)

    worker = start()
    monkeypatch.setattr(EventStore, name, failing)
    send(log, "a", "b")
    soon(lambda: health(workspace)["problem"] == "disk_full")
    soon(lambda: health(workspace)["problem"] is None)
    send(log, "c")
    soon(lambda: stored(workspace) == ["a", "b", "c"])
    assert worker.stop()


def test_a_torn_end_of_the_log_does_not_keep_the_worker_busy(workspace, log, start):
    send(log, "a")
    with frames.segments(workspace.dir / "log")[-1].path.open("ab") as file:
        file.write(b"TLF\x01 half")
    start()
    soon(lambda: stored(workspace) == ["a"])
    assert health(workspace)["problem"] is None


def test_a_question_that_breaks_leaves_the_others_alone(workspace, start, monkeypatch, capsys):
    def broken(_workspace, _registry, _args):
        raise KeyError("name of a customer")

    monkeypatch.setitem(queries.QUERIES, "broken", broken)
    start()
    with pytest.raises(TouchlineError) as caught:
        list(rpc.ask(workspace.dir, "broken"))
    assert caught.value.code == "internal_error"
    with pytest.raises(BadInput):
        list(rpc.ask(workspace.dir, "no such question"))
    with pytest.raises(BadInput) as caught:
        list(rpc.ask(workspace.dir, "attribution", {"by": "colour"}))
    assert caught.value.code == "bad_argument"
    assert stored(workspace) == []
    written = capsys.readouterr().err
    assert "KeyError" in written
    assert "customer" not in written


def test_answers_of_many_lines_come_in_handfuls(workspace, start, monkeypatch):
    def many(_workspace, _registry, _args):
        for number in range(50_000):
            yield b"%d\n" % number

    monkeypatch.setitem(queries.QUERIES, "many", many)
    start()
    chunks = list(rpc.ask(workspace.dir, "many"))
    assert b"".join(chunks) == b"".join(b"%d\n" % n for n in range(50_000))
    assert len(chunks) < 20


def test_an_asker_who_leaves_ends_the_question(workspace, start, monkeypatch):
    ended = []

    def endless(_workspace, _registry, _args):
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.append(True)

    monkeypatch.setitem(queries.QUERIES, "endless", endless)
    start()
    asked = rpc.ask(workspace.dir, "endless")
    next(asked)
    asked.close()
    soon(lambda: ended == [True])


def test_ping_is_answered_while_questions_compute(workspace, start, monkeypatch):
    monkeypatch.setitem(queries.QUERIES, "slow", lambda *_: time.sleep(1.0))
    start()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(lambda: list(rpc.ask(workspace.dir, "slow"))) for _ in range(6)]
        time.sleep(0.1)
        started = time.monotonic()
        assert health(workspace)["problem"] is None
        assert time.monotonic() - started < 0.9
        for future in slow:
            assert future.result() == [b"null"]


def test_jobs_run_and_a_broken_one_is_written_down(workspace, log, start, monkeypatch):
    def run(writer, args, progress):
        progress(0.5)
        if args["is_broken"]:
            raise OSError("gone")
        return {"workspace": writer.workspace.id}

    monkeypatch.setitem(worker_module.KINDS, "try", run)
    start()
    broken = job.submit(workspace.state, "try", {"is_broken": True})
    whole = job.submit(workspace.state, "try", {"is_broken": False})
    assert job.wait(workspace.state, whole, lambda _: None) == {"workspace": workspace.id}
    with pytest.raises(TouchlineError):
        job.wait(workspace.state, broken, lambda _: None)
    send(log, "a")
    soon(lambda: stored(workspace) == ["a"])  # commits go on with a new writer
    rows = workspace.state.read(sa.select(schema.job.c.finished_at_us))
    assert all(row[0] for row in rows)


def test_old_segments_of_the_log_are_dropped_once_committed(workspace, log, start, monkeypatch):
    from touchline import clock
    from touchline.storage import log as log_module

    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1)
    monkeypatch.setattr(worker_module, "DROP_EVERY_S", 0.2)
    for message_id in "abc":
        send(log, message_id)
    assert len(frames.segments(workspace.dir / "log")) == 3
    later = clock.now_us() + 8 * clock.DAY_US
    monkeypatch.setattr(clock, "now_us", lambda: later)
    start()
    soon(lambda: len(frames.segments(workspace.dir / "log")) == 1)
    assert stored(workspace) == ["a", "b", "c"]


def test_only_one_worker_holds_a_workspace(workspace, start, monkeypatch):
    monkeypatch.setattr(worker_module, "LOCK_WAIT_S", 0.1)
    start()
    assert worker_module.main(str(workspace.dir)) == 3


def arrival(name):
    event = Event(
        source="import", message_id=name, identifiers=(Identifier("user_id", name),), name="V",
        content_hash=b"c" * 16, type="track", ts_us=T0, received_us=T0,
    )  # fmt: skip
    return Arrival(event, {"messageId": name})


@pytest.fixture
def break_once(monkeypatch):
    """break_once() has the next round of commits fail before it gives the store anything."""
    whole, is_broken = worker_module.end_offset, []

    def end_offset(directory):
        if is_broken:
            raise OSError(is_broken.pop())
        return whole(directory)

    monkeypatch.setattr(worker_module, "end_offset", end_offset)
    return lambda: is_broken.append("I/O error")


def numbered(workspace):
    with workspace.view() as view:
        rows = view.fetch(view.events("seq", "message_id")).to_pylist()
    return sorted((row["seq"], row["message_id"]) for row in rows)


def test_a_job_in_its_course_stores_nothing_once_there_is_another_writer(
    workspace, log, start, monkeypatch, break_once
):
    has_begun, may_go_on = threading.Event(), threading.Event()

    def run(writer, _args, _progress):
        writer.store.store([arrival("j1")])
        has_begun.set()
        assert may_go_on.wait(15)
        with pytest.raises(Unavailable), writer.store.turn:
            pass
        with pytest.raises(Unavailable):
            writer.forget(())
        writer.store.store([arrival("j2"), arrival("j3")])

    monkeypatch.setitem(worker_module.KINDS, "try", run)
    worker = start()
    number = job.submit(workspace.state, "try", {})
    assert has_begun.wait(15)
    former = worker.writer
    break_once()
    soon(lambda: worker.writer is not former)
    send(log, "a", "b")
    soon(lambda: len(numbered(workspace)) == 3)
    latter = worker.writer
    may_go_on.set()
    with pytest.raises(Unavailable) as caught:
        job.wait(workspace.state, number, lambda _: None)
    assert caught.value.code == "not_stored"
    send(log, "c")
    soon(lambda: len(numbered(workspace)) == 4)
    assert numbered(workspace) == [(1, "j1"), (2, "a"), (3, "b"), (4, "c")]
    assert worker.writer is latter  # it was no fault of the new one


def test_who_holds_the_writer_stores_nothing_once_there_is_another(workspace, break_once):
    with workspace.write_lock():
        worker = Worker(workspace)
        with worker._hold() as writer:
            break_once()
            assert [worker._try_commit(), worker._try_commit()] == [False, True]
            assert worker.writer is not writer
            with pytest.raises(Unavailable):
                writer.store.store([arrival("a")])
        with worker._hold() as writer:
            writer.store.store([arrival("b")])
        assert numbered(workspace) == [(1, "b")]


@pytest.fixture
def hand_worked(workspace, ticking):
    """A worker without threads, whose rounds a test calls."""
    with workspace.write_lock():
        yield Worker(workspace)


def settled(workspace):
    return workspace.lake.files("events").settled_seq


def test_a_load_is_written_to_day_files_when_it_is_over_or_goes_on_for_long(
    workspace, log, hand_worked, ticking, monkeypatch
):
    monkeypatch.setattr(load_module, "WAITING", 1)
    send(log, "a")
    ticking.now += 40
    hand_worked._try_commit()
    hand_worked._settle_when_due()  # more may follow
    assert settled(workspace) == 0
    ticking.now += load_module.SPAN_S
    hand_worked._try_commit()
    hand_worked._settle_when_due()
    assert settled(workspace) == 1
    rounds = []
    for turn in range(30):  # it goes on and on
        ticking.now += 5
        send(log, f"b{turn}")
        hand_worked._try_commit()
        hand_worked._settle_when_due()
        rounds.append(settled(workspace))
    assert rounds == [1] * 23 + [25] * 7


def test_what_a_job_stores_is_a_load_like_what_the_log_brings(hand_worked, ticking, monkeypatch):
    monkeypatch.setattr(load_module, "ROWS", 3)
    with hand_worked._hold() as writer:
        writer.store.store([arrival(f"a{n}") for n in range(3)])
    assert not hand_worked._load.holds(ticking.now)
    hand_worked._try_commit()
    assert hand_worked._load.holds(ticking.now)


def test_a_round_that_took_long_puts_off_the_next_two_minutes_at_most(
    workspace, log, hand_worked, ticking, monkeypatch
):
    whole = hand_worked.writer.settle

    def slow():
        ticking.now += 60
        return whole()

    monkeypatch.setattr(hand_worked.writer, "settle", slow)
    ticking.now += 30
    hand_worked._settle_when_due()
    send(log, "a")
    hand_worked._try_commit()
    ticking.now += 119
    hand_worked._settle_when_due()
    assert settled(workspace) == 0
    ticking.now += 2
    hand_worked._settle_when_due()
    assert settled(workspace) == 1


def test_a_chore_that_fails_keeps_nothing_else_from_being_done(hand_worked, monkeypatch, capfd):
    done = []

    def fail():
        raise Unavailable("disk_full", path="/x")

    monkeypatch.setattr(worker_module, "DROP_EVERY_S", 0.0)
    monkeypatch.setattr(hand_worked._healing, "when_due", fail)
    monkeypatch.setattr(hand_worked._mirrors, "write_when_due", lambda _: done.append("mirrors"))
    monkeypatch.setattr(hand_worked.writer, "drop_log", lambda _: done.append("log"))
    assert not hand_worked._has_round()
    assert done == ["mirrors", "log"]
    assert "no space left" in capfd.readouterr().err


def test_chores_have_their_turn_while_jobs_keep_coming(workspace, hand_worked, monkeypatch):
    chores = []

    def run(*_):
        assert len(chores) < 20
        job.submit(workspace.state, "again", {})

    monkeypatch.setattr(worker_module, "JOBS_S", 0.0)
    monkeypatch.setitem(worker_module.KINDS, "again", run)
    monkeypatch.setattr(hand_worked._healing, "when_due", lambda: chores.append("healing"))
    run()
    assert hand_worked._has_round()
    assert hand_worked._has_round()
    assert len(chores) == 2


@pytest.mark.parametrize("calm", [0, 5], ids=["from the first on", "after a calm beginning"])
def test_the_copy_by_identifier_is_built_and_merged_however_much_comes_in(
    workspace, log, hand_worked, ticking, monkeypatch, calm
):
    for module in (filing, writer_module):
        monkeypatch.setattr(module, "ROWS", 20)
    monkeypatch.setattr(load_module, "WAITING", 1)  # all that comes is a load
    table = workspace.lake.by_node
    for turn in range(24):
        count = 15 if turn < calm else 25
        send(log, *(f"{turn}-{n}" for n in range(count)))
        ticking.now += load_module.LONGEST_S
        hand_worked._try_commit()
        hand_worked._settle_when_due()
        hand_worked._file_when_due()
    assert settled(workspace) > 500
    assert table.snapshot().offset(BUILT) == 1
    assert len(table.snapshot().files) < 8


def test_an_erasure_that_failed_is_gone_on_with_while_the_worker_runs(
    workspace, log, start, monkeypatch
):
    monkeypatch.setattr(worker_module, "TICK_EVERY_S", 0.05)
    monkeypatch.setattr(erase, "AGAIN_US", 0)
    runs = []
    whole = worker_module.KINDS["erase"]

    def run(writer, args, progress):
        runs.append(args)
        if len(runs) == 1:
            raise Unavailable("disk_full", path="/x")
        return whole(writer, args, progress)

    monkeypatch.setitem(worker_module.KINDS, "erase", run)
    start()
    send(log, "a")
    soon(lambda: stored(workspace) == ["a"])
    request = erase.ask(workspace, Registry(workspace), "u1")
    job.submit(workspace.state, "erase", {"request": request})
    soon(lambda: [one["step"] for one in erase.erasures(workspace)] == ["done"], 30)
    assert runs == [{"request": request}] * 2
    assert stored(workspace) == []
