"""Which value of a trait is in force: the same on the person's page, in the export, in the lake."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.collect.nodes import Trait, clear_traits
from touchline.errors import BadInput
from touchline.identity.mirror import write_noted
from touchline.identity.profile import export_people
from touchline.identity.profile_rules import ProfileRules
from touchline.storage import definition

NODES = [bytes([n]) * 16 for n in range(3)]
SOURCES = ["web", "crm", "data-house", "preferences"]
RULES = {
    "third_party": ["data-house"],
    "zero_party": ["typeform"],
    "priority": ["zero_party", "crm", "first_party"],
    "trait_priority": {"city": ["crm"]},
}
SAID = st.lists(
    st.builds(
        Trait,
        st.sampled_from(NODES),
        st.sampled_from(["city", "tier"]),
        st.integers(0, 9),
        st.integers(0, 3),
        st.sampled_from(SOURCES),
        st.booleans(),
    ),
    unique_by=lambda t: (t.node_id, t.name, t.source, t.is_told),
    max_size=12,
)


def rules(**document):
    return ProfileRules.of({"profile": document})


def hung(said):
    return {node: [one for one in said if one.node_id == node] for node in NODES}


def test_parties():
    known = rules(**RULES)
    asked = [("web", False), ("web", True), ("data-house", False), ("typeform", False)]
    assert [known.party(source, is_told=told) for source, told in asked] == [
        *("first_party", "zero_party"),
        *("third_party", "zero_party"),
    ]
    assert known.party("data-house", is_told=True) == "zero_party"


def test_without_rules_the_latest_is_in_force_and_of_equals_the_stronger_identifier():
    said = [
        Trait(NODES[1], "city", "later", 5, "data-house"),
        Trait(NODES[0], "city", "earlier", 4, "web", is_told=True),
        Trait(NODES[1], "tier", "weaker", 4, "web"),
        Trait(NODES[0], "tier", "stronger", 4, "web"),
    ]
    found = rules().in_force(NODES, hung(said))
    assert {name: one.value for name, one in found.items()} == {"city": "later", "tier": "stronger"}


def test_a_party_or_a_source_that_is_named_goes_before_what_is_later():
    said = [
        Trait(NODES[0], "tier", "bought", 9, "data-house"),
        Trait(NODES[0], "tier", "seen", 8, "web"),
        Trait(NODES[0], "tier", "of crm", 2, "crm"),
        Trait(NODES[0], "tier", "told", 1, "web", is_told=True),
    ]
    assert rules(**RULES).in_force(NODES, hung(said))["tier"].value == "told"
    assert rules(**RULES).in_force(NODES, hung(said[:3]))["tier"].value == "of crm"
    assert rules(**RULES).in_force(NODES, hung(said[:2]))["tier"].value == "seen"
    assert rules(**RULES).in_force(NODES, hung(said[:1]))["tier"].value == "bought"


@settings(max_examples=100, deadline=None)
@given(SAID, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(said, random):
    again = said[:]
    random.shuffle(again)
    known = rules(**RULES)
    assert known.in_force(NODES, hung(said)) == known.in_force(NODES, hung(again))


@settings(max_examples=100, deadline=None)
@given(SAID, st.sampled_from([{}, RULES]))
def test_what_is_in_force_of_two_persons_holds_of_one_of_them_when_they_are_one(said, document):
    known = rules(**document)
    both = known.in_force(NODES, hung(said))
    parts = [known.in_force(NODES[:1], hung(said)), known.in_force(NODES[1:], hung(said))]
    assert both.keys() == parts[0].keys() | parts[1].keys()
    assert all(one in [part.get(name) for part in parts] for name, one in both.items())


@pytest.mark.parametrize(
    "document",
    [
        {"third_party": "data-house"},
        {"first_party": ["web"]},
        {"third_party": ["x"], "zero_party": ["x"]},
        {"priority": ["crm", "crm"]},
        {"priority": [""]},
        {"trait_priority": {"city": ["a", "a"]}},
        {"trait_priority": ["city"]},
        [],
        3,
    ],
)
def test_what_cannot_be_read_is_told(document):
    with pytest.raises(BadInput) as caught:
        ProfileRules.of({"profile": document})
    assert caught.value.code == "bad_profile"


@pytest.mark.parametrize("document", [{}, RULES])
def test_page_export_and_lake_say_the_same(lake, stored, document):
    lake.put("events", "user_id:u email:a@b.cn anonymous_id:c")
    names, values = ["user_id:u", "email:a@b.cn", "anonymous_id:c"], iter(range(100))
    for at, source in enumerate(SOURCES):
        for trait in ("city", "tier"):
            for told in (False, True):
                place = names[(at + told) % 3]
                at_us = 10 - at if trait == "city" else at
                lake.trait(place, trait, next(values), at_us, source=source, is_told=told)
    definition.save(lake.workspace.state, {"profile": document}, "test")
    people = lake.people()
    nodes = people.node_ids(0)
    rules = ProfileRules.held(lake.workspace)
    page = rules.in_force(nodes, clear_traits(lake.workspace, nodes))
    (exported,) = export_people(lake.workspace, people)
    assert exported["traits"] == {name: one.value for name, one in page.items()}
    assert write_noted(lake.workspace) == ["traits"]
    rows = stored("traits")
    assert len(rows) == sum(map(len, clear_traits(lake.workspace, map(lake.node, names)).values()))
    for name, one in page.items():
        own = [row for row in rows if row["name"] == name]
        least = min(
            own, key=lambda row: (row["place"], -row["ts_us"], row["node_id"] != one.node_id)
        )
        assert (least["source"], least["ts_us"]) == (one.source, one.ts_us)
    assert not write_noted(lake.workspace)


def test_the_lake_follows_when_the_rules_change(lake, stored):
    lake.trait("user_id:u", "city", "上海", source="data-house")
    write_noted(lake.workspace)
    definition.save(lake.workspace.state, {"profile": RULES}, "test")
    assert write_noted(lake.workspace) == ["traits"]
    (row,) = stored("traits")
    assert (row["party"], row["place"]) == ("third_party", 1)
