"""Average link: groups depend on the pairs alone, and one strong pair does not join two groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.match.cluster import average_link, forest

SIZE = 7
weights = st.integers(-6, 12).map(float)
pairs = st.dictionaries(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).filter(lambda p: p[0] < p[1]),
    weights,
    max_size=21,
)


def grouped(scored, size=SIZE, **limits):
    a = np.array([pair[0] for pair in scored], np.int64)
    b = np.array([pair[1] for pair in scored], np.int64)
    weight = np.array(list(scored.values()), np.float64)
    return average_link(size, a, b, weight, **limits).tolist()


def slowly(scored, size=SIZE, missing=-5.0, cut=-4.0):
    groups = [[x] for x in range(size)]
    while True:
        best = None
        for i, g in enumerate(groups):
            for j in range(i + 1, len(groups)):
                among = [scored.get((min(x, y), max(x, y)), missing) for x in g for y in groups[j]]
                mean = sum(among) / len(among)
                if mean > cut and (best is None or mean > best[0] + 1e-9):
                    best = (mean, i, j)
        if best is None:
            return [next(g[0] for g in groups if x in g) for x in range(size)]
        _, i, j = best
        groups[i] = sorted(groups[i] + groups.pop(j))
        groups.sort()


@given(pairs)
def test_groups_are_those_of_the_definition(scored):
    distinct = {pair: weight + n / 997 for n, (pair, weight) in enumerate(scored.items())}
    assert grouped(distinct) == slowly(distinct)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_pairs_changes_nothing(scored, random):
    shuffled = list(scored.items())
    random.shuffle(shuffled)
    assert grouped(dict(shuffled)) == grouped(scored)


def test_one_strong_pair_does_not_join_two_groups():
    scored = {(0, 1): 9.0, (0, 2): 9.0, (1, 2): 9.0, (3, 4): 9.0, (3, 5): 9.0, (4, 5): 9.0}
    bridge = {**scored, (2, 3): 2.0}
    assert grouped(bridge, 6) == [0, 0, 0, 3, 3, 3]


def test_two_that_are_forbidden_never_meet():
    scored = {(0, 1): 20.0, (1, 2): 20.0, (0, 2): -1e6}
    label = grouped(scored, 3)
    assert label[0] != label[2]


@pytest.mark.parametrize("size", [0, 1])
def test_without_pairs_everybody_is_alone(size):
    assert grouped({}, size) == list(range(size))


@given(pairs)
def test_a_forest_joins_what_its_edges_join_with_the_heaviest(scored):
    edges = [(weight, *pair) for pair, weight in scored.items()]
    kept = forest(edges)
    assert set(kept) <= set(edges)
    reached = {x for _, *pair in edges for x in pair}
    parent = {x: x for x in reached}

    def find(x):
        return x if parent[x] == x else find(parent[x])

    for _, x, y in kept:
        assert find(x) != find(y)
        parent[find(y)] = find(x)
    assert all(find(x) == find(y) for _, x, y in edges)
