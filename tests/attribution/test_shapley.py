from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import credit, obstacle, shapley
from touchline.attribution.sets import channel_sets

names = st.sampled_from("ABCDEF")
row = st.tuples(
    st.lists(names, min_size=1, max_size=6).map(" ".join),
    st.integers(0, 3),
    st.integers(-40, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))
rows = st.lists(row, min_size=1, max_size=12)


def rate(journeys):
    sets = channel_sets(journeys)
    return shapley.exact_rate(sets, sets.totals(journeys))


def sampled_rate(journeys, seed=0, rounds=shapley.ROUNDS):
    sets = channel_sets(journeys)
    found = shapley.sampled_rate(sets, sets.totals(journeys)[:, :, None], seed, rounds)
    return [one[:, :, 0] for one in found]


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
        values = rate(journeys)[:, column]
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
    values = rate(paths(*found, channels="unseen"))
    a, b, x, unseen = values
    assert a == pytest.approx(b)
    assert unseen.tolist() == [0, 0]
    assert x[0] > 0
    assert values.sum(axis=0) == pytest.approx([10, 90])


def test_rate_shows_harm_as_a_negative_value(paths):
    values = rate(paths(("A", 9, 9, 1), ("A B", 1, 1, 9)))
    assert values[1, 0] < 0
    assert values[:, 0].sum() == pytest.approx(10)


def test_rate_worked_example(paths):
    """Alone neither converts, together they do: half each."""
    values = rate(paths(("A B", 1, 100, 0), ("A", 0, 0, 1), ("B", 0, 0, 1)))
    assert values == pytest.approx(np.array([[0.5, 50], [0.5, 50]]))


def test_rate_counts_only_channels_that_are_seen(paths):
    unseen = " ".join(f"u{i}" for i in range(30))
    journeys = paths(("A B", 1, 100, 1), ("B", 1, 3, 1), channels=unseen)
    assert obstacle("shapley_rate", journeys) is None
    assert credit(journeys, ["shapley_rate"])["shapley_rate"].channel_error is None
    assert rate(journeys).sum(axis=0) == pytest.approx([2, 103])


def test_rate_is_exact_to_twenty_channels_and_sampled_with_its_error_beyond(paths):
    twenty = " ".join(f"c{i:02}" for i in range(20))
    exact = credit(paths((twenty, 1, 20, 0), ("c00", 0, 0, 1)), ["shapley_rate"])["shapley_rate"]
    assert exact.channel_conversions.sum() == pytest.approx(1)
    assert exact.channel_error is None
    journeys = paths((twenty + " c20", 2, 20, 0), ("c00", 0, 0, 1), ("c03 c04", 4, 9, 4))
    sampled = credit(journeys, ["shapley_rate"])["shapley_rate"]
    assert sampled.channel_conversions.sum() == pytest.approx(6)
    assert sampled.channel_revenue.sum() == pytest.approx(29)
    assert sampled.channel_error is not None
    assert (sampled.channel_error > 0).all()
    assert sampled.channel_error_revenue is not None


@given(rows)
def test_sampled_rates_hand_out_the_whole_in_every_order(paths, found):
    journeys = paths(*found, channels="unseen")
    values, errors = sampled_rate(journeys, rounds=3)
    assert values.sum(axis=0) == pytest.approx([sum(r[1] for r in found), sum(r[2] for r in found)])
    assert values[-1].tolist() == errors[-1].tolist() == [0, 0]


@given(rows)
def test_one_sampled_order_and_its_reverse_equal_the_definition(paths, found):
    """With one or two channels there are no further orders, so the sample is exact."""
    journeys = paths(*[(" ".join(c for c in r[0] if c in "AB"), *r[1:]) for r in found])
    values, errors = sampled_rate(journeys, rounds=2)
    assert values == pytest.approx(rate(journeys), abs=1e-9)
    assert errors == pytest.approx(np.zeros_like(errors), abs=1e-9)


def test_samples_stand_as_far_from_the_truth_as_their_errors_say(paths):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(400):
        steps = rng.choice(list("ABCDEFGHIJ"), rng.integers(1, 6))
        found.append(
            (" ".join(steps), 1, 50, 3) if rng.random() < 0.3 else (" ".join(steps), 0, 0, 4)
        )
    journeys = paths(*found)
    exact = rate(journeys)
    off = []
    for seed in range(20):
        values, errors = sampled_rate(journeys, seed)
        off.append((values - exact) / errors)
    # Errors of sixteen rounds are themselves a little off: Student's t, not the normal.
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(np.sqrt(15 / 13), abs=0.15)


def test_samples_of_one_seed_are_equal_to_the_last_bit(paths):
    journeys = paths(("A B C", 3, 30, 4), ("B A", 1, 5, 7), ("C", 2, 9, 9))
    first, second = sampled_rate(journeys, 4), sampled_rate(journeys, 4)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


def test_games_played_at_once_are_those_played_alone(paths):
    journeys = paths(("A B C", 3, 30, 4), ("B A", 1, 5, 7), ("C", 2, 9, 9))
    sets = channel_sets(journeys)
    many = sets.totals(journeys)[:, :, None] * np.arange(1, 4) + np.arange(3)
    together, _ = shapley.sampled_rate(sets, many, 4, 2)
    for i in range(3):
        alone, _ = shapley.sampled_rate(sets, many[:, :, i : i + 1], 4, 2)
        assert together[:, :, i] == pytest.approx(alone[:, :, 0], rel=1e-12)


def test_by_position_tells_a_share_apart_by_place(paths):
    """Ordered Shapley: A counts once per journey, half at each of its places."""
    journeys = paths(("A B A", 2, 40, 0), ("B", 1, 10, 5), ("A B B B", 1, 8, 0))
    counted, money = shapley.by_position(journeys, shapley.equal_set(journeys), 3)
    assert counted == pytest.approx(np.array([[0.5 + 0.5, 0, 0.5], [1, 1 + 1 / 6, 1 / 3]]))
    assert money == pytest.approx(np.array([[14, 0, 10], [10, 20 + 4 / 3, 8 / 3]]))


def test_rate_of_nothing_is_nothing(paths, people):
    assert rate(paths(channels="A B")).tolist() == [[0, 0], [0, 0]]
    assert rate(people([("", 5)])).tolist() == []


def test_journeys_without_touches_take_no_part_in_rates(paths):
    values = rate(paths(("", 3, 30, 50), ("A", 1, 10, 1)))
    assert values.tolist() == [[1, 10]]
