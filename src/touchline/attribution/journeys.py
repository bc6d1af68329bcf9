"""Touch columns → Journeys: the integer-coded arrays that every attribution model reads.

Touches of journey j are `label[offsets[j]:offsets[j + 1]]`, in order of (time, seq). A label is the
finest thing credit may be asked for (channel, campaign, term …); each label has one channel.

The surprise: journeys that convert come first. Rules look at those alone, so all their work is on
a prefix of the arrays, without a copy, and times and money are kept for that prefix only.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, NoReturn, Self

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Ints, tally
from touchline.errors import BadInput

__all__ = ["Journeys", "Labels", "Touches"]

DIRECT = {"direct", "(direct)"}
MOST_COUNTED = 2.0**53  # beyond it, floats skip whole numbers


class Touches(NamedTuple):
    """Columns sorted by (journey, ts, seq). Times are needed for journeys that convert."""

    journey: Ints
    label: Ints
    ts_us: Ints | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """The names of the channels, and for each label the code of its channel."""

    channels: tuple[str, ...]
    channel_of: Ints

    @classmethod
    def of_channels(cls, channels: tuple[str, ...]) -> Self:
        """Labels that are the channels themselves."""
        return cls(channels, np.arange(len(channels)))

    @cached_property
    def direct(self) -> Bools:
        """Which channels are direct traffic, whatever their case."""
        return np.array([name.strip().lower() in DIRECT for name in self.channels], dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Journeys:
    """n journeys, of which the first `len(conversions)` convert.

    A real journey counts once: as a conversion, or in `nulls`. A row of aggregated paths stands for
    `conversions[j]` converting and `nulls[j]` other journeys at once. `value` is the money of all
    its conversions: integer minor units, or floats in the unit of a path file.
    """

    offsets: Ints
    label: Ints
    labels: Labels
    conversions: Floats
    value: Ints | Floats
    nulls: Floats
    ts_us: Ints | None = None

    def __post_init__(self) -> None:
        converting, count = len(self.conversions), len(self.nulls)
        if not (len(self.value) == converting <= count == len(self.offsets) - 1):
            raise ValueError("journeys that convert come first, each with its value")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.label):
            raise ValueError("offsets must run from 0 to the number of touches")
        if self.ts_us is not None and len(self.ts_us) != self.converting_touches:
            raise ValueError("times belong to the touches of journeys that convert")
        _check(self.conversions, "conversions", least=0, most=MOST_COUNTED)
        _check(self.nulls, "nulls", least=0, most=MOST_COUNTED)
        _check(self.value, "value", least=-np.inf)

    @classmethod
    def from_touches(
        cls,
        converting: Touches,
        others: Touches | None = None,
        *,
        value: Ints | Floats,
        labels: Labels,
        counts: Floats | None = None,
    ) -> Self:
        """Journeys as the touchpoint join gives them.

        Converting journeys are numbered 0 … len(value) - 1, a number without touches being a
        conversion that nothing preceded. Numbers of the others only tell them apart. `counts` is 1
        for each, or 0 for money that goes back without an order of its own: it has touches to be
        taken from, but stands for no journey.
        """
        lengths = np.bincount(_ascending(converting.journey), minlength=len(value))
        if len(lengths) > len(value):
            raise ValueError("every converting journey needs a value")
        ends = np.cumsum(lengths)
        label = converting.label
        if others is not None and len(others.journey):
            number = _ascending(others.journey)
            breaks = np.flatnonzero(number[1:] != number[:-1]) + 1
            ends = np.concatenate([ends, len(label) + np.append(breaks, len(number))])
            label = np.concatenate([label, others.label])
        nulls = np.ones(len(ends))
        nulls[: len(value)] = 0
        return cls(
            offsets=np.concatenate([[0], ends]),
            label=label,
            labels=labels,
            conversions=np.ones(len(value)) if counts is None else counts,
            value=value,
            nulls=nulls,
            ts_us=converting.ts_us,
        )

    @classmethod
    def from_paths(
        cls, offsets: Ints, label: Ints, labels: Labels, *, counts: tuple[Floats, Floats, Floats]
    ) -> Self:
        """Journeys of aggregated paths; `counts` are conversions, their value and nulls by path."""
        conversions, value, nulls = counts
        for amounts, name in ((conversions, "conversions"), (nulls, "nulls")):
            _check(amounts, name, least=0, most=MOST_COUNTED)
        _check(value, "value", least=-np.inf)
        has_converted = conversions > 0
        is_alone = (value != 0) & ~has_converted
        if is_alone.any():
            _refuse(value, "value", is_alone)
        order = np.concatenate([np.flatnonzero(has_converted), np.flatnonzero(~has_converted)])
        lengths = np.diff(offsets)[order]
        ends = np.cumsum(lengths)
        shift = np.repeat(offsets[:-1][order] - (ends - lengths), lengths)
        first = order[: np.count_nonzero(has_converted)]
        return cls(
            offsets=np.concatenate([[0], ends]),
            label=label[shift + np.arange(len(shift))],
            labels=labels,
            conversions=conversions[first],
            value=value[first],
            nulls=nulls[order],
        )

    @property
    def converting(self) -> int:
        """How many journeys convert; they are the first ones."""
        return len(self.conversions)

    @property
    def converting_touches(self) -> int:
        """How many touches lie in journeys that convert; they are the first ones."""
        return int(self.offsets[self.converting])

    @cached_property
    def channel(self) -> Ints:
        """Channel code of each touch."""
        of = self.labels.channel_of
        if np.array_equal(of, np.arange(len(of))):
            return self.label
        return of.astype(np.min_scalar_type(max(len(self.labels.channels), 1)))[self.label]

    @cached_property
    def lengths(self) -> Ints:
        """Touches of each journey."""
        return np.diff(self.offsets)

    @cached_property
    def journey_of(self) -> Ints:
        """The journey of each converting touch."""
        return np.repeat(np.arange(self.converting), self.lengths[: self.converting])

    @cached_property
    def is_touched(self) -> Bools:
        """Which converting journeys have a touch at all."""
        return self.lengths[: self.converting] > 0

    @cached_property
    def is_modelled(self) -> Bools:
        """Which converting journeys a chain or a rate is fitted on: touched, and a conversion."""
        return self.is_touched & (self.conversions > 0)

    @cached_property
    def first(self) -> Ints:
        """Index of the first touch of each touched converting journey."""
        return self.offsets[: self.converting][self.is_touched]

    @cached_property
    def last(self) -> Ints:
        """Index of the last touch of each touched converting journey."""
        return self.offsets[1 : self.converting + 1][self.is_touched] - 1

    @cached_property
    def weight(self) -> Floats:
        """How many journeys each of these stands for, converting or not."""
        weight = self.nulls.copy()
        weight[: self.converting] += self.conversions
        return weight

    @cached_property
    def touch_weight(self) -> Floats | None:
        """The weight of each touch's journey; None when every journey stands for itself alone."""
        if np.all(self.weight == 1):
            return None
        return np.repeat(self.weight, self.lengths)

    @cached_property
    def label_presence(self) -> Floats:
        """How often each label stands in converting journeys."""
        touches = self.label[: self.converting_touches]
        counted = self.conversions[self.journey_of]
        return tally(touches, counted, len(self.labels.channel_of))

    @cached_property
    def no_touch(self) -> tuple[float, float]:
        """Conversions that no touch preceded: their number and money."""
        untouched = ~self.is_touched
        return float(self.conversions[untouched].sum()), float(self.value[untouched].sum())


def _check(amounts: Ints | Floats, name: str, *, least: float, most: float = np.inf) -> None:
    """Refuses what no journey can stand for: the first that is negative, infinite or no number, and
    counts beyond those that are exact.
    """
    if not len(amounts) or (
        least <= amounts.min() and amounts.max() <= most and np.inf > np.abs(amounts).max()
    ):
        return
    _refuse(amounts, name, ~(np.isfinite(amounts) & (amounts >= least) & (amounts <= most)))


def _refuse(amounts: Ints | Floats, name: str, is_wrong: Bools) -> NoReturn:
    at = int(np.flatnonzero(is_wrong)[0])
    raise BadInput("bad_counts", name=name, at=at, value=float(amounts[at]))


def _ascending(journey: Ints) -> Ints:
    if np.any(journey[1:] < journey[:-1]):
        raise ValueError("touches must be sorted by journey")
    return journey
