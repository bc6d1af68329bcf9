"""Journeys → how far back a chain of channels should look: the order, by out-of-sample AUC.

A chain of order k says of a finished journey that it converted with the chance with which journeys
convert that end in the same last k channels: the exits of its state. (The likelihoods of the way
there cancel, so this is its whole posterior.) The better the order, the more often a journey that
converted is given a higher chance than one that did not: the area under the ROC curve. Journeys are
dealt into FOLDS parts, chances learnt on all but one and judged on that one; a window never seen in
learning is looked up one channel shorter.

    order = the lowest whose mean AUC lies within one standard error of the best
            (Breiman, Friedman, Olshen and Stone 1984: the one-standard-error rule)

The surprise: no journey is dealt out. Equal ends with equal outcomes are one cell with a count, and
the counts are split by a multinomial draw from a fixed seed: the order of rows changes nothing, and
a row that stands for a thousand journeys is worth a thousand.
"""

from typing import NamedTuple

import numpy as np

from touchline.attribution import markov
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys

__all__ = ["HIGHEST_ORDER", "Memory", "chosen_order"]

HIGHEST_ORDER = 4
FOLDS = 5
COIN = 0.5  # chances learnt on the other folds lean the wrong way where there is nothing to learn


class Memory(NamedTuple):
    """The order chosen, and of each order from 1 its mean AUC and standard error.

    No AUC at all where nothing can be compared: too few conversions, or none that failed.
    """

    order: int
    auc: Floats
    error: Floats


def chosen_order(journeys: Journeys, seed: int = 0) -> Memory:
    """The order of the chain that tells journeys apart best, out of sample."""
    channels = len(journeys.labels.channels)
    fitting = [k for k in range(1, HIGHEST_ORDER + 1) if channels <= markov.most_channels(k)]
    nothing = Memory(1, np.zeros(0), np.zeros(0))
    if not fitting or not len(journeys.label):
        return nothing
    windows, parts = _dealt(journeys, max(fitting), seed)
    held = parts.sum(axis=1)  # outcomes x folds: what each fold has to be judged by
    judged = np.flatnonzero((held > 0).all(axis=0))
    if len(judged) < 2:
        return nothing
    chance = _chances(
        np.zeros(len(windows), np.int64), parts, np.float64(0)
    )  # of order 0: one rate
    found: list[list[float]] = []
    for order in fitting:
        chance = _chances(windows % (channels + 1) ** order, parts, chance)
        found.append([_auc(chance[:, f], parts[1, :, f], parts[0, :, f]) for f in judged])
    auc = np.mean(found, axis=1)
    error = np.std(found, axis=1, ddof=1) / np.sqrt(len(judged))
    told = np.maximum(auc, COIN)
    best = int(np.argmax(told))
    return Memory(int(np.argmax(told >= told[best] - error[best])) + 1, auc, error)


def _dealt(journeys: Journeys, order: int, seed: int) -> tuple[Ints, Floats]:
    """Distinct last windows, and how many journeys of each did not or did convert, by fold.

    The second is 2 × windows × FOLDS. Money that went back without an order is no journey.
    """
    is_touched = journeys.lengths > 0
    ends = markov.runs_of(journeys, order - 1)[journeys.offsets[1:][is_touched] - 1]
    windows, place = np.unique(ends.astype(np.int64), return_inverse=True)
    converted = np.zeros(len(is_touched))
    converted[: journeys.converting] = journeys.conversions
    rng = np.random.default_rng(seed)
    parts: list[Floats] = []
    for count in (journeys.nulls, converted):
        cells = np.bincount(place, count[is_touched], len(windows))
        dealt = rng.multinomial(np.rint(cells).astype(np.int64), np.full(FOLDS, 1 / FOLDS))
        parts.append(dealt.astype(np.float64))
    return windows, np.stack(parts)


def _chances(window: Ints, parts: Floats, shorter: Floats | np.float64) -> Floats:
    """Of each cell and fold, the chance learnt on the other folds; `shorter` where none was."""
    _, place = np.unique(window, return_inverse=True)
    failed, converted = (
        np.stack([np.bincount(place, one) for one in part.T], axis=1) for part in parts
    )
    converted = converted.sum(axis=1, keepdims=True) - converted
    seen = converted + failed.sum(axis=1, keepdims=True) - failed
    return np.where(seen[place] > 0, (converted / np.maximum(seen, 1))[place], shorter)


def _auc(chance: Floats, converted: Floats, failed: Floats) -> float:
    """The chance that one that converted stands above one that did not; a tie is half."""
    _, place = np.unique(chance, return_inverse=True)
    positive, negative = np.bincount(place, converted), np.bincount(place, failed)
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / (positive.sum() * negative.sum()))
