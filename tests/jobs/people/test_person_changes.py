"""Who became whom, read in order and in pages."""

import json

import pytest
import sqlalchemy as sa

from touchline.errors import BadInput
from touchline.jobs.people.person_changes import person_changes
from touchline.storage import schema
from touchline.storage.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    made = Workspace.init(tmp_path / "w")
    row = {"at_us": 0, "kind": "person_merged", "identifiers": 2, "cause": "decision"}
    rows = [{**row, "person_id": f"p{n}", "other_id": "p0"} for n in range(1, 4)]
    made.state.write((sa.insert(schema.person_change), rows))
    yield made
    made.close()


def told(workspace, **asked):
    return [json.loads(line) for line in person_changes(workspace, None, asked)]


def test_changes_are_told_in_order_and_from_where_one_left_off(workspace):
    first = told(workspace, limit=2)
    assert [one["person_id"] for one in first] == ["p1", "p2"]
    assert first[0] == {
        "number": 1, "kind": "person_merged", "person_id": "p1", "other_id": "p0", "values": 2,
        "cause": "decision", "at": "1970-01-01T00:00:00.000Z",
    }  # fmt: skip
    assert [one["person_id"] for one in told(workspace, after=first[-1]["number"])] == ["p3"]
    assert told(workspace, after=3) == []
    with pytest.raises(BadInput):
        told(workspace, limit="some")
