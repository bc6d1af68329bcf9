"""Touches and conversions of owners → units watched over time: see `attribution.observed`.

Somebody is watched from their first touch, or from the first day asked for if that is later, up to
each conversion and after the last one up to the end: the last day asked for, or the last thing that
is known.

    touches      ×   ×      ×  ×           ×
    conversions                  1    2
    units        |---------------|----|----------→ censored

A deal that was lost ends the risk as well, without a conversion; who is touched again after that is
watched again. The surprise: whoever converted without a touch before is in no unit. Such a person
is known for the conversion alone, and to count those who buy so, but not those who do not, would
find a baseline that is too high. Where the conversion itself tells a channel, as an order in a
store does, it is a touch of what follows.
"""

from typing import Any, NamedTuple

import numpy as np

from touchline import clock
from touchline.attribution.arrays import Bools, Floats, Int64s
from touchline.attribution.journeys import DIRECT
from touchline.attribution.observed import Observed
from touchline.attribution.walk import bisected

__all__ = ["CONTROLS", "Bought", "Met", "Span", "units_of"]

NEVER = 1 << 62

# All known before the first exposure of a unit; counts and money as logarithms.
CONTROLS = (
    "touches before",
    "direct touches before",
    "conversions before",
    "money before",
    "days known",
)


class Met(NamedTuple):
    """Touches. An owner is whoever conversions are told for. Without a `window_us` of their own
    they count for that of the span. `is_own`: those that told of a conversion themselves, and are
    no touch of it.
    """

    owner: Int64s
    ts_us: Int64s
    channel: Int64s
    window_us: Int64s | None = None
    is_own: Bools | None = None

    def at(self, places: Int64s, owner: Int64s) -> "Met":
        window_us = None if self.window_us is None else self.window_us[places]
        is_own = None if self.is_own is None else self.is_own[places]
        return Met(owner, self.ts_us[places], self.channel[places], window_us, is_own)

    @property
    def ordered(self) -> "Met":
        order = _order(self.owner, self.ts_us)
        return self if order is None else self.at(order, self.owner[order])


class Bought(NamedTuple):
    """Conversions, and among them deals that were lost, worth nothing; those of nobody are -1's."""

    owner: Int64s
    at_us: Int64s
    value: Int64s | Floats
    is_lost: Bools

    def at(self, places: Int64s | Bools) -> "Bought":
        owner, at_us, value, is_lost = self
        return Bought(owner[places], at_us[places], value[places], is_lost[places])

    @property
    def ordered(self) -> "Bought":
        order = _order(self.owner, self.at_us)
        return self if order is None else self.at(order)

    @property
    def won(self) -> "Bought":
        return self.at(~self.is_lost)


class Span(NamedTuple):
    """What is watched: from `first_us` to `last_us`, touches counting for `window_us`."""

    first_us: int
    last_us: int
    window_us: int
    is_once: bool = False
    restarts: bool = False

    @classmethod
    def of(
        cls,
        met: Met,
        bought: Bought,
        window_us: int,
        asked_us: tuple[int | None, int | None] = (None, None),
    ) -> "Span":
        """From the first touch to the last thing that is known, within what is asked for."""
        first_us, last_us = asked_us
        theirs_us = bought.at_us[bought.owner >= 0]  # what nobody bought says nothing of anybody
        latest = max(int(times.max(initial=0)) for times in (met.ts_us, theirs_us))
        latest = latest if last_us is None else min(latest, last_us)
        begin = int(met.ts_us.min(initial=latest))
        begin = begin if first_us is None else max(begin, first_us)
        return cls(begin, max(begin, latest), window_us)


def units_of(
    met: Met, bought: Bought, channels: tuple[str, ...], span: Span, converted_us: Int64s
) -> Observed:
    """Owners with a touch → units: see the drawing above."""
    met, bought = met.ordered, bought.ordered
    owners, offset = np.unique(met.owner, return_index=True)
    ends = np.append(offset[1:], len(met.owner))
    unit, start_us, end_us, is_converted, value = _spells(met, bought, span)
    bought = bought.won
    since_us = start_us - span.window_us
    if span.restarts:
        since_us = np.maximum(since_us, _last(bought, owners[unit], start_us) + 1)
    low = bisected(met.ts_us, offset[unit], ends[unit], since_us)
    high = bisected(met.ts_us, low, ends[unit], end_us + 1)
    touch, lengths = _exposed(met, low, high - low, np.where(is_converted, end_us, NEVER))
    # Before the first exposure that is still in the window.
    at = np.minimum(low, max(len(met.ts_us) - 1, 0))
    before_us = np.where(lengths > 0, met.ts_us[at], start_us) if len(met.ts_us) else start_us
    is_direct = np.array([name.strip().lower() in DIRECT for name in channels], dtype=np.bool_)
    direct = np.concatenate([[0], np.cumsum(is_direct[met.channel])])
    count, money = _history(bought, owners[unit], before_us)
    controls = np.column_stack(
        [
            np.log1p(low - offset[unit]),
            np.log1p(direct[low] - direct[offset[unit]]),
            np.log1p(count),
            np.log1p(np.maximum(money, 0)),
            np.log1p(np.maximum(before_us - met.ts_us[offset[unit]], 0) / clock.DAY_US),
        ]
    )
    return Observed(
        channels=channels,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        channel=met.channel[touch],
        ts_us=met.ts_us[touch],
        end_us=end_us,
        is_converted=is_converted,
        value=value,
        controls=controls,
        control_names=CONTROLS,
        start_us=start_us,
        window_us=span.window_us if met.window_us is None else met.window_us[touch],
        converted_us=converted_us,
    )


def _order(owner: Int64s, at_us: Int64s) -> Int64s | None:
    """By owner, then by time; None where all stand so already, as they come from a lake."""
    is_back = (owner[1:] < owner[:-1]) | ((owner[1:] == owner[:-1]) & (at_us[1:] < at_us[:-1]))
    return np.lexsort((at_us, owner)) if is_back.any() else None


def _exposed(met: Met, low: Int64s, lengths: Int64s, converted_us: Int64s) -> tuple[Int64s, Int64s]:
    """The touches of each unit: `lengths` from `low` on, less what ends it; and how many."""
    last = np.cumsum(lengths)
    touch = np.repeat(low - (last - lengths), lengths) + np.arange(int(lengths.sum()))
    if met.is_own is None:
        return touch, lengths
    unit = np.repeat(np.arange(len(lengths)), lengths)
    is_met = ~met.is_own[touch] | (met.ts_us[touch] != converted_us[unit])
    return touch[is_met], np.bincount(unit[is_met], minlength=len(lengths))


def _spells(met: Met, bought: Bought, span: Span) -> tuple[Int64s, Int64s, Int64s, Bools, Any]:
    """Place of the owner, start, end, whether it converts, and for how much; in order."""
    owners, offset = np.unique(met.owner, return_index=True)
    first_us = met.ts_us[offset]
    bought = bought.at(np.isin(bought.owner, owners) & (bought.at_us <= span.last_us))
    place = np.searchsorted(owners, bought.owner)
    is_in = _is_known(met, offset, place, bought.at_us)
    trailing = np.arange(len(owners))
    if span.is_once:
        done_us = np.full(len(owners), NEVER)
        np.minimum.at(done_us, place[~bought.is_lost], bought.won.at_us)
        is_in &= bought.at_us <= done_us[place]
        trailing = np.flatnonzero(done_us == NEVER)
    ended = bought.at(is_in)
    unit = np.concatenate([place[is_in], trailing])
    end_us = np.concatenate([ended.at_us, np.full(len(trailing), span.last_us)])
    nothing = np.zeros(len(trailing), np.bool_)
    is_lost = np.concatenate([ended.is_lost, nothing])
    is_converted = np.concatenate([~ended.is_lost, nothing])
    value = np.concatenate([ended.value, nothing.astype(ended.value.dtype)])
    order = np.lexsort((~is_converted, end_us, unit))
    unit, end_us, is_lost = unit[order], end_us[order], is_lost[order]
    is_converted, value = is_converted[order], value[order]
    start_us = first_us[unit]
    is_next = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    start_us[is_next] = np.maximum(start_us[is_next], end_us[is_next - 1])
    after_loss = is_next[is_lost[is_next - 1]]
    ends = np.append(offset[1:], len(met.owner))[unit[after_loss]]
    again = bisected(met.ts_us, offset[unit[after_loss]], ends, start_us[after_loss] + 1)
    again_us = np.where(again < ends, met.ts_us[np.minimum(again, len(met.ts_us) - 1)], NEVER)
    start_us[after_loss] = np.minimum(again_us, end_us[after_loss])
    # Cut off last of all: what ended before may be why nobody is watched now.
    start_us = np.maximum(start_us, span.first_us)
    kept = (start_us < end_us) | (is_converted & (start_us == end_us))
    return unit[kept], start_us[kept], end_us[kept], is_converted[kept], value[kept]


def _is_known(met: Met, offset: Int64s, place: Int64s, at_us: Int64s) -> Bools:
    """Whether an owner had been touched by then, by more than the conversion itself."""
    first_us = met.ts_us[offset]
    if met.is_own is None:
        return at_us >= first_us[place]
    other_us = np.minimum.reduceat(np.where(met.is_own, NEVER, met.ts_us), offset)
    return (at_us > first_us[place]) | (at_us >= other_us[place])


def _last(bought: Bought, owner: Int64s, at_us: Int64s) -> Int64s:
    """When each owner had converted last, at a moment at the latest; long ago if never."""
    low, high = (np.searchsorted(bought.owner, owner, side=side) for side in ("left", "right"))
    until = bisected(bought.at_us, low, high, at_us + 1)
    times = np.append(bought.at_us, -NEVER)
    return np.where(until > low, times[until - 1], -NEVER)


def _history(bought: Bought, owner: Int64s, before_us: Int64s) -> tuple[Int64s, Any]:
    """How often each owner had converted before, and for how much money."""
    low = np.searchsorted(bought.owner, owner)
    high = np.searchsorted(bought.owner, owner, side="right")
    until = bisected(bought.at_us, low, high, before_us)
    money = np.concatenate([[0], np.cumsum(bought.value)])
    return until - low, money[until] - money[low]
