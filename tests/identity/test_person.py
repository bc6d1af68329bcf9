import pytest

from touchline.identity import person
from touchline.identity.evidence import Nodes, NodeSet
from touchline.identity.person import Names, PersonIds, is_person_id, person_id


@pytest.fixture(scope="session")
def people(facts):
    return lambda *texts: facts.solve(facts.rows(*texts))


def now(solved, old):
    """Whom an old id leads to."""
    node = Names().node(solved.evidence, old)
    if node is None:
        return None
    whose = solved.people.person
    return set(solved.ids()) & {n for at, n in solved.names.items() if whose[at] == whose[node]}


def test_an_id_is_the_hash_of_the_anchor_and_does_not_change_between_versions():
    assert person_id(bytes(range(16))) == "p1f7536b26ee3f7a0774495136e3d02da"


def test_a_later_device_does_not_rename_a_person(people):
    before, after = people("u1 e1"), people("u1 e1", "u1 c1 *9")
    assert after.ids()["u1"] == before.ids()["u1"]


def test_after_a_merge_both_ids_lead_to_the_one_person(people):
    before, after = people("u1 c1", "e2 c2"), people("u1 c1", "e2 c2", "u1 e2")
    for name in ("u1", "e2"):
        assert now(after, before.ids()[name]) == {"u1", "c1", "e2", "c2"}


def test_after_a_split_each_id_leads_to_who_holds_its_anchor(people):
    merged = people("u1 c1 *3", "c1 e1")
    split = people("u1 c1 *3", "e1")
    assert now(split, merged.ids()["e1"]) == {"u1", "c1"}
    assert now(split, split.ids()["e1"]) == {"e1"}


def test_an_id_that_is_live_again_is_its_own_persons(people):
    alone, merged = people("c1"), people("u1 c1")
    assert now(merged, alone.ids()["c1"]) == {"u1", "c1"}
    assert now(people("c1", "u1"), alone.ids()["c1"]) == {"c1"}


def test_an_earlier_sight_of_another_value_moves_the_anchor_and_the_old_id_follows(facts):
    later = [facts.Row(("u1", "e1"), day=5)]
    before, after = facts.solve(later), facts.solve([*later, facts.Row(("c1", "u1"), day=2)])
    earlier = facts.solve([*later, facts.Row(("c1", "e1"), day=1)])
    assert after.ids()["u1"] == before.ids()["u1"]
    assert earlier.ids()["u1"] != before.ids()["u1"]
    assert now(earlier, before.ids()["u1"]) == {"u1", "e1", "c1"}


def test_an_id_that_never_was_leads_nowhere(people):
    solved = people("u1")
    assert now(solved, "p" + "0" * 32) is None
    assert now(solved, "user_id:u1") is None


def test_names_of_one_map_are_kept_for_the_next_and_only_new_nodes_are_hashed(people, monkeypatch):
    first, second = people("u1"), people("u1 c1", "e2")
    wanted = [person_id(second.evidence.node_id(node)) for node in range(3)]
    hashed, real = [], person._digest
    monkeypatch.setattr(person, "_digest", lambda node: hashed.append(node) or real(node))
    names = Names()
    assert sum(names.node(first.evidence, one) is not None for one in wanted) == 1
    assert [names.node(second.evidence, one) for one in wanted] == [0, 1, 2]
    assert len(hashed) == 3 + 4  # each once; and each that was found, to be sure
    names.forget()
    assert [names.node(second.evidence, one) for one in wanted] == [0, 1, 2]


def test_two_nodes_with_the_same_first_half_are_both_found():
    ids = [bytes(8) + bytes([n] * 8) for n in range(3)] + [bytes([7] * 16)]
    nodes = Nodes.of(ids, [0] * 4, [0] * 4, [0] * 4)
    known = NodeSet(nodes.hi, nodes.lo, nodes.rank, nodes.first_seen_us)
    names = Names()
    assert [names.node(known, person_id(node)) for node in ids] == [0, 1, 2, 3]


def test_ids_are_listed_by_person_number(people):
    solved = people("u1 e1", "u2", "u3")
    ids = PersonIds(solved.evidence, solved.people)
    assert len(ids) == 3
    assert list(ids) == ids[0:3] == [ids[0], ids[1], ids[2]]
    assert set(ids) == set(solved.ids().values())
    assert all(map(is_person_id, ids))
    assert not is_person_id("person")
