"""Sums that are exact, so that what was added can be taken away and leaves no trace.

Shares are fractions, and sums of floats depend on their order. Here every amount is written on a
grid as two integers, and integers add up the same in any order: a group in the sense of algebra.

The surprise: the grid costs nothing that is seen. A share keeps 52 bits behind the point, an amount
of money 26, and totals are promised to nine digits.
"""

from typing import NamedTuple, Self

import numpy as np

from touchline.attribution.arrays import Floats, Int64s, Ints

__all__ = ["MONEY", "SHARE", "Keyed", "amounts_of", "fixed_sums"]

BITS = 26  # of each of the two integers; 2^27 of them add up below 2^53
SHARE, MONEY = 2.0**-BITS, 1.0  # what one of the first integer is worth


def fixed_sums(code: Ints, amounts: Floats, size: int, *, unit: float) -> Int64s:
    """The sum of the amounts of each code, as two integers (size × 2): units and parts of them."""
    scaled = amounts / unit
    whole = np.floor(scaled)
    part = np.rint((scaled - whole) * 2.0**BITS)
    return np.stack([_tally(code, one, size) for one in (whole, part)], axis=1)


def amounts_of(sums: Int64s, *, unit: float) -> Floats:
    """The amounts (…) that such integers (… × 2) stand for."""
    return (sums[..., 0] + sums[..., 1] * 2.0**-BITS) * unit


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
