"""Tags and owner: written on identifiers, read through the person; merging moves nothing."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.errors import BadInput
from touchline.identity.decisions import record
from touchline.identity.mirror import write_noted
from touchline.identity.profile_notes import Note, Written
from touchline.jobs.people.profile_notes import note, shown
from touchline.storage.audit import entries

NUMBERS = itertools.count(1)
NAMES = ("user_id:a", "email:a@b.cn", "user_id:b", "phone:+8613800138000")


@pytest.fixture(scope="module")
def one(tmp_path_factory, lake_at):
    made = lake_at(tmp_path_factory.mktemp("notes") / "site")
    yield made
    made.workspace.close()


@pytest.fixture
def two(lake):
    """Two persons of two identifiers each."""
    lake.put("events", " ".join(NAMES[:2]), " ".join(NAMES[2:]))
    return lake


def noted(lake, person, **wanted):
    return note(lake.workspace, lake.registry, {"person": person, "author": "ann", **wanted})


def read(lake, name):
    """What is said of whoever an identifier belongs to."""
    with lake.workspace.view() as view:
        people = lake.registry.at(view)
    (person,) = people.person_of([lake.node(name)])
    nodes = [people.known.node_id(node) for node in people.members(person)]
    found = shown(lake.workspace, nodes)
    return [one["tag"] for one in found["tags"]], found["owner"] and found["owner"]["owner"]


def decide(lake, kind, *about, undoes=None):
    nodes = [lake.node(name) for name in about]
    return record(lake.workspace.state, kind, about=nodes, undoes=undoes, author="x", reason="x")


def test_tags_are_set_once_and_unset_with_who_did_it(two):
    found = noted(two, "a@b.cn", tags=["VIP", "种草达人", "VIP"])
    assert [(one["tag"], one["author"]) for one in found["tags"]] == [
        ("VIP", "ann"),
        ("种草达人", "ann"),
    ]
    again = noted(two, "user_id:a", tags=["VIP"], author="bob")
    assert again["tags"] == found["tags"]
    assert [one["tag"] for one in noted(two, "user_id:a", untag=["VIP", "no"])["tags"]] == [
        "种草达人"
    ]


def test_the_last_owner_looks_after_a_person_until_nobody_does(two):
    noted(two, "a@b.cn", owner="Li Na")
    assert noted(two, "user_id:a", owner="王芳")["owner"]["owner"] == "王芳"
    assert noted(two, "user_id:a", owner="")["owner"] is None
    assert read(two, "email:a@b.cn") == ([], None)


def test_the_audit_log_says_that_and_not_what(two):
    noted(two, "a@b.cn", tags=["her phone is 13800138000"], owner="Li Na")
    noted(two, "a@b.cn", tags=["her phone is 13800138000"])
    (entry,) = [e for e in entries(two.workspace.state) if e["action"] == "person.note"]
    assert entry["about"].keys() == {"person", "set", "unset"}
    assert "13800138000" not in str(entry)
    assert (entry["about"]["set"], entry["about"]["unset"]) == (2, 0)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from(["tags", "untag", "owner"]), st.sampled_from("xyz")
        ),
        max_size=8,
    )
)
def test_merge_and_unmerge_is_as_if_nothing_had_been(one, said):
    number = next(NUMBERS)
    names = f"email:a{number}@b.cn", f"crm_id:c{number}"
    one.put("events", *names)
    for is_first, what, value in said:
        noted(one, names[is_first], **{what: value if what == "owner" else [value]})
    before = [read(one, name) for name in names]
    merged = decide(one, "merge", *names)
    joined = read(one, names[0])
    assert joined == read(one, names[1])
    assert joined[0] == sorted({*before[0][0], *before[1][0]})
    owners = {before[0][1], before[1][1]}
    assert joined[1] in (owners - {None} or {None})
    decide(one, "undo", undoes=merged)
    assert [read(one, name) for name in names] == before


def test_what_was_taken_off_both_stays_off_when_they_part(lake):
    lake.put("events", "email:a@b.cn", "phone:+8613800138001")
    names = ("email:a@b.cn", "phone:+8613800138001")
    for name in names:
        noted(lake, name, tags=["VIP"], owner=name)
    number = decide(lake, "merge", *names)
    noted(lake, names[0], untag=["VIP"], owner="")
    decide(lake, "undo", undoes=number)
    assert [read(lake, name) for name in names] == [([], None)] * 2


def test_of_one_moment_the_later_row_counts():
    notes = [Note(b"n", "owner", value, "x", 5, at) for at, value in enumerate("ab")]
    assert Written.of(reversed(notes)).owner.value == "b"


@pytest.mark.parametrize(
    "wanted",
    [
        {"tags": [""]},
        {"tags": ["x" * 101]},
        {"tags": ["two\nlines"]},
        {"tags": ["\u202eevil"]},
        {"tags": ["a"], "untag": ["a"]},
        {"tags": [str(n) for n in range(101)]},
        {"owner": "x" * 201},
        {"owner": "  "},
        {"author": "\x1b[2J", "tags": ["a"]},
    ],
)
def test_what_is_no_tag_is_told(two, wanted):
    with pytest.raises(BadInput) as caught:
        noted(two, "user_id:a", **wanted)
    assert caught.value.code == "bad_argument"
    assert read(two, "user_id:a") == ([], None)


def test_a_person_has_no_more_than_a_hundred_tags(two):
    noted(two, "user_id:a", tags=[str(n) for n in range(99)])
    with pytest.raises(BadInput):
        noted(two, "user_id:a", tags=["x", "y"])
    assert len(noted(two, "user_id:a", tags=["x", "1"])["tags"]) == 100


def test_a_shared_value_is_nobody_to_be_tagged(lake):
    lake.put("events", *(f"user_id:u{n} device:kiosk" for n in range(6)))
    with pytest.raises(BadInput) as caught:
        noted(lake, "device:kiosk", tags=["VIP"])
    assert caught.value.code == "value_held_back"


def test_tags_stand_in_the_lake(two, stored):
    assert write_noted(two.workspace) == ["traits"]
    noted(two, "user_id:a", tags=["VIP", "x"], owner="Li Na")
    noted(two, "user_id:b", tags=["VIP"])
    noted(two, "user_id:a", untag=["x"])
    assert write_noted(two.workspace) == ["tags"]
    assert not write_noted(two.workspace)
    found = {(row["node_id"], row["tag"], row["author"]) for row in stored("tags")}
    assert found == {(two.node(name), "VIP", "ann") for name in ("user_id:a", "user_id:b")}
