"""Who speaks for a row: the strongest identifier that is not quarantined."""

import pytest

import build
from build import T0
from touchline.identity.speaker import with_person

NAMES = ("user_id:u", "email:e", "device:d")


def persons(rows, quarantined=()):
    rows.commit()
    with rows.workspace.view() as view:
        who = build.speakers(view, *NAMES, quarantined=quarantined)
        found = with_person(view.events(), who)
        assert found.columns.count("person_ix") == 1
        return view.fetch(found.order_by("seq")).column("person_ix").to_pylist()


@pytest.fixture
def rows(tmp_path):
    made = build.Rows(build.workspace(tmp_path / "w"))
    yield made
    made.workspace.close()


@pytest.mark.parametrize(
    ("quarantined", "speaks"),
    [
        ((), 0),
        (("email:e",), 0),
        (("user_id:u",), 1),
        (("user_id:u", "email:e"), 2),
        (("user_id:u", "email:e", "device:d"), 0),
    ],
)
def test_the_strongest_that_is_not_shared_speaks_and_of_shared_ones_the_strongest(
    rows, quarantined, speaks
):
    rows.event("", T0, node_ids=build.nodes(*NAMES))
    rows.event("", T0, node_ids=build.nodes("device:d"))
    rows.event("", T0, node_ids=[])
    rows.event("", T0, node_ids=None)
    assert persons(rows, quarantined) == [speaks, 2, None, None]


def test_a_node_no_evidence_names_has_no_person(rows):
    rows.event("", T0, node_ids=build.nodes("user_id:stranger"))
    assert persons(rows) == [None]
    rows.event("", T0, node_ids=build.nodes("email:e", "user_id:stranger"))
    assert persons(rows, ("email:e",)) == [None, 1]
