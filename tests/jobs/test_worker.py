"""The worker inside this process: it commits, recovers from failed commits, runs jobs, answers."""

import contextlib
import json
import time

import msgspec
import pytest
import sqlalchemy as sa

from touchline.errors import BadInput, TouchlineError, Unavailable
from touchline.jobs import job, queries, rpc
from touchline.jobs import worker as worker_module
from touchline.jobs.intake.store import EventStore
from touchline.jobs.worker import Worker
from touchline.model import RawRequest
from touchline.storage import frames, schema
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace


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
        received_us=1_790_000_000_000_000,
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


def test_a_load_is_written_to_day_files_when_it_is_over_or_goes_on_for_long(
    workspace, log, monkeypatch
):
    monkeypatch.setattr(worker_module, "BEHIND", 1)
    msgspec.structs.force_setattr(workspace.settings, "settle_s", 0.0)
    with workspace.write_lock():
        worker = Worker(workspace)
        send(log, "a")
        worker._try_commit()
        worker._settle_when_due()  # the next round may find as much
        assert workspace.lake.files("events").settled_seq == 0
        monkeypatch.setattr(worker_module, "LOADING_S", 0.0)
        worker._settle_when_due()
        assert workspace.lake.files("events").settled_seq == 1
        send(log, "b")
        worker._try_commit()
        worker._try_commit()
        monkeypatch.setattr(worker_module, "LOADING_S", 1e9)
        worker._settling_s = 0.0
        worker._settle_when_due()
        assert workspace.lake.files("events").settled_seq == 2
