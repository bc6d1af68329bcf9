"""Journeys → the share of each converting touch in its own conversion, by a fixed rule.

Every rule is a pure function: shares of one journey sum to 1, in the order of its touches.

    A  B  B  C        first_touch     1    0    0    0
                      last_touch      0    0    0    1
                      linear          .25  .25  .25  .25
                      position_based  .4   .1   .1   .4
"""

import numpy as np

from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys

__all__ = [
    "first_touch",
    "last_non_direct",
    "last_touch",
    "linear",
    "position_based",
    "time_decay",
]

DAY_US = 86_400_000_000


def first_touch(journeys: Journeys) -> Floats:
    """All to the touch that opened the journey."""
    return _all_to(journeys, journeys.first)


def last_touch(journeys: Journeys) -> Floats:
    """All to the touch that closed it."""
    return _all_to(journeys, journeys.last)


def last_non_direct(journeys: Journeys) -> Floats:
    """All to the last touch that is not direct; a journey of direct alone credits direct."""
    touches = journeys.converting_touches
    is_direct = journeys.labels.direct[journeys.channel[:touches]]
    index = np.where(is_direct, -1, np.arange(touches))
    found = np.maximum.reduceat(index, journeys.first) if touches else index
    return _all_to(journeys, np.where(found < 0, journeys.last, found))


def linear(journeys: Journeys) -> Floats:
    """The same to every touch."""
    lengths = journeys.lengths[: journeys.converting]
    return np.repeat(1 / np.maximum(lengths, 1), lengths)


def time_decay(journeys: Journeys, half_life_days: float) -> Floats:
    """Half as much for each half-life further back.

    Measured from the journey's last touch: the distance from there to the conversion is common to
    all touches and cancels, and so no weight of all of them together can vanish.
    """
    if journeys.ts_us is None:
        raise ValueError("time decay needs the times of touches")
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    ts_us = journeys.ts_us
    age_us = np.repeat(ts_us[journeys.last], lengths) - ts_us
    weight = np.exp2(age_us / -(half_life_days * DAY_US))
    total = np.add.reduceat(weight, journeys.first) if len(weight) else weight
    return weight / np.repeat(total, lengths)


def position_based(journeys: Journeys) -> Floats:
    """0.4 to the first touch, 0.4 to the last, 0.2 over those between; two touches share evenly."""
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    share = np.repeat(0.2 / np.maximum(lengths - 2, 1), lengths)
    outer = np.select([lengths == 1, lengths == 2], [1.0, 0.5], 0.4)
    share[journeys.first] = outer
    share[journeys.last] = outer
    return share


def _all_to(journeys: Journeys, touch: Ints) -> Floats:
    share = np.zeros(journeys.converting_touches)
    share[touch] = 1
    return share
