"""Sums that are exact, so that what was added can be taken away and leaves no trace.

Shares are fractions, and sums of floats depend on their order. Here every amount is written on a
grid as three integers, and integers add up the same in any order: a group in the sense of algebra.

The surprise: the grid costs nothing that is seen. It has 52 bits behind the point, as many as a
share has; and each integer is small enough for 2^27 of them to add up exactly as floats.
"""

from typing import NamedTuple, Self

import numpy as np

from touchline.attribution.arrays import Floats, Int64s, Ints

__all__ = ["PARTS", "Keyed", "amounts_of", "fixed_sums"]

BITS = 26
PARTS = 3  # units, and twice as many bits of what is behind the point
STEP = 2.0**-BITS


def fixed_sums(code: Ints, amounts: Floats, size: int) -> Int64s:
    """The sum of the amounts of each code, as integers (size × PARTS)."""
    whole = np.floor(amounts)
    rest = (amounts - whole) / STEP
    part = np.floor(rest)
    last = np.rint((rest - part) / STEP)
    return np.stack([_tally(code, one, size) for one in (whole, part, last)], axis=1)


def amounts_of(sums: Int64s) -> Floats:
    """The amounts (…) that such integers (… × PARTS) stand for."""
    return sums[..., 0] + (sums[..., 1] + sums[..., 2] * STEP) * STEP


def _tally(code: Ints, weights: Floats, size: int) -> Int64s:
    return np.bincount(code, weights, size).astype(np.int64)


class Keyed(NamedTuple):
    """Integers by key: ascending keys (n), and what is counted of each (n × m), not all zero."""

    keys: Int64s
    sums: Int64s

    @classmethod
    def of(cls, keys: Ints, values: Int64s) -> Self:
        """Rows of equal key added up."""
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order].astype(np.int64), values[order]
        if not len(keys):
            return cls(keys, values)
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        sums = np.add.reduceat(values, starts, axis=0)
        is_left = sums.any(axis=1)
        return cls(keys[starts][is_left], sums[is_left])

    @classmethod
    def nothing(cls, width: int) -> Self:
        return cls(np.zeros(0, np.int64), np.zeros((0, width), np.int64))

    def plus(self, other: Self, sign: int = 1) -> Self:
        keys = np.concatenate([self.keys, other.keys])
        return self.of(keys, np.concatenate([self.sums, sign * other.sums]))

    def is_same(self, other: Self) -> bool:
        return np.array_equal(self.keys, other.keys) and np.array_equal(self.sums, other.sums)
