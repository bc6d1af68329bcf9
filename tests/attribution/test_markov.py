import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import credit, markov, obstacle, rounds
from touchline.errors import BadInput

NO_TABLE = -(1 << 40)
names = st.sampled_from("ABCD")
row = st.tuples(
    st.lists(names, min_size=1, max_size=7).map(" ".join),
    st.integers(0, 3),
    st.integers(-40, 400),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] if r[1] else 0, r[3]))
rows = st.lists(row, min_size=1, max_size=10).filter(lambda found: any(r[1] for r in found))


def chain_by_dictionary(found, order):
    """States as tuples, counted one by one: slow, and written to share nothing with the module."""
    moves, visits, starts = defaultdict(float), defaultdict(float), defaultdict(float)
    wins, money = defaultdict(float), defaultdict(float)
    for path, conversions, value, nulls in found:
        steps, weight = path.split(), conversions + nulls
        if not weight:
            continue
        states = [tuple(steps[max(0, i - order + 1) : i + 1]) for i in range(len(steps))]
        starts[states[0]] += weight
        for state in states:
            visits[state] += weight
        for pair in pairwise(states):
            moves[pair] += weight
        wins[states[-1]] += conversions
        money[states[-1]] += value
    return moves, visits, starts, wins, money


def lost_by_removal(found, order, channel):
    """Conversions and money of the chain, less those of the chain without the channel's states."""
    moves, visits, starts, wins, money = chain_by_dictionary(found, order)
    totals = []
    for removed in (None, channel):
        kept = sorted(state for state in visits if removed not in state)
        place = {state: i for i, state in enumerate(kept)}
        matrix = np.eye(len(kept))
        for (a, b), count in moves.items():
            if a in place and b in place:
                matrix[place[a], place[b]] -= count / visits[a]
        entries = np.array([starts[state] for state in kept])
        ends = [[wins[s] / visits[s], money[s] / visits[s]] for s in kept]
        expected = np.linalg.solve(matrix, np.array(ends).reshape(len(kept), 2))
        totals.append(entries @ expected)
    return totals[0] - totals[1]


@given(rows, st.sampled_from([1, 2, 3, 4, 6]))
def test_losses_equal_those_of_the_chain_with_the_channel_taken_out(paths, found, order):
    journeys = paths(*found)
    lost = markov.losses(journeys, [order])[order]
    for code, channel in enumerate(journeys.labels.channels):
        conversions, money = lost_by_removal(found, order, channel)
        assert lost[code, 0] == pytest.approx(conversions, abs=1e-9)
        assert lost[code, 1] + lost[code, 2] == pytest.approx(money, abs=1e-7)


@given(rows)
def test_all_orders_at_once_equal_each_alone(paths, found):
    journeys = paths(*found)
    together = markov.losses(journeys, [1, 2, 3])
    for order in (1, 2, 3):
        assert together[order] == pytest.approx(markov.losses(journeys, [order])[order], abs=1e-12)


@given(rows, st.sampled_from([1, 2, 3]))
def test_iteration_and_inverse_agree(paths, found, order):
    journeys = paths(*found)
    outcome = np.stack([journeys.conversions, journeys.value, journeys.value * 0])
    chain = markov.fit(markov.count_grams(journeys, order), outcome)
    iterated = markov.by_iteration(chain, markov.ENDLESS)
    assert iterated is not None
    for quick, exact in zip(iterated, markov.by_inverse(chain), strict=True):
        assert quick == pytest.approx(exact, rel=1e-11, abs=1e-12)


@given(rows, st.sampled_from([1, 2, 3]))
def test_no_memory_bound_changes_a_result(paths, found, order):
    journeys = paths(*found)
    whole = markov.losses(journeys, [order])[order]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markov, "TABLE_CELLS", NO_TABLE)
        patch.setattr(markov, "COLUMN_CELLS", 1)
        patch.setattr(markov, "ITERATION_COST", 0)
        assert markov.losses(journeys, [order])[order] == pytest.approx(whole, abs=1e-9)


def test_unweighted_journeys_count_without_a_table_too(people, monkeypatch):
    journeys = people([("A@1 B@2", 10), ("B@1", 5)], others=["A", "B C", "C C A"])
    whole = markov.losses(journeys, [2])[2]
    monkeypatch.setattr(markov, "TABLE_CELLS", NO_TABLE)
    assert markov.losses(journeys, [2])[2] == pytest.approx(whole, abs=1e-12)


def test_worked_example(paths):
    """A leads to B half the time, B converts half the time: see docs/concepts/attribution.md."""
    lost = markov.losses(paths(("A B", 1, 100, 0), ("A", 0, 0, 1), ("B", 0, 0, 1)), [1])[1]
    assert lost == pytest.approx(np.array([[0.5, 50, 0], [1, 100, 0]]), abs=1e-15)


@given(rows, st.sampled_from([1, 2, 3]))
def test_every_state_reaches_an_exit_so_no_chain_is_singular(paths, found, order):
    all_exits = paths(*((path, c + n, 0, 0) for path, c, _, n in found))
    outcome = np.stack([all_exits.conversions] * 3)
    chain = markov.fit(markov.count_grams(all_exits, order), outcome)
    _, leaving = markov.by_inverse(chain)
    assert leaving == pytest.approx(np.ones_like(leaving), abs=1e-9)


def test_repeats_of_a_channel_change_nothing_at_order_1(paths):
    short = paths(("A B", 3, 30, 1), ("B C", 1, 5, 4), ("A C", 0, 0, 7))
    long = paths(("A A B B B", 3, 30, 1), ("B C C", 1, 5, 4), ("A A A A C", 0, 0, 7))
    assert markov.losses(long, [1])[1] == pytest.approx(markov.losses(short, [1])[1], abs=1e-12)


def test_paths_longer_than_the_window_forget_their_start(paths):
    found = [("A B C D", 1, 9, 0), ("D B C A", 0, 0, 1)]
    at_two = markov.losses(paths(*found), [2])[2]
    at_three = markov.losses(paths(*found), [3])[3]
    assert at_two[0, 0] == pytest.approx(lost_by_removal(found, 2, "A")[0], abs=1e-12)
    assert at_three[0, 0] == pytest.approx(1)
    assert at_two[0, 0] == pytest.approx(0.5)


def test_a_channel_that_no_lost_journey_holds_is_an_ordinary_state(paths):
    lost = markov.losses(paths(("A B", 2, 20, 0), ("B", 0, 0, 5)), [1, 2, 3])
    for one in lost.values():
        assert np.isfinite(one).all()
        assert one[0, 0] > 0


def test_without_lost_journeys_every_met_channel_costs_its_journeys(paths):
    lost = markov.losses(paths(("A", 2, 20, 0), ("B", 1, 5, 0)), [1])[1]
    assert lost.tolist() == [[2, 20, 0], [1, 5, 0]]


def test_money_that_goes_back_is_kept_apart(paths):
    lost = markov.losses(paths(("A", 1, 20, 0), ("A B", 1, -5, 0)), [2])[2]
    assert lost[:, 1:] == pytest.approx(np.array([[20, -5], [0, -5]]))


def test_journeys_that_go_in_circles_fall_back_on_the_inverse(paths, monkeypatch):
    found = [("A B " * 400 + "C", 1, 10, 1), ("A", 1, 3, 9)]
    journeys = paths(*found)
    outcome = np.stack([journeys.conversions, journeys.value, journeys.value * 0])
    chain = markov.fit(markov.count_grams(journeys, 2), outcome)
    monkeypatch.setattr(rounds, "MOST_ROUNDS", 0)
    assert markov.by_iteration(chain, 16) is None
    exact = markov.losses(journeys, [2])[2]
    monkeypatch.setattr(markov, "ITERATION_COST", 0)
    monkeypatch.setattr(markov, "STEPS", 16)
    assert markov.losses(journeys, [2])[2] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bots_that_go_round_for_ever_take_no_more_steps_than_others(paths, monkeypatch, order):
    """Followed to its end, each of them would take ten thousands of steps."""
    bots = ("A B " * 20_000 + "C", "C D E " * 3_000, "A C D")
    rest = [("A B C", 1, 10, 3), ("D E", 2, 5, 8), ("E A", 1, 7, 9), ("B", 0, 0, 5)]
    journeys = paths(*((bot, 1, 10, 1) for bot in bots), *rest)
    exact = markov.losses(journeys, [order])[order]
    monkeypatch.setattr(markov, "ITERATION_COST", 0)
    monkeypatch.setattr(markov, "STEPS", rounds.USUAL)
    monkeypatch.setattr(markov, "by_inverse", None)
    assert markov.losses(journeys, [order])[order] == pytest.approx(exact, rel=1e-10)


def test_visits_are_the_counts_also_with_a_bot_and_where_too_many_go_round(paths, monkeypatch):
    journeys = paths(("A B " * 20_000 + "C", 1, 10, 1), ("A C B", 1, 3, 9), ("C A", 0, 0, 4))
    outcome = np.stack([journeys.conversions, journeys.value, journeys.value * 0])
    chain = markov.fit(markov.count_grams(journeys, 2), outcome)
    for most, steps in ((256, rounds.STEPS), (0, 16)):
        monkeypatch.setattr(rounds, "MOST_ROUNDS", most)
        monkeypatch.setattr(rounds, "STEPS", steps)
        visits = rounds.visited(chain.inflow, chain.entries)
        assert visits == pytest.approx(chain.visits, rel=1e-9)


def test_patience_may_end_between_the_two_solutions(paths, monkeypatch):
    journeys = paths(("A B A B A B C", 1, 10, 1), ("A", 1, 3, 9))
    outcome = np.stack([journeys.conversions, journeys.value, journeys.value * 0])
    chain = markov.fit(markov.count_grams(journeys, 1), outcome)
    monkeypatch.setattr(markov, "_first_meetings", lambda *_: None)
    assert markov.by_iteration(chain, markov.ENDLESS) is None


def test_a_bot_with_a_hundred_thousand_touches_is_no_long_wait(paths):
    journeys = paths(("A " * 100_000, 1, 1, 0), ("B A", 1, 1, 8), ("B", 0, 0, 3))
    lost = markov.losses(journeys, [1, 2, 3])
    assert all(math.isfinite(one.sum()) for one in lost.values())


def test_weightless_rows_leave_no_state_behind(paths):
    journeys = paths(("A B", 1, 4, 1), ("C D", 0, 0, 0))
    for one in markov.losses(journeys, [1, 2, 3]).values():
        assert one[2:].tolist() == [[0, 0, 0], [0, 0, 0]]
    nothing = paths(("A B", 0, 0, 0))
    assert markov.losses(nothing, [1, 3])[3].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_wide_runs_use_long_integers(paths):
    many = " ".join(f"c{i}" for i in range(300))
    journeys = paths((many, 1, 1, 0), ("c0 c299", 1, 1, 1))
    lost = markov.losses(journeys, [3])[3]
    assert lost[0, 0] == pytest.approx(2)


def test_without_touches_nothing_is_lost(people):
    assert markov.losses(people([("", 5)]), [1, 2]).keys() == {1, 2}


def test_an_order_beyond_the_longest_path_changes_nothing_more(paths):
    journeys = paths(("A B C", 3, 30, 4), ("B A", 1, 5, 7), ("C", 2, 9, 9))
    third, ninth = (credit(journeys, [name])[name] for name in ("markov_3", "markov_9"))
    assert ninth.channel_conversions == pytest.approx(third.channel_conversions, abs=1e-12)


def test_orders_whose_runs_do_not_fit_into_an_integer_are_refused(paths):
    journeys = paths(("A B C", 3, 30, 4))
    assert obstacle("markov_30", journeys) is None
    refused = obstacle("markov_31", journeys)
    assert refused is not None
    assert refused.code == "too_many_channels"
    assert refused.params["limit"] == 2
    assert credit(journeys, ["markov_30"])["markov_30"].channel_conversions.sum() == pytest.approx(
        3
    )


@pytest.mark.parametrize("name", ["markov_0", "markov_01", "markov_", "markov_100", "markov_1x"])
def test_what_is_no_order_is_no_model(paths, name):
    with pytest.raises(BadInput) as refused:
        obstacle(name, paths(("A", 1, 1, 0)))
    assert refused.value.code == "unknown_model"
