"""Journeys + their customers → the same sums again and again, each customer counted anew.

Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012): in each replicate a customer, with
all that they did, counts w times, w ~ Poisson(1) independently. Bayesian bootstrap (Rubin 1981):
w ~ Exp(1), which divided by its sum is Dirichlet. Most models are functions of sums over journeys,
so a replicate is a sparse matrix times a block of weights, and no journey is ever copied.

The surprise: under "dirichlet" only customers that convert are drawn one by one. Sums over journeys
that do not convert are drawn cell by cell, Gamma(count), as rows of a table of counts are; that
needs no pass over them, but takes cells of one journey for independent: see interval.py.
"""

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from touchline.attribution.arrays import Floats, Ints, tally
from touchline.attribution.journeys import Journeys

__all__ = ["REPLICATES", "Block", "Cells", "Method", "Sample"]

Method = Literal["poisson", "dirichlet"]
Weights = npt.NDArray[Any]  # bytes while they are small whole numbers, else floats
REPLICATES = 200
BLOCK = 50  # replicates at once; part of the definition of the draws, like the seed
ROWS = 4_096  # journeys at once: their weights stay in the cache
SUMS = 1 << 24  # cells × replicates at once: 128 MiB of float64
WON, OTHERS = 0, 1
# Poisson(1) by the value of 16 random bits: the mean is exactly 1, the variance 0.99997.
POISSON = np.searchsorted(
    np.cumsum([math.exp(-1) / math.factorial(count) for count in range(12)]),
    (np.arange(1 << 16) + 0.5) / (1 << 16),
).astype(np.uint8)


class Cells(NamedTuple):
    """A sum by cell: each entry of row j adds `amount` to its cell, w_j times.

    `offsets` cut the entries into rows: the converting journeys, or the others.
    """

    offsets: Ints
    cell: Ints
    amount: Floats
    size: int


@dataclass(frozen=True, eq=False)
class Sample:
    """How the data is drawn again. `customer` numbers whose each journey is; None stands for
    aggregated paths, where each conversion and each journey without one is somebody else's.

    The same journeys, customers, method and seed give the same bits, whichever models are asked.
    """

    journeys: Journeys
    customer: Ints | None = None
    replicates: int = REPLICATES
    method: Method = "poisson"
    seed: int = 0

    def blocks(self) -> Iterator["Block"]:
        """Weights for all replicates, some at a time."""
        for number, low in enumerate(range(0, self.replicates, BLOCK)):
            rng = np.random.default_rng((self.seed, number))
            yield Block(self, rng, min(BLOCK, self.replicates - low))

    @cached_property
    def solved(self) -> dict[int, Any]:
        """What was drawn of chains, by their order: several models may be of one."""
        return {}

    @cached_property
    def other_rows(self) -> Ints:
        """Which journeys stand for some that do not convert."""
        return np.flatnonzero(self.journeys.nulls)

    @cached_property
    def other_touches(self) -> tuple[Ints, Ints]:
        """The touches of those rows, and where each row's begin."""
        lengths = self.journeys.lengths[self.other_rows]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.journeys.offsets[:-1][self.other_rows] - ends[:-1], lengths)
        return shift + np.arange(len(shift)), ends

    @cached_property
    def units(self) -> tuple[Ints, Ints]:
        """What is drawn independently, by converting journey and by other row; buyers first."""
        journeys = self.journeys
        if self.customer is None:
            others = journeys.converting + np.arange(len(self.other_rows))
            return np.arange(journeys.converting), others
        of_won = self.customer[: journeys.converting]
        buyers, of_buyer = np.unique(of_won, return_inverse=True)
        found, of_other = np.unique(self.customer[self.other_rows], return_inverse=True)
        place = np.searchsorted(buyers, found).clip(max=max(len(buyers) - 1, 0))
        is_buyer = buyers[place] == found if len(buyers) else np.zeros(len(found), np.bool_)
        number = np.where(is_buyer, place, len(buyers) + np.cumsum(~is_buyer) - 1)
        return of_buyer, number[of_other]

    @cached_property
    def sizes(self) -> tuple[Floats | None, Floats | None]:
        """How many customers a row of aggregated paths stands for, by side; None: one each."""
        counted = np.where(self.journeys.conversions > 0, self.journeys.conversions, 1)
        found = [counted, self.journeys.nulls[self.other_rows]]
        if self.customer is not None or all(np.all(one == 1) for one in found):
            return None, None
        return found[WON], found[OTHERS]


class Block:
    """The weights of some replicates. Buyers are drawn first, and others only if they are asked."""

    def __init__(self, sample: Sample, rng: np.random.Generator, width: int) -> None:
        self._sample, self._rng, self.width = sample, rng, width
        self._of_won, self._of_others = sample.units
        highest = [int(one.max(initial=-1)) + 1 for one in sample.units]
        is_byte = sample.method == "poisson" and sample.sizes[WON] is None
        self.drawn = np.empty((max(highest), width), np.uint8 if is_byte else np.float64)
        self._left = self.drawn[highest[WON] :]
        self._draw(self.drawn[: highest[WON]], sample.sizes[WON])

    def narrow(self, cells: int) -> Iterator["Block"]:
        """The same replicates, as few at a time as sums of so many cells have room for."""
        if self._sample.method == "poisson":
            self._draw_others()
        width = max(1, SUMS // max(cells, 1))
        for low in range(0, self.width, width):
            part = copy(self)
            part.drawn = self.drawn[:, low : low + width]
            part.width = part.drawn.shape[1]
            yield part

    def won(self, cells: Cells) -> Floats:
        """Sums (cells × replicates) over converting journeys."""
        return self._summed(cells, self._of_won)

    def others(self, cells: Cells) -> Floats:
        """The same over journeys that do not convert."""
        if self._sample.method == "dirichlet":
            return self.gamma(tally(cells.cell, cells.amount, cells.size))
        self._draw_others()
        return self._summed(cells, self._of_others)

    def gamma(self, mass: Floats) -> Floats:
        """Counts as the Bayesian bootstrap draws them, each cell alone."""
        return self._rng.standard_gamma(mass[:, None], (len(mass), self.width))

    def _draw_others(self) -> None:
        self._draw(self._left, self._sample.sizes[OTHERS])
        self._left = self._left[:0]

    def _draw(self, rows: Weights, sizes: Floats | None) -> None:
        """Fills rows with weights of mean 1, some at a time: they stay in the cache."""
        for low in range(0, len(rows), ROWS):
            part = rows[low : low + ROWS]
            size = None if sizes is None else sizes[low : low + ROWS, None]
            if self._sample.method == "dirichlet":
                gamma = self._rng.standard_gamma
                part[:] = gamma(1.0, part.shape) if size is None else gamma(size, part.shape) / size
            elif size is None:
                bits = self._rng.integers(0, 1 << 16, part.shape, dtype=np.uint16)
                np.take(POISSON, bits, out=part)
            else:
                part[:] = self._rng.poisson(size, part.shape) / size

    def _summed(self, cells: Cells, units: Ints) -> Floats:
        total = np.zeros((cells.size, self.width))
        rows = len(cells.offsets) - 1
        if not len(cells.cell):
            return total
        # A product costs its cells as well, so many cells are paid for by many rows at once.
        step = max(ROWS, cells.size // 4)
        for low in range(0, rows, step):
            high = min(low + step, rows)
            begin, end = int(cells.offsets[low]), int(cells.offsets[high])
            part = sparse.csr_array(
                (
                    cells.amount[begin:end],
                    cells.cell[begin:end],
                    cells.offsets[low : high + 1] - begin,
                ),
                shape=(high - low, cells.size),
            )
            total += part.T @ self.drawn[units[low:high]].astype(np.float64)
        return total
