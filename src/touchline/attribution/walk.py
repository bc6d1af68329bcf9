"""Touches and conversions of people → Journeys, as `journey.path` makes them from a lake.

A conversion's journey are the touches of its members (its buyer, or all contacts of an account) in
the window before it, both edges in it. A touch may serve several; those that serve none are their
person's one other path. Money that went back without an order is led to by touches, but keeps none
of them from being free.
"""

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

from touchline.attribution.arrays import Bools, Int64s
from touchline.attribution.journeys import Journeys, Labels, Touches
from touchline.attribution.shelf import Rows, among, begins_of, spans
from touchline.attribution.statistics import Label

__all__ = ["Bought", "Members", "Walked", "bisected", "channels_of", "walk"]


class Bought(NamedTuple):
    """Conversions by number. `counts` are 1, or 0 for money that went back without an order.
    Statistics need money in whole minor units; journeys take floats as well.
    """

    number: Int64s
    at_us: Int64s
    value: Int64s
    counts: Int64s

    @classmethod
    def nothing(cls) -> Self:
        return cls(*(np.zeros(0, np.int64) for _ in cls._fields))


class Members(NamedTuple):
    """Whose touches count for a conversion: its buyer's, or those of all contacts of an account."""

    number: Int64s
    person: Int64s

    @classmethod
    def nothing(cls) -> Self:
        return cls(*(np.zeros(0, np.int64) for _ in cls._fields))


class Walked(NamedTuple):
    """`places` are the rows that the touches of converting journeys are, in their order."""

    journeys: Journeys
    places: Int64s


def walk(
    rows: Rows,
    bought: Bought,
    members: Members,
    *,
    labels: Labels,
    window_us: int,
    asked: Int64s | None = None,
    people: Int64s | None = None,
) -> Walked:
    """Journeys of all conversions, or of those asked; other paths of everybody, or of these people.

    Rows are in order of (person, time, seq), conversions in order of their number. Members of what
    is not asked are needed where they are among the people: their windows hold touches back.
    """
    place = np.searchsorted(bought.number, members.number)
    starts, ends = _windows(rows, members.person, bought.at_us[place], window_us)
    is_free = _uncovered(len(rows.person), starts, ends, bought.counts[place] > 0)
    if people is not None:
        is_free &= among(rows.person, people)[1]
    numbers = bought.number if asked is None else asked
    journey, is_asked = among(members.number, numbers)
    served = spans(starts[is_asked], ends[is_asked])
    journey = np.repeat(journey[is_asked], (ends - starts)[is_asked])
    order = np.lexsort((rows.seq[served], rows.ts_us[served], journey))
    places = served[order]
    shown = among(bought.number, numbers)[1]
    journeys = Journeys.from_touches(
        Touches(journey[order], rows.label[places], rows.ts_us[places]),
        Touches(rows.person[is_free], rows.label[is_free]),
        value=bought.value[shown],
        counts=bought.counts[shown].astype(np.float64),
        labels=labels,
    )
    return Walked(journeys, places)


def _windows(rows: Rows, person: Int64s, at_us: Int64s, window_us: int) -> tuple[Int64s, Int64s]:
    """From which row to which each person's touches are in the window before a moment."""
    people, begins = begins_of(rows)
    place, is_there = among(person, people)
    first, last = (begins[np.minimum(place + one, len(people))] for one in (0, 1))
    starts = bisected(rows.ts_us, first, last, at_us - window_us)
    ends = bisected(rows.ts_us, first, last, at_us + 1)
    return np.where(is_there, starts, 0), np.where(is_there, ends, 0)


def bisected(times: Int64s, low: Int64s, high: Int64s, wanted: Int64s) -> Int64s:
    """From low up to high, which ascend, the first place whose time is not before the wanted."""
    while np.any(low < high):
        middle = (low + high) // 2
        is_open = low < high
        is_before = is_open & (times[np.where(is_open, middle, 0)] < wanted)
        low, high = np.where(is_before, middle + 1, low), np.where(is_before, high, middle)
        high = np.where(is_open, high, low)
    return low


def _uncovered(count: int, starts: Int64s, ends: Int64s, is_order: Bools) -> Bools:
    """Which rows no window holds."""
    steps = np.bincount(starts[is_order], minlength=count + 1)
    steps -= np.bincount(ends[is_order], minlength=count + 1)
    return np.cumsum(steps)[:count] == 0


def channels_of(labels: Iterable[Label]) -> Labels:
    """Labels whose first name is their channel."""
    labels = list(labels)
    channels = tuple(sorted({str(label[0]) for label in labels}))
    place = {name: code for code, name in enumerate(channels)}
    return Labels(channels, np.array([place[str(label[0])] for label in labels], dtype=np.int64))
