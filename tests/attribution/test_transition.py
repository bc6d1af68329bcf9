from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.transition import CONVERSION, NULL, START, transitions

names = st.sampled_from("ABCD")
row = st.tuples(
    st.lists(names, max_size=7).map(" ".join),
    st.integers(0, 3),
    st.integers(0, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))
rows = st.lists(row, max_size=10)


def read(found):
    named = zip(found.source, found.target, found.counts, strict=True)
    return {(found.states[s], found.states[t]): count for s, t, count in named}


def by_hand(found, order):
    counts = Counter()
    for path, conversions, _, nulls in found:
        steps = path.split()
        states = [tuple(steps[max(0, i - order + 1) : i + 1]) for i in range(len(steps))]
        if states:
            for pair in pairwise([(START,), *states]):
                counts[pair] += conversions + nulls
            counts[states[-1], (CONVERSION,)] += conversions
            counts[states[-1], (NULL,)] += nulls
    return {pair: count for pair, count in counts.items() if count}


@given(rows, st.sampled_from([1, 2, 3]))
def test_every_transition_is_counted_and_no_other(paths, found, order):
    assert read(transitions(paths(*found), order)) == pytest.approx(by_hand(found, order))


@given(rows, st.sampled_from([1, 2]))
def test_each_source_has_chances_that_sum_to_one_and_what_comes_in_goes_out(paths, found, order):
    answer = transitions(paths(*found), order)
    size = len(answer.states)
    chances = np.bincount(answer.source, answer.probability, size)
    assert chances[np.unique(answer.source)] == pytest.approx(1)
    came = np.bincount(answer.target, answer.counts, size)
    went = np.bincount(answer.source, answer.counts, size)
    assert came[1:-2] == pytest.approx(went[1:-2])
    assert came[-2:].sum() == pytest.approx(went[0])


def test_real_journeys_and_money_that_went_back_alone(people):
    journeys = people([("A@1 B@2", 9), ("A@1", -3), ("", 4)], others=["A A"], counts=[1, 0, 1])
    assert read(transitions(journeys)) == {
        ((START,), ("A",)): 2,
        (("A",), ("A",)): 1,
        (("A",), ("B",)): 1,
        (("A",), (NULL,)): 1,
        (("B",), (CONVERSION,)): 1,
    }
