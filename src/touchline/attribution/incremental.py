"""Observed → what each channel caused, and what would have come anyway: a regression.

    rate of buying(u, t) = rate(t) · exp(γ·z_u + Σ_c β_c x_c),     x_c = g(Σ 2^(-age / h_c))
    of a conversion, touches caused            1 − exp(−Δ),       Δ = Σ_c β_c x_c
    and of that, channel c                     β_c x_c ÷ Δ

z are controls known before the first exposure (intent, earlier visits and orders), x the touches of
each channel at time t, fading by a half-life and saturating by g, both chosen by likelihood. The
rate is a proportional hazard with time-varying exposure (Cox 1972; Andersen and Gill 1982). It is
fitted by logistic regression on each conversion and others at the same moment, draws where all are
too many (Prentice and Breslow 1978), so season drops out, and with a weak normal prior on β (Gelman
et al. 2008). The excess fraction is that of Greenland and Robins (1988); the split of it is the
Shapley value of Aumann and Shapley (1974), exact in this closed form.

The surprise: the largest part is often the baseline, which is a row of its own, and β may be below
zero: then a channel's credit is, too. Intent that no control shows is still counted as a channel's.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg, special

from touchline.attribution.answer import Credit, by_channel, errors_of
from touchline.attribution.arrays import Bools, Floats, Ints, tally
from touchline.attribution.inputs import Inputs
from touchline.attribution.journeys import Journeys
from touchline.attribution.observed import (
    DAY_US,
    Exposures,
    Observed,
    exposures,
    risk_set,
)
from touchline.errors import BadInput

__all__ = ["FORMS", "LEAST_CONVERSIONS", "Effects", "effects", "incremental", "too_little"]

LEAST_CONVERSIONS = 30
MOST_CHANNELS = 200
MOST_ROWS, MOST_CASES, MOST_PER_CASE = 400_000, 60_000, 20
SHAPE_ROWS = 30_000  # enough to tell a half-life from its double
HALF_LIVES = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 90.0)  # days
PRIOR_SD, CONTROL_SD = 2.0, 2.5  # log rate ratio of one fresh touch; of one sd of a control
STEPS, SETTLED, ROUGH = 50, 1e-9, 0.05
WORST, SMALL = -np.log(2), 1e-5
FORMS = ("count", "log", "any")
EARLIER = "earlier touches"


@dataclass(frozen=True, eq=False)
class Effects:
    """A fitted regression. `covariance` is that of β; `gamma` belongs to `names`."""

    channels: tuple[str, ...]
    beta: Floats
    covariance: Floats
    half_life_days: Floats
    form: str
    names: tuple[str, ...]
    gamma: Floats
    conversions: int


class Rows(NamedTuple):
    """What is compared: outcome, exposures, standardised controls, and the log of the chance to be
    a case among so many, had touches and controls no effect.
    """

    is_case: Bools
    exposed: Exposures
    z: Floats
    even: Floats


class Fit(NamedTuple):
    coefficients: Floats
    information: Floats
    likelihood: float


def incremental(given: Inputs) -> Credit:
    """The model `incremental`."""
    observed: Observed = given.observed
    return credited(given.journeys, observed, effects(observed, given.seed))


def too_little(given: Inputs, model: str = "incremental") -> BadInput | None:
    """Too few conversions to tell anything from, more channels than they can be told for, or no
    time in which anybody was watched.
    """
    found = given.observed.conversions
    if found < LEAST_CONVERSIONS:
        return BadInput("too_few_conversions", model=model, limit=LEAST_CONVERSIONS, found=found)
    found = len(given.observed.channels)
    if found > MOST_CHANNELS:
        return BadInput("too_many_channels", model=model, limit=MOST_CHANNELS, found=found)
    return None if given.observed.is_watched else BadInput("nothing_watched", model=model)


def effects(observed: Observed, seed: int = 0) -> Effects:
    """Fits the regression. The same data and seed give the same bits."""
    cases = max(1, min(observed.conversions, MOST_CASES))
    per_case = max(1, min(MOST_PER_CASE, MOST_ROWS // cases))
    moments = risk_set(observed, per_case, seed, MOST_CASES, MOST_ROWS)
    exposed, earlier = exposures(observed, moments)
    z = np.column_stack([observed.z[moments.unit], np.log1p(earlier)])
    kept = np.flatnonzero(z.std(axis=0) > 0) if len(z) else np.arange(0)
    z = z[:, kept]
    scale = z.std(axis=0)
    even = -np.log(np.maximum(moments.among, 1))
    rows = Rows(moments.is_case, exposed, (z - z.mean(axis=0)) / scale, even)
    channels = len(observed.channels)
    form, half_life_days = _shape(_some(rows, SHAPE_ROWS, seed), channels)
    found = _fit(rows, stocks(exposed, len(even), half_life_days, form))
    names = (*observed.control_names, EARLIER)
    return Effects(
        channels=observed.channels,
        beta=found.coefficients[1 : 1 + channels],
        covariance=linalg.inv(found.information)[1 : 1 + channels, 1 : 1 + channels],
        half_life_days=half_life_days,
        form=form,
        names=tuple(names[i] for i in kept),
        gamma=found.coefficients[1 + channels :] / scale,
        conversions=observed.conversions,
    )


def credited(journeys: Journeys, observed: Observed, found: Effects) -> Credit:
    """What touches caused of each conversion, and of all of them with its standard error."""
    exposed = _of_journeys(journeys, observed.moments_us)
    code = {name: number for number, name in enumerate(found.channels)}
    place = np.array([code.get(name, -1) for name in journeys.labels.channels], dtype=np.int64)
    is_known = place >= 0
    beta = np.where(is_known, found.beta[place], 0.0) if len(found.beta) else np.zeros(len(place))
    half_life = np.where(is_known, found.half_life_days[place], 1.0)
    x = stocks(exposed, journeys.converting, half_life, found.form)
    slope, _ = _slopes(x @ beta)
    of_channel = slope[:, None] * x * beta
    cell = exposed.row * len(place) + exposed.channel
    # Measured from the freshest of its channel, so that no weight of all of them can vanish.
    freshest = np.full(x.size, np.inf)
    np.minimum.at(freshest, cell, exposed.age)
    faded = np.exp2((freshest[cell] - exposed.age) / half_life[exposed.channel])
    share = of_channel.ravel()[cell] * faded / tally(cell, faded, x.size)[cell]
    touched = journeys.is_touched
    parts = (journeys.conversions * touched, (journeys.value * touched).astype(np.float64))
    conversions, revenue = (by_channel(journeys, share, part) for part in parts)
    lost = journeys.conversions @ -np.expm1(-np.maximum(x * beta, WORST))
    covariance = np.zeros((len(place), len(place)))
    both = np.ix_(is_known, is_known)
    covariance[both] = found.covariance[np.ix_(place[is_known], place[is_known])]
    is_case = parts[0] > 0
    middle = x[is_case].mean(axis=0) if is_case.any() else np.zeros(len(place))
    varies = [_covariance(part, x, middle, beta, covariance) for part in parts]
    return Credit(
        "incremental",
        journeys,
        conversions,
        revenue,
        share,
        removal_effect=lost / max(parts[0].sum(), 1),
        baseline_conversions=float(parts[0].sum() - conversions.sum()),
        baseline_revenue=float(parts[1].sum() - revenue.sum()),
        channel_error=errors_of(varies[0]),
        channel_error_revenue=errors_of(varies[1]),
        covariance=(varies[0], varies[1]),
    )


def _slopes(delta: Floats) -> tuple[Floats, Floats]:
    """(1 - exp(-Δ)) / Δ, which is 1 where touches do nothing, and how it changes with Δ.

    Touches that hold back take at most what the conversion is worth: a rare buyer in spite of them
    would else be charged with all those who were kept away.
    """
    bounded = np.maximum(delta, WORST)
    is_small = np.abs(delta) < SMALL
    divisor = np.where(is_small, 1.0, delta)
    slope = np.where(is_small, 1 - delta / 2, -np.expm1(-bounded) / divisor)
    growth = np.where(delta < WORST, 0.0, np.exp(-bounded))
    bend = np.where(is_small, delta / 3 - 0.5, (growth - slope) / divisor)
    return slope, bend


def stocks(exposed: Exposures, rows: int, half_life_days: Floats, form: str) -> Floats:
    """x_c of each row (rows × channels)."""
    channels = len(half_life_days)
    faded = np.exp2(-exposed.age / half_life_days[exposed.channel])
    cell = exposed.row * channels + exposed.channel
    stock = tally(cell, faded, rows * channels).reshape(-1, channels)
    return _formed(stock, form)


def _formed(stock: Floats, form: str) -> Floats:
    if form == "count":
        return stock
    return np.log1p(stock) if form == "log" else -np.expm1(-stock)


def _of_journeys(journeys: Journeys, moments_us: Ints) -> Exposures:
    """The touches of converting journeys as they stand at the conversion."""
    if len(moments_us) != journeys.converting or journeys.ts_us is None:
        raise ValueError("every converting journey has its moment, and its touches their times")
    channel = journeys.channel[: journeys.converting_touches].astype(np.int64)
    age_us = moments_us[journeys.journey_of] - journeys.ts_us
    return Exposures(journeys.journey_of, channel, np.maximum(age_us, 0) / DAY_US)


def _shape(rows: Rows, channels: int) -> tuple[str, Floats]:
    """How touches add up and fade: the likeliest form and half-life, then half-life by channel."""
    price = np.log(max(np.count_nonzero(rows.is_case), 1)) / 2
    best, form, at = None, FORMS[0], 0
    for place, days in enumerate(HALF_LIVES):
        for one in FORMS:
            found = _roughly(rows, np.full(channels, days), one, None)
            if best is None or found.likelihood > best.likelihood:
                best, form, at = found, one, place
    assert best is not None  # noqa: S101  # there are half-lives and forms
    places = np.full(channels, at)
    for channel in range(channels):
        for step in (-1, 1):
            while 0 <= places[channel] + step < len(HALF_LIVES):
                tried = places.copy()
                tried[channel] += step
                found = _roughly(rows, np.take(HALF_LIVES, tried), form, best.coefficients)
                # A parameter has to pay for itself (Schwarz 1978).
                if found.likelihood <= best.likelihood + price * (places[channel] == at):
                    break
                best, places = found, tried
    return form, np.take(HALF_LIVES, places)


def _some(rows: Rows, most: int, seed: int) -> Rows:
    """At most so many rows, a fourth of them cases: what changes by that is the base rate alone."""
    if len(rows.is_case) <= most:
        return rows
    rng = np.random.default_rng(seed)
    sides = (
        (np.flatnonzero(rows.is_case), most // 4),
        (np.flatnonzero(~rows.is_case), most * 3 // 4),
    )
    kept = np.sort(
        np.concatenate([rng.choice(of, min(len(of), n), replace=False) for of, n in sides])
    )
    place = np.full(len(rows.is_case), -1)
    place[kept] = np.arange(len(kept))
    row, channel, age = rows.exposed
    is_in = place[row] >= 0
    exposed = Exposures(place[row[is_in]], channel[is_in], age[is_in])
    return Rows(rows.is_case[kept], exposed, rows.z[kept], rows.even[kept])


def _roughly(rows: Rows, half_life_days: Floats, form: str, start: Floats | None) -> Fit:
    """Near enough to compare shapes by their likelihood."""
    return _fit(rows, stocks(rows.exposed, len(rows.even), half_life_days, form), start, ROUGH)


def _fit(rows: Rows, x: Floats, start: Floats | None = None, settled: float = SETTLED) -> Fit:
    """Logistic regression with normal priors around 0, by Newton's steps, until the next one would
    gain less than `settled` in likelihood.
    """
    design = np.column_stack([np.ones(len(x)), x, rows.z])
    # A hold on the base rate, too: where all or none are cases, it would run away for ever.
    precision = np.repeat([1e-4, PRIOR_SD**-2, CONTROL_SD**-2], [1, x.shape[1], rows.z.shape[1]])
    at = np.zeros(design.shape[1]) if start is None else start
    likelihood, information = _likelihood(design, rows, precision, at), np.diag(precision)
    for _ in range(STEPS):
        chance = special.expit(design @ at + rows.even)
        gradient = design.T @ (rows.is_case - chance) - precision * at
        information = (design.T * (chance * (1 - chance))) @ design + np.diag(precision)
        step = linalg.solve(information, gradient, assume_a="pos")
        if gradient @ step / 2 <= settled:
            break
        after = _likelihood(design, rows, precision, at + step)
        while after < likelihood and gradient @ step > settled:
            step = step / 2
            after = _likelihood(design, rows, precision, at + step)
        at, likelihood = at + step, after
    return Fit(at, information, likelihood)


def _likelihood(design: Floats, rows: Rows, precision: Floats, at: Floats) -> float:
    score = design @ at + rows.even
    whole = score[rows.is_case].sum() - np.logaddexp(0, score).sum()
    return float(whole - precision @ at**2 / 2)


def _covariance(
    amount: Floats, x: Floats, middle: Floats, beta: Floats, covariance: Floats
) -> Floats:
    """How the channels' sums vary together: by β (delta method), by who happened to buy, and by
    both at once, for who bought after more touches than others raised β as well: by its covariance
    times how far their touches are from those of the case in the `middle`.
    """
    slope, bend = _slopes(x @ beta)
    given = x * beta
    taken = given * (amount * slope)[:, None]
    by_beta = (given * (amount * bend)[:, None]).T @ x + np.diag(x.T @ (amount * slope))
    by_both = taken.T @ (x - middle) @ covariance @ by_beta.T
    return by_beta @ covariance @ by_beta.T + by_both + by_both.T + taken.T @ taken
