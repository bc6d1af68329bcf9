"""Lift tests as they were entered → what they say of a report's own days.

A test ran on days of its own. It is carried to those of a report by how much its channel (or
campaign) did then and now: the conversions that `shapley`, which counts presence, gives it on both.
Its error grows by that of the counts, and by a drift for each year that lies between.

The surprise: a test of something that was nowhere on a journey, then or now, cannot be carried so.
It is told apart (`unused`), or, for touches that name nobody, estimated beside the credit.
"""

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from touchline.attribution.arrays import tally
from touchline.attribution.calibrate import Scope, carried
from touchline.attribution.calibrated import Lift
from touchline.attribution.credit import credit
from touchline.measure.basis import Basis
from touchline.measure.lift_test import LiftTest, Named

__all__ = [
    "Days",
    "LiftTest",
    "Named",
    "Presence",
    "Shares",
    "Told",
    "named_of",
    "presence_of",
    "tells",
    "told",
]

Days = tuple[dt.date | None, dt.date | None]
Shares = dict[Named, float]
Presence = Callable[[Days], Shares]  # what `shapley` gives each channel and campaign on these days
YEAR = 365.25


class Told(Struct, frozen=True):
    """A test, carried: what it says of the report's days. None where it says nothing."""

    test: LiftTest
    effect: float | None
    error: float | None


def told(tests: Sequence[LiftTest], days: Days, now: Shares, then: Presence) -> list[Told]:
    """Each test carried to `days`. `then` tells what was on journeys on other days."""
    known: dict[Days, Shares] = {days: now}
    found: list[Told] = []
    for test in tests:
        if test.days not in known:
            known[test.days] = then(test.days)
        here, there = now.get(test.named, 0.0), known[test.days].get(test.named, 0.0)
        if here <= 0 or there <= 0:
            found.append(Told(test, None, None))
            continue
        # Of spans within one another only what is in one alone is counted anew.
        sign = -1 if _holds(days, test.days) or _holds(test.days, days) else 1
        loose = abs(1 / there + sign / here) ** 0.5
        apart = _between(test.days, days).days / YEAR
        effect, error = carried(
            test.effect, test.error, factor=here / there, loose=loose, years=apart
        )
        found.append(Told(test, effect, error))
    return found


def tells(found: Sequence[Told], basis: Basis, by: tuple[str, ...]) -> Lift:
    """The tests that can be used, as arrays for the labels of a basis; those of campaigns need
    campaigns among its labels.
    """
    usable = [one for one in found if one.effect is not None]
    place = {name: code for code, name in enumerate(basis.journeys.labels.channels)}
    units: dict[Named, int] = {}
    unit_of = [units.setdefault(key, len(units)) for key in named_of(basis, by)]
    return Lift(
        scopes=[
            Scope(place[test.channel], None if test.campaign is None else units[test.named])
            for test in (one.test for one in usable)
        ],
        effect=np.array([one.effect for one in usable], dtype=np.float64),
        error=np.array([one.error for one in usable], dtype=np.float64),
        is_revenue=np.array([one.test.metric == "revenue" for one in usable], dtype=np.bool_),
        unit_of=np.array(unit_of, dtype=np.int64),
    )


def presence_of(basis: Basis, by: tuple[str, ...]) -> Presence:
    """What `shapley` gives each channel (campaign None) and each campaign of it, on any days among
    those of the basis: each conversion is shared out by itself, and so is every day.
    """
    one = credit(basis.journeys, ["shapley"])["shapley"]
    named = named_of(basis, by)
    journeys = basis.journeys
    label = journeys.label[: journeys.converting_touches]
    local_day = basis.conversions.column("local_day").to_numpy()

    def of(days: Days) -> Shares:
        is_in = np.ones(len(local_day), np.bool_)
        for bound, is_within in zip(days, (np.greater_equal, np.less_equal), strict=True):
            if bound is not None:
                is_in &= is_within(local_day, np.datetime64(bound))
        counts = tally(label, one.touch_conversions * is_in[journeys.journey_of], len(named))
        found: Shares = {}
        for (channel, campaign), count in zip(named, counts.tolist(), strict=True):
            for key in {(channel, campaign), (channel, None)}:
                found[key] = found.get(key, 0.0) + count
        return found

    return of


def named_of(basis: Basis, by: tuple[str, ...]) -> list[Named]:
    """Channel and campaign of each label."""
    at = by.index("campaign") if "campaign" in by else None
    return [(str(label[0]), None if at is None else label[at]) for label in basis.labels]


def _holds(outer: Days, inner: Days) -> bool:
    """Whether all of the inner days are among the outer."""
    first, last = ((outer[i], inner[i]) for i in (0, 1))
    begins = first[0] is None or (first[1] is not None and first[0] <= first[1])
    return begins and (last[0] is None or (last[1] is not None and last[0] >= last[1]))


def _between(a: tuple[dt.date, dt.date], b: Days) -> dt.timedelta:
    """How long lies between two spans of days; none where they touch."""
    gaps = [dt.timedelta()]
    if b[0] is not None:
        gaps.append(b[0] - a[1])
    if b[1] is not None:
        gaps.append(a[0] - b[1])
    return max(gaps)
