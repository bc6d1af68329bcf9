from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import credit, obstacle, shapley

names = st.sampled_from("ABCDEF")
row = st.tuples(
    st.lists(names, min_size=1, max_size=6).map(" ".join),
    st.integers(0, 3),
    st.integers(-40, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))
rows = st.lists(row, min_size=1, max_size=12)


def by_definition(players, worth):
    """The mean gain over all coalitions, each worth asked for by its set."""
    found = {}
    for player in players:
        rest = [other for other in players if other != player]
        found[player] = sum(
            factorial(size)
            * factorial(len(rest) - size)
            / factorial(len(players))
            * (worth({*chosen, player}) - worth({*chosen}))
            for size in range(len(rest) + 1)
            for chosen in combinations(rest, size)
        )
    return found


def inside(found, chosen):
    return [row for row in found if {*row[0].split()} <= chosen]


@given(rows)
def test_rate_equals_the_definition_over_all_coalitions(paths, found):
    journeys = paths(*found)
    players = journeys.labels.channels
    total = sum(conversions + nulls for _, conversions, _, nulls in found)

    for column in (0, 1):

        def worth(chosen, column=column):
            chosen_rows = inside(found, chosen)
            count = sum(row[1] + row[3] for row in chosen_rows)
            return sum(row[1 + column] for row in chosen_rows) / count if count else 0

        expected = by_definition(players, worth)
        values = shapley.rate(journeys)[:, column]
        assert values == pytest.approx([expected[p] * total for p in players], abs=1e-9)


@given(rows)
def test_set_shapley_equals_the_definition_of_the_additive_game(paths, found):
    journeys = paths(*found)
    players = journeys.labels.channels
    expected = by_definition(players, lambda chosen: sum(r[1] for r in inside(found, chosen)))
    answer = credit(journeys, ["shapley"])["shapley"]
    assert answer.channel_conversions == pytest.approx([expected[p] for p in players], abs=1e-9)
    money = by_definition(players, lambda chosen: sum(r[2] for r in inside(found, chosen)))
    assert answer.channel_revenue == pytest.approx([money[p] for p in players], abs=1e-9)


def test_rate_axioms(paths):
    """Channels that do the same get the same; one that adds nothing, nothing; the sum is all."""
    found = [("A X", 4, 40, 6), ("B X", 4, 40, 6), ("A", 1, 5, 9), ("B", 1, 5, 9), ("X", 0, 0, 5)]
    values = shapley.rate(paths(*found, channels="unseen"))
    a, b, x, unseen = values
    assert a == pytest.approx(b)
    assert unseen.tolist() == [0, 0]
    assert x[0] > 0
    assert values.sum(axis=0) == pytest.approx([10, 90])


def test_rate_shows_harm_as_a_negative_value(paths):
    values = shapley.rate(paths(("A", 9, 9, 1), ("A B", 1, 1, 9)))
    assert values[1, 0] < 0
    assert values[:, 0].sum() == pytest.approx(10)


def test_rate_worked_example(paths):
    """Alone neither converts, together they do: half each."""
    values = shapley.rate(paths(("A B", 1, 100, 0), ("A", 0, 0, 1), ("B", 0, 0, 1)))
    assert values == pytest.approx(np.array([[0.5, 50], [0.5, 50]]))


def test_rate_counts_only_channels_that_are_seen(paths):
    unseen = " ".join(f"u{i}" for i in range(30))
    journeys = paths(("A B", 1, 100, 1), ("B", 1, 3, 1), channels=unseen)
    assert obstacle("shapley_rate", journeys) is None
    assert shapley.rate(journeys).sum(axis=0) == pytest.approx([2, 103])


def test_rate_takes_twenty_channels_and_refuses_twenty_one(paths):
    twenty = " ".join(f"c{i:02}" for i in range(20))
    values = shapley.rate(paths((twenty, 1, 20, 0), ("c00", 0, 0, 1)))
    assert values.sum(axis=0) == pytest.approx([1, 20])
    refused = obstacle("shapley_rate", paths((twenty + " c20", 1, 20, 0)))
    assert refused is not None
    assert refused.code == "too_many_channels"


def test_rate_of_nothing_is_nothing(paths, people):
    assert shapley.rate(paths(channels="A B")).tolist() == [[0, 0], [0, 0]]
    assert shapley.rate(people([("", 5)])).tolist() == []


def test_journeys_without_touches_take_no_part_in_rates(paths):
    values = shapley.rate(paths(("", 3, 30, 50), ("A", 1, 10, 1)))
    assert values.tolist() == [[1, 10]]
