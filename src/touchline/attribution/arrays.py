"""Names for the arrays of attribution, and sums by code: plain, or accurate to the last digit.

Adding a million shares one by one drifts by 1e-8, and totals are promised to 1e-9. `sums_by` cuts
every amount in two: a part on a coarse grid, whose sums are exact, and a rest too small to drift.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats", "Int64s", "Ints", "dense", "sums_by", "tally"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Ints = npt.NDArray[np.integer[Any]]

EXACT_BITS = 52
COUNTABLE = 1 << 22  # so many codes are counted faster than sorted
LEAST_EXPONENT = -1022  # below it the step itself would lose its bits


def tally(code: Ints, weights: Ints | Floats, size: int) -> Floats:
    """The plain sum of the weights of each code 0 … size - 1: right for whole numbers."""
    return np.bincount(code, weights, size).astype(np.float64, copy=False)


def dense(code: Ints, size: int) -> tuple[Int64s, Int64s]:
    """The codes that occur, ascending, and each code as its place among them."""
    if size > COUNTABLE:
        distinct, place = np.unique(code, return_inverse=True)
        return distinct.astype(np.int64, copy=False), place
    occurs = np.bincount(code, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[code]


def sums_by(code: Ints, amounts: Ints | Floats, size: int) -> Floats:
    """The sum of the amounts of each code, without drift."""
    magnitude = float(np.abs(amounts).sum())
    if magnitude == 0:
        return np.zeros(size)
    step = math.ldexp(1.0, max(math.frexp(magnitude)[1] - EXACT_BITS, LEAST_EXPONENT))
    coarse = np.round(amounts / step) * step
    return tally(code, coarse, size) + tally(code, amounts - coarse, size)
