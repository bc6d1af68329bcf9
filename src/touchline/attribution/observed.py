"""People as they were watched over time: for models that need time, censoring and controls.

A unit is a person (or an account) from when watching began up to a conversion, or up to the end of
what is known: who has not bought *yet* is censored there, and no failure. After a conversion the
next unit of the same person begins, with the same touches so far.

The surprise: a unit that converts has fewer touches than one that does not, since it stops when it
converts. To count touches per unit and compare is therefore wrong; `risk_set` draws for each
conversion others who could have converted at the same moment, and all are compared there
(Prentice and Breslow 1978).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Int64s, Ints

__all__ = ["DAY_US", "Exposures", "Moments", "Observed", "exposures", "risk_set", "thinned"]

DAY_US = 86_400_000_000
ROUNDS = 24  # draws until one is found who could have converted: enough if a fourth of all can


@dataclass(frozen=True, eq=False)
class Observed:
    """Touches of unit u are `ts_us[offsets[u]:offsets[u + 1]]`, in order of time, until it ends;
    those from before it starts are among them, as they may still act.

    `controls` (units × names) are known before the unit's first exposure. Watching begins with the
    earliest touch of all where `start_us` is not given. `converted_us` is the time of each
    converting journey that credit is asked for; without it they are the units that convert, in
    order.
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
    window_us: int = 90 * DAY_US
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
    def moments_us(self) -> Int64s:
        """The time of each converting journey that credit is asked for."""
        return self.end_us[self.is_converted] if self.converted_us is None else self.converted_us


class Moments(NamedTuple):
    """Units looked at, each at one moment; `is_case` where it converts at that very moment."""

    unit: Ints
    at_us: Int64s
    is_case: Bools


class Exposures(NamedTuple):
    """Touches as they stand at each moment, in order of its row; ages in days."""

    row: Ints
    channel: Ints
    age: Floats


def risk_set(observed: Observed, per_case: int, seed: int, most: int) -> Moments:
    """Each conversion, and `per_case` draws of units at risk at its moment.

    With so many controls per conversion whatever the season, a logistic regression of case against
    control has the log of the rate ratio for its coefficients, also where converting is not rare.
    At most `most` conversions, drawn by the seed, are looked at.
    """
    rng = np.random.default_rng(seed)
    cases = np.flatnonzero(observed.is_converted)
    if len(cases) > most:
        cases = np.sort(rng.choice(cases, most, replace=False))
    start_us, end_us = observed.starts_us, observed.end_us
    by_start = np.argsort(start_us, kind="stable")
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
    return Moments(
        unit=np.concatenate([cases, drawn[is_found]]),
        at_us=np.concatenate([end_us[cases], at_us[is_found]]),
        is_case=np.arange(len(cases) + np.count_nonzero(is_found)) < len(cases),
    )


def exposures(observed: Observed, moments: Moments) -> tuple[Exposures, Floats]:
    """Touches inside the window of each moment, and how many lie before it."""
    lengths = np.diff(observed.offsets)[moments.unit]
    ends = np.cumsum(lengths)
    row = np.repeat(np.arange(len(lengths)), lengths)
    shift = np.repeat(observed.offsets[:-1][moments.unit] - (ends - lengths), lengths)
    touch = shift + np.arange(len(shift))
    age_us = moments.at_us[row] - observed.ts_us[touch]
    is_old = age_us > observed.window_us
    is_in = (age_us >= 0) & ~is_old
    earlier = np.bincount(row[is_old], minlength=len(lengths)).astype(np.float64)
    return Exposures(row[is_in], observed.channel[touch[is_in]], age_us[is_in] / DAY_US), earlier


def thinned(observed: Observed, most: int, seed: int) -> tuple[Observed, Floats]:
    """All units that convert and at most `most` of the others, and what each of them stands for.

    Those who never convert tell only how much time passed without it: a sample of them, weighted by
    how many it stands for, tells it well enough (Prentice 1986, case-cohort).
    """
    others = np.flatnonzero(~observed.is_converted)
    if len(others) <= most:
        return observed, np.ones(observed.units)
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(others, most, replace=False))
    kept = np.sort(np.concatenate([np.flatnonzero(observed.is_converted), drawn]))
    lengths = np.diff(observed.offsets)[kept]
    ends = np.cumsum(lengths)
    touch = np.repeat(observed.offsets[:-1][kept] - (ends - lengths), lengths)
    touch += np.arange(len(touch))
    found = Observed(
        channels=observed.channels,
        offsets=np.concatenate([[0], ends]),
        channel=observed.channel[touch],
        ts_us=observed.ts_us[touch],
        end_us=observed.end_us[kept],
        is_converted=observed.is_converted[kept],
        value=observed.value[kept],
        controls=observed.z[kept],
        control_names=observed.control_names,
        start_us=observed.starts_us[kept],
        window_us=observed.window_us,
        converted_us=observed.moments_us,
    )
    return found, np.where(found.is_converted, 1.0, len(others) / most)
