"""The conservation law, and what breaks it."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

import build
from build import T0, Tracker, track
from touchline.jobs import doctor
from touchline.jobs.doctor import examine
from touchline.jobs.intake.store import EventStore
from touchline.jobs.intake.writer import Writer
from touchline.storage import schema


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    tracker = Tracker(made)
    tracker.send(track("a", "Visit"), track("b", "Visit"), {"type": "track", "messageId": "bad"})
    tracker.send(track("a", "Visit"), source="app")
    tracker.raw(b"not json")
    Writer(made).catch_up()
    yield made
    made.close()


def checks(workspace):
    return [(found["check"], found["where"]) for found in examine(workspace)["findings"]]


def test_a_healthy_workspace_has_no_findings_and_an_account_by_source(workspace):
    assert examine(workspace) == {
        "findings": [],
        "sources": [
            {"source": "app", "received": 1, "stored": 1, "duplicate": 0, "rejected": 0},
            {"source": "web", "received": 4, "stored": 2, "duplicate": 0, "rejected": 2},
        ],
    }


def test_an_empty_workspace_is_healthy(tmp_path):
    made = build.workspace(tmp_path / "empty")
    assert examine(made) == {"findings": [], "sources": []}
    made.close()


def test_rows_that_are_gone_are_found(workspace):
    table = workspace.lake.events
    table.commit(None, remove=table.snapshot().files)
    assert {check for check, _ in checks(workspace)} == {"conservation"}


def test_a_file_that_is_gone_is_found_by_name(workspace):
    (path,) = workspace.lake.events.snapshot().files
    Path(path).unlink()
    assert checks(workspace) == [("files", str(Path(path).relative_to(workspace.dir)))]
    (found,) = examine(workspace, "zh")["findings"]
    assert found["what"] == "数据表引用的文件不见了,请用备份恢复"


def test_a_reject_that_is_gone_is_found(workspace):
    with workspace.state.engine.begin() as connection:
        connection.execute(sa.delete(schema.reject).where(schema.reject.c.message_id == "bad"))
    assert checks(workspace) == [("conservation", "web 2026-03-01T00:00:00.000Z")]


def test_an_account_that_does_not_add_up_is_found(workspace):
    with workspace.state.engine.begin() as connection:
        connection.execute(sa.update(schema.intake).values(received=9))
    assert ("conservation", "app 2026-03-01T00:00:00.000Z") in checks(workspace)


def test_an_event_that_is_there_twice_is_found(workspace):
    with workspace.view() as view:
        rows = view.fetch(view.table("events").limit(1)).cast(workspace.lake.events.schema)
    workspace.lake.events.commit(rows)
    assert ("duplicates", "events") in checks(workspace)


def test_a_lake_ahead_of_state_is_found_once_nobody_repairs_it(workspace, monkeypatch):
    monkeypatch.setattr(doctor, "PAUSE_S", 0.01)
    workspace.lake.fresh.commit(None, offsets={"seq": 99, "log": 10**9})
    assert checks(workspace) == [("recovery", "log"), ("recovery", "seq"), ("log", "log")]


def test_secrets_others_may_read_are_found(workspace):
    (workspace.dir / "secrets" / "pepper").chmod(0o644)
    assert checks(workspace) == [("secrets", "pepper")]


def test_a_server_that_is_storing_meanwhile_is_no_finding(workspace):
    writer = Writer(workspace)
    tracker, done = Tracker(workspace), threading.Event()

    def serve():
        for n in range(200):
            if done.is_set():
                return
            tracker.send(track(f"m{n}", "Visit"), at=T0 + n)
            writer.commit_once()

    server = threading.Thread(target=serve)
    server.start()
    found = [checks(workspace) for _ in range(3)]
    done.set()
    server.join()
    assert found == [[], [], []]
    assert isinstance(writer.store, EventStore)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"PAR1 no more")])
def test_a_damaged_file_of_the_copy_by_identifier_is_named_and_nothing_else(workspace, harm):
    path = Path(workspace.lake.by_node.snapshot().files[0])
    harm(path)
    assert checks(workspace) == [("copy", str(path.relative_to(workspace.dir)))]
