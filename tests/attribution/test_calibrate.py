"""Lift tests against a model: the formula on paper, what tests teach, and what it promises."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution import Journeys, Labels, Touches, credit
from touchline.attribution.calibrate import (
    LEAST,
    SHARED,
    WIDTHS,
    Findings,
    Fitted,
    Posterior,
    Scope,
    calibrate,
    carried,
    expected_sd,
)
from touchline.attribution.calibrated import Lift, calibrated

NUMBERS = np.array([400.0, 200.0, 100.0, 50.0])


def fitted(numbers: np.ndarray = NUMBERS) -> Fitted:
    return Fitted.of_channels(numbers, np.sqrt(np.abs(numbers)))


def told(*found: tuple[int, float, float]) -> Findings:
    channels, effect, error = (np.array(column) for column in zip(*found, strict=True))
    return Findings([Scope(int(c)) for c in channels], effect.astype(float), error.astype(float))


def by_hand(known: Fitted, found: Findings) -> tuple[np.ndarray, np.ndarray]:
    """The same posterior from whole covariance matrices, channels alone."""
    m, s = known.number, known.error
    scope = np.array([[c == one.channel for c in range(len(m))] for one in found.scopes], float)
    floor = (LEAST * np.abs(m).mean()) ** 2
    weights, means, covariances = [], [], []
    for t in WIDTHS:
        for r in SHARED:
            prior = t**2 * (
                r * np.outer(m, m) + (1 - r) * np.diag(m**2) + floor * np.eye(len(m))
            ) + np.diag(s**2)
            spread = scope @ prior @ scope.T + np.diag(found.error**2)
            gap = found.effect - scope @ m
            gain = prior @ scope.T @ np.linalg.inv(spread)
            density = np.exp(-gap @ np.linalg.solve(spread, gap) / 2)
            weights.append(
                t * np.exp(-((t / 0.5) ** 2) / 2) * density / np.sqrt(np.linalg.det(spread))
            )
            means.append(m + gain @ gap)
            covariances.append(prior - gain @ scope @ prior)
    weight = np.array(weights) / np.sum(weights)
    mean = weight @ np.array(means)
    off = np.array(means) - mean
    return mean, np.einsum("p,pij->ij", weight, np.array(covariances)) + (off.T * weight) @ off


def test_the_posterior_is_the_one_of_whole_covariance_matrices():
    found = told((0, 150.0, 40.0), (2, 120.0, 30.0), (0, 180.0, 60.0))
    posterior = calibrate(fitted(), found)
    mean, covariance = by_hand(fitted(), found)
    assert posterior.channel_mean == pytest.approx(mean, rel=1e-10)
    assert posterior.channel_sd == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-10)
    assert posterior.covariance == pytest.approx(covariance, rel=1e-9, abs=1e-9)
    assert posterior.total_sd == pytest.approx(np.sqrt(covariance.sum()), rel=1e-10)


def test_without_a_test_the_model_stands_and_may_be_half_of_it_off():
    posterior = calibrate(fitted(), Findings.none())
    assert posterior.channel_mean == pytest.approx(NUMBERS)
    assert posterior.channel_sd / NUMBERS == pytest.approx(0.5, abs=0.15)
    assert not posterior.is_tested.any()


def test_an_exact_test_is_believed_and_a_vague_one_is_not():
    exact = calibrate(fitted(), told((0, 100.0, 1.0)))
    vague = calibrate(fitted(), told((0, 100.0, 4000.0)))
    assert exact.channel_mean[0] == pytest.approx(100, abs=1)
    assert exact.channel_sd[0] == pytest.approx(1, abs=0.1)
    assert vague.channel_mean[0] == pytest.approx(400, rel=0.02)


def test_tests_that_agree_with_the_model_make_it_surer_of_all_and_others_less_sure():
    before = calibrate(fitted(), Findings.none())
    agreeing = calibrate(fitted(), told((0, 400.0, 30.0), (1, 200.0, 20.0)))
    other = calibrate(fitted(), told((0, 40.0, 30.0), (1, 600.0, 20.0)))
    assert agreeing.width < before.width < other.width
    assert agreeing.channel_sd[3] < before.channel_sd[3] < other.channel_sd[3]


def test_when_all_tested_channels_are_overstated_the_others_are_doubted_too():
    posterior = calibrate(fitted(), told((0, 160.0, 20.0), (1, 80.0, 10.0), (2, 40.0, 10.0)))
    assert posterior.ratio < 0.85
    assert posterior.channel_mean[3] < 45
    assert posterior.channel_sd[3] > posterior.channel_sd[2]


def test_a_test_may_find_that_a_channel_does_harm():
    posterior = calibrate(fitted(), told((0, -80.0, 10.0)))
    assert posterior.channel_mean[0] == pytest.approx(-80, abs=5)


def test_a_channel_without_credit_stays_without_unless_it_is_tested():
    numbers = np.array([400.0, 0.0])
    untested = calibrate(fitted(numbers), told((0, 100.0, 20.0)))
    tested = calibrate(fitted(numbers), told((1, 30.0, 1.0)))
    assert untested.channel_mean[1] == 0
    assert 0 < tested.channel_mean[1] <= 30


CAMPAIGNS = Fitted(
    np.array([300.0, 100.0, 200.0, 100.0]),
    np.zeros(4),
    np.array([0, 0, 1, 2]),
    3,
)


def test_campaigns_add_up_to_their_channel():
    found = Findings(
        [Scope(0, 1), Scope(1)], effect=np.array([20.0, 90.0]), error=np.array([10.0, 20.0])
    )
    posterior = calibrate(CAMPAIGNS, found)
    assert posterior.mean[:2].sum() == pytest.approx(posterior.channel_mean[0])
    assert posterior.mean[1] < 40
    assert 150 < posterior.mean[0] < 300
    assert np.sqrt(np.diag(posterior.covariance)) == pytest.approx(posterior.channel_sd)
    assert posterior.covariance.sum() == pytest.approx(posterior.total_sd**2)


def test_too_many_channels_for_a_table_of_them_are_drawn_each_alone(monkeypatch):
    monkeypatch.setattr(sys.modules[calibrate.__module__], "MOST_TOGETHER", 1)
    assert calibrate(fitted(), told((0, 150.0, 40.0))).covariance is None


def test_a_channel_has_the_same_posterior_at_whatever_grain_its_tests_are_weighed():
    found = told((0, 150.0, 40.0), (1, 300.0, 30.0))
    fine, coarse = (
        calibrate(known, found)
        for known in (CAMPAIGNS, Fitted.of_channels(np.array([400.0, 200.0, 100.0]), np.zeros(3)))
    )
    assert fine.channel_mean == pytest.approx(coarse.channel_mean)
    assert fine.channel_sd == pytest.approx(coarse.channel_sd)


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 5000), min_size=2, max_size=7).filter(any),
    found=st.lists(
        st.tuples(st.integers(0, 1), st.integers(-300, 5000), st.integers(1, 900)), max_size=4
    ),
    factor=st.sampled_from([0.01, 3.0, 1000.0]),
)
def test_the_unit_and_the_order_of_channels_and_tests_change_nothing(numbers, found, factor):
    m = np.array(numbers, dtype=float)
    known = Fitted.of_channels(m, np.sqrt(m))
    given_tests = told(*found) if found else Findings.none()
    one = calibrate(known, given_tests)
    scaled = calibrate(
        Fitted.of_channels(m * factor, np.sqrt(m) * factor),
        Findings(given_tests.scopes, given_tests.effect * factor, given_tests.error * factor),
    )
    last = len(m) - 1
    turned = calibrate(
        Fitted.of_channels(m[::-1], np.sqrt(m)[::-1]),
        Findings(
            [Scope(last - scope.channel) for scope in given_tests.scopes][::-1],
            given_tests.effect[::-1],
            given_tests.error[::-1],
        ),
    )
    size = max(np.abs(one.channel_mean).max(), 1.0)
    close = {"rel": 1e-6, "abs": 1e-7 * size}
    assert scaled.channel_mean / factor == pytest.approx(one.channel_mean, **close)
    assert scaled.channel_sd / factor == pytest.approx(one.channel_sd, **close)
    assert turned.channel_mean[::-1] == pytest.approx(one.channel_mean, **close)
    assert turned.channel_sd[::-1] == pytest.approx(one.channel_sd, **close)
    assert np.isfinite(one.channel_sd).all()


def test_what_is_carried_is_never_without_an_error():
    assert carried(100, 1e-300, factor=1e-3)[1] > 0
    assert carried(0, 0, factor=1)[1] > 0


def test_what_is_carried_grows_with_the_model_and_fades_with_time():
    same = carried(100, 20, factor=1)
    double = carried(100, 20, factor=2)
    older = carried(100, 20, factor=1, years=2)
    assert same == (100, 20)
    assert double == (200, 40)
    assert older[0] == 100
    assert older[1] > 20


# Models drawn as `calibrate` supposes them: off by a width, part of which all channels share.
def drawn(seed: int, channels: int = 8) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    numbers = rng.lognormal(5, 1, channels)
    width, shared = abs(rng.normal(0, 0.5)) + 0.05, rng.choice(SHARED)
    off = np.sqrt(shared) * rng.normal() + np.sqrt(1 - shared) * rng.normal(size=channels)
    return numbers, numbers * (1 + width * off), rng


def posterior_of(seed: int, count: int) -> tuple[np.ndarray, Posterior]:
    numbers, truth, rng = drawn(seed)
    error = 0.15 * numbers[:count]
    effect = truth[:count] + rng.normal(size=count) * error
    found = Findings([Scope(c) for c in range(count)], effect, error)
    return truth, calibrate(Fitted.of_channels(numbers, np.zeros(8)), found)


@pytest.mark.parametrize("count", [0, 2, 5])
def test_intervals_hold_the_truth_as_often_as_they_say(count):
    inside = [
        np.abs(truth - found.channel_mean) < 1.96 * found.channel_sd
        for truth, found in (posterior_of(seed, count) for seed in range(120))
    ]
    assert 0.92 < np.mean(inside) < 0.99


def test_what_the_next_test_is_expected_to_bring_is_what_it_brings():
    expected, realised = [], []
    for seed in range(60):
        numbers, truth, rng = drawn(seed)
        known = Fitted.of_channels(numbers, np.zeros(8))
        error = 0.15 * numbers
        said = truth + rng.normal(size=8) * error
        before = told(*((c, said[c], error[c]) for c in (0, 1)))
        after = before.and_one(Scope(2), float(said[2]), float(error[2]))
        now = calibrate(known, before).channel_sd
        expected.append(1 - expected_sd(known, before, Scope(2), float(error[2])) / now)
        realised.append(1 - calibrate(known, after).channel_sd / now)
    assert np.mean(expected, axis=0)[2] == pytest.approx(np.mean(realised, axis=0)[2], rel=0.2)


def journeys() -> Journeys:
    """Two channels, the first with campaigns x and y: 30 journeys of x, 10 of y, 20 of b."""
    label = np.repeat([0, 1, 2], [30, 10, 20])
    return Journeys.from_touches(
        Touches(np.arange(60), label),
        value=np.where(label == 0, 100, 300),
        labels=Labels(("a", "b"), np.array([0, 0, 1])),
    )


def base():
    return credit(journeys(), ["shapley"])["shapley"]


def lift(*found: tuple[Scope, float, float], is_revenue: bool = False) -> Lift:
    scopes, effect, error = zip(*found, strict=True)
    return Lift(scopes, np.array(effect), np.array(error), np.full(len(scopes), is_revenue))


def test_channels_and_baseline_make_up_all_conversions_and_all_money():
    found = calibrated(base(), lift((Scope(0), 10.0, 2.0), (Scope(1), 15.0, 3.0)))
    assert found.channel_conversions.sum() + found.baseline_conversions == pytest.approx(60)
    assert found.channel_revenue.sum() + found.baseline_revenue == pytest.approx(12_000)
    assert found.baseline_conversions > 25


def test_labels_and_touches_make_up_their_channels():
    found = calibrated(base(), lift((Scope(0, 0), 5.0, 1.0), (Scope(1), 15.0, 3.0)))
    assert found.label_conversions[:2].sum() == pytest.approx(found.channel_conversions[0])
    assert found.label_revenue[:2].sum() == pytest.approx(found.channel_revenue[0])
    assert found.touch_conversions.sum() == pytest.approx(found.channel_conversions.sum())
    assert found.touch_revenue.sum() == pytest.approx(found.channel_revenue.sum())
    assert found.label_conversions[0] < 10


def test_a_test_of_money_moves_conversions_as_one_of_conversions_moves_money():
    counted = calibrated(base(), lift((Scope(1), 10.0, 1.0)))
    paid = calibrated(base(), lift((Scope(1), 3000.0, 300.0), is_revenue=True))
    assert counted.channel_conversions == pytest.approx(paid.channel_conversions)
    assert counted.channel_revenue == pytest.approx(paid.channel_revenue)
    assert counted.channel_error == pytest.approx(paid.channel_error)


def sold(worth: list[int], times: int = 1):
    """Conversions of one channel, each for so much; `times` of them in one row."""
    count = len(worth)
    journeys = Journeys.from_touches(
        Touches(np.arange(count), np.zeros(count, dtype=np.int64)),
        value=np.array(worth) * times,
        counts=np.full(count, float(times)),
        labels=Labels.of_channels(("a",)),
    )
    return credit(journeys, ["shapley"])["shapley"]


@pytest.mark.parametrize("is_revenue", [False, True])
def test_what_one_conversion_is_worth_is_no_surer_than_the_orders_it_is_known_from(is_revenue):
    """Two tests that are sure to the last conversion, carried into what they did not measure."""
    worth = [100, 900] * 50
    effect, error = (50_000.0, 1.0) if is_revenue else (100.0, 0.001)
    found = calibrated(sold(worth), lift((Scope(0), effect, error), is_revenue=is_revenue))
    carried = found.channel_error if is_revenue else found.channel_error_revenue
    number = found.channel_conversions if is_revenue else found.channel_revenue
    # Of 100 orders around 500 by 400 each, the mean is off by a part 400 / 500 / sqrt(100).
    assert carried[0] / number[0] == pytest.approx(0.08, rel=0.15)
    even = calibrated(sold([500] * 100), lift((Scope(0), effect, error), is_revenue=is_revenue))
    assert even.channel_error_revenue[0] / even.channel_revenue[0] < 1e-3


def test_conversions_counted_in_one_row_have_each_their_own_luck():
    tests = lift((Scope(0), 100.0, 0.001))
    apart = calibrated(sold([100, 900] * 50), tests)
    together = calibrated(sold([100, 900], times=50), tests)
    assert together.channel_error_revenue == pytest.approx(apart.channel_error_revenue)


def test_a_test_of_conversions_moves_money_also_where_the_model_gives_none():
    given = base()
    free = Journeys.from_touches(
        Touches(np.arange(60), np.repeat([0, 1, 2], [30, 10, 20])),
        value=np.repeat([100, 0], [40, 20]),
        labels=given.journeys.labels,
    )
    found = calibrated(credit(free, ["shapley"])["shapley"], lift((Scope(1), 20.0, 0.1)))
    assert found.channel_revenue[1] > 0
    assert found.channel_revenue.sum() + found.baseline_revenue == pytest.approx(4000)


LABELS = Labels(("a", "b", "c"), np.array([0, 0, 1, 2]))


@settings(max_examples=60, deadline=None)
@given(
    paths=st.lists(
        st.tuples(st.lists(st.integers(0, 3), max_size=6), st.integers(-500, 9000)), min_size=1
    ),
    found=st.lists(
        st.tuples(
            st.sampled_from([Scope(0), Scope(1), Scope(2), Scope(0, 0), Scope(0, 1)]),
            st.integers(-20, 60),
            st.integers(1, 30),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_tests_say_channels_labels_and_touches_add_up(paths, found):
    touched = [(number, label) for number, (path, _) in enumerate(paths) for label in path]
    columns = np.array(touched, dtype=np.int64).reshape(-1, 2)
    made = Journeys.from_touches(
        Touches(columns[:, 0], columns[:, 1]),
        value=np.array([value for _, value in paths]),
        labels=LABELS,
    )
    scopes, effect, error, is_revenue = (list(column) for column in zip(*found, strict=True))
    tested = Lift(
        scopes, np.array(effect, float), np.array(error, float), np.array(is_revenue, bool)
    )
    one = credit(made, ["calibrated"], lift=tested)["calibrated"]
    conversions, money = one.channel_conversions.sum(), one.channel_revenue.sum()
    total, value = made.is_touched.sum(), made.value[made.is_touched].sum()
    close = {"rel": 1e-9, "abs": 1e-6}
    assert conversions + one.baseline_conversions == pytest.approx(total, **close)
    assert money + one.baseline_revenue == pytest.approx(value, **close)
    assert one.label_conversions.sum() + one.leftover_conversions.sum() == pytest.approx(
        conversions, **close
    )
    assert one.touch_conversions.sum() == pytest.approx(one.label_conversions.sum(), **close)
    assert one.touch_revenue.sum() == pytest.approx(one.label_revenue.sum(), **close)


def test_finer_labels_keep_the_ratio_of_their_campaign():
    fine = Journeys.from_touches(
        Touches(np.arange(60), np.repeat([0, 1, 2], [30, 10, 20])),
        value=np.full(60, 100),
        labels=Labels(("a", "b"), np.array([0, 0, 1])),
    )
    tested = Lift([Scope(0, 0)], np.array([10.0]), np.array([1.0]), unit_of=np.array([0, 0, 1]))
    found = calibrated(credit(fine, ["shapley"])["shapley"], tested)
    assert found.label_conversions[0] == pytest.approx(3 * found.label_conversions[1])
    assert found.label_conversions[:2].sum() == pytest.approx(10, abs=1)


@pytest.mark.parametrize(("effect", "error"), [(np.nan, 1.0), (10.0, 0.0), (10.0, np.nan)])
def test_a_test_without_a_number_or_an_error_is_refused(effect, error):
    with pytest.raises(ValueError, match="above 0"):
        Findings([Scope(0)], np.array([effect]), np.array([error]))
