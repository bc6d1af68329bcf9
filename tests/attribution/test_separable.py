"""Doubts: what data cannot tell apart is said, with the reason, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution.separable import _chance, doubts
from touchline.attribution.sets import channel_sets


def codes(journeys):
    return [one.code for one in doubts(journeys)]


def contrast(journeys):
    sets = channel_sets(journeys)
    return _chance(sets.table, sets.totals(journeys)[:2])


def test_a_plain_world_raises_no_doubt(paths):
    clear = paths(("A", 200, 1, 100), ("B", 100, 1, 300), ("A B", 150, 1, 200))
    assert codes(clear) == []


def test_few_conversions_are_said_first(paths):
    (only, *_) = doubts(paths(("A", 3, 1, 40), ("B", 2, 1, 50)))
    assert (only.code, only.params) == ("few_conversions", {"count": 5, "least": 30})


def test_one_channel_leaves_nothing_to_share(paths):
    (only,) = doubts(paths(("A A", 300, 1, 40), ("A", 20, 1, 50)))
    assert (only.code, only.params) == ("one_channel", {"channel": "A"})


def test_channels_that_come_together_cannot_be_told_apart(paths):
    together = paths(("A B", 300, 1, 400), ("B A", 100, 1, 390), ("C", 100, 1, 900), ("A", 5, 1, 9))
    (only,) = doubts(together)
    assert only.code == "channels_together"
    assert only.params == {"a": "A", "b": "B", "share": "99%"}


def test_without_failures_there_is_nothing_to_compare(paths):
    assert codes(paths(("A", 300, 1, 0), ("B", 100, 1, 0))) == ["no_failures"]


def test_rates_that_do_not_differ_are_no_ranking(paths):
    same = paths(("A", 300, 1, 3000), ("B", 100, 1, 1000), ("A B", 50, 1, 500))
    (only,) = doubts(same)
    assert (only.code, only.params) == ("no_contrast", {"chance": "100%"})


def test_rare_channels_are_named_the_rarest_first(paths):
    rows = [(f"R{i}", i, 1, 40) for i in range(1, 8)]
    (only,) = doubts(paths(("A", 300, 1, 400), ("B", 100, 1, 900), *rows))
    assert only.code == "channels_rare"
    assert only.params == {"channels": "R1 (1), R2 (2), R3 (3), R4 (4), R5 (5) +2", "least": 20}


def test_without_a_conversion_nobody_compares_anything(paths):
    assert doubts(paths(("A", 0, 0, 40), ("B", 0, 0, 50))) == []


def test_the_score_test_is_right_as_often_as_it_says(paths):
    """Under "no channel matters" its chances are even: a twentieth of them below a twentieth."""
    rng = np.random.default_rng(2)
    sizes = rng.integers(200, 900, 7)
    names = ("A", "B", "C", "A B", "B C", "A C", "A B C")
    found = []
    for _ in range(400):
        won = rng.binomial(sizes, 0.1)
        rows = [(n, int(w), 1, int(s - w)) for n, w, s in zip(names, won, sizes, strict=True)]
        found.append(contrast(paths(*rows)))
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


@given(st.permutations(["A", "B", "C"]), st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_neither_names_nor_order_of_touches_matter(paths, names, times):
    a, b, c = names
    rows = [("A B", 30, 1, 200), ("C", 40, 1, 100), ("B C C", 20, 1, 300)]
    swap = {"A": a, "B": b, "C": c}
    other = [(" ".join(swap[x] for x in reversed(p.split())), n, v, z) for p, n, v, z in rows]
    assert contrast(paths(*other)) == pytest.approx(contrast(paths(*rows)), rel=1e-6)
    more = [(p, n * times, v, z * times) for p, n, v, z in rows]
    assert contrast(paths(*more)) <= contrast(paths(*rows)) + 1e-12
