"""What a customer gets who asks what is stored: all of it, in clear, and a row that says so."""

import csv
import io
import json
import zipfile
from hashlib import sha256

import pytest
import sqlalchemy as sa

import build
from build import Tracker, track
from touchline.errors import NotFound
from touchline.identity.people import Registry
from touchline.identity.person import person_id
from touchline.identity.profile import find_person
from touchline.jobs import definitions, links
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people import profile_notes
from touchline.jobs.people.live import SharedRegistry
from touchline.jobs.privacy.dsar import export
from touchline.storage import audit, schema

DEAL = "conversion_id,occurred_at,stage,amount,email\nd1,2026-03-03,won,1000,ann@shop.cn\n"


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    traits = {"email": "ann@shop.cn", "name": "=cmd()", "city": "上海"}
    Tracker(made).send(
        {"type": "identify", "messageId": "i", "userId": "ann", "traits": traits},
        track("a", "Visit"),
        track("b", "Visit", userId="bob"),
        {"type": "track", "messageId": "bad", "userId": "ann"},
    )
    writer = Writer(made)
    path = tmp_path / "deals.csv"
    path.write_text(DEAL, encoding="utf-8")
    run_import(writer, "conversions", path)
    links.create(made, [links.Wanted(target="https://shop.cn/", person="email:ann@shop.cn")])
    writer.catch_up()
    yield made
    made.close()


def opened(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_holds_all_that_is_theirs_and_nothing_of_others(workspace):
    files = opened(export(workspace, Registry(workspace), "ann"))
    held = {n.removesuffix(".json"): json.loads(c) for n, c in files.items() if n.endswith("json")}
    manifest = held.pop("manifest")
    assert [one["value"] for one in held["identifiers"]] == ["ann", "ann@shop.cn"]
    assert {one["name"]: one["value"] for one in held["traits"]}["city"] == "上海"
    assert [one["message_id"] for one in held["events"]] == ["i", "a"]
    assert [one["conversion_id"] for one in held["conversions"]] == ["d1"]
    assert held["conversions"][0]["occurred_us"] == "2026-03-03T00:00:00.000Z"
    assert len(held["link"]) == len(held["rejects"]) == 1
    assert b"bob" not in b"".join(files.values())
    for table in manifest["tables"]:
        assert table["rows"] == len(held[table["table"]])
        for name, digest in table["sha256"].items():
            assert sha256(files[name]).hexdigest() == digest


def test_a_bundle_tells_what_the_staff_noted_and_who_said_each_trait(workspace):
    asked = {"person": "ann", "tags": ["VIP"], "owner": "Li Na"}
    profile_notes.note(workspace, Registry(workspace), asked)
    definitions.apply(workspace, {"profile": {"third_party": ["web"]}})
    files = opened(export(workspace, Registry(workspace), "ann"))
    noted = json.loads(files["person_note.json"])
    assert {(one["kind"], one["value"]) for one in noted} == {("tag", "VIP"), ("owner", "Li Na")}
    assert {one["party"] for one in json.loads(files["traits.json"])} == {"third_party"}


def test_no_cell_is_run_by_a_spreadsheet(workspace):
    files = opened(export(workspace, Registry(workspace), "ann"))
    rows = csv.DictReader(io.StringIO(files["traits.csv"].decode("utf-8-sig")))
    assert "'=cmd()" in {row["value"] for row in rows}


def test_it_is_written_down_that_it_was_given(workspace):
    export(workspace, Registry(workspace), "ann")
    assert "person.export" in {one["action"] for one in audit.entries(workspace.state)}
    with pytest.raises(NotFound):
        export(workspace, Registry(workspace), "nobody@shop.cn")


def test_a_bundle_tells_what_they_were_called_before_and_nothing_made_to_look_it_up(workspace):
    registry = Registry(workspace)
    renamed = {"at_us": 0, "kind": "person_renamed", "identifiers": 1, "cause": "evidence"}
    with workspace.view() as view:
        people = registry.at(view)
    ids = {
        name: [person_id(node) for node in people.node_ids(find_person(workspace, people, name))]
        for name in ("ann", "bob")
    }
    (now, before), (other,) = ids["ann"], ids["bob"]
    told = [(before, now), (now, before), (other, other)]
    rows = [{**renamed, "person_id": one, "other_id": another} for one, another in told]
    workspace.state.write((sa.insert(schema.person_change), rows))
    SharedRegistry(workspace).follow()
    assert workspace.state.read(sa.select(schema.identity_node))
    files = opened(export(workspace, registry, "ann"))
    changes = json.loads(files["person_change.json"])
    assert [(one["person_id"], one["other_id"]) for one in changes] == told[:2]
    assert not [name for name in files if name.startswith("identity")]
