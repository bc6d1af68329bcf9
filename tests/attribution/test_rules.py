import numpy as np
import pytest

from touchline.attribution import rules
from touchline.attribution.shapley import equal_set


def test_first_and_last_take_all(paths):
    journeys = paths(("A B C", 1, 10, 0), ("B", 1, 10, 0))
    assert rules.first_touch(journeys).tolist() == [1, 0, 0, 1]
    assert rules.last_touch(journeys).tolist() == [0, 0, 1, 1]


def test_linear_shares_equally(paths):
    journeys = paths(("A B A C", 1, 10, 0), ("A B", 1, 10, 0))
    assert rules.linear(journeys).tolist() == [0.25] * 4 + [0.5] * 2


@pytest.mark.parametrize(
    ("path", "shares"),
    [
        ("A", [1]),
        ("A B", [0.5, 0.5]),
        ("A B C", [0.4, 0.2, 0.4]),
        ("A B C D", [0.4, 0.1, 0.1, 0.4]),
        ("A A A A A A", [0.4, 0.05, 0.05, 0.05, 0.05, 0.4]),
    ],
)
def test_position_based_favours_both_ends(paths, path, shares):
    assert rules.weighted(paths((path, 1, 1, 0)), rules.POSITIONS) == pytest.approx(
        shares, abs=1e-15
    )


@pytest.mark.parametrize(
    ("path", "winner"),
    [
        ("Email Direct", 0),
        ("Email SMS Direct direct", 1),
        ("Direct Email", 1),
        ("(direct) Email (Direct)", 1),
        ("Direct", 0),
        ("Direct DIRECT (direct)", 2),
        ("Email", 0),
    ],
)
def test_last_non_direct_skips_direct_unless_there_is_nothing_else(paths, path, winner):
    share = rules.last_non_direct(paths((path, 1, 1, 0)))
    assert share.tolist() == [float(i == winner) for i in range(len(path.split()))]


def test_last_non_direct_never_looks_into_the_neighbouring_journey(paths):
    journeys = paths(("Email", 1, 1, 0), ("Direct", 1, 1, 0), ("", 1, 1, 0), ("Email", 0, 0, 1))
    assert rules.last_non_direct(journeys).tolist() == [1, 1]


def test_time_decay_halves_per_half_life(people):
    journeys = people([("A@0 B@7 C@14", 100)])
    assert rules.time_decay(journeys, 7) == pytest.approx(np.array([1, 2, 4]) / 7, abs=1e-15)
    assert rules.time_decay(journeys, 14) == pytest.approx(
        np.array([0.5, 2**-0.5, 1]) / (1.5 + 2**-0.5), abs=1e-15
    )


def test_time_decay_of_touches_in_the_same_second_is_linear(people):
    assert rules.time_decay(people([("A@3 B@3 C@3 A@3", 1)]), 7).tolist() == [0.25] * 4


def test_time_decay_survives_a_half_life_of_seconds_over_years(people):
    share = rules.time_decay(people([("A@0 B@900", 1), ("C@5", 1)]), 1e-4)
    assert share.tolist() == [0, 1, 1]


def test_time_decay_without_times_is_a_programming_error(paths):
    with pytest.raises(ValueError, match="times"):
        rules.time_decay(paths(("A", 1, 1, 0)), 7)


def test_set_shapley_splits_over_distinct_channels_then_over_their_touches(paths):
    journeys = paths(("A B A C", 1, 10, 0), ("B B", 1, 10, 0), ("", 2, 5, 0), ("C", 0, 0, 9))
    assert equal_set(journeys) == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3, 0.5, 0.5], abs=1e-15)


@pytest.mark.parametrize(
    "rule",
    [
        rules.first_touch,
        rules.last_touch,
        rules.last_non_direct,
        rules.linear,
        lambda journeys: rules.weighted(journeys, rules.POSITIONS),
        equal_set,
        lambda journeys: rules.time_decay(journeys, 7),
    ],
)
def test_conversions_that_nothing_preceded_have_no_shares(people, rule):
    assert rule(people([("", 5), ("", 6)], others=["A B"])).tolist() == []
    assert rule(people([])).tolist() == []
    assert rule(people([("", 5), ("A@1", 6), ("", 7)])).tolist() == [1]
