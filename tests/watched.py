"""A small world for tests of models that need time: people, their touches, what these caused.

Every day somebody buys with chance `BASE · exp(wish · z + Σ lift · stock)`, or, in a world where
effects add up, with `BASE · exp(wish · z) + Σ lift · stock`; stock is the channel's touches so far,
each fading by half in `half_life` days. Truth is the sum over people of the chance that goes with a
channel.
"""

from dataclasses import dataclass

import numpy as np

from touchline.attribution import Journeys, Labels, Touches
from touchline.attribution.observed import DAY_US, Observed

DAYS = 90
BASE = 0.0004


@dataclass(frozen=True)
class World:
    observed: Observed
    journeys: Journeys
    caused: np.ndarray
    baseline: float
    converted: int


def world(
    lift,
    *,
    people=20_000,
    reach=1.0,
    half_life=5.0,
    wish=0.0,
    pull=0.0,
    knows=0.0,
    adds=False,
    seed=1,
):
    """`pull`: how much more the last channel meets who wants to buy; `knows`: how well the control
    tells who that is, 0 for no control at all.
    """
    rng = np.random.default_rng(seed)
    lift = np.asarray(lift, dtype=float)
    z = rng.standard_normal(people)
    rate = np.full((len(lift), people), reach / DAYS)
    rate[-1] *= np.exp(pull * z - pull**2 / 2)
    met = np.stack([rng.poisson(one[:, None], (people, DAYS)) for one in rate])
    fade = 2 ** (-1 / half_life)
    stock = np.zeros(met.shape)
    stock[:, :, 0] = met[:, :, 0]
    for day in range(1, DAYS):
        stock[:, :, day] = stock[:, :, day - 1] * fade + met[:, :, day]
    base = BASE * np.exp(wish * z)[:, None]
    acts = lift[:, None, None] * stock

    def hazard(acting):
        total = acting.sum(axis=0)
        return base + total if adds else base * np.exp(total)

    def chance(found):
        return -np.expm1(-found.sum(axis=1))

    whole = hazard(acts)
    caused = [
        (chance(whole) - chance(hazard(np.delete(acts, c, axis=0)))).sum() for c in range(len(lift))
    ]
    buys = rng.random((people, DAYS)) < -np.expm1(-whole)
    day = np.where(buys.any(axis=1), buys.argmax(axis=1), DAYS)
    observed = _observed(rng, met, day, knows, z)
    return World(
        observed,
        journeys_of(observed),
        np.array(caused),
        float(chance(hazard(acts * 0)).sum()),
        int(np.count_nonzero(day < DAYS)),
    )


def _observed(rng, met, day, knows, z):
    channels, people, _ = met.shape
    channel, person, on = (np.repeat(at, met[met > 0]) for at in np.nonzero(met))
    is_seen = on <= day[person]
    channel, person, on = channel[is_seen], person[is_seen], on[is_seen]
    ts_us = on * DAY_US + (rng.random(len(on)) * 0.4 * DAY_US).astype(np.int64)
    order = np.lexsort((ts_us, person))
    control = knows * z + np.sqrt(1 - knows**2) * rng.standard_normal(people)
    bought_us = day * DAY_US + (rng.uniform(0.5, 0.9, people) * DAY_US).astype(np.int64)
    return Observed(
        channels=tuple("ABCDEFGH"[:channels]),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(person, minlength=people))]),
        channel=channel[order],
        ts_us=ts_us[order],
        end_us=np.where(day < DAYS, bought_us, DAYS * DAY_US),
        is_converted=day < DAYS,
        value=np.where(day < DAYS, 10_000, 0),
        controls=control[:, None] if knows else None,
        control_names=("visits before",) if knows else (),
    )


def journeys_of(observed):
    """The units as journeys, those that convert first."""
    lengths = np.diff(observed.offsets)
    won, lost = np.flatnonzero(observed.is_converted), np.flatnonzero(~observed.is_converted)
    rank = np.empty(len(lengths), np.int64)
    rank[np.concatenate([won, lost])] = np.arange(len(lengths))
    journey = np.repeat(rank, lengths)
    order = np.argsort(journey, kind="stable")
    journey, channel, ts_us = journey[order], observed.channel[order], observed.ts_us[order]
    cut = np.searchsorted(journey, len(won))
    return Journeys.from_touches(
        Touches(journey[:cut], channel[:cut], ts_us[:cut]),
        Touches(journey[cut:], channel[cut:]),
        value=observed.value[won],
        labels=Labels.of_channels(observed.channels),
    )
