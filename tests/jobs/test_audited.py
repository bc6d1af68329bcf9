"""What is written down of a request: one row, without anything that names a person."""

import json

import pytest

import build
from build import Tracker, track
from touchline.identity.decisions import record
from touchline.identity.people import Registry
from touchline.jobs import definitions, keys, queries
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.storage import audit
from touchline.storage.principal import Principal


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    traits = {"email": "ann@shop.cn"}
    Tracker(made).send(
        {"type": "identify", "messageId": "i", "userId": "ann", "traits": traits},
        track("a", "Visit"),
        {"type": "track", "messageId": "bad", "userId": "ann"},
    )
    Writer(made).catch_up()
    yield made
    made.close()


def told(workspace, **asked):
    lines = queries.QUERIES["audit"](workspace, Registry(workspace), asked)
    return [(e["action"], e["about"]) for e in map(json.loads, lines)]


def read(workspace, name, **args):
    found = queries.QUERIES[name](workspace, Registry(workspace), args)
    return found if isinstance(found, dict) else list(found)


def test_a_look_at_clear_values_is_a_row_however_much_is_seen(workspace):
    person = read(workspace, "timeline", person="ann")["person_id"]
    known = {"person": audit.reference(workspace.vault, person)}
    list(queries.people(workspace, Registry(workspace), {}))
    read(workspace, "events", person="email:ann@shop.cn")
    read(workspace, "events")
    read(workspace, "rejects")
    assert told(workspace) == [
        ("read.timeline", known),
        ("read.people", {}),
        ("read.events", known),
        ("read.events", {}),
        ("read.rejects", {}),
    ]
    assert told(workspace, person="ann") == [("read.timeline", known), ("read.events", known)]
    assert told(workspace, action="read.people") == [("read.people", {})]
    assert told(workspace, cursor="3", limit="1") == [("read.events", {})]
    assert "ann" not in str(told(workspace))
    assert person not in str(told(workspace))


def test_what_asks_for_no_clear_value_is_no_row(workspace):
    read(workspace, "attribution")
    read(workspace, "intake")
    assert told(workspace) == []


def test_changes_are_rows_in_the_name_of_who_asked(workspace):
    mine = workspace.seen_by(Principal(name="key:0123"))
    made = keys.create(mine, keys.Wanted(name="shop"))
    keys.revoke(mine, made["id"])
    definitions.apply(mine, {"goal": [{"name": "deals", "stages": ["won"]}]}, "bea")
    definitions.apply(mine, {"goal": [{"name": "deals", "stages": ["won"]}]}, "bea")
    record(mine.state, "block", about=[b"a" * 16], author="bea", reason="ann@shop.cn is a kiosk")
    record(mine.state, "undo", undoes=1, author="bea", reason="no")
    key = {"key": made["id"], "kind": "write", "name": "shop"}
    assert told(workspace) == [
        ("key.create", key),
        ("key.revoke", key),
        ("definitions.apply", {"kinds": ["goal"]}),
        ("decision.block", {}),
        ("decision.undo", {"undoes": 1}),
    ]
    assert [e["actor"] for e in audit.entries(mine.state)] == [
        "key:0123", "key:0123", "bea", "key:0123", "key:0123",
    ]  # fmt: skip


def test_doctor_tells_of_a_chain_that_was_changed(workspace):
    assert examine(workspace)["findings"] == []
    read(workspace, "events")
    with workspace.state.engine.begin() as connection:
        connection.exec_driver_sql("update audit set actor = 'bob'")
    (found,) = examine(workspace)["findings"]
    assert (found["check"], found["where"]) == ("audit", "audit")
    assert "row 1 " in found["what"]
