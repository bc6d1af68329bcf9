"""Credit → how sure it is: B replicates of every number, and intervals and ranks from them.

    low, high = the alpha/2 and 1 - alpha/2 quantiles of the replicates (Efron 1979, percentile)

The i-th smallest of B replicates stands at i / (B + 1): with 200 of them, 95 % lies between the
5th and the 196th, and the interval is not too short for few replicates. Two ways to draw again
(resample.py): "poisson" counts every customer anew, with all their journeys; "dirichlet" is the
quick twin, for looking around, which takes the steps of a chain for independent and may be up to a
fifth too narrow where a chain of that order is a poor picture of the journeys.

What a model found out for itself beforehand is held: a half-life that was fitted, the form in which
touches add up, the order of `markov_auto`. So their intervals tell nothing of that choice.

The surprise: an interval says what other customers, drawn alike, would have given under *this*
model. It says nothing of whether the model is right: what intent makes a regression take for an
effect is a fault that no sampling shows. Leaderboard and lift tests do.
"""

from typing import NamedTuple

import numpy as np

from touchline.attribution import replicate
from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.models import known, markov_order
from touchline.attribution.replicate import Draws
from touchline.attribution.replicate_chain import chain
from touchline.attribution.resample import Sample

__all__ = ["Bounds", "Draws", "Standing", "bounds", "draws", "standing"]


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


def draws(one: Credit, sample: Sample) -> Draws:
    """The replicates of one model's answer, as its kind is drawn (see `models.Model`)."""
    kind = known(one.model).kind
    if kind == "rule":
        return replicate.rule(one, sample)
    if kind == "fitted":
        return replicate.fitted(one, sample)
    if kind == "sets":
        return replicate.spread(one, replicate.sets(one, sample), sample)
    order = markov_order(one.model) or int(one.fitted["order"])
    return replicate.spread(one, chain(sample, order), sample)
