"""The regression finds what a known world caused, adds up, and keeps what it cannot know apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution.calibrated import Lift, calibrated
from touchline.attribution.hazard import rates
from touchline.attribution.incremental import (
    Effects,
    _covariance,
    _slopes,
    credited,
    effects,
    too_little,
)
from touchline.attribution.inputs import Inputs
from touchline.attribution.journeys import Journeys, Labels
from touchline.attribution.observed import DAY_US, taken
from watched import journeys_of, world

LIFT = (0.2, 0.6, 0.9, 0.0, 0.3)


@pytest.fixture(scope="module")
def plain():
    """Nothing hidden: chance decides who meets what."""
    made = world(LIFT)
    return made, effects(made.observed)


@pytest.fixture(scope="module")
def intent():
    """The last channel follows those who want to buy, and a control tells who they are."""
    made = world(LIFT, wish=1.0, pull=1.0, knows=1.0)
    return made, effects(made.observed)


def answer(made, found):
    return credited(made.journeys, made.observed, found)


def misallocated(credit, made):
    share = np.maximum(credit.channel_conversions, 0)
    return np.abs(share / share.sum() - made.caused / made.caused.sum()).sum() / 2


def test_it_finds_what_each_channel_caused(plain):
    """Seven conversions in a hundred are caused by a channel at most: luck moves them by its root.

    Three standard errors either way for each of five channels; the seed is fixed.
    """
    made, found = plain
    credit = answer(made, found)
    off = credit.channel_conversions - made.caused
    assert np.all(np.abs(off) < 3 * credit.channel_error)
    assert misallocated(credit, made) < 0.2
    assert credit.baseline_conversions + made.journeys.no_touch[0] == pytest.approx(
        made.baseline, rel=0.08
    )


def test_a_channel_that_does_nothing_gets_next_to_nothing(plain):
    made, found = plain
    credit = answer(made, found)
    assert abs(credit.channel_conversions[3]) < 2.5 * credit.channel_error[3]
    linear = np.bincount(made.journeys.label[: made.journeys.converting_touches])[3]
    assert abs(credit.channel_conversions[3]) < 0.2 * linear


def test_a_control_that_knows_who_wants_to_buy_takes_the_blame_from_the_channel(intent):
    made, found = intent
    assert found.names == ("visits before",)
    assert found.gamma[0] == pytest.approx(1.0, abs=0.15)
    credit = answer(made, found)
    assert np.all(np.abs(credit.channel_conversions - made.caused) < 3 * credit.channel_error)
    blind = replace(made.observed, controls=None, control_names=())
    without = credited(made.journeys, blind, effects(blind))
    assert without.channel_conversions[4] > 3 * credit.channel_conversions[4]
    assert misallocated(credit, made) < misallocated(without, made) / 2


def test_channels_baseline_and_no_touch_are_all_conversions_and_all_money(plain):
    made, found = plain
    credit = answer(made, found)
    count, money = made.journeys.no_touch
    conversions = credit.channel_conversions.sum() + credit.baseline_conversions + count
    assert conversions == pytest.approx(made.converted, abs=1e-9)
    revenue = credit.channel_revenue.sum() + credit.baseline_revenue + money
    assert revenue == pytest.approx(made.journeys.value.sum(), rel=1e-12)
    assert credit.touch_conversions.sum() == pytest.approx(credit.channel_conversions.sum())


def test_it_compares_at_the_same_moment_so_a_unit_that_ends_early_is_no_less_exposed(plain):
    """Counted per unit, buyers have met less than others; as they bought, they had met more."""
    made, found = plain
    lengths = np.diff(made.observed.offsets)
    is_buyer = made.observed.is_converted
    assert lengths[is_buyer].mean() < lengths[~is_buyer].mean()
    assert found.beta[1] > 0
    assert found.beta[2] > 0


def test_the_same_data_and_seed_give_the_same_bits(plain):
    made, found = plain
    again = effects(made.observed)
    assert np.array_equal(again.beta, found.beta)
    assert np.array_equal(answer(made, again).channel_error, answer(made, found).channel_error)


@pytest.mark.parametrize("people", [300, 20_000])
def test_who_stands_where_changes_nothing(people):
    """Few enough to compare all with all, and so many that some are drawn."""
    made = world((3.0, 2.0, 0.5), people=people)
    order = np.random.default_rng(2).permutation(made.observed.units)
    other = replace(taken(made.observed, order), converted_us=None)
    lift = Lift.of_channels([0], np.array([5.0]), np.array([2.0]))
    told = []
    for one in (made.observed, other):
        base = credited(journeys_of(one), one, effects(one))
        tested = calibrated(base, lift)
        told.append([base.channel_conversions, base.channel_error, tested.channel_conversions])
        told[-1].append(rates(one).brought)
    for here, there in zip(*told, strict=True):
        assert there == pytest.approx(here, rel=1e-9, abs=1e-9)


def test_names_of_channels_and_not_their_order_carry_the_effects(plain):
    made, found = plain
    flipped = replace(
        made.observed,
        channels=made.observed.channels[::-1],
        channel=len(LIFT) - 1 - made.observed.channel,
    )
    turned = credited(journeys_of(flipped), flipped, found)
    assert turned.channel_conversions[::-1] == pytest.approx(
        answer(made, found).channel_conversions
    )


def test_a_channel_that_was_never_watched_has_no_effect(plain):
    made, found = plain
    short = replace(
        found,
        channels=found.channels[:-1],
        beta=found.beta[:-1],
        half_life_days=found.half_life_days[:-1],
        covariance=found.covariance[:-1, :-1],
    )
    assert answer(made, short).channel_conversions[-1] == 0


def test_twice_the_money_is_twice_the_credit_and_changes_no_count(plain):
    made, found = plain
    rich = replace(made, journeys=replace(made.journeys, value=made.journeys.value * 2))
    once, twice = answer(made, found), answer(rich, found)
    assert twice.channel_revenue == pytest.approx(2 * once.channel_revenue)
    assert np.array_equal(twice.channel_conversions, once.channel_conversions)


def small(paths, beta, counts=None, value=None):
    """Touches "A@1 B@3" per conversion at day 10, with effects that are given."""
    channels = tuple("AB")
    flat = [touch.split("@") for path in paths for touch in path.split()]
    journeys = Journeys(
        offsets=np.cumsum([0, *(len(path.split()) for path in paths)]),
        label=np.array([channels.index(name) for name, _ in flat], dtype=np.int64),
        labels=Labels.of_channels(channels),
        conversions=np.ones(len(paths)) if counts is None else np.array(counts, dtype=float),
        value=np.full(len(paths), 100) if value is None else np.array(value),
        nulls=np.zeros(len(paths)),
        ts_us=np.array([int(float(day) * DAY_US) for _, day in flat], dtype=np.int64),
    )
    found = Effects(
        channels, np.array(beta), np.eye(2) * 0.01, np.full(2, 7.0), "count", (), np.zeros(0), 99
    )

    class Watched:
        moments_us = np.full(len(paths), 10 * DAY_US)

    return credited(journeys, Watched(), found)


def test_one_touch_is_worth_the_part_of_the_rate_that_goes_with_it():
    credit = small(["A@10"], [np.log(4), 0.5])
    assert credit.channel_conversions.tolist() == [pytest.approx(0.75), 0]
    assert credit.baseline_conversions == pytest.approx(0.25)
    assert credit.removal_effect[0] == pytest.approx(0.75)


def test_what_touches_caused_together_is_split_by_their_logarithms():
    credit = small(["A@10 B@10"], [np.log(2), np.log(8)])
    assert credit.channel_conversions == pytest.approx([15 / 64, 45 / 64])
    assert credit.removal_effect == pytest.approx([1 / 2, 7 / 8])


def test_repeated_touches_share_by_how_fresh_they_are_also_in_the_same_second():
    credit = small(["A@3 A@10 A@10"], [0.3, 0.0])
    old, new, same = credit.share
    assert new == same == pytest.approx(2 * old)


def test_a_touch_of_ages_ago_keeps_what_its_channel_has():
    """2^-1100 is 0 in 64 bits, and so would be the sum of all weights of such a channel."""
    credit = small(["A@-9000", "A@-9000 A@-8999 B@10"], [0.3, 0.2])
    assert np.isfinite(credit.share).all()
    assert credit.channel_conversions[0] == 0
    whole = credit.channel_conversions.sum() + credit.baseline_conversions
    assert whole == pytest.approx(2)


def test_an_effect_below_nothing_is_shown_and_takes_at_most_the_conversion_itself():
    credit = small(["A@10", "B@10", "B@10 " * 1000], [0.2, -0.3])
    assert credit.channel_conversions[0] > 0
    assert -2 <= credit.channel_conversions[1] < 0
    assert np.all(np.isfinite(credit.channel_error))
    assert np.add.reduceat(credit.share, [0, 1, 2]).min() >= -1 - 1e-9


def test_money_that_goes_back_is_taken_from_channels_and_baseline_alike():
    gave = small(["A@10 B@10"], [0.4, 0.2])
    took = small(["A@10 B@10"], [0.4, 0.2], counts=[0], value=[-100])
    assert took.channel_revenue == pytest.approx(-gave.channel_revenue)
    assert took.baseline_revenue == pytest.approx(-gave.baseline_revenue)
    assert took.channel_conversions.tolist() == [0, 0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 10)), max_size=6),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.floats(-3, 3), min_size=2, max_size=2),
)
def test_every_conversion_is_split_without_rest(drawn, beta):
    paths = [
        " ".join(f"{name}@{day}" for name, day in sorted(path, key=lambda one: one[1]))
        for path in drawn
    ]
    credit = small(paths, beta)
    touched = sum(bool(path) for path in paths)
    whole = credit.channel_conversions.sum() + credit.baseline_conversions
    assert whole == pytest.approx(touched, abs=1e-9)
    if min(beta) >= 0:
        assert credit.share.min(initial=0) >= 0
        assert credit.baseline_conversions >= -1e-9


@given(st.floats(-0.6, 20))
def test_the_slope_of_the_slope_is_what_differences_say(delta):
    step = 1e-4
    around, _ = _slopes(np.array([delta - step, delta + step]))
    _, bend = _slopes(np.array([delta]))
    assert bend[0] == pytest.approx((around[1] - around[0]) / (2 * step), abs=1e-4)


def test_errors_are_what_different_draws_of_the_world_differ_by():
    """Ten worlds: the mean of 50 squared z-scores is 1, give or take 0.5."""
    worlds = [world(LIFT, people=4_000, seed=seed) for seed in range(10)]
    scores = []
    for made in worlds:
        credit = answer(made, effects(made.observed))
        scores.append((credit.channel_conversions - made.caused) / credit.channel_error)
    assert 0.5 < np.mean(np.square(scores)) < 1.7


def test_too_few_conversions_or_too_many_channels_are_named(plain):
    made, _ = plain
    few = replace(made.observed, is_converted=np.zeros(made.observed.units, np.bool_))
    many = replace(made.observed, channels=tuple(map(str, range(500))))
    codes = [too_little(Inputs(made.journeys, observed=one)).code for one in (few, many)]
    assert codes == ["too_few_conversions", "too_many_channels"]
    assert too_little(Inputs(made.journeys, observed=made.observed)) is None


def test_channels_vary_as_customers_drawn_again_make_them_and_effects_move_with_counts():
    """Who bought after many touches counts more, and raises β by as much."""
    rng = np.random.default_rng(8)
    x, beta = rng.exponential(0.5, (300, 2)), np.array([0.4, 1.0])
    x[:, 1] += x[:, 0]
    off = x - x.mean(axis=0)
    covariance = np.linalg.inv(off.T @ off)
    drawn = []
    for _ in range(4000):
        times = rng.poisson(1, len(x))
        moved = beta + covariance @ off.T @ (times - 1)
        slope, _ = _slopes(x @ moved)
        drawn.append((x * moved * (slope * times)[:, None]).sum(axis=0))
    found = _covariance(np.ones(len(x)), x, x.mean(axis=0), beta, covariance)
    assert np.std(drawn, axis=0) == pytest.approx(np.sqrt(np.diag(found)), rel=0.07)
    correlation = found[0, 1] / np.sqrt(found[0, 0] * found[1, 1])
    assert correlation < -0.3
    assert np.corrcoef(np.transpose(drawn))[0, 1] == pytest.approx(correlation, abs=0.07)


def test_buyers_without_a_touch_make_no_channel_less_sure():
    some = ["A@9 B@3", "A@4", "B@8", "A@6 A@7 B@9"]
    touched, both = small(some, [0.5, 0.8]), small([*some, *[""] * 40], [0.5, 0.8])
    assert both.channel_error == pytest.approx(touched.channel_error)
    assert both.channel_error_revenue == pytest.approx(touched.channel_error_revenue)
