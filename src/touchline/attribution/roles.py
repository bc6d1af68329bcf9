"""Journeys → what each label does in them: opens, helps or closes, early, in the middle or late.

    A  B  B  C        opener A, assists B (its two touches share the conversion), closer C

Openers and closers each add up to all touched conversions, assists to those of three touches and
more: three views of the same conversions, to be compared and never added. The surprise: a journey
of one touch has an opener and a closer and both are that touch; it is neither early nor late.
"""

from dataclasses import dataclass

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Ints, sums_by, tally
from touchline.attribution.journeys import Journeys

__all__ = ["Ended", "Role", "Roles", "ended", "roles"]

THIRD = 1 / 3


@dataclass(frozen=True, eq=False)
class Role:
    """Conversions and money of each label in one role."""

    conversions: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class Roles:
    """By label. `helped` are conversions in which it stands between the ends, `present` those it
    stands in at all; touches are counted `early`, `mid` and `late`, by the third of the journey
    they lie in, and `alone` where there is no other.
    """

    opener: Role
    assist: Role
    closer: Role
    helped: Floats
    present: Floats
    early: Floats
    mid: Floats
    late: Floats
    alone: Floats


@dataclass(frozen=True, eq=False)
class Ended:
    """Journeys without a conversion, by label: which ended with it, and which it stands in."""

    last: Floats
    present: Floats


def roles(journeys: Journeys) -> Roles:
    """What labels do in journeys that convert."""
    touches = journeys.converting_touches
    label = journeys.label[:touches]
    size = len(journeys.labels.channel_of)
    counted = journeys.conversions[journeys.journey_of]
    is_between = np.ones(touches, dtype=np.bool_)
    is_between[journeys.first] = False
    is_between[journeys.last] = False
    lengths = np.repeat(
        journeys.lengths[: journeys.converting], journeys.lengths[: journeys.converting]
    )
    place = np.arange(touches) - np.repeat(
        journeys.offsets[: journeys.converting], journeys.lengths[: journeys.converting]
    )
    position = (place + 0.5) / np.maximum(lengths, 1)
    is_alone = lengths == 1
    is_early, is_late = position < THIRD, position > 1 - THIRD
    parts = (is_early, ~(is_early | is_late | is_alone), is_late, is_alone)
    early, mid, late, alone = (tally(label, counted * is_in, size) for is_in in parts)
    return Roles(
        opener=_ends(journeys, journeys.first, size),
        assist=_between(journeys, is_between, lengths, size),
        closer=_ends(journeys, journeys.last, size),
        helped=_met(journeys, is_between, size),
        present=_met(journeys, np.ones(touches, dtype=np.bool_), size),
        early=early,
        mid=mid,
        late=late,
        alone=alone,
    )


def ended(journeys: Journeys) -> Ended:
    """What labels are to journeys that lead nowhere."""
    size = len(journeys.labels.channel_of)
    starts, stops = journeys.offsets[:-1], journeys.offsets[1:]
    is_lost = (journeys.nulls > 0) & (stops > starts)
    last = tally(journeys.label[stops[is_lost] - 1], journeys.nulls[is_lost], size)
    journey = np.repeat(np.arange(len(journeys.nulls)), journeys.lengths)
    pair = np.unique(journey.astype(np.int64) * size + journeys.label)
    return Ended(last, tally(pair % size, journeys.nulls[pair // size], size) if size else last)


def _ends(journeys: Journeys, touch: Ints, size: int) -> Role:
    label = journeys.label[touch]
    counted, value = (
        amount[journeys.is_touched] for amount in (journeys.conversions, journeys.value)
    )
    return Role(sums_by(label, counted, size), sums_by(label, value, size))


def _between(journeys: Journeys, is_between: Bools, lengths: Ints, size: int) -> Role:
    share = is_between / np.maximum(lengths - 2, 1)
    label = journeys.label[: journeys.converting_touches]
    counted, value = (
        share * amount[journeys.journey_of] for amount in (journeys.conversions, journeys.value)
    )
    return Role(sums_by(label, counted, size), sums_by(label, value, size))


def _met(journeys: Journeys, is_asked: Bools, size: int) -> Floats:
    """Conversions that hold a label among the asked touches, each once however often."""
    if not size:
        return np.zeros(0)
    label = journeys.label[: journeys.converting_touches][is_asked].astype(np.int64)
    pair = np.unique(journeys.journey_of[is_asked] * size + label)
    return tally(pair % size, journeys.conversions[pair // size], size)
