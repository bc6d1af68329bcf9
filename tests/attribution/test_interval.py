"""Replicates of an answer: what they keep, where they lie, and that they come out the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution import Journeys, Labels, Touches, credit
from touchline.attribution.answer import Credit
from touchline.attribution.inputs import Inputs
from touchline.attribution.interval import bounds, draws, standing
from touchline.attribution.models import TABLE, Model
from touchline.attribution.resample import Sample

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
    won, others = block.rows()
    for model in ("linear", "markov_1", "markov_2", "shapley_rate"):
        found = draws(credit(journeys, [model])[model], sample)
        for i in range(5):
            again = repeated(journeys, won[:, i], others[:, i])
            one = credit(again, [model])[model]
            assert found.conversions[i] == pytest.approx(one.channel_conversions, abs=1e-9)
            assert found.revenue[i] == pytest.approx(one.channel_revenue, rel=1e-9, abs=1e-6)
            if one.removal_effect is not None:
                assert found.removal_effect[i] == pytest.approx(one.removal_effect, abs=1e-9)


def repeated(journeys, won, others):
    """Each journey as often as it was drawn."""
    times = np.concatenate([won, others]).astype(int)
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
    won, others = block.rows()
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
        won, _ = block.rows()
        assert found.revenue.sum(axis=1) == pytest.approx(900.0 * won[0] - 300.0 * won[1])


def test_a_model_that_knows_its_error_is_drawn_around_its_answer(people):
    journeys = crowd(people, size=2000)
    base = credit(journeys, ["linear"])["linear"]
    error = np.array([30.0, 0.0, 5.0, 1.0])
    one = replace(base, model="calibrated", share=None, channel_error=error)
    found = draws(one, sample_of(journeys, replicates=200))
    assert found.conversions.mean(axis=0) == pytest.approx(one.channel_conversions, rel=0.05)
    noise = found.conversions[:, 0] / found.conversions[:, 1]
    assert noise.std() * base.channel_conversions[1] == pytest.approx(30, rel=0.25)
    whole = found.conversions.sum(axis=1) + found.baseline_conversions
    assert whole == pytest.approx(
        draws(base, sample_of(journeys, replicates=200)).conversions.sum(axis=1)
    )


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


def test_any_other_model_is_fitted_again(people, monkeypatch):
    """One that neither divides conversions nor counts runs or sets, such as a neighbour's."""

    def halves(inputs: Inputs):
        channels = len(inputs.journeys.labels.channels)
        half = inputs.journeys.conversions[inputs.journeys.is_touched].sum() / 2
        spread = np.full(channels, half / channels)
        return Credit(
            "halves", inputs.journeys, spread, spread * 0, baseline_conversions=float(half)
        )

    monkeypatch.setitem(TABLE, "halves", Model("halves", frozenset(), halves))
    journeys = crowd(people)
    sample = sample_of(journeys)
    found = draws(credit(journeys, ["halves"])["halves"], sample)
    linear = draws(credit(journeys, ["linear"])["linear"], sample)
    total = linear.conversions.sum(axis=1)
    assert found.baseline_conversions == pytest.approx(total / 2)
    assert found.conversions.sum(axis=1) == pytest.approx(total / 2)


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


def test_a_model_that_shares_out_what_it_estimated_is_as_unsure_as_its_estimate(people):
    """Shares per touch do not make an estimate a rule: hazard and incremental have both."""
    base = credit(crowd(people), ["linear"])["linear"]
    error = base.channel_conversions
    one = replace(base, model="hazard", channel_error=error, channel_error_revenue=error)
    spread = draws(one, sample_of(base.journeys, replicates=400)).conversions.std(axis=0)
    assert np.all(spread > 0.8 * error)
