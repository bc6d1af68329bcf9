import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.synergy import synergy

names = st.sampled_from("ABCD")
row = st.tuples(
    st.lists(names, max_size=5).map(" ".join),
    st.integers(0, 3),
    st.integers(0, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))


@given(st.lists(row, max_size=12))
def test_pairs_equal_the_four_kinds_of_journeys_counted_one_by_one(paths, found):
    journeys = paths(*found)
    answer = synergy(journeys)
    names_of = journeys.labels.channels
    pairs = {
        (a, b)
        for path, won, _, lost in found
        for a in path.split()
        for b in path.split()
        if a < b and won + lost
    }
    told = [*zip(answer.first, answer.second, strict=True)]
    assert {(names_of[a], names_of[b]) for a, b in told} == pairs
    for i, (a, b) in enumerate(told):
        cells = {}
        for path, won, value, lost in found:
            if path:
                kind = (names_of[a] in path.split(), names_of[b] in path.split())
                cells[kind] = cells.get(kind, 0) + np.array([won + lost, won, value])
        both = cells[True, True]
        assert (answer.journeys[i], answer.conversions[i]) == (both[0], both[1])
        if len(cells) < 4 or not all(cell[0] for cell in cells.values()):
            assert np.isnan(answer.extra_conversions[i])
            continue
        rate = {kind: cell[1:] / cell[0] for kind, cell in cells.items()}
        contrast = rate[True, True] - rate[True, False] - rate[False, True] + rate[False, False]
        assert answer.extra_conversions[i] == pytest.approx(both[0] * contrast[0])
        assert answer.extra_revenue[i] == pytest.approx(both[0] * contrast[1])


def test_channels_that_only_work_together_have_synergy(paths):
    answer = synergy(
        paths(("A B", 60, 600, 40), ("A", 10, 100, 90), ("B", 10, 100, 90), ("C", 10, 9, 90))
    )
    assert (answer.first.tolist(), answer.second.tolist()) == ([0], [1])
    assert answer.rate.tolist() == [0.6]
    assert answer.expected_rate == pytest.approx([0.1])
    assert answer.extra_conversions == pytest.approx([50])
    variance = (0.6 * 0.4 + 3 * 0.1 * 0.9) / 100
    assert answer.error == pytest.approx([100 * np.sqrt(variance)])


def test_channels_whose_rates_add_up_have_none(paths):
    answer = synergy(paths(("A B", 30, 1, 70), ("A", 20, 1, 80), ("B", 15, 1, 85), ("C", 5, 1, 95)))
    assert answer.extra_conversions == pytest.approx([0], abs=1e-12)


def test_without_pairs_there_is_nothing(paths):
    assert len(synergy(paths(("A", 1, 1, 1))).first) == 0
    assert len(synergy(paths()).first) == 0
