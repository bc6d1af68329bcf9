import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.evidence import (
    MANUAL,
    NO_APP,
    OBSERVED,
    RECORD,
    Decisions,
    Nodes,
    Pairs,
    gather,
)

A, B, C = (bytes([n]) * 16 for n in (1, 2, 3))


def ints(*values):
    return np.array(values, np.int32)


def kinds(*values):
    return np.array(values, np.int8)


def three(ids=(C, A, B)):
    return Nodes.of(list(ids), [8] * len(ids), [NO_APP] * len(ids), [0] * len(ids))


def test_nodes_come_out_in_the_order_of_their_ids():
    evidence = gather(three(), Pairs(ints(0), ints(1), kinds(OBSERVED), ints(1)))
    assert [evidence.node_id(n) for n in range(3)] == [A, B, C]
    assert (evidence.a.tolist(), evidence.b.tolist()) == ([0], [2])
    assert evidence.node_ids() == A + B + C
    assert evidence.node_ids(np.array([2, 0])) == C + A


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20))
def test_ids_are_ordered_and_found_as_bytes(ids):
    none = np.empty(0, np.int32)
    size = len(ids)
    nodes = Nodes.of(ids, [8] * size, [NO_APP] * size, [0] * size)
    evidence = gather(nodes, Pairs(none, none, none.astype(np.int8), none))
    assert [evidence.node_id(n) for n in range(len(evidence))] == sorted(set(ids))
    assert [evidence.node_id(n) for n in evidence.find(ids)] == ids


def test_ids_with_equal_first_halves_are_told_apart():
    ids = [b"same-one" + bytes([n]) * 8 for n in (5, 3, 5, 4)]
    evidence = gather(three(ids), Pairs(ints(0), ints(1), kinds(OBSERVED), ints(1)))
    assert [evidence.node_id(n) for n in range(len(evidence))] == sorted(set(ids))
    assert evidence.find([ids[3], b"same-one" + bytes(8), A]).tolist() == [1, -1, -1]


def test_counted_pairs_keep_the_best_class_and_the_most_days():
    pairs = Pairs(ints(0, 1), ints(1, 0), kinds(OBSERVED, RECORD), ints(9, 1))
    evidence = gather(three(), pairs)
    assert (evidence.kind.tolist(), evidence.days.tolist()) == ([RECORD], [9])


def test_an_identifier_is_no_pair_with_itself():
    nodes = three([A, A, B])
    evidence = gather(nodes, Pairs(ints(0, 0), ints(1, 2), kinds(2, 2), ints(1, 1)))
    assert (evidence.a.tolist(), evidence.b.tolist()) == ([0], [1])


def test_an_identifier_keeps_its_earliest_sight_and_its_least_named_app():
    nodes = Nodes.of([A, A, A], [7, 7, 7], [NO_APP, 4, 3], [30, 10, 20])
    none = ints()
    evidence = gather(nodes, Pairs(none, none, kinds(), none))
    assert (evidence.first_seen_us.tolist(), evidence.app.tolist()) == ([10], [3])


def test_a_decision_joins_what_was_never_seen_together():
    pairs = Pairs(ints(0), ints(1), kinds(OBSERVED), ints(4))
    decisions = Decisions(together=((A, B), (C, A)), apart=((B, C), (C, B)), quarantined=(B, B))
    evidence = gather(three(), pairs, decisions)
    assert evidence.kind.tolist() == [MANUAL, MANUAL]
    assert evidence.days.tolist() == [1, 4]
    assert evidence.apart.tolist() == [[1, 2]]
    assert evidence.held.tolist() == [1]
