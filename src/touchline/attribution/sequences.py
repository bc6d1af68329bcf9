"""Journeys → the sequences of labels they follow, the most frequent first.

A label that follows itself is one step: "Ads > Ads > Email" and "Ads > Email" are one sequence. The
surprise: sequences are told apart by a hash of 64 bits, not by comparing them; among a million
different ones two meet by chance once in some ten million reports.
"""

from typing import NamedTuple

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Ints, sums_by, tally
from touchline.attribution.journeys import Journeys

__all__ = ["Sequence", "sequences"]

SPREAD = np.uint64(0x9E3779B97F4A7C15)
MIXES = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
LAST_SHIFT = np.uint64(31)


class Sequence(NamedTuple):
    """Label codes in order, and the journeys that follow them."""

    steps: tuple[int, ...]
    conversions: float
    value: float
    nulls: float


def sequences(journeys: Journeys, most: int, *, by_nulls: bool = False) -> list[Sequence]:
    """The `most` frequent by conversions, or by journeys that lead nowhere."""
    is_step = _changes(journeys)
    owner = np.repeat(np.arange(len(journeys.nulls)), journeys.lengths)[is_step]
    label = journeys.label[is_step]
    lengths = np.bincount(owner, minlength=len(journeys.nulls))
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(label)) - np.repeat(starts, lengths)
    touched = np.flatnonzero(lengths)
    if not len(touched):
        return []
    keys = np.add.reduceat(_mixed(label, place), starts[touched])
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    conversions, value = (_padded(journeys, one)[touched] for one in ("conversions", "value"))
    size = len(first)
    counted = tally(code, conversions, size)
    worth = sums_by(code, value, size)
    nulls = tally(code, journeys.nulls[touched], size)
    weight, other = (nulls, counted) if by_nulls else (counted, nulls)
    order = np.lexsort((first, other, -worth, -weight))
    found = [int(at) for at in order[:most] if weight[at] > 0]
    return [
        Sequence(
            _steps(label, starts, lengths, int(touched[first[at]])),
            float(counted[at]),
            float(worth[at]),
            float(nulls[at]),
        )
        for at in found
    ]


def _steps(label: Ints, starts: Ints, lengths: Ints, journey: int) -> tuple[int, ...]:
    start = int(starts[journey])
    return tuple(label[start : start + int(lengths[journey])].tolist())


def _changes(journeys: Journeys) -> Bools:
    """Which touches are another label than the one before them in their journey."""
    label = journeys.label
    is_step = np.ones(len(label), dtype=np.bool_)
    is_step[1:] = label[1:] != label[:-1]
    starts = journeys.offsets[:-1][journeys.lengths > 0]
    is_step[starts] = True
    return is_step


def _mixed(label: Ints, place: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """A number for each (label, place), as if drawn by chance; their sum tells sequences apart."""
    with np.errstate(over="ignore"):
        found = (label.astype(np.uint64) * SPREAD + place.astype(np.uint64) + np.uint64(1)) * SPREAD
        for shift, factor in MIXES:
            found = (found ^ (found >> shift)) * factor
        return found ^ (found >> LAST_SHIFT)


def _padded(journeys: Journeys, name: str) -> Floats:
    """A column of converting journeys, 0 for the others."""
    own = getattr(journeys, name)
    return np.concatenate([own, np.zeros(len(journeys.nulls) - len(own))])
