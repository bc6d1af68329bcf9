"""The same promises of State in SQLite and in PostgreSQL."""

import pytest
import sqlalchemy as sa

from touchline.errors import BadInput
from touchline.jobs import job
from touchline.jobs.intake.account import intake_rows, replayed_rows
from touchline.storage import definition, schema
from touchline.storage.access_key import (
    admin_scopes,
    key_hash,
    key_rows,
    write_aliases,
    write_keys,
)


def test_migrating_twice_changes_nothing(state):
    state.migrate()
    assert set(sa.inspect(state.engine).get_table_names()) >= set(schema.metadata.tables)


def test_the_row_that_is_there_stays(state):
    first = {"alias": "matomo:1", "key_hash": "1" * 64}
    other = {"alias": "matomo:1", "key_hash": "2" * 64}
    upsert = state.upsert(schema.key_alias)
    state.write((upsert, [first]), (upsert, [other]))
    rows = state.read(sa.select(schema.key_alias))
    assert [tuple(row) for row in rows] == [("matomo:1", "1" * 64)]


def test_the_newer_value_wins_in_any_order(state):
    def trait(ts_us: int, value: bytes) -> dict:
        return {
            "node_id": b"n" * 16,
            "name": "city",
            "sealed_value": value,
            "ts_us": ts_us,
            "source": "web",
            "is_told": False,
        }

    upsert = state.upsert(schema.trait, newest_by="ts_us")
    state.write((upsert, [trait(5, b"new")]), (upsert, [trait(3, b"old")]))
    assert bytes(state.read(sa.select(schema.trait.c.sealed_value))[0][0]) == b"new"


def test_counts_add_up(state):
    row = {"source": "web", "hour_us": 0, "received": 3, "stored": 2, "duplicate": 1, "rejected": 0}
    names = ("received", "stored", "duplicate", "rejected")
    upsert = state.upsert(schema.intake, add=names)
    state.write((upsert, [row]), (upsert, [row]))
    assert tuple(state.read(sa.select(schema.intake))[0])[2:] == (6, 4, 2, 0)


def test_a_failing_write_leaves_nothing_of_its_transaction(state):
    good = {"alias": "matomo:1", "key_hash": "1" * 64}
    with pytest.raises(sa.exc.DBAPIError):
        state.write(
            (state.upsert(schema.key_alias), [good]),
            (sa.insert(schema.key_alias), [good]),
        )
    assert state.read(sa.select(schema.key_alias)) == []


def test_a_look_up_of_many_keys_finds_each_once(state):
    rows = [{"alias": f"umami:{i}", "key_hash": "1" * 64} for i in range(3000)]
    state.write((state.upsert(schema.key_alias), rows))
    column = schema.key_alias.c.alias
    found = state.lookup(column, {f"umami:{i}" for i in range(1000, 5000)}, column)
    assert len(found) == 2000


def test_a_mark_never_goes_back(state):
    state.write(state.set_mark("log", 7))
    state.write(state.set_mark("log", 5))
    assert state.mark("log") == 7
    assert state.mark("unheard of") == 0


def test_definitions_keep_their_versions(state):
    assert definition.save(state, {"goal": [{"name": "a", "event": "x"}]}, "ann") == ["goal"]
    assert definition.save(state, {"goal": [{"name": "a", "event": "x"}]}, "bob") == []
    definition.save(state, {"goal": [{"name": "b", "event": "x"}]}, "bob")
    assert definition.current(state)["goal"][0]["name"] == "b"
    assert [r.version for r in state.read(sa.select(schema.definition.c.version))] == [1, 2]


def test_a_job_runs_once_and_gives_its_result(state):
    number = job.submit(state, "add", {"a": 2, "b": 3})
    kinds = {"add": lambda args, progress: args["a"] + args["b"]}
    assert job.run_next(state, kinds)
    assert not job.run_next(state, kinds)
    assert job.wait(state, number, lambda share: None) == 5


def test_a_failed_job_says_why_to_whoever_waits(state):
    def fail(args: dict, progress: job.Progress) -> None:
        raise BadInput("file_missing", path="x.csv")

    number = job.submit(state, "fail", {})
    job.run_next(state, {"fail": fail})
    with pytest.raises(BadInput, match=r"x\.csv"):
        job.wait(state, number, lambda share: None)


def test_a_replayed_reject_is_marked_and_taken_off_its_hour(state):
    reject = {
        "reject_id": b"r" * 16,
        "source": "web",
        "kind": "events",
        "reason": "missing_id",
        "sealed_payload": b"x",
        "received_us": 5,
        "seq": 1,
    }
    state.write((state.upsert(schema.reject), [reject]))
    state.write(intake_rows(state, [("web", 5, "rejected"), ("web", 5, "stored")]))
    replayed = {b"r" * 16: ("web", 5)}
    state.write(intake_rows(state, [("web", 5, "stored")]), *replayed_rows(state, replayed))
    (kept,) = state.read(sa.select(schema.reject))
    assert kept.replayed_us is not None
    (hour,) = state.read(sa.select(schema.intake))
    assert (hour.received, hour.stored, hour.duplicate, hour.rejected) == (2, 2, 0, 0)


def test_keys_are_looked_up_while_in_force(state):
    rows = key_rows("write", [("web", "k1")]) + key_rows("admin", [("boss", "k2")], ["read"])
    state.write((state.upsert(schema.access_key), rows))
    alias = {"alias": "matomo:1", "key_hash": key_hash("k1")}
    moves = state.upsert(schema.key_alias, newest_by="alias")
    state.write((moves, [{**alias, "key_hash": "other"}]), (moves, [alias]))
    assert write_keys(state) == {key_hash("k1"): "web"}
    assert write_aliases(state) == {"matomo:1": key_hash("k1")}
    assert admin_scopes(state, "k2") == {"read"}
    assert admin_scopes(state, "k1") == frozenset()
    with state.engine.begin() as connection:
        connection.execute(sa.update(schema.access_key).values(revoked_us=1))
    assert (write_keys(state), write_aliases(state)) == ({}, {})
    assert admin_scopes(state, "k2") == frozenset()
