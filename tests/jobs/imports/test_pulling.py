"""The worker and its sources: pulled by their lines, beside other jobs, stopped when asked to."""

import contextlib
import json
import threading
import time

import pytest
import sqlalchemy as sa

from touchline import clock
from touchline.collect.connectors import table
from touchline.collect.connectors.extract import extract
from touchline.errors import BadInput, NotFound
from touchline.jobs import job, kinds, rpc
from touchline.jobs import worker as worker_module
from touchline.jobs.imports import pull
from touchline.jobs.worker import Worker
from touchline.storage import schema
from touchline.storage.workspace import Workspace

SPEND = {
    "name": "spend",
    "kind": "sql_database",
    "yields": "costs",
    "url": "sqlite:////nowhere.db",
    "table": "spend",
}


class World:
    """A workspace whose worker runs, and a source that answers when it is let."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_asked = threading.Event()
        self.rows = [{"date": "2026-03-01", "channel": "Ads", "cost": "5"}]

    def table_rows(self, *_):
        self.is_asked.set()
        assert self.may_answer.wait(20)
        return iter([dict(row) for row in self.rows])

    def ask(self, name, **args):
        return json.loads(b"".join(rpc.ask(self.workspace.dir, name, args)))

    def status(self):
        (one,) = self.ask("sources")
        return one["status"]


@pytest.fixture
def world(tmp_path, monkeypatch):
    workspace = Workspace.init(tmp_path / "w")
    found = World(workspace)
    monkeypatch.setattr(table, "table_rows", found.table_rows)
    monkeypatch.setattr(pull, "fetching", lambda _: contextlib.nullcontext(extract))
    monkeypatch.setattr(worker_module, "TICK_EVERY_S", 0.05)
    monkeypatch.setattr(worker_module, "PULL_POLL_S", 0.02)
    with workspace.write_lock():
        worker = Worker(workspace)
        worker.start()
        yield found
        found.may_answer.set()
        worker.stop()
        for thread in worker._threads:
            thread.join(10)
    workspace.close()


def soon(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_source_is_added_tried_run_and_watched_over_the_api(world):
    assert world.ask("add_sources", sources=[SPEND], author="api") == {"sources": ["spend"]}
    assert world.status() == "new"
    assert world.ask("preview_source", source="spend")["read"] == 1
    world.ask("run_source", source="spend")
    soon(lambda: world.status() == "ok")
    (run,) = world.ask("source_runs", source="spend", language="zh")
    assert (run["read"], run["stored"], run["error"]) == (1, 1, None)
    with pytest.raises(NotFound):
        world.ask("run_source", source="other")
    world.ask("remove_source", source="spend", author="api")
    assert world.ask("sources") == []


def test_its_line_has_it_pulled(world):
    world.ask("add_sources", sources=[{**SPEND, "schedule": "0 3 1 1 *"}], author="api")
    soon(lambda: world.ask("sources")[0]["next_at"] is not None)
    assert world.status() == "new"
    with world.workspace.state.engine.begin() as connection:
        connection.execute(sa.update(schema.schedule).values(due_us=clock.now_us() - 1))
    soon(lambda: world.status() == "ok")
    assert world.ask("sources")[0]["next_at"].endswith("-12-31T19:00:00.000Z")
    disabled = {**SPEND, "schedule": "0 3 1 1 *", "is_enabled": False}
    world.ask("add_sources", sources=[disabled], author="api")
    soon(lambda: world.ask("sources")[0]["next_at"] is None)
    assert world.status() == "disabled"


def test_a_source_that_takes_its_time_keeps_no_other_job_waiting(world, tmp_path):
    world.may_answer.clear()
    world.ask("add_sources", sources=[SPEND], author="api")
    threading.Thread(target=world.ask, args=("run_source",), kwargs={"source": "spend"}).start()
    assert world.is_asked.wait(20)
    path = tmp_path / "people.csv"
    path.write_text("user_id,level\nu1,gold\n")
    from touchline.jobs.access import writing

    asked = {"kind": "people", "path": str(path), "map": None, "source": None}
    assert writing(world.workspace.dir, "import", asked, lambda _: None)["stored"] == 1
    assert world.status() == "running"
    world.may_answer.set()
    soon(lambda: world.status() == "ok")


@pytest.fixture
def compared(monkeypatch):
    """Records that are compared: that it has begun, and that it may end. For a worker to come."""
    is_thinking, may_end = threading.Event(), threading.Event()

    def match(*_):
        is_thinking.set()
        assert may_end.wait(20)
        return {}

    monkeypatch.setitem(kinds.THOUGHTS, "match", match)
    return is_thinking, may_end


def test_records_that_are_compared_for_long_keep_no_source_waiting(compared, world):
    is_thinking, may_end = compared
    asked = {"threshold": 0.9, "is_trial": True}
    state = world.workspace.state
    job.submit(state, "match", asked)
    assert is_thinking.wait(20)
    world.ask("add_sources", sources=[SPEND], author="api")
    world.ask("run_source", source="spend")
    soon(lambda: world.status() == "ok")
    assert job.open_one(state, "match", asked)
    may_end.set()
    soon(lambda: not job.open_one(state, "match", asked))


def test_a_run_is_stopped_at_its_next_step(world):
    world.may_answer.clear()
    world.rows = [dict(world.rows[0], date=f"2026-03-0{n}") for n in (1, 2)]
    document = {**SPEND, "cursor": "date", "backfill_from": "2026-01-01", "slice_days": 30}
    world.ask("add_sources", sources=[document], author="api")

    def begin():
        with contextlib.suppress(BadInput):
            world.ask("run_source", source="spend")

    threading.Thread(target=begin).start()
    assert world.is_asked.wait(20)
    (row,) = world.workspace.state.read(sa.select(schema.job.c.id))
    assert world.ask("cancel_job", number=row.id)["is_cancelled"]
    world.may_answer.set()
    soon(lambda: world.status() == "stopped")
    (run,) = world.ask("source_runs", source="spend")
    assert run["error"]["code"] == "job_cancelled"
