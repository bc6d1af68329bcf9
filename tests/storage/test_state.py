"""SQLite's own ways to refuse, in our words. What both databases do is in tests/contract."""

import sqlite3

import pytest
import sqlalchemy as sa

import build
from touchline.errors import Unavailable
from touchline.storage import schema
from touchline.storage import state as state_module
from touchline.storage.state import State
from touchline.storage.workspace import Workspace


@pytest.fixture
def state(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made.state
    made.close()


def big_rows(count):
    return [{"alias": f"umami:{n}", "key_hash": "a" * 64} for n in range(count)]


def test_a_full_disk_is_said_and_nothing_of_the_transaction_stays(state):
    limit = state.engine.connect()
    pages = limit.exec_driver_sql("pragma page_count").scalar()
    limit.exec_driver_sql(f"pragma max_page_count = {pages + 2}")
    limit.close()
    with pytest.raises(Unavailable) as caught:
        state.write(state.set_mark("x", 1), (state.upsert(schema.key_alias), big_rows(20_000)))
    assert (caught.value.code, caught.value.exit_code) == ("disk_full", 3)
    assert state.mark("x") == 0
    assert state.read(sa.select(schema.key_alias)) == []


def test_a_database_somebody_else_writes_to_for_long_is_locked(tmp_path, monkeypatch):
    made = build.workspace(tmp_path / "w")
    made.close()
    monkeypatch.setattr(state_module, "BUSY_MS", 50)
    again = Workspace.open(made.dir)
    other = sqlite3.connect(made.dir / "state.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable, match=r"state\.db") as caught:
        again.state.write(again.state.set_mark("x", 1))
    assert caught.value.code == "workspace_locked"
    other.execute("rollback")
    other.close()
    again.state.write(again.state.set_mark("x", 1))
    again.close()


def test_a_disk_that_is_full_when_the_tables_are_made_is_said(tmp_path):
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    sa.event.listen(state.engine, "connect", lambda c, _: c.execute("pragma max_page_count = 2"))
    with pytest.raises(Unavailable) as caught:
        state.migrate()
    assert caught.value.code == "disk_full"
    state.close()


@pytest.mark.parametrize("url", ["state.db", "gone/state.db", "file:only.db?mode=ro&uri=true"])
def test_a_database_that_cannot_be_used_is_named_with_the_reason(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state.db").write_bytes(b"no database" * 1000)
    (tmp_path / "only.db").touch()
    state = State(f"sqlite:///{url}")
    for ask in (state.migrate, lambda: state.write(state.set_mark("x", 1))):
        with pytest.raises(Unavailable) as caught:
            ask()
        assert caught.value.code == "state_broken"
    state.close()


def test_a_database_that_was_lost_is_not_taken_for_an_empty_one(tmp_path):
    made = build.workspace(tmp_path / "w")
    made.close()
    (made.dir / "state.db").unlink()
    again = Workspace.open(made.dir)
    with pytest.raises(Unavailable) as caught:
        again.write_keys()
    assert caught.value.code == "state_broken"
    again.close()


def test_what_is_written_is_synced_and_readers_do_not_wait_for_writers(state):
    with state.engine.connect() as connection:
        asked = ("journal_mode", "synchronous")
        found = [connection.exec_driver_sql(f"pragma {name}").scalar() for name in asked]
    assert found == ["wal", 2]
