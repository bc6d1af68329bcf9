"""Credit → how sure it is: B replicates of every number, and intervals and ranks from them.

    low, high = the alpha/2 and 1 - alpha/2 quantiles of the replicates (Efron 1979, percentile)

The i-th smallest of B replicates stands at i / (B + 1): with 200 of them, 95 % lies between the
5th and the 196th, and the interval is not too short for few replicates. Two ways to draw again
(resample.py): "poisson" counts every customer anew, with all their journeys; "dirichlet" is the
quick twin, for looking around, which takes the steps of a chain for independent and may be up to a
fifth too narrow where a chain of that order is a poor picture of the journeys.

The surprise: an interval says what other customers, drawn alike, would have given under *this*
model. It says nothing of whether the model is right; leaderboard and lift tests do.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from touchline.attribution import replicate
from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys, Labels
from touchline.attribution.models import Inputs, find, markov_order
from touchline.attribution.replicate_chain import chain
from touchline.attribution.resample import Sample

__all__ = ["Bounds", "Draws", "Standing", "bounds", "draws", "standing"]

OF_SETS = {"shapley_rate"}


@dataclass(frozen=True, eq=False)
class Draws:
    """One model's answer in each replicate: replicates × labels or channels, unrounded.

    As in `Credit`, a channel's sum is that of its labels and what no label of it can take.
    """

    model: str
    labels: Labels
    label_conversions: Floats
    label_revenue: Floats
    leftover_conversions: Floats
    leftover_revenue: Floats
    removal_effect: Floats | None = None
    baseline_conversions: Floats | None = None
    baseline_revenue: Floats | None = None

    @cached_property
    def conversions(self) -> Floats:
        """Conversions of each channel."""
        return self._by_channel(self.label_conversions) + self.leftover_conversions

    @cached_property
    def revenue(self) -> Floats:
        """Money of each channel."""
        return self._by_channel(self.label_revenue) + self.leftover_revenue

    def _by_channel(self, values: Floats) -> Floats:
        return _grouped(values, self.labels.channel_of, len(self.labels.channels))


class Bounds(NamedTuple):
    """The ends of an interval, by column of what was drawn."""

    low: Floats
    high: Floats


class Standing(NamedTuple):
    """Where each column stands among the others: ranks begin with 1, `first` is a probability."""

    low: Ints
    high: Ints
    first: Floats


def bounds(values: Floats, level: float) -> Bounds:
    """The central interval that holds `level` of the replicates (rows) of each column."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0, method="weibull")
    return Bounds(low, high)


def standing(values: Floats, level: float) -> Standing:
    """Ranks from the largest down; equals share the chance to be first and the better rank."""
    rows, columns = values.shape
    if not columns:
        return Standing(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    ordered = np.sort(-values, axis=1)
    rank = np.empty(values.shape, dtype=np.int64)
    for row in range(rows):
        rank[row] = np.searchsorted(ordered[row], -values[row]) + 1
    is_best = rank == 1
    first = (is_best / is_best.sum(axis=1, keepdims=True)).mean(axis=0)
    low, high = bounds(rank.astype(np.float64), level)
    return Standing(np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64), first)


def draws(one: Credit, sample: Sample, inputs: Inputs | None = None) -> Draws:
    """The replicates of one model's answer. `inputs` are needed by models that are fitted anew."""
    labels = one.journeys.labels
    none = np.zeros((sample.replicates, len(labels.channels)))
    if one.share is not None and one.channel_error is None:
        found = replicate.rule(one, sample)
        return Draws(one.model, labels, found.conversions, found.revenue, none, none)
    found = _totals(one, sample, inputs)
    if one.by_label is not None:
        return _by_label(one, found)
    present = replicate.presence(sample)
    by_channel = _grouped(present, labels.channel_of, len(labels.channels))
    part = replicate.divided(present, by_channel[:, labels.channel_of])
    return Draws(
        one.model,
        labels,
        found.conversions[:, labels.channel_of] * part,
        found.revenue[:, labels.channel_of] * part,
        np.where(by_channel == 0, found.conversions, 0.0),
        np.where(by_channel == 0, found.revenue, 0.0),
        found.removal_effect,
        *found.baseline,
    )


def _by_label(one: Credit, found: replicate.Totals) -> Draws:
    """Of a model that knows labels apart: as they share their channel in its answer."""
    labels = one.journeys.labels
    channel_of = labels.channel_of
    credited, paid = (
        total[:, channel_of] * replicate.divided(of_label, of_channel[channel_of])
        for total, of_label, of_channel in (
            (found.conversions, one.label_conversions, one.channel_conversions),
            (found.revenue, one.label_revenue, one.channel_revenue),
        )
    )
    channels = len(labels.channels)
    return Draws(
        one.model,
        labels,
        credited,
        paid,
        found.conversions - _grouped(credited, channel_of, channels),
        found.revenue - _grouped(paid, channel_of, channels),
        None,
        *found.baseline,
    )


def _totals(one: Credit, sample: Sample, inputs: Inputs | None) -> replicate.Totals:
    order = markov_order(one.model) or one.fitted.get("order")
    if order is not None:
        return chain(sample, int(order))
    model = find(one.model)
    if model is None:
        raise ValueError("only a model of the table is drawn anew")
    given = inputs or Inputs(one.journeys)

    def solve(journeys: Journeys) -> Credit:
        return model.compute(replace(given, journeys=journeys))

    if one.model in OF_SETS:
        if one.channel_error is None:
            return replicate.sets(sample, solve)
        return replicate.few_orders(one, sample, given.seed)
    if one.channel_error is not None:
        return replicate.by_error(one, sample)
    return replicate.refitted(sample, solve)


def _grouped(values: Floats, group: Ints, groups: int) -> Floats:
    """Columns added up by group."""
    if np.array_equal(group, np.arange(groups)):
        return values
    found = np.zeros((groups, len(values)))
    np.add.at(found, group, values.T)
    return found.T
