"""People as they were watched over time: for models that need time, censoring and controls.

A unit is a person (or an account) from when watching began up to a conversion, or up to the end of
what is known: who has not bought *yet* is censored there, and no failure. After a conversion the
next unit of the same person begins, with the same touches so far.

The surprise: a unit that converts has fewer touches than one that does not, since it stops when it
converts. To count touches per unit and compare is therefore wrong; `risk_set` finds for each
conversion others who could have converted at the same moment, and all are compared there
(Prentice and Breslow 1978). Where some of them have to be drawn, units stand in the order of what
they did (`ranked`) before: the numbers that people happen to have must not change an answer.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Int64s, Ints

__all__ = [
    "DAY_US",
    "Exposures",
    "Moments",
    "Observed",
    "exposures",
    "ranked",
    "risk_set",
    "taken",
    "thinned",
]

DAY_US = 86_400_000_000
SCATTER = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], np.uint64)
ROUNDS = 24  # draws until one is found who could have converted: enough if a fourth of all can


@dataclass(frozen=True, eq=False)
class Observed:
    """Touches of unit u are `ts_us[offsets[u]:offsets[u + 1]]`, in order of time, until it ends;
    those from before it starts are among them, as they may still act.

    `controls` (units × names) are known before the unit's first exposure. Watching begins with the
    earliest touch of all where `start_us` is not given. `converted_us` is the time of each
    converting journey that credit is asked for; without it they are the units that convert, in
    order. Touches act for `window_us`: one for all, or each for its own.
    """

    channels: tuple[str, ...]
    offsets: Ints
    channel: Ints
    ts_us: Int64s
    end_us: Int64s
    is_converted: Bools
    value: Ints | Floats
    controls: Floats | None = None
    control_names: tuple[str, ...] = ()
    start_us: Int64s | None = None
    window_us: int | Int64s = 90 * DAY_US
    converted_us: Int64s | None = None

    def __post_init__(self) -> None:
        units = len(self.end_us)
        if not (len(self.offsets) - 1 == units == len(self.is_converted) == len(self.value)):
            raise ValueError("every unit has offsets, an end, an outcome and a value")
        if len(self.channel) != len(self.ts_us) or self.offsets[-1] != len(self.ts_us):
            raise ValueError("every touch has a channel and a time, and belongs to a unit")
        if self.z.shape != (units, len(self.control_names)):
            raise ValueError("controls are units x names")

    @property
    def units(self) -> int:
        return len(self.end_us)

    @property
    def conversions(self) -> int:
        """How many units convert."""
        return int(np.count_nonzero(self.is_converted))

    @property
    def z(self) -> Floats:
        """Controls, with no column where there are none."""
        return np.zeros((self.units, 0)) if self.controls is None else self.controls

    @property
    def starts_us(self) -> Int64s:
        """When watching begins, by unit; never after its end."""
        if self.start_us is not None:
            return self.start_us
        first = int(self.ts_us.min()) if len(self.ts_us) else 0
        return np.minimum(first, self.end_us)

    @property
    def is_watched(self) -> bool:
        """Whether any time passes for anybody: not where all has one and the same moment."""
        return bool(np.any(self.end_us > self.starts_us))

    @property
    def reach_us(self) -> Int64s:
        """How long each touch may act."""
        return np.broadcast_to(np.asarray(self.window_us, np.int64), len(self.ts_us))

    @property
    def moments_us(self) -> Int64s:
        """The time of each converting journey that credit is asked for."""
        return self.end_us[self.is_converted] if self.converted_us is None else self.converted_us


class Moments(NamedTuple):
    """Units looked at, each at one moment; `is_case` where it converts at that very moment.
    `among`: with how many others its moment's conversion is compared.
    """

    unit: Ints
    at_us: Int64s
    is_case: Bools
    among: Ints


class Exposures(NamedTuple):
    """Touches as they stand at each moment, in order of its row; ages in days."""

    row: Ints
    channel: Ints
    age: Floats


def ranked(observed: Observed) -> Ints:
    """Places of units in the order of what they did: who is alike in all stands anywhere."""
    # Of touches in any order: sums of what each is scattered to, modulo 2^64. Times are counted
    # back from the end, for in another time zone the same is the same.
    age_us = np.repeat(observed.end_us, np.diff(observed.offsets)) - observed.ts_us
    scattered = (age_us.astype(np.uint64) * SCATTER[0]) ^ (
        (observed.channel.astype(np.uint64) + np.uint64(1)) * SCATTER[1]
    )
    scattered = (scattered ^ (scattered >> np.uint64(29))) * SCATTER[2]
    whole = np.concatenate([np.zeros(1, np.uint64), np.cumsum(scattered, dtype=np.uint64)])
    touches = whole[observed.offsets[1:]] - whole[observed.offsets[:-1]]
    keys = (touches, *observed.z.T, observed.is_converted, observed.starts_us, observed.end_us)
    return np.lexsort(keys)


def risk_set(observed: Observed, per_case: int, seed: int, most: int, most_rows: int) -> Moments:
    """Each conversion, and units at risk at its moment: all of them where that makes at most
    `most_rows` rows, else `per_case` draws. At most `most` conversions, drawn, are looked at.

    With `among` held against it, a logistic regression of case against control has the log of the
    rate ratio for its coefficients, whatever the season, also where converting is not rare.
    """
    rng = np.random.default_rng(seed)
    order = ranked(observed)
    cases = order[observed.is_converted[order]]
    if len(cases) > most:
        cases = cases[np.sort(rng.choice(len(cases), most, replace=False))]
    if len(cases) * observed.units <= most_rows:
        case, found = _all_at_risk(observed, cases, order)
    else:
        case, found = _drawn_at_risk(observed, cases, order, per_case, rng)
    at_us = observed.end_us[cases]
    among = np.bincount(case, minlength=len(cases))
    return Moments(
        unit=np.concatenate([cases, found]),
        at_us=np.concatenate([at_us, at_us[case]]),
        is_case=np.arange(len(cases) + len(found)) < len(cases),
        among=np.concatenate([among, among[case]]),
    )


def _all_at_risk(observed: Observed, cases: Ints, order: Ints) -> tuple[Ints, Ints]:
    """Pairs of a case, by its place, and a unit at risk at its moment."""
    start_us, end_us = observed.starts_us[order], observed.end_us[order]
    at_us = observed.end_us[cases][:, None]
    goes_on = (end_us > at_us) | ((end_us == at_us) & ~observed.is_converted[order])
    case, place = np.nonzero(goes_on & (start_us < at_us))
    return case, order[place]


def _drawn_at_risk(
    observed: Observed, cases: Ints, order: Ints, per_case: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    start_us, end_us = observed.starts_us, observed.end_us
    by_start = order[np.argsort(start_us[order], kind="stable")]
    at_us = np.repeat(end_us[cases], per_case)
    known = np.searchsorted(start_us[by_start], at_us)  # begun before the moment
    drawn = np.full(len(at_us), -1)
    for _ in range(ROUNDS):
        open_rows = np.flatnonzero((drawn < 0) & (known > 0))
        found = by_start[(rng.random(len(open_rows)) * known[open_rows]).astype(np.int64)]
        at = at_us[open_rows]
        is_at_risk = (end_us[found] > at) | ((end_us[found] == at) & ~observed.is_converted[found])
        drawn[open_rows[is_at_risk]] = found[is_at_risk]
    is_found = drawn >= 0
    return np.repeat(np.arange(len(cases)), per_case)[is_found], drawn[is_found]


def exposures(observed: Observed, moments: Moments) -> tuple[Exposures, Floats]:
    """Touches inside the window of each moment, and how many lie before it."""
    lengths = np.diff(observed.offsets)[moments.unit]
    ends = np.cumsum(lengths)
    row = np.repeat(np.arange(len(lengths)), lengths)
    shift = np.repeat(observed.offsets[:-1][moments.unit] - (ends - lengths), lengths)
    touch = shift + np.arange(len(shift))
    age_us = moments.at_us[row] - observed.ts_us[touch]
    is_old = age_us > observed.reach_us[touch]
    is_in = (age_us >= 0) & ~is_old
    earlier = np.bincount(row[is_old], minlength=len(lengths)).astype(np.float64)
    return Exposures(row[is_in], observed.channel[touch[is_in]], age_us[is_in] / DAY_US), earlier


def thinned(observed: Observed, most: int, seed: int) -> tuple[Observed, Floats]:
    """All units that convert and at most `most` of the others, and what each of them stands for.

    Those who never convert tell only how much time passed without it: a sample of them, weighted by
    how many it stands for, tells it well enough (Prentice 1986, case-cohort).
    """
    order = ranked(observed)
    others = np.flatnonzero(~observed.is_converted[order])
    if len(others) <= most:
        return taken(observed, order), np.ones(observed.units)
    is_kept = observed.is_converted[order]
    is_kept[np.random.default_rng(seed).choice(others, most, replace=False)] = True
    found = taken(observed, order[is_kept])
    return found, np.where(found.is_converted, 1.0, len(others) / most)


def taken(observed: Observed, kept: Ints) -> Observed:
    """These units, in this order."""
    lengths = np.diff(observed.offsets)[kept]
    ends = np.cumsum(lengths)
    touch = np.repeat(observed.offsets[:-1][kept] - (ends - lengths), lengths)
    touch += np.arange(len(touch))
    return replace(
        observed,
        offsets=np.concatenate([[0], ends]),
        channel=observed.channel[touch],
        ts_us=observed.ts_us[touch],
        end_us=observed.end_us[kept],
        is_converted=observed.is_converted[kept],
        value=observed.value[kept],
        controls=observed.z[kept],
        start_us=observed.starts_us[kept],
        window_us=observed.reach_us[touch],
        converted_us=observed.moments_us,
    )
