"""Replicates of an answer: what they keep, where they lie, and that they come out the same."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution import (
    Journeys,
    Labels,
    Lift,
    Stages,
    Touches,
    Weights,
    credit,
    resample,
)
from touchline.attribution.answer import counted_covariance
from touchline.attribution.incremental import Effects, credited
from touchline.attribution.interval import bounds, draws, standing
from touchline.attribution.models import TABLE
from touchline.attribution.observed import DAY_US
from touchline.attribution.resample import Cells, Sample
from watched import world

RULES = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "shapley")
AGGREGATE = ("markov_1", "markov_2", "markov_3", "markov_auto", "shapley_rate")
METHODS = ("poisson", "dirichlet")


def crowd(people, *, size=400, seed=3):
    """Journeys of up to six touches of four channels, in two campaigns; some convert."""
    rng = np.random.default_rng(seed)
    paths = []
    for _ in range(size):
        length = min(int(rng.geometric(0.4)), 6)
        steps = rng.choice(4, length, p=[0.4, 0.3, 0.2, 0.1])
        days = np.sort(rng.random(length)) * 9
        touches = zip(steps, days, rng.random(length), strict=True)
        paths.append(" ".join(f"{'ABCD'[s]}/{'xy'[int(r < 0.3)]}@{d:.3f}" for s, d, r in touches))
    won = rng.random(size) < 0.3
    bought = [path for path, is_won in zip(paths, won, strict=True) if is_won]
    others = [path for path, is_won in zip(paths, won, strict=True) if not is_won]
    return people([(path, int(rng.integers(100, 9000))) for path in bought], others)


def sample_of(journeys, method="poisson", *, replicates=60, seed=0, customer=None):
    whose = np.arange(len(journeys.nulls)) if customer is None else customer
    return Sample(journeys, whose, replicates, method, seed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", [*RULES, *AGGREGATE])
def test_each_replicate_shares_out_what_was_drawn_and_no_more(people, model, method):
    journeys = crowd(people)
    sample = sample_of(journeys, method)
    found = draws(credit(journeys, [model])[model], sample)
    linear = draws(credit(journeys, ["linear"])["linear"], sample)
    for name in ("conversions", "revenue"):
        mine, plain = getattr(found, name).sum(axis=1), getattr(linear, name).sum(axis=1)
        assert mine == pytest.approx(plain, rel=1e-9)
    assert found.label_conversions.shape == (60, 8)
    assert found.conversions.shape == (60, 4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", [*RULES, *AGGREGATE])
def test_replicates_lie_around_the_answer(people, model, method):
    journeys = crowd(people, size=3000)
    one = credit(journeys, [model])[model]
    found = draws(one, sample_of(journeys, method, replicates=200))
    for drawn, told in (
        (found.conversions, one.channel_conversions),
        (found.revenue, one.channel_revenue),
        (found.label_conversions, one.label_conversions),
    ):
        # The mean of 200 draws is off by 1/14 of their spread; six times that is no luck.
        off = np.abs(drawn.mean(axis=0) - told) / np.maximum(drawn.std(axis=0), 1e-9)
        assert off.max() < 0.45


@pytest.mark.parametrize("model", ["linear", "markov_2", "shapley_rate"])
def test_quick_and_full_replicates_spread_alike(people, model):
    journeys = crowd(people, size=3000)
    one = credit(journeys, [model])[model]
    spread = [
        draws(one, sample_of(journeys, method, replicates=300)).conversions.std(axis=0)
        for method in METHODS
    ]
    assert spread[0] == pytest.approx(spread[1], rel=0.35)


def test_a_replicate_is_the_model_on_journeys_counted_as_often(people):
    journeys = crowd(people, size=60)
    sample = sample_of(journeys, replicates=5)
    (block,) = sample.blocks()
    won, others = weights_of(block, journeys)
    for model in ("linear", "markov_1", "markov_2", "shapley_rate"):
        found = draws(credit(journeys, [model])[model], sample)
        for i in range(5):
            again = repeated(journeys, won[:, i], others[:, i])
            one = credit(again, [model])[model]
            assert found.conversions[i] == pytest.approx(one.channel_conversions, abs=1e-9)
            assert found.revenue[i] == pytest.approx(one.channel_revenue, rel=1e-9, abs=1e-6)
            if one.removal_effect is not None:
                assert found.removal_effect[i] == pytest.approx(one.removal_effect, abs=1e-9)


def weights_of(block, journeys):
    """How often each journey counts in each replicate: those that convert, and the others."""
    return [
        sums(Cells(np.arange(n + 1), np.arange(n), np.ones(n), n)).astype(int)
        for sums, n in (
            (block.won, journeys.converting),
            (block.others, len(journeys.nulls) - journeys.converting),
        )
    ]


def repeated(journeys, won, others):
    """Each journey as often as it was drawn."""
    times = np.concatenate([won, others])
    rows = np.repeat(np.arange(len(times)), times)
    parts = [
        journeys.label[a:b] for a, b in zip(journeys.offsets, journeys.offsets[1:], strict=False)
    ]
    label = np.concatenate([parts[row] for row in rows])
    number = np.repeat(np.arange(len(rows)), [len(parts[row]) for row in rows])
    split = int(sum(len(parts[row]) for row in rows if row < journeys.converting))
    return Journeys.from_touches(
        Touches(number[:split], label[:split], np.arange(split)),
        Touches(number[split:], label[split:]),
        value=journeys.value[rows[rows < journeys.converting]],
        labels=journeys.labels,
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_same_question_has_the_same_bits_whatever_else_is_asked(people, method):
    journeys = crowd(people)
    answers = credit(journeys, ["linear", "markov_1", "shapley_rate"])
    sample = sample_of(journeys, method)
    alone = {name: draws(one, sample_of(journeys, method)) for name, one in answers.items()}
    for name in reversed(answers):
        again = draws(answers[name], sample)
        assert np.array_equal(again.conversions, alone[name].conversions)
        assert np.array_equal(again.label_revenue, alone[name].label_revenue)
    other = draws(answers["linear"], sample_of(journeys, method, seed=1))
    assert not np.array_equal(other.conversions, alone["linear"].conversions)


@pytest.mark.parametrize("method", METHODS)
def test_a_chain_of_very_many_runs_is_solved_a_few_replicates_at_a_time(
    people, method, monkeypatch
):
    journeys = crowd(people)
    one = credit(journeys, ["markov_2"])["markov_2"]
    wide = draws(one, sample_of(journeys, method)).conversions
    monkeypatch.setattr(resample, "SUMS", 300)
    few = draws(one, sample_of(journeys, method)).conversions
    if method == "poisson":
        assert few == pytest.approx(wide, rel=1e-9)
    assert few.shape == wide.shape
    assert few.mean(axis=0) == pytest.approx(wide.mean(axis=0), rel=0.1)
    assert few.std(axis=0) == pytest.approx(wide.std(axis=0), rel=0.3)


def test_more_replicates_begin_with_the_fewer(people):
    journeys = crowd(people)
    one = credit(journeys, ["linear"])["linear"]
    few, many = (draws(one, sample_of(journeys, replicates=n)).conversions for n in (50, 130))
    assert np.array_equal(many[:50], few)


def test_all_journeys_of_a_customer_are_drawn_together(people):
    journeys = people([("A", 100), ("A", 100), ("B", 100)], ["C", "A"])
    whose = np.array([7, 7, 2, 9, 7])
    found = draws(credit(journeys, ["linear"])["linear"], sample_of(journeys, customer=whose))
    assert np.all(found.conversions[:, 0] % 2 == 0)
    assert np.any(found.conversions[:, 1] % 2 == 1)
    (block, _) = sample_of(journeys, customer=whose).blocks()
    won, others = weights_of(block, journeys)
    assert np.array_equal(won[0], others[1])
    assert not np.array_equal(won[0], others[0])


def test_customers_with_many_orders_widen_the_interval(people):
    journeys = people([("A", 100)] * 400, ["B"] * 400)
    one = credit(journeys, ["linear"])["linear"]
    alone = draws(one, sample_of(journeys, replicates=200)).conversions[:, 0].std()
    ten_each = np.concatenate([np.arange(400) // 10, 1000 + np.arange(400)])
    together = draws(one, sample_of(journeys, replicates=200, customer=ten_each))
    assert together.conversions[:, 0].std() == pytest.approx(alone * 10**0.5, rel=0.3)


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_aggregated_paths_vary_as_single_journeys_do(paths, people, method):
    counts = [("A B", 60, 6000.0, 500.0), ("B", 40, 2000.0, 300.0), ("A", 0, 0.0, 200.0)]
    together = paths(*counts)
    won = [
        (path.replace(" ", "@0 ") + "@1", int(v / n))
        for path, n, v, _ in counts
        if n
        for _ in range(n)
    ]
    apart = people(won, [path for path, _, _, nulls in counts for _ in range(int(nulls))])
    for model in ("linear", "markov_1", "shapley_rate"):
        rows, single = (
            draws(credit(one, [model])[model], Sample(one, None, 400, method))
            for one in (together, apart)
        )
        assert rows.conversions.std(axis=0) == pytest.approx(
            single.conversions.std(axis=0), rel=0.2
        )


def test_money_without_an_order_moves_with_its_customer(people):
    journeys = people([("A@1 B@2", 900), ("A@1", -300)], ["B"], counts=[1, 0])
    for model in ("linear", "markov_1", "shapley_rate"):
        found = draws(credit(journeys, [model])[model], sample_of(journeys, replicates=50))
        (block,) = sample_of(journeys, replicates=50).blocks()
        won, _ = weights_of(block, journeys)
        assert found.revenue.sum(axis=1) == pytest.approx(900.0 * won[0] - 300.0 * won[1])


@pytest.fixture(scope="module")
def every():
    """The answers of all models on people of whom all is known, in campaigns of fresh and of stale
    touches.
    """
    made = world((0.2, 0.6, 0.9, 0.0, 0.3), people=8000)
    journeys = made.journeys
    age = journeys.ts_us % (7 * DAY_US) // DAY_US  # the day of the week tells the campaign
    won = journeys.label[: journeys.converting_touches]
    others = journeys.label[journeys.converting_touches :]
    label = np.concatenate([2 * won + (age < 2), 2 * others])
    labels = Labels(journeys.labels.channels, np.repeat(np.arange(5), 2))
    journeys = replace(journeys, label=label, labels=labels)
    converted_us = made.observed.moments_us
    given = {
        "observed": made.observed,
        "stages": Stages.at(journeys, converted_us - 20 * DAY_US, converted_us - 5 * DAY_US),
        "weights": Weights(first=0.6, last=0.3, rest=0.1),
        "lift": Lift.of_channels([1, 4], np.array([60.0, 30.0]), np.array([9.0, 5.0])),
    }
    return credit(journeys, list(TABLE), **given)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", list(TABLE))
def test_every_model_is_drawn_around_its_figures_label_by_label(every, model, method):
    one = every[model]
    found = draws(one, sample_of(one.journeys, method, replicates=400))
    for drawn, told in (
        (found.label_conversions, one.label_conversions),
        (found.label_revenue, one.label_revenue),
        (found.conversions, one.channel_conversions),
        (found.revenue, one.channel_revenue),
    ):
        # The mean of 400 draws is off by a twentieth of their spread: six times that is no luck.
        off = np.abs(drawn.mean(axis=0) - told) / np.maximum(drawn.std(axis=0), 1e-6 * told.max())
        assert off.max() < 0.3


def together(one, amount):
    """A covariance beyond counting in which channels move with, and against, each other."""
    sign = np.array([1, -1, 1, 1, -1])
    size = np.sqrt(amount.sum()) * np.array([2, 3, 1, 0, 2]) * np.sqrt(amount.mean())
    beyond = (0.95 * np.outer(sign, sign) + 0.05 * np.eye(5)) * np.outer(size, size)
    if one.share is None:
        return beyond
    return beyond + counted_covariance(one.journeys, one.share, amount)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["hazard", "incremental", "calibrated"])
def test_what_is_fitted_varies_together_as_it_says_and_no_more(every, model, method):
    one = every[model]
    parts = (one.journeys.conversions, one.journeys.value.astype(float))
    one = replace(one, covariance=tuple(together(one, part) for part in parts))
    found = draws(one, sample_of(one.journeys, method, replicates=2000))
    for drawn, told in zip((found.conversions, found.revenue), one.covariance, strict=True):
        size = np.sqrt(np.maximum(np.diag(told), 1e-12 * told.max()))
        off = (np.cov(drawn.T) - told) / np.outer(size, size)
        assert np.abs(off).max() < 0.1


@pytest.mark.parametrize("model", ["hazard", "incremental"])
def test_errors_are_those_of_the_covariance(every, model):
    one = every[model]
    errors = (one.channel_error, one.channel_error_revenue)
    for error, covariance in zip(errors, one.covariance, strict=True):
        assert error == pytest.approx(np.sqrt(np.diag(covariance)))
        assert covariance == pytest.approx(covariance.T)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["hazard", "incremental", "calibrated"])
def test_what_is_drawn_and_no_channels_is_the_baselines(every, model, method):
    one = every[model]
    sample = sample_of(one.journeys, method, replicates=50)
    found, linear = draws(one, sample), draws(every["linear"], sample)
    for name in ("conversions", "revenue"):
        whole = getattr(found, name).sum(axis=1) + getattr(found, f"baseline_{name}")
        assert whole == pytest.approx(getattr(linear, name).sum(axis=1))


def of_effects(journeys, beta, covariance, ages_days):
    """The answer of a regression with channels that are known beforehand."""
    beta, covariance = np.atleast_1d(beta), np.atleast_2d(covariance)
    half_life = np.full(len(beta), 2.5)
    names = journeys.labels.channels
    found = Effects(names, beta, covariance, half_life, "count", (), [], 100)
    observed = SimpleNamespace(moments_us=np.full(journeys.converting, ages_days * DAY_US))
    return credited(journeys, observed, found)


@pytest.mark.parametrize("method", METHODS)
def test_the_luck_of_counting_is_in_an_interval_once(people, method):
    """All of 2,000 conversions are caused by one channel that is known to: a root of them."""
    journeys = people([("A@1", 100)] * 2000)
    one = of_effects(journeys, 20.0, 0.0, 1)
    found = draws(one, sample_of(journeys, method, replicates=1000))
    assert found.conversions.std() == pytest.approx(2000**0.5, rel=0.07)
    assert found.revenue.std() == pytest.approx(100 * 2000**0.5, rel=0.07)
    assert found.baseline_conversions == pytest.approx(np.zeros(1000), abs=0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("correlation", [-0.95, 0, 0.95])
def test_a_baseline_is_as_sure_as_effects_that_move_together_leave_it(people, correlation, method):
    """Two channels that are told apart badly may be well known together, and the other way round:
    what they leave is drawn as from effects themselves.
    """
    journeys = people([("A@1 B@1", 100)] * 1000)
    beta, covariance = np.full(2, 0.5), 0.01 * np.array([[1, correlation], [correlation, 1]])
    one = of_effects(journeys, beta, covariance, 1)
    found = draws(one, sample_of(journeys, method, replicates=2000))
    rng = np.random.default_rng(1)
    left = np.exp(-rng.multivariate_normal(beta, covariance, 20_000).sum(axis=1))
    assert one.baseline_conversions == pytest.approx(1000 * np.exp(-1))
    spread = (rng.poisson(1000, 20_000) * left).std()
    assert found.baseline_conversions.std() == pytest.approx(spread, rel=0.1)
    assert found.baseline_revenue.std() == pytest.approx(100 * spread, rel=0.1)
    ahead = standing(found.conversions, 0.95).first
    assert ahead == pytest.approx([0.5, 0.5], abs=0.05)


def test_one_of_two_that_move_together_is_first_as_often_as_their_difference_says(people):
    journeys = people([("A@1 B@1", 100)] * 1000)
    covariance = 0.01 * np.array([[1, 0.98], [0.98, 1]])
    one = of_effects(journeys, np.array([0.55, 0.5]), covariance, 1)
    first = standing(draws(one, sample_of(journeys, replicates=1000)).conversions, 0.95).first
    assert first[0] > 0.98


def test_a_campaign_of_old_touches_has_the_interval_of_its_own_figure(people):
    journeys = people([("A/stale@0 A/fresh@20", 100)] * 1000)
    one = of_effects(journeys, 1.0, 1e-4, 20)
    found = draws(one, sample_of(journeys, replicates=200))
    low, high = bounds(found.label_conversions, 0.95)
    assert np.all((low < one.label_conversions) & (one.label_conversions < high))
    assert high[1] < 5 < 500 < low[0]
    assert standing(found.label_conversions, 0.95).first.tolist() == [1, 0]


def test_money_that_cancels_out_does_not_blow_up_the_interval(people):
    journeys = people([("A@1", 1000), ("A@1", -999)] * 500)
    one = of_effects(journeys, 20.0, 1e-3, 1)
    spread = draws(one, sample_of(journeys, replicates=400)).revenue.std()
    assert spread == pytest.approx(1e3 * 1000**0.5, rel=0.15)


def test_a_sampled_rate_keeps_its_sum_and_its_centre(paths):
    rng = np.random.default_rng(4)
    names = [f"C{i:02}" for i in range(22)]
    rows = [
        (" ".join(rng.choice(names, 3)), int(rng.integers(0, 9)), 500.0, int(rng.integers(5, 40)))
        for _ in range(60)
    ]
    rows = [(p, n, v if n else 0.0, z) for p, n, v, z in rows]
    journeys = paths(*rows)
    one = credit(journeys, ["shapley_rate"])["shapley_rate"]
    assert one.channel_error is not None
    sample = Sample(journeys, None, 40)
    found = draws(one, sample)
    linear = draws(credit(journeys, ["linear"])["linear"], sample)
    assert found.conversions.sum(axis=1) == pytest.approx(linear.conversions.sum(axis=1))
    off = np.abs(found.conversions.mean(axis=0) - one.channel_conversions)
    assert np.all(off < 4 * found.conversions.std(axis=0) / 40**0.5 + 1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_draw_is_nothing_drawn(people, paths, method):
    empty = people([("", 100)])
    for model in (*RULES, *AGGREGATE[:3], "shapley_rate"):
        found = draws(credit(empty, [model])[model], sample_of(empty, method, replicates=3))
        assert found.conversions.shape == (3, 0)
    lost = paths(("A B", 0, 0, 5))
    found = draws(credit(lost, ["markov_1"])["markov_1"], Sample(lost, None, 4, method))
    assert not found.conversions.any()
    assert not found.removal_effect.any()


# Intervals and ranks


def test_the_ends_are_the_fifth_of_two_hundred_from_each_side():
    low, high = bounds(np.arange(1.0, 200.0)[:, None], 0.95)
    assert (low[0], high[0]) == pytest.approx((5, 195))


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=5, max_size=30),
    st.sampled_from([0.5, 0.8, 0.95]),
)
@settings(max_examples=60, deadline=None)
def test_ranks_and_chances_are_those_of_the_replicates(rows, level):
    values = np.array(rows, dtype=float)
    low, high, first = standing(values, level)
    assert first.sum() == pytest.approx(1)
    assert np.all((low >= 1) & (low <= high) & (high <= 3))
    best = values.argmax(axis=1)
    if np.all((values == values.max(axis=1, keepdims=True)).sum(axis=1) == 1):
        assert first == pytest.approx(np.bincount(best, minlength=3) / len(values))
    order = [2, 0, 1]
    again = standing(values[:, order], level)
    assert np.array_equal(again.low, low[order])
    assert again.first == pytest.approx(first[order])


def test_equals_share_the_chance_to_be_first():
    assert standing(np.array([[2.0, 2.0, 1.0]] * 4), 0.9).first.tolist() == [0.5, 0.5, 0]


# Truth: the short form of bench/interval.py


@pytest.mark.parametrize("model", ["linear", "markov_1"])
@pytest.mark.parametrize("method", METHODS)
def test_intervals_hold_the_truth_as_often_as_they_say(model, method):
    """Truth is the mean over many runs; 60 runs of four channels are off by two in a hundred."""
    rng = np.random.default_rng(11)
    runs = [simulated(rng) for _ in range(200)]
    expected = np.mean([credit(one, [model])[model].channel_conversions for one in runs], axis=0)
    held: list[np.ndarray] = []
    for one in runs[:60]:
        found = draws(credit(one, [model])[model], Sample(one, None, 50, method))
        low, high = bounds(found.conversions, 0.95)
        held.append((low <= expected) & (expected <= high))
    assert 0.88 <= np.mean(held) <= 0.995


def simulated(rng):
    """Customers who arrive by chance, their touches, and who buys: all anew at each call."""
    count = rng.poisson(400)
    length = np.minimum(rng.geometric(0.45, count), 6)
    step = rng.choice(4, int(length.sum()), p=[0.4, 0.3, 0.2, 0.1])
    ends = np.cumsum(length)
    chance = 0.15 + 0.05 * step[ends - 1] + 0.02 * length
    lucky = rng.random(count) < chance
    order = np.argsort(~lucky, kind="stable")
    won = int(lucky.sum())
    number = np.repeat(np.arange(count), length[order])
    starts = (ends - length)[order]
    places = np.concatenate(
        [np.arange(a, a + n) for a, n in zip(starts, length[order], strict=True)]
    )
    split = int(length[order][:won].sum())
    label = step[places]
    return Journeys.from_touches(
        Touches(number[:split], label[:split], np.arange(split)),
        Touches(number[split:], label[split:]),
        value=np.full(won, 100),
        labels=Labels.of_channels(("A", "B", "C", "D")),
    )
