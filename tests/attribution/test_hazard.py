"""The hazard finds a world where effects add up, takes censoring for what it is, and adds up."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from touchline.attribution import hazard as module
from touchline.attribution.answer import counted_covariance
from touchline.attribution.hazard import Rates, credited, rates
from touchline.attribution.incremental import too_little
from touchline.attribution.inputs import Inputs
from touchline.attribution.journeys import Labels
from touchline.attribution.observed import DAY_US
from watched import world

LIFT = np.array([0.2, 0.6, 0.9, 0.0, 0.3]) * 0.003
HALF_LIFE = 5.0


@pytest.fixture(scope="module")
def added():
    made = world(LIFT, adds=True)
    return made, rates(made.observed)


def answer(made, found):
    return credited(made.journeys, made.observed, found)


def test_it_finds_what_each_channel_caused_and_the_baseline(added):
    """Up to 400 conversions: three roots of that, and 25 for whom a touch only met by chance."""
    made, found = added
    credit = answer(made, found)
    off = np.abs(credit.channel_conversions - made.caused)
    assert np.all(off < 25 + 3 * np.sqrt(made.caused))
    assert credit.baseline_conversions + made.journeys.no_touch[0] == pytest.approx(
        made.baseline, rel=0.08
    )


def test_it_finds_how_long_touches_act(added):
    made, found = added
    is_large = made.caused > 100
    assert found.half_life_days[is_large] == pytest.approx(HALF_LIFE, rel=0.35)


def test_who_has_not_bought_yet_is_censored_and_no_failure(added):
    """Watched half as long, with most deals still open, the effects are the same."""
    made, found = added
    middle = 45 * DAY_US
    seen = made.observed
    is_in = (
        seen.ts_us
        <= np.minimum(middle, seen.end_us)[np.repeat(np.arange(seen.units), np.diff(seen.offsets))]
    )
    counts = np.add.reduceat(np.append(is_in, 0), seen.offsets[:-1]) * (np.diff(seen.offsets) > 0)
    half = replace(
        seen,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        channel=seen.channel[is_in],
        ts_us=seen.ts_us[is_in],
        end_us=np.minimum(seen.end_us, middle),
        is_converted=seen.is_converted & (seen.end_us <= middle),
    )
    early = rates(half)
    assert half.conversions < 0.6 * seen.conversions
    assert early.base == pytest.approx(found.base, rel=0.15)
    assert early.brought[1:3] == pytest.approx(found.brought[1:3], rel=0.35)


def test_expected_conversions_of_the_fit_are_those_that_happened(added):
    made, found = added
    weight = np.ones(made.observed.units)
    risk = module._risk(made.observed, weight, np.zeros((made.observed.units, 0)))
    fading = np.log(2) / found.half_life_days
    lived, _ = module._lived(risk, fading)
    expected = found.base * risk.days.sum() + (found.brought[risk.channel] * lived).sum()
    assert expected == pytest.approx(made.converted, rel=1e-3)


def test_slopes_are_what_differences_say():
    made = world(LIFT, people=400, adds=True, knows=0.5)
    risk = module._risk(made.observed, np.ones(400) * 1.5, made.observed.z)
    channels = len(LIFT)

    def point(x):
        base, brought, fading, gamma = np.split(x, [1, 1 + channels, 1 + 2 * channels])
        return module.Point(float(base[0]), brought, fading, gamma)

    at = np.concatenate([[0.001], np.linspace(0.002, 0.01, 5), np.linspace(0.05, 0.9, 5), [0.2]])
    off = optimize.check_grad(
        lambda x: module._likelihood(risk, point(x))[0],
        lambda x: module._likelihood(risk, point(x))[1],
        at,
        epsilon=1e-7,
    )
    assert off < 1e-3 * np.abs(module._likelihood(risk, point(at))[1]).max()


def test_shares_are_parts_of_the_chance_never_below_nothing_and_add_up(added):
    made, found = added
    credit = answer(made, found)
    assert credit.share.min() >= 0
    assert credit.baseline_conversions >= 0
    count, money = made.journeys.no_touch
    conversions = credit.channel_conversions.sum() + credit.baseline_conversions + count
    assert conversions == pytest.approx(made.converted, abs=1e-9)
    revenue = credit.channel_revenue.sum() + credit.baseline_revenue + money
    assert revenue == pytest.approx(made.journeys.value.sum(), rel=1e-12)


def test_credit_of_one_conversion_is_the_ratio_of_chances(paths):
    journeys = replace(
        paths(("A B A", 1, 100, 0)), ts_us=(np.array([1, 3, 3]) * DAY_US).astype(np.int64)
    )
    found = Rates(
        ("A", "B"), 0.25, np.array([1.0, 3.0]), np.log(2) / np.array([0.5, 1]), (), 0, np.eye(2), 9
    )

    class Watched:
        moments_us = np.array([3 * DAY_US])

    credit = credited(journeys, Watched(), found)
    chance = np.array([0.5 * np.exp(-1), 3, 0.5])
    assert credit.share == pytest.approx(chance / (0.25 + chance.sum()))
    assert credit.baseline_revenue == pytest.approx(100 * 0.25 / (0.25 + chance.sum()))


def test_a_channel_that_was_never_watched_has_no_effect(added):
    made, found = added
    renamed = replace(
        made,
        journeys=replace(made.journeys, labels=Labels.of_channels(("A", "B", "C", "D", "other"))),
    )
    assert answer(renamed, found).channel_conversions[4] == 0


def test_controls_take_the_wish_to_buy_out_of_the_effects():
    made = world(LIFT, people=8_000, adds=True, wish=1.0, pull=1.0, knows=1.0)
    blind = replace(made.observed, controls=None, control_names=())
    known = answer(made, rates(made.observed)).channel_conversions
    without = answer(made, rates(blind)).channel_conversions
    assert abs(known[4] - made.caused[4]) < abs(without[4] - made.caused[4])


def test_a_sample_of_those_who_did_not_buy_gives_the_same_answer(added, monkeypatch):
    made, found = added
    monkeypatch.setattr(module, "MOST_OTHERS", 6_000)
    sampled = rates(made.observed)
    assert sampled.base == pytest.approx(found.base, rel=0.05)
    assert sampled.brought[1:3] == pytest.approx(found.brought[1:3], rel=0.1)
    assert not np.array_equal(sampled.brought, found.brought)


def test_errors_are_what_different_draws_of_the_world_differ_by():
    """Ten worlds: the mean of 40 squared z-scores is 1, give or take 0.5, and up to 2 as days of
    the world are no hours of the model.
    """
    worlds = [world(LIFT[[0, 1, 2, 4]], people=4_000, adds=True, seed=n) for n in range(10)]
    found = [answer(made, rates(made.observed)) for made in worlds]
    scores = [
        (credit.channel_conversions - made.caused) / credit.channel_error
        for credit, made in zip(found, worlds, strict=True)
    ]
    assert 0.5 < np.mean(np.square(scores)) < 2


def test_money_is_never_surer_than_the_luck_of_counting_it(added):
    """Also of a channel that the fit holds to be well known."""
    made, found = added
    sure = replace(found, covariance=found.covariance / 10)
    for rates_ in (found, sure):
        credit = answer(made, rates_)
        luck = counted_covariance(made.journeys, credit.share, made.journeys.value)
        assert np.all(credit.channel_error_revenue**2 >= np.diagonal(luck) * (1 - 1e-9))


def test_who_converts_without_a_touch_makes_no_channel_surer(added):
    """They are in the fit and in no journey with touches: what channels brought is all theirs."""
    made, found = added
    seen = made.observed
    alone = replace(
        seen,
        offsets=np.concatenate([seen.offsets, np.full(5000, seen.offsets[-1])]),
        end_us=np.concatenate([seen.end_us, np.full(5000, seen.end_us.max())]),
        is_converted=np.concatenate([seen.is_converted, np.ones(5000, np.bool_)]),
        value=np.concatenate([seen.value, np.full(5000, 100)]),
        start_us=np.concatenate([seen.starts_us, np.full(5000, seen.end_us.max() - 1)]),
        controls=None if seen.controls is None else np.pad(seen.z, ((0, 5000), (0, 0))),
    )
    assert rates(alone).conversions == found.conversions <= seen.conversions


def test_a_channel_that_is_held_at_nothing_is_known_to_be_small():
    """Everybody meets A weeks before the end and nobody buys soon after it: far from one in ten."""
    made = world(LIFT[:2] * 0, people=400, adds=True)
    seen = made.observed
    late = replace(
        seen,
        offsets=np.arange(401),
        channel=np.zeros(400, np.int64),
        ts_us=np.full(400, DAY_US),
        end_us=np.full(400, 85 * DAY_US),
        is_converted=np.arange(400) < 40,
        value=np.zeros(400),
    )
    found = rates(late)
    assert found.brought[0] == 0
    assert np.sqrt(found.covariance[0, 0]) < 10


@pytest.fixture
def flagged():
    """As tables with a column `converted` have it: all met A, and sixty converted with their B."""
    rng = np.random.default_rng(0)
    made = world(LIFT[:2] * 0, people=400, adds=True)
    buys = np.arange(400) < 60
    met_us = rng.integers(0, 30 * DAY_US, 400)
    end_us = np.where(buys, met_us + rng.integers(1, 40 * DAY_US, 400), 80 * DAY_US)
    offsets = np.concatenate([[0], np.cumsum(1 + buys)])
    channel = np.zeros(offsets[-1], np.int64)
    channel[offsets[1:][buys] - 1] = 1
    ts_us = met_us[np.repeat(np.arange(400), 1 + buys)]
    ts_us[channel == 1] = end_us[buys]
    return replace(
        made.observed,
        offsets=offsets,
        channel=channel,
        ts_us=ts_us,
        end_us=end_us,
        is_converted=buys,
        value=np.zeros(400),
    )


def test_touches_of_the_very_second_of_the_conversion_have_acted_for_an_hour(flagged):
    """Sixty of B, sixty conversions, an hour each: a chance of one an hour."""
    found = rates(flagged)
    assert (found.brought * np.log(2) / found.half_life_days)[1] == pytest.approx(24, rel=0.2)
    assert np.sqrt(found.covariance[1, 1]) > np.sqrt(60)
    later = rates(replace(flagged, end_us=flagged.end_us + flagged.is_converted * DAY_US // 86_400))
    assert later.brought[1] == pytest.approx(found.brought[1], rel=0.05)


def test_a_window_below_an_hour_is_a_half_life_of_an_hour(flagged):
    found = rates(replace(flagged, window_us=DAY_US // 48))
    assert found.half_life_days == pytest.approx(np.full(2, module.SHORTEST))


def test_where_all_has_one_moment_nobody_was_watched(flagged, paths):
    at_once = replace(flagged, ts_us=flagged.ts_us * 0, end_us=flagged.end_us * 0)
    for why in (module.cannot, too_little):
        refused = why(Inputs(paths(("A", 1, 1, 0)), observed=at_once))
        assert refused.code == "nothing_watched"
        assert refused.text("zh")


def test_the_same_data_gives_the_same_bits():
    made = world(LIFT, people=2_000, adds=True)
    first, again = rates(made.observed), rates(made.observed)
    assert first.base == again.base
    assert np.array_equal(first.brought, again.brought)


def test_conversions_all_without_a_touch_are_all_baseline():
    made = world(LIFT[:2], people=500, reach=0.001, adds=True)
    found = rates(made.observed)
    assert answer(made, found).channel_conversions == pytest.approx([0, 0], abs=1)
