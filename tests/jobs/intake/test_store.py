"""Requests → rows, each once, with an account of every item; whatever moment the power fails."""

import contextlib
import itertools
import sqlite3

import pytest
import sqlalchemy as sa

import build
from build import HOUR, T0, Tracker, track
from touchline.errors import Unavailable
from touchline.jobs.doctor import examine
from touchline.jobs.intake import writer as writer_module
from touchline.jobs.intake.account import open_payload
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.intake.writer import Writer
from touchline.model import Event, Identifier, Reject
from touchline.storage import schema
from touchline.storage.lake import SEQ
from touchline.storage.state import State
from touchline.storage.workspace import Workspace


def event(message_id, *, content=b"c" * 16, source="import", at=T0, **columns):
    who = (Identifier("user_id", "ann"),)
    fields = {"name": "Visit", "type": "track", "ts_us": at, "received_us": at} | columns
    made = Event(
        source=source, message_id=message_id, identifiers=who, content_hash=content, **fields
    )
    return Arrival(made, {"messageId": message_id, "content": content.decode()})


def reject(reason="bad_time", *, line=1, at=T0):
    return Reject(source="import", reason=reason, payload=b"{}", received_us=at, line=line)


def stored(workspace):
    """[(seq, source, message_id)]"""
    with workspace.view() as view:
        rows = view.events("seq", "source", "message_id")
        return sorted(tuple(row.values()) for row in view.fetch(rows).to_pylist())


def event_ids(workspace):
    with workspace.view() as view:
        return {row["event_id"] for row in view.fetch(view.events("event_id")).to_pylist()}


def account(workspace):
    """source → (received, stored, duplicate, rejected)"""
    table = schema.intake.c
    names = ("received", "stored", "duplicate", "rejected")
    sums = [sa.func.sum(table[name]).label(name) for name in names]
    rows = workspace.state.read(sa.select(table.source, *sums).group_by(table.source))
    return {row.source: tuple(int(row._mapping[name]) for name in names) for row in rows}


def rejects(workspace):
    """[(message_id, reason, payload)], in order"""
    query = sa.select(schema.reject).order_by(schema.reject.c.received_us, schema.reject.c.seq)
    return [
        (row.message_id, row.reason, open_payload(workspace, row))
        for row in workspace.state.read(query)
    ]


# Verdicts


def test_equal_key_and_content_is_a_duplicate_and_other_content_a_conflict(workspace):
    store = EventStore(workspace)
    tally = store.store([event("a"), event("a"), event("a", content=b"d" * 16), event("b")])
    assert (tally.received, tally.stored, tally.duplicate, tally.rejected) == (4, 2, 1, 1)
    again = store.store([event("b"), event("a", content=b"d" * 16)])
    assert (again.stored, again.duplicate) == (0, 1)
    assert stored(workspace) == [(1, "import", "a"), (2, "import", "b")]
    assert {(m, r) for m, r, _ in rejects(workspace)} == {("a", "id_conflict")}
    assert b'"messageId":"a"' in rejects(workspace)[0][2]


def test_dedup_outlives_the_process_and_any_time(workspace):
    EventStore(workspace).store([event("a")])
    other = Workspace.open(workspace.dir)
    assert EventStore(other).store([event("a", at=T0 + 9000 * HOUR)]).duplicate == 1
    other.close()


def test_ids_of_other_sources_and_workspaces_are_others(workspace, tmp_path):
    store = EventStore(workspace)
    assert store.store([event("a", source="x"), event("a", source="y")]).stored == 2
    second = build.workspace(tmp_path / "second", currency="USD")
    assert EventStore(second).store([event("a", source="x")]).stored == 1
    assert not event_ids(workspace) & event_ids(second)
    second.close()


def test_the_account_is_kept_by_source_and_hour_of_arrival(workspace):
    store = EventStore(workspace)
    store.store([event("a"), event("b", at=T0 + HOUR)], [reject()])
    store.store([event("a"), event("c", source="web")])
    rows = workspace.state.read(sa.select(schema.intake))
    found = {(r.source, r.hour_us): (r.received, r.stored, r.duplicate, r.rejected) for r in rows}
    assert found == {
        ("import", T0): (3, 1, 1, 1),
        ("import", T0 + HOUR): (1, 1, 0, 0),
        ("web", T0): (1, 1, 0, 0),
    }
    assert examine(workspace)["findings"] == []


def test_rejects_keep_their_payload_sealed(workspace):
    bad = Reject(source="web", reason="x", payload="密码 hunter2".encode(), received_us=T0)
    EventStore(workspace).store([], [bad])
    assert rejects(workspace) == [(None, "x", "密码 hunter2".encode())]
    workspace.close()
    assert b"hunter2" not in b"".join(p.read_bytes() for p in workspace.dir.glob("state.db*"))


def test_numbers_of_arrival_are_dense_and_go_on_in_the_next_process(workspace):
    EventStore(workspace).store([event("a"), event("a"), event("b")])
    EventStore(workspace).store([event("c")])
    assert [seq for seq, *_ in stored(workspace)] == [1, 2, 3]
    assert workspace.state.mark(SEQ) == workspace.lake.fresh.snapshot().offset(SEQ) == 3


# Crashes: see tests/crash for those at every point


def test_a_store_that_failed_takes_nothing_more(workspace, monkeypatch):
    """Lake and State may differ then; a batch after it would number its rows again."""
    store = EventStore(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(workspace.state, "set_mark", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.store([event("a")])
    with pytest.raises(Unavailable) as caught:
        store.store([event("b")])
    assert caught.value.code == "not_stored"
    Writer(workspace).store.store([event("b")])
    assert stored(workspace) == [(1, "import", "a"), (2, "import", "b")]
    assert examine(workspace)["findings"] == []


def test_rows_whose_requests_a_power_cut_took_from_the_log_are_still_known(workspace, monkeypatch):
    """A reader may see bytes that were not synced yet."""
    Tracker(workspace).send(track("a", "Visit"))
    with monkeypatch.context() as patch:
        patch.setattr(EventStore, "_to_state", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Writer(workspace).commit_once()
    for path in (workspace.dir / "log").iterdir():
        path.write_bytes(b"")
    again = Writer(workspace)
    assert account(workspace) == {"web": (1, 1, 0, 0)}
    assert again.store.store([event("a", source="web", content=b"?" * 16)]).rejected == 1
    assert stored(workspace) == [(1, "web", "a")]


@pytest.mark.parametrize("crash_at", [1, 3, 4, 6, 8])
def test_an_older_copy_of_state_learns_all_that_happened_since(workspace, monkeypatch, crash_at):
    """Also when it is cut short itself, and begins anew."""
    monkeypatch.setattr(writer_module, "WEIGHT", 1)  # a request is a batch
    backup = workspace.dir / "backup.db"
    tracker, writer = Tracker(workspace), Writer(workspace)
    writer.store.store([event("i0")])
    with contextlib.closing(sqlite3.connect(workspace.dir / "state.db")) as state:
        state.execute("vacuum into ?", [str(backup)])
    writer.store.store([event("i1"), event("i2")])
    for name in ("a", "b"):
        tracker.send(track(name, "Visit"))
        writer.commit_once()
        writer.store.store([event(f"after-{name}")])
    tracker.send(track("b", "Visit"), {"type": "track", "messageId": "c"})
    writer.commit_once()
    writer.settle()
    workspace.close()
    for path in workspace.dir.glob("state.db*"):
        path.unlink()
    backup.rename(workspace.dir / "state.db")
    after = Workspace.open(workspace.dir)
    with monkeypatch.context() as patch, contextlib.suppress(ZeroDivisionError):
        real, calls = State.write, itertools.count(1)
        patch.setattr(State, "write", lambda *a: 1 / 0 if next(calls) == crash_at else real(*a))
        Writer(after)
    again = Writer(after)
    assert account(after) == {"web": (4, 2, 1, 1), "import": (5, 5, 0, 0)}
    assert again.store.store([event("i1"), event("after-b"), event("i4")]).duplicate == 2
    assert account(after) == {"web": (4, 2, 1, 1), "import": (8, 6, 2, 0)}
    assert [seq for seq, *_ in stored(after)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert examine(after)["findings"] == []
    after.close()
