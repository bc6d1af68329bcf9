"""Observed → credit by the chance of converting at the very moment: additive hazards.

    λ_u(t) = exp(γ·z_u) · (μ + Σ_i a_c w_c exp(-w_c (t - t_i)))     i: touches of channel c so far
    credit of touch i = its term ÷ λ at the conversion;   of nobody: μ ÷ λ, the baseline

Every touch adds a chance that fades (Zhang, Wei and Ren 2014; Ji and Wang 2017): a_c is how many
conversions one touch of c brings in all, ln 2 / w_c its half-life. μ is the chance without any
touch, z are controls known before the first. The likelihood of what was watched is

    Σ_converted log λ_u(end) − Σ_u ∫ λ_u(t) dt

Who has not converted yet is in the second sum alone, with the time that has passed: an open deal is
censored, no failure. It is climbed by quasi-Newton steps (Byrd et al. 1995) from the best of a few
half-lives, each settled by the paper's expectation-maximisation; a weak prior holds half-lives of
channels with little effect near a week, where the data cannot tell.

A touch counts as watched for SHORTEST at least. Where a table flags its conversions on the last
touch, that touch has no time in which it did not convert, and the chance it brings would have no
upper bound; to leave such touches out would take the credit from whoever closed. So they are taken
for touches of the hour before: times are seldom better than that.

The surprise: chances cannot be negative, so a channel that does nothing ends at 0 and what it
touched goes to the others and to the baseline; at the maximum, Σ ∫ λ is the number of conversions.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg

from touchline.attribution.answer import (
    Credit,
    by_channel,
    counted_covariance,
    errors_of,
    root_of,
)
from touchline.attribution.arrays import Floats, Ints, tally
from touchline.attribution.incremental import too_little
from touchline.attribution.inputs import Inputs
from touchline.attribution.journeys import Journeys
from touchline.attribution.observed import DAY_US, Observed, thinned
from touchline.errors import BadInput

__all__ = ["Rates", "cannot", "credited", "hazard", "rates"]

MOST_OTHERS = 200_000
HALF_LIVES = (0.5, 2.0, 7.0, 21.0)  # days to begin with
SHORTEST = 1 / 24  # days; a touch acts for more than the click itself
EM_STEPS = 8
LEAST = 1e-9  # conversions a touch, and of the plain rate: below it is nothing
CONTROL_SD = 2.5
USUAL, FADING_SD = np.log(2) / 7, 1.0  # what is believed of half-lives before: 2.6 to 19 days
MOST_STEPS = 500


@dataclass(frozen=True, eq=False)
class Rates:
    """A fitted hazard: μ a day, a and half-life by channel, γ by control. `covariance` is that of
    what the channels brought in all, of so many `conversions` that a touch preceded.
    """

    channels: tuple[str, ...]
    base: float
    brought: Floats
    half_life_days: Floats
    names: tuple[str, ...]
    gamma: Floats
    covariance: Floats
    conversions: int


class Point(NamedTuple):
    base: float
    brought: Floats
    fading: Floats
    gamma: Floats


class Risk(NamedTuple):
    """Times in days. Touches at a conversion (`case_*`), and the stretch of its life in which each
    touch was watched (ages `young` to `old`), both in order of their unit.
    """

    case: Ints
    case_channel: Ints
    case_age: Floats
    cases: Ints  # unit of each conversion
    unit: Ints
    channel: Ints
    young: Floats
    old: Floats
    late: Ints  # touches from before watching began
    days: Floats  # watched, by unit
    weight: Floats
    z: Floats


def hazard(given: Inputs) -> Credit:
    """The model `hazard`."""
    observed: Observed = given.observed
    return credited(given.journeys, observed, rates(observed, given.seed))


def cannot(given: Inputs) -> BadInput | None:
    """Why there is too little to fit this on."""
    return too_little(given, "hazard")


def rates(observed: Observed, seed: int = 0) -> Rates:
    """Fits the hazard. The same data and seed give the same bits."""
    sample, weight = thinned(observed, MOST_OTHERS, seed)
    z, kept, scale = _standard(sample.z, weight)
    risk = _risk(sample, weight, z)
    channels = len(observed.channels)
    window_days = max(float(np.max(observed.window_us, initial=0)) / DAY_US, SHORTEST)
    begun = max(
        (_begun(risk, channels, min(days, window_days)) for days in HALF_LIVES),
        key=lambda point: _likelihood(risk, point)[0],
    )
    found = _climbed(risk, begun, window_days)
    return Rates(
        channels=observed.channels,
        base=found.base,
        brought=found.brought,
        half_life_days=np.log(2) / found.fading,
        names=tuple(observed.control_names[i] for i in kept),
        gamma=found.gamma / scale,
        covariance=_covariance(risk, found),
        conversions=len(np.unique(risk.case)),
    )


def credited(journeys: Journeys, observed: Observed, found: Rates) -> Credit:
    """Each touch's part of the chance at its conversion, and the baseline's."""
    moments_us = observed.moments_us
    if len(moments_us) != journeys.converting or journeys.ts_us is None:
        raise ValueError("every converting journey has its moment, and its touches their times")
    code = {name: number for number, name in enumerate(found.channels)}
    place = np.array([code.get(name, -1) for name in journeys.labels.channels], dtype=np.int64)
    known = np.pad(found.covariance, (0, 1))[np.ix_(place, place)] / max(found.conversions, 1) ** 2
    brought = np.append(found.brought, 0.0)[place]
    fading = np.log(2) / np.append(found.half_life_days, 1.0)[place]
    channel = journeys.channel[: journeys.converting_touches]
    age = np.maximum(moments_us[journeys.journey_of] - journeys.ts_us, 0) / DAY_US
    chance = (brought * fading)[channel] * np.exp(-fading[channel] * age)
    whole = found.base + tally(journeys.journey_of, chance, journeys.converting)
    share = chance / whole[journeys.journey_of]
    parts = (journeys.conversions, journeys.value)
    conversions, revenue = (by_channel(journeys, share, part) for part in parts)
    touched = [float(part[journeys.is_touched].sum()) for part in parts]
    varies = known * touched[0] ** 2
    # Of money: what conversions have beyond counting them, at what one is worth, and the luck of
    # counting money.
    counting = [counted_covariance(journeys, share, part) for part in parts]
    worth = touched[1] / max(touched[0], 1)
    beyond = root_of(varies - counting[0]) * worth
    varies_money = beyond @ beyond + counting[1]
    return Credit(
        "hazard",
        journeys,
        conversions,
        revenue,
        share,
        baseline_conversions=touched[0] - float(conversions.sum()),
        baseline_revenue=touched[1] - float(revenue.sum()),
        channel_error=errors_of(varies),
        channel_error_revenue=errors_of(varies_money),
        covariance=(varies, varies_money),
    )


def _standard(z: Floats, weight: Floats) -> tuple[Floats, Ints, Floats]:
    """Controls that differ, with mean 0 and deviation 1; which they are, and their deviations."""
    mean = np.average(z, axis=0, weights=weight) if len(z) else np.zeros(z.shape[1])
    scale = np.sqrt(np.average((z - mean) ** 2, axis=0, weights=weight)) if len(z) else mean
    kept = np.flatnonzero(scale > 0)
    return (z[:, kept] - mean[kept]) / scale[kept], kept, scale[kept]


def _risk(observed: Observed, weight: Floats, z: Floats) -> Risk:
    lengths = np.diff(observed.offsets)
    unit = np.repeat(np.arange(observed.units), lengths)
    start_us, end_us = observed.starts_us, observed.end_us
    young_us = np.maximum(start_us[unit] - observed.ts_us, 0)
    age_us = end_us[unit] - observed.ts_us
    reach_us = observed.reach_us
    at_case = observed.is_converted[unit] & (age_us >= 0) & (age_us <= reach_us)
    least_us = np.where(at_case, young_us + round(SHORTEST * DAY_US), 0)
    old_us = np.maximum(np.minimum(age_us, reach_us), least_us)
    acts = old_us > young_us
    cases = np.flatnonzero(observed.is_converted)
    rank = np.cumsum(observed.is_converted) - 1
    return Risk(
        case=rank[unit[at_case]],
        case_channel=observed.channel[at_case],
        case_age=age_us[at_case] / DAY_US,
        cases=cases,
        unit=unit[acts],
        channel=observed.channel[acts],
        young=young_us[acts] / DAY_US,
        old=old_us[acts] / DAY_US,
        late=np.flatnonzero(young_us[acts]),
        days=np.maximum(end_us - start_us, 0) / DAY_US,
        weight=weight,
        z=z,
    )


def _begun(risk: Risk, channels: int, half_life_days: float) -> Point:
    """A few steps of expectation-maximisation with one half-life for all."""
    plain = len(risk.cases) / float(risk.weight @ risk.days)
    fading = np.full(channels, np.log(2) / half_life_days)
    point = Point(plain / 2, np.full(channels, plain), fading, np.zeros(risk.z.shape[1]))
    lived = _lived(risk, fading)[0] * risk.weight[risk.unit]
    reach = tally(risk.channel, lived, channels)
    for _ in range(EM_STEPS):
        chance, whole = _at_cases(risk, point)
        brought = tally(risk.case_channel, chance / whole[risk.case], channels)
        brought = np.divide(brought, reach, out=np.zeros(channels), where=reach > 0)
        base = float((point.base / whole).sum() / (risk.weight @ risk.days))
        point = point._replace(base=max(base, LEAST * plain), brought=brought)
    return point


def _climbed(risk: Risk, begun: Point, window_days: float) -> Point:
    """The likeliest point. Rates are measured in those of the beginning, fading by logarithm."""
    channels = len(begun.brought)
    plain = len(risk.cases) / float(risk.weight @ risk.days)
    most = max(float(begun.brought.max(initial=0)), LEAST)
    unit = np.maximum(begun.brought, most / 10)
    cuts = [1, 1 + channels, 1 + 2 * channels]

    def point(x: Floats) -> Point:
        base, brought, fading, gamma = np.split(x, cuts)
        return Point(float(base[0]) * plain, brought * unit, np.exp(fading), gamma)

    def loss(x: Floats) -> tuple[float, Floats]:
        value, slope = _likelihood(risk, point(x))
        slope[0] *= plain
        slope[cuts[0] : cuts[1]] *= unit
        slope[cuts[1] : cuts[2]] *= np.exp(x[cuts[1] : cuts[2]])
        return -value / len(risk.cases), -slope / len(risk.cases)

    fastest, slowest = np.log(np.log(2) / SHORTEST), np.log(np.log(2) / window_days)
    bounds = [
        (LEAST, None),
        *[(0.0, None)] * channels,
        *[(slowest, fastest)] * channels,
        *[(None, None)] * len(begun.gamma),
    ]
    fading = np.clip(np.log(begun.fading), slowest, fastest)
    start = np.concatenate([[begun.base / plain], begun.brought / unit, fading, begun.gamma])
    options = {"maxiter": MOST_STEPS, "maxfun": 2 * MOST_STEPS, "ftol": 1e-9, "gtol": 1e-6}
    from scipy import optimize  # here, as few starts need it

    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    last = point(found.x)
    return last._replace(brought=np.where(last.brought < LEAST, 0.0, last.brought))


def _likelihood(risk: Risk, point: Point) -> tuple[float, Floats]:
    """Its logarithm, and the slopes by base, brought, fading and gamma, end to end."""
    channels = len(point.brought)
    _, whole = _at_cases(risk, point)
    part = 1 / whole[risk.case]
    lived, grown = _lived(risk, point.fading)
    factor = risk.weight * np.exp(risk.z @ point.gamma)
    of_unit = point.base * risk.days + tally(
        risk.unit, point.brought[risk.channel] * lived, len(risk.days)
    )
    expected = factor * of_unit
    by_touch = factor[risk.unit]
    reach = tally(risk.channel, by_touch * lived, channels)
    stretch = tally(risk.channel, by_touch * grown, channels)
    rate = np.exp(-point.fading[risk.case_channel] * risk.case_age)
    got = tally(risk.case_channel, rate * part, channels) * point.fading
    faster = (1 - point.fading[risk.case_channel] * risk.case_age) * rate * part
    prior = point.gamma / CONTROL_SD**2
    fast = np.log(point.fading / USUAL) / FADING_SD**2
    slope = np.concatenate(
        [
            [(1 / whole).sum() - factor @ risk.days],
            got - reach,
            point.brought * (tally(risk.case_channel, faster, channels) - stretch)
            - fast / point.fading,
            risk.z[risk.cases].sum(axis=0) - risk.z.T @ expected - prior,
        ]
    )
    value = np.log(whole).sum() + (risk.z[risk.cases] @ point.gamma).sum() - expected.sum()
    value -= (prior @ point.gamma + fast @ np.log(point.fading / USUAL)) / 2
    return float(value), slope


def _covariance(risk: Risk, point: Point) -> Floats:
    """How Σ a_c ∫ of the channels vary together: information from what happened (Andersen and Gill
    1982), carried to the sums by the delta method.
    """
    channels, cases = len(point.brought), len(risk.cases)
    a, w = (slice(first, first + channels) for first in (1, 1 + channels))
    _, whole = _at_cases(risk, point)
    fading = point.fading[risk.case_channel]
    rate = fading * np.exp(-fading * risk.case_age)
    faster = point.brought[risk.case_channel] * (1 - fading * risk.case_age) * rate
    cell = risk.case * channels + risk.case_channel
    by_channel = [tally(cell, one, cases * channels).reshape(cases, -1) for one in (rate, faster)]
    scores = np.column_stack([np.ones(cases), *by_channel]) / whole[:, None]
    scores = np.column_stack([scores, risk.z[risk.cases]])
    known = np.zeros(scores.shape[1])
    # A channel at 0 is held there by a slope s, and what is known of it falls like exp(-s a).
    slope = _likelihood(risk, point)[1][a]
    known[a] = np.where(point.brought > 0, 0.0, slope**2)
    known[w] = FADING_SD**-2
    known[w.stop :] = CONTROL_SD**-2
    # Scaled to 1: rates of a day and counts of touches are of very different size.
    size = np.sqrt(np.maximum((scores**2).sum(axis=0) + known, np.finfo(float).tiny))
    information = (scores / size).T @ (scores / size) + np.diag(known / size**2)
    lived, grown = _lived(risk, point.fading)
    factor = (risk.weight * np.exp(risk.z @ point.gamma))[risk.unit]
    slopes = np.zeros((len(known), channels))
    slopes[a] = np.diag(tally(risk.channel, factor * lived, channels))
    slopes[w] = np.diag(
        tally(risk.channel, factor * grown, channels) * point.brought * point.fading
    )
    for place, z in enumerate(risk.z.T, w.stop):
        slopes[place] = tally(risk.channel, factor * lived * z[risk.unit], channels) * point.brought
    slopes /= size[:, None]
    return slopes.T @ linalg.pinvh(information) @ slopes


def _at_cases(risk: Risk, point: Point) -> tuple[Floats, Floats]:
    """The chance of each touch at its conversion, and of all of them with the base."""
    fading = point.fading[risk.case_channel]
    chance = point.brought[risk.case_channel] * fading * np.exp(-fading * risk.case_age)
    return chance, point.base + tally(risk.case, chance, len(risk.cases))


def _lived(risk: Risk, fading: Floats) -> tuple[Floats, Floats]:
    """The part of each touch's effect that fell into the time watched; and its slope by fading."""
    ended = np.exp(-fading[risk.channel] * risk.old)
    lived, grown = 1 - ended, risk.old * ended
    late = risk.late
    young = risk.young[late]
    missed = np.exp(-fading[risk.channel[late]] * young)
    lived[late] -= 1 - missed
    grown[late] -= young * missed
    return lived, grown
