"""Worlds in which a fitted model is true: what its intervals hold there is their own doing.

hazard        chances add up: every touch brings a conversion with some chance, at a time of its own
incremental   chances multiply: touches raise the rate of buying, and fade
calibrated    the base model is off by what its prior says, and two tests of channels are given

People are watched for sixty days from the same day on, meet four channels by chance, and buy at
most once. The truth is what the model says of very many such people with the parameters that the
world is made of, scaled; nothing is hidden, so an interval can only fail by its own width.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

import world
from touchline.attribution import (
    Effects,
    Journeys,
    Labels,
    Lift,
    Observed,
    Rates,
    Touches,
    credit,
    hazard,
    incremental,
)
from touchline.attribution.answer import Credit
from touchline.attribution.calibrate import LEAST, OFF, SHARED, WIDTHS
from touchline.attribution.observed import DAY_US

DAYS, REACH = 60, 1.0
BASE = 0.0015  # conversions a day without any touch
BROUGHT = np.array([0.03, 0.05, 0.08, 0.12])  # conversions a touch brings, where chances add up
BETA = np.array([0.4, 0.7, 1.0, 1.4])  # log rate ratio of a fresh touch, where they multiply
HALF_LIFE = 5.0
STEP = 0.05  # days
TEST_ERROR = 0.15
CHANNELS = tuple(world.channel_names(len(BETA)))


class Met(NamedTuple):
    """Touches in order of person and time; times in days."""

    person: np.ndarray
    channel: np.ndarray
    day: np.ndarray


def met(rng: np.random.Generator, people: int) -> Met:
    count = rng.poisson(REACH, (people, len(BETA)))
    person, channel = (np.repeat(at, count[count > 0]) for at in np.nonzero(count))
    day = rng.random(len(person)) * DAYS
    order = np.lexsort((day, person))
    return Met(person[order], channel[order], day[order])


def adding(rng: np.random.Generator, people: int) -> tuple[Observed, Journeys]:
    """Each touch has its own first conversion, the plain rate another; the earliest counts."""
    touches = met(rng, people)
    brought = BROUGHT[touches.channel]
    drawn = rng.exponential(size=len(brought))
    part = np.minimum(drawn / brought, 1 - 1e-12)
    when = np.where(drawn < brought, touches.day - np.log1p(-part) * HALF_LIFE / np.log(2), np.inf)
    bought = rng.exponential(1 / BASE, people)
    np.minimum.at(bought, touches.person, when)
    return watched(rng, touches, bought)


def multiplying(rng: np.random.Generator, people: int) -> tuple[Observed, Journeys]:
    """Step by step: each raises the rate by what is left of the touches before it."""
    touches = met(rng, people)
    steps = round(DAYS / STEP)
    step_of = (touches.day / STEP).astype(np.int64)
    order = np.argsort(step_of, kind="stable")
    cuts = np.searchsorted(step_of[order], np.arange(steps + 1))
    score = np.zeros(people)
    bought = np.full(people, np.inf)
    for step in range(steps):
        chance = -np.expm1(-BASE * STEP * np.exp(score))
        buys = (rng.random(people) < chance) & np.isinf(bought)
        bought[buys] = (step + rng.random(np.count_nonzero(buys))) * STEP
        score *= 2 ** (-STEP / HALF_LIFE)
        new = order[cuts[step] : cuts[step + 1]]
        np.add.at(score, touches.person[new], BETA[touches.channel[new]])
    return watched(rng, touches, bought)


def watched(
    rng: np.random.Generator, touches: Met, bought: np.ndarray
) -> tuple[Observed, Journeys]:
    """What is seen of them: touches up to the conversion, or up to the last day."""
    people, has_won = len(bought), bought < DAYS
    end_us = (np.minimum(bought, DAYS) * DAY_US).astype(np.int64)
    ts_us = (touches.day * DAY_US).astype(np.int64)
    seen = ts_us <= end_us[touches.person]
    person, channel, ts_us = touches.person[seen], touches.channel[seen], ts_us[seen]
    observed = Observed(
        CHANNELS,
        np.concatenate([[0], np.cumsum(np.bincount(person, minlength=people))]),
        channel,
        ts_us,
        end_us,
        has_won,
        np.where(has_won, np.exp(rng.normal(9, 0.6, people)), 0).astype(np.int64),
        start_us=np.zeros(people, np.int64),
    )
    number = np.where(has_won, np.cumsum(has_won), np.cumsum(~has_won) + has_won.sum()) - 1
    is_won = has_won[person]
    won, others = (
        Touches(number[person[one]], channel[one], ts_us[one]) for one in (is_won, ~is_won)
    )
    names = Labels.of_channels(CHANNELS)
    return observed, Journeys.from_touches(
        won, others._replace(ts_us=None), value=observed.value[has_won], labels=names
    )


def true_hazard(observed: Observed, journeys: Journeys) -> Credit:
    none, half_life = np.zeros(0), np.full(len(CHANNELS), HALF_LIFE)
    known = np.zeros((len(CHANNELS), len(CHANNELS)))
    rates = Rates(CHANNELS, BASE, BROUGHT, half_life, (), none, known, observed.conversions)
    return hazard.credited(journeys, observed, rates)


def true_incremental(observed: Observed, journeys: Journeys) -> Credit:
    none, half_life = np.zeros(0), np.full(len(CHANNELS), HALF_LIFE)
    known = np.zeros((len(CHANNELS), len(CHANNELS)))
    effects = Effects(CHANNELS, BETA, known, half_life, "count", (), none, observed.conversions)
    return incremental.credited(journeys, observed, effects)


WORLDS = {"hazard": (adding, true_hazard), "incremental": (multiplying, true_incremental)}


class Truth(NamedTuple):
    """What is true of the channels and, last, of the baseline."""

    conversions: np.ndarray
    revenue: np.ndarray


def true_of(one: Credit, scale: float) -> Truth:
    return Truth(
        np.append(one.channel_conversions, one.baseline_conversions) * scale,
        np.append(one.channel_revenue, one.baseline_revenue) * scale,
    )


def answers(runs: int, seed: int, people: int, population: int) -> Iterator[tuple[Credit, Truth]]:
    """Each run's answer of each model, and what is true."""
    for model, (make, told) in WORLDS.items():
        whole = told(*make(np.random.default_rng((seed, 2)), population))
        true = true_of(whole, people / population)
        for run in range(runs):
            rng = np.random.default_rng((seed, 3, run))
            observed, journeys = make(rng, rng.poisson(people))
            one = credit(journeys, [model], observed=observed)[model]
            yield one, true


def off_as_believed(rng: np.random.Generator, base: Credit, scale: float) -> tuple[Truth, Lift]:
    """What the base's channels cause, which is off by what the prior of calibration says, and what
    they leave; and tests of two channels.
    """
    number = base.channel_conversions * scale
    width = min(max(abs(rng.normal(0, OFF)), WIDTHS[0]), WIDTHS[-1])
    shared = rng.choice(SHARED)
    off = rng.normal(0, width * np.sqrt(shared)) + rng.normal(
        0, width * np.sqrt(1 - shared), len(number)
    )
    floor = LEAST * np.abs(number).mean() * rng.normal(0, width, len(number))
    ratio = 1 + off + floor / number
    tested = [1, 4]
    error = TEST_ERROR * number[tested]
    lift = Lift.of_channels(tested, (number * ratio)[tested] + rng.normal(0, error), error)
    parts = (number, base.channel_revenue * scale)
    return Truth(*(np.append(one * ratio, one.sum() - (one * ratio).sum()) for one in parts)), lift
