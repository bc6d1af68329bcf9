"""Journeys → combinations: which channels were met, how many converted, what came in and went out.

    channels           journeys  conversions  revenue  cost
    {Search, Social}        120           18    9,400   800

A combination is the exact set of a journey's channels, whatever their order and repeats. Every
journey with a touch is in one, so rows add up to all conversions that had one.

The surprise: cost is a channel's cost per touch times the touches. A touch of a journey that led
nowhere cost the same as one that converted, so combinations that fail are dear and not free. What a
channel without any touch cost is in no combination and is told apart.
"""

from dataclasses import dataclass

import numpy as np

from touchline.attribution.arrays import Floats, Ints, sums_by, tally
from touchline.attribution.journeys import Journeys
from touchline.attribution.sets import ChannelSets, channel_sets

__all__ = ["Combinations", "combinations"]


@dataclass(frozen=True, eq=False)
class Combinations:
    """Arrays by set of `sets`; the empty set stands for journeys without a touch.

    `people` is None where nobody said whose journeys they are, `unspent` is by channel.
    """

    sets: ChannelSets
    journeys: Floats
    conversions: Floats
    revenue: Floats
    cost: Floats
    unspent: Floats
    people: Ints | None


def combinations(
    journeys: Journeys, cost: Floats | None = None, person: Ints | None = None
) -> Combinations:
    """`cost` is by channel, `person` the code of whose each journey is."""
    sets = channel_sets(journeys)
    weight, conversions, _ = sets.totals(journeys)
    of_converting = sets.of_journey[: journeys.converting]
    paid = np.zeros(len(journeys.labels.channels)) if cost is None else cost
    touch_weight = np.repeat(journeys.weight, journeys.lengths)
    touches = tally(journeys.channel, touch_weight, len(paid))
    per_touch = np.divide(paid, touches, out=np.zeros(len(paid)), where=touches > 0)
    where = np.repeat(sets.of_journey, journeys.lengths)
    return Combinations(
        sets,
        journeys=weight,
        conversions=conversions,
        revenue=sums_by(of_converting, journeys.value, len(sets)),
        cost=sums_by(where, per_touch[journeys.channel] * touch_weight, len(sets)),
        unspent=np.where(touches > 0, 0.0, paid),
        people=None if person is None else _people(sets, person),
    )


def _people(sets: ChannelSets, person: Ints) -> Ints:
    """How many different people each combination has; one may have journeys of several."""
    everybody = int(person.max()) + 1 if len(person) else 1
    pairs = np.unique(sets.of_journey * everybody + person)
    return np.bincount(pairs // everybody, minlength=len(sets))
