import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.combination import combinations

names = st.sampled_from("ABCD")
row = st.tuples(
    st.lists(names, max_size=6).map(" ".join),
    st.integers(0, 3),
    st.integers(-50, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))


def by_names(answer, journeys):
    sets = answer.sets
    bounds = zip(sets.offsets[:-1], sets.offsets[1:], strict=True)
    keys = [" ".join(journeys.labels.channels[c] for c in sets.members[a:b]) for a, b in bounds]
    columns = (answer.journeys, answer.conversions, answer.revenue, answer.cost)
    return {key: [float(column[i]) for column in columns] for i, key in enumerate(keys)}


@given(st.lists(row, max_size=12), st.lists(st.floats(0, 1e4), min_size=5, max_size=5))
def test_combinations_add_up_to_everything(paths, found, paid):
    journeys = paths(*found, channels="A B C D unseen")
    answer = combinations(journeys, np.array(paid))
    assert answer.journeys.sum() == sum(r[1] + r[3] for r in found)
    assert answer.conversions.sum() == sum(r[1] for r in found)
    assert answer.revenue.sum() == pytest.approx(journeys.value.sum())
    assert answer.cost.sum() + answer.unspent.sum() == pytest.approx(sum(paid))
    assert answer.unspent[4] == paid[4]
    assert answer.people is None


def test_order_and_repeats_make_no_difference_but_touches_cost(paths):
    journeys = paths(("A B A", 2, 40, 0), ("B A", 1, 10, 4), ("B", 0, 0, 10))
    found = by_names(combinations(journeys, np.array([90.0, 51.0])), journeys)
    assert found == {
        "A B": pytest.approx([7, 3, 50, 90 + 7 * 3]),
        "B": pytest.approx([10, 0, 0, 30]),
    }


def test_people_are_counted_once_in_each_combination(people):
    journeys = people([("A@1", 5), ("A@2 A@3", 6), ("A@1 B@2", 7), ("", 8)], others=["A", "B"])
    answer = combinations(journeys, person=np.array([7, 7, 7, 9, 8, 8]))
    assert answer.people is not None
    counted = dict(zip(by_names(answer, journeys), answer.people.tolist(), strict=True))
    assert counted == {"": 1, "A": 2, "A B": 1, "B": 1}


def test_nothing_makes_no_combination(paths):
    answer = combinations(paths())
    assert len(answer.journeys) == 0
