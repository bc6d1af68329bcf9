"""Journeys → the sums that rules, Markov chains and Shapley values need of them, and no more.

    of(all) = of(one day) + of(another day), and of(all) - of(some people) is of(the others)

to the last bit: a day is folded in, and a late conversion, a merge or an erasure adjusts by taking
away what the people concerned had and adding what they have now. `figures.py` reads credit from it.

Kept are, of each label, its shares under each rule; runs of channels and what they end in, for
chains (a chain of order k is its counts of k + 1 in a row); sets of channels, for rates.

The surprise: what has come to nothing is dropped, labels too, so that equal journeys have equal
statistics whatever way led there.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, Unpack

import numpy as np

from touchline.attribution import markov, shapley
from touchline.attribution.arrays import Int64s
from touchline.attribution.credit import credit
from touchline.attribution.inputs import Options
from touchline.attribution.journeys import Journeys
from touchline.attribution.models import known, markov_order
from touchline.attribution.sets import channel_sets
from touchline.attribution.sums import PARTS, Keyed, fixed_sums
from touchline.errors import BadInput

__all__ = ["SET_CHANNELS", "Label", "Statistics"]

Label = tuple[str | None, ...]
SET_CHANNELS = 62  # a set of channels is one integer


@dataclass(frozen=True, eq=False)
class Statistics:
    """Arrays over labels end in L. `shares` are (rules + 1) × L × 6: conversions and money of each
    rule, as `sums.fixed_sums` writes them; the last is money that went back without an order.

    `totals` are conversions and money, those without a touch, and what chains are fitted on:
    conversions, money earned, money returned. `runs`: journeys; `ends`: the last three of totals;
    `sets`: journeys, conversions, money.
    """

    models: tuple[str, ...]
    labels: tuple[Label, ...]
    touches: Int64s
    presence: Int64s
    shares: Int64s
    totals: Int64s
    runs: Keyed
    ends: Keyed
    sets: Keyed

    @classmethod
    def nothing(cls, models: tuple[str, ...]) -> Self:
        """Those of no journey at all: what adding begins with."""
        none = np.zeros(0, np.int64)
        shares = np.zeros((len(rules_of(models)) + 1, 0, 2 * PARTS), np.int64)
        sums = (Keyed.nothing(1), Keyed.nothing(3), Keyed.nothing(3))
        return cls(models, (), none, none, shares, np.zeros(7, np.int64), *sums)

    @classmethod
    def of(
        cls,
        journeys: Journeys,
        labels: tuple[Label, ...],
        models: tuple[str, ...],
        **options: Unpack[Options],
    ) -> Self:
        """`labels` are the names of the journeys' labels, channel first."""
        if not _is_whole(journeys):
            raise ValueError("statistics count whole journeys and whole minor units")
        _demand_sums(models, **options)
        order = order_of(models)
        runs, ends = _runs(journeys, order) if order else (Keyed.nothing(1), Keyed.nothing(3))
        found = cls(
            models,
            labels,
            touches=np.bincount(journeys.label, minlength=len(labels)),
            presence=journeys.label_presence.astype(np.int64),
            shares=_shares(journeys, models, **options),
            totals=_totals(journeys),
            runs=runs,
            ends=ends,
            sets=_sets(journeys) if _asks_sets(models) else Keyed.nothing(3),
        )
        names = _sorted({labels[code] for code in np.flatnonzero(found.touches)})
        return found.relabelled(names, journeys.labels.channels)

    def __add__(self, other: Self) -> Self:
        return self._with(other, 1)

    def __sub__(self, other: Self) -> Self:
        return self._with(other, -1)

    def is_same(self, other: Self) -> bool:
        """Whether both are of the same journeys, as far as these models can tell."""
        arrays = ("touches", "presence", "shares", "totals")
        return (
            (self.models, self.labels) == (other.models, other.labels)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)
            and all(getattr(self, n).is_same(getattr(other, n)) for n in ("runs", "ends", "sets"))
        )

    @cached_property
    def channels(self) -> tuple[str, ...]:
        return tuple(sorted({str(label[0]) for label in self.labels}))

    @cached_property
    def channel_of(self) -> Int64s:
        place = {name: code for code, name in enumerate(self.channels)}
        return np.array([place[str(label[0])] for label in self.labels], dtype=np.int64)

    def relabelled(self, labels: tuple[Label, ...], channels: tuple[str, ...]) -> Self:
        """The same with these labels, which are all that have anything; `channels` are those by
        whose codes runs and sets are written now.
        """
        code = {label: number for number, label in enumerate(labels)}
        kept = [number for number, label in enumerate(self.labels) if label in code]
        to = np.array([code[self.labels[number]] for number in kept], dtype=np.int64)
        shares = np.zeros((len(self.shares), len(labels), 2 * PARTS), np.int64)
        shares[:, to] = self.shares[:, kept]
        touches, presence = np.zeros((2, len(labels)), np.int64)
        touches[to], presence[to] = self.touches[kept], self.presence[kept]
        found = replace(self, labels=labels, touches=touches, presence=presence, shares=shares)
        place = {name: number for number, name in enumerate(found.channels)}
        moved = np.array([place.get(name, 0) for name in channels], dtype=np.int64)
        if len(channels) == len(found.channels) and np.array_equal(moved, np.arange(len(moved))):
            return found
        size = len(found.channels)
        order = order_of(self.models)
        return replace(
            found,
            runs=Keyed.of(_rerun(self.runs.keys, order, moved, size), self.runs.sums),
            ends=Keyed.of(_rerun(self.ends.keys, order, moved, size), self.ends.sums),
            sets=Keyed.of(_reset(self.sets.keys, moved, size), self.sets.sums),
        )

    def _with(self, other: Self, sign: int) -> Self:
        if self.models != other.models:
            raise ValueError("statistics of different models do not add up")
        every = _sorted({*self.labels, *other.labels})
        a, b = self.relabelled(every, self.channels), other.relabelled(every, other.channels)
        found = replace(
            a,
            touches=a.touches + sign * b.touches,
            presence=a.presence + sign * b.presence,
            shares=a.shares + sign * b.shares,
            totals=a.totals + sign * b.totals,
            runs=a.runs.plus(b.runs, sign),
            ends=a.ends.plus(b.ends, sign),
            sets=a.sets.plus(b.sets, sign),
        )
        left = tuple(label for label, touches in zip(every, found.touches, strict=True) if touches)
        return found if left == every else found.relabelled(left, found.channels)


def rules_of(models: tuple[str, ...]) -> list[str]:
    """Those that share out each conversion by itself."""
    return [name for name in models if known(name).kind == "rule"]


def order_of(models: tuple[str, ...]) -> int:
    """The longest memory of a chain among the models; 0 without one."""
    return max((markov_order(name) or 0 for name in models), default=0)


def _asks_sets(models: tuple[str, ...]) -> bool:
    return any(known(name).kind == "sets" for name in models)


def _demand_sums(models: tuple[str, ...], **options: Unpack[Options]) -> None:
    """Refuses what is fitted on all journeys at once: sums of their parts do not tell it."""
    for name in models:
        is_rule_fitted = name == "time_decay" and options.get("half_life_days", 0) is None
        is_order_fitted = known(name).kind == "chain" and not markov_order(name)
        if known(name).kind == "fitted" or is_rule_fitted or is_order_fitted:
            raise BadInput("model_not_additive", model=name)


def _is_whole(journeys: Journeys) -> bool:
    counts = (journeys.conversions, journeys.nulls)
    return np.issubdtype(journeys.value.dtype, np.integer) and all(
        bool(np.all(count == np.rint(count))) for count in counts
    )


def _sorted(labels: set[Label]) -> tuple[Label, ...]:
    return tuple(
        sorted(labels, key=lambda label: [(name is not None, name or "") for name in label])
    )


def _shares(journeys: Journeys, models: tuple[str, ...], **options: Unpack[Options]) -> Int64s:
    label = journeys.label[: journeys.converting_touches]
    counted, value = (one[journeys.journey_of] for one in (journeys.conversions, journeys.value))
    size = len(journeys.labels.channel_of)
    found: list[Int64s] = []
    for answer in credit(journeys, rules_of(models), **options).values():
        parts = (
            fixed_sums(label, answer.touch_conversions, size),
            fixed_sums(label, answer.touch_revenue, size),
        )
        found.append(np.concatenate(parts, axis=1))
    went_back = np.zeros((size, 2 * PARTS), np.int64)
    is_back = (counted == 0) & (value != 0)
    if is_back.any():
        share = np.where(is_back, shapley.equal_set(journeys) * value, 0)
        went_back[:, PARTS:] = fixed_sums(label, share, size)
    return np.stack([*found, went_back])


def _totals(journeys: Journeys) -> Int64s:
    value, is_modelled = journeys.value, journeys.is_modelled
    modelled = value[is_modelled]
    sums = (
        journeys.conversions.sum(),
        value.sum(),
        journeys.conversions[~journeys.is_touched].sum(),
        value[~journeys.is_touched].sum(),
        journeys.conversions[is_modelled].sum(),
        modelled[modelled > 0].sum(),
        modelled[modelled < 0].sum(),
    )
    return np.array([int(one) for one in sums], dtype=np.int64)


def _outcome(journeys: Journeys) -> Int64s:
    """Conversions, money earned, money returned of each journey that a chain is fitted on."""
    value = journeys.value[journeys.is_modelled].astype(np.int64)
    count = journeys.conversions[journeys.is_modelled].astype(np.int64)
    return np.stack([count, np.maximum(value, 0), np.minimum(value, 0)], axis=1)


def _runs(journeys: Journeys, order: int) -> tuple[Keyed, Keyed]:
    _demand_room(len(journeys.labels.channels), order)
    if not len(journeys.label):
        return Keyed.nothing(1), Keyed.nothing(3)
    grams = markov.count_grams(journeys, order)
    counts = grams.counts.astype(np.int64)[:, None]
    return Keyed.of(grams.runs, counts), Keyed.of(grams.ends, _outcome(journeys))


def _demand_room(channels: int, order: int) -> None:
    limit = markov.most_channels(order)
    if channels > limit:
        raise BadInput("too_many_channels", model=f"markov_{order}", limit=limit, found=channels)


def _sets(journeys: Journeys) -> Keyed:
    channels = len(journeys.labels.channels)
    if channels > SET_CHANNELS:
        raise BadInput(
            "too_many_channels", model="shapley_rate", limit=SET_CHANNELS, found=channels
        )
    sets = channel_sets(journeys)
    is_filled = sets.sizes > 0
    key = sets.coded(np.left_shift(1, np.arange(channels), dtype=np.int64))
    return Keyed.of(key[is_filled], sets.totals(journeys).T[is_filled].astype(np.int64))


def _rerun(keys: Int64s, order: int, moved: Int64s, channels: int) -> Int64s:
    """Runs written anew, for channels with other codes: see `markov.Grams`."""
    if not order:
        return keys
    _demand_room(channels, order)
    digit = np.append(0, moved + 1)  # zero stands for what lies before the start
    found = np.zeros(len(keys), np.int64)
    for place in range(order + 1):
        found += digit[keys // len(digit) ** place % len(digit)] * (channels + 1) ** place
    return found


def _reset(keys: Int64s, moved: Int64s, channels: int) -> Int64s:
    """Sets written anew, for channels with other codes."""
    if len(keys) and channels > SET_CHANNELS:
        raise BadInput(
            "too_many_channels", model="shapley_rate", limit=SET_CHANNELS, found=channels
        )
    found = np.zeros(len(keys), np.int64)
    for old, new in enumerate(moved.tolist()):
        found |= (keys >> old & 1) << new
    return found
