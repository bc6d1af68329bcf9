"""Differences of two maps tell all that happened: from one map they lead to the other."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.identity.change import MERGED, RENAMED, SPLIT, Differences
from touchline.identity.evidence import Decisions
from touchline.identity.person_map import PersonMap

NAMES = [f"{letter}{n}" for letter in "uwmkepxcd" for n in range(4)]
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
        st.integers(0, 12),
    ),
    max_size=30,
)


def mapped(facts, rows, **decided):
    solved = facts.solve(rows, decisions=Decisions(**decided))
    return PersonMap.of(solved.evidence, solved.people)


def told(facts, before, after):
    return [(one.kind, one.person_id, one.other_id) for one in Differences(before, after).changes()]


def name(facts, solved_map, node):
    (ix,) = solved_map.person_of([facts.node_id(node)])
    return solved_map.person_ids[ix]


def test_a_merge_says_which_id_goes_into_which(facts):
    rows = facts.rows("u1 c1", "p1 c2")
    before = mapped(facts, rows)
    after = mapped(facts, [*rows, *facts.rows("u1 p1")])
    assert told(facts, before, after) == [
        (MERGED, name(facts, before, "p1"), name(facts, after, "u1"))
    ]
    assert told(facts, after, before) == [
        (SPLIT, name(facts, after, "u1"), name(facts, before, "p1"))
    ]


def test_an_earlier_sighting_renames(facts):
    before = mapped(facts, [facts.Row(("u1", "c1"), 5)])
    after = mapped(facts, [facts.Row(("u1", "c1"), 5), facts.Row(("c1",), 1)])
    assert told(facts, before, after) == [
        (RENAMED, name(facts, before, "u1"), name(facts, after, "u1"))
    ]


def test_a_value_that_is_held_back_is_counted_and_is_no_split_person(facts):
    rows = facts.rows("u1 c1 p1")
    before = mapped(facts, rows)
    after = mapped(facts, rows, quarantined=(facts.node_id("c1"),))
    found = Differences(before, after)
    assert found.counts == {
        "merged": 0, "split": 0, "renamed": 0, "held_back": 1, "released": 0,
    }  # fmt: skip
    assert list(found.changes(of_persons=True)) == []
    assert [one.kind for one in found.changes()] == [SPLIT]
    assert after.known.node_id(int(found.held_back()[0])) == facts.node_id("c1")
    back = Differences(after, before)
    assert back.counts["released"] == 1
    assert len(back.released()) == 1


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_changes_lead_from_one_map_to_the_other(facts, first, second):
    """Ids of those whose values moved, and of no others, are told."""
    before = mapped(facts, [facts.Row(*row) for row in first])
    after = mapped(facts, [facts.Row(*row) for row in first + second])
    found = list(Differences(before, after).changes())
    moved = {}
    for node in range(len(before.known)):
        (now,) = after.person_of([before.known.node_id(node)])
        was = before.person_ids[int(before.people.person[node])]
        is_now = after.person_ids[now]
        if was != is_now:
            moved[was, is_now] = moved.get((was, is_now), 0) + 1
    assert {(one.person_id, one.other_id): one.values for one in found} == moved
    assert len({one[1:3] for one in found}) == len(found)
    assert not list(Differences(after, after).changes())
    assert sum(Differences(after, after).counts.values()) == 0
    assert np.array([one.values for one in found]).sum() == sum(moved.values())
