"""A Markov model in each replicate: counts of runs of channels, drawn again, and solved again.

The chain is a function of how often each run of order + 1 channels occurs and of how conversions
leave it. Drawing journeys draws both, without ever making a journey: see resample.py.

The surprise: flow in = flow out holds in every Poisson replicate, as whole journeys are drawn, but
not where each cell of the counts is drawn alone. There the visits of a state are solved for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from touchline.attribution import markov
from touchline.attribution.arrays import Floats, Ints, tally
from touchline.attribution.replicate import Totals, dense, divided, nothing, went_back
from touchline.attribution.resample import Block, Cells, Sample

__all__ = ["chain"]

STEPS, SETTLED = 2_000, 1e-12


def chain(sample: Sample, order: int) -> Totals:
    """A Markov model of any order; credit and effects as `models._from_losses` has them."""
    journeys = sample.journeys
    channels = len(journeys.labels.channels)
    if not len(journeys.label) or not journeys.is_modelled.any():
        return nothing(sample, channels)
    counted = _Counted.of(sample, order)
    lost = np.empty((sample.replicates, channels, 3))
    totals, predicted = np.empty((2, sample.replicates, 3))
    at = 0
    for block in sample.blocks():
        for found, exits in counted.draws(block):
            lost[at] = markov.lost(found)
            totals[at], predicted[at] = exits, found.visits @ found.exits
            at += 1
    all_lost = lost.sum(axis=1, keepdims=True)
    credit = lost * divided(totals[:, None], all_lost)
    return Totals(
        credit[:, :, 0],
        credit[:, :, 1] + credit[:, :, 2] + went_back(sample),
        divided(lost[:, :, 0], predicted[:, :1]),
    )


@dataclass(frozen=True, eq=False)
class _Counted:
    """Runs of channels as cells of a sum, and the chain that their counts make."""

    runs: tuple[Cells, Cells]  # of converting journeys, of the others
    exits: tuple[Cells, Cells, Cells]  # conversions, money earned, money returned, by last state
    last: Ints
    source: Ints  # by distinct run; -1 where a journey begins
    to: Ints
    channels: int
    unsold: Floats  # journeys that end in each state without converting
    is_solved: bool  # whether visits must be solved for

    @classmethod
    def of(cls, sample: Sample, order: int) -> "_Counted":
        journeys = sample.journeys
        run = markov.runs_of(journeys, order)
        base = len(journeys.labels.channels) + 1
        distinct, cell = dense(run, base ** (order + 1))
        windows = base**order
        states = np.unique(distinct % windows)
        to = np.searchsorted(states, distinct % windows)
        entries = distinct < base
        source = np.where(entries, -1, np.searchsorted(states, distinct // base))
        won = journeys.converting
        touches, ends = sample.other_touches
        lengths = journeys.lengths
        of_won = Cells(
            journeys.offsets[: won + 1],
            cell[: journeys.converting_touches],
            journeys.conversions[journeys.journey_of],
            len(distinct),
        )
        weight = np.repeat(journeys.nulls[sample.other_rows], lengths[sample.other_rows])
        of_others = Cells(ends, cell[touches], weight, len(distinct))
        modelled = np.flatnonzero(journeys.is_modelled)
        at = np.concatenate([[0], np.cumsum(journeys.is_modelled)])
        end = to[cell[journeys.offsets[1 : won + 1][modelled] - 1]]
        value = journeys.value[modelled].astype(np.float64)
        amounts = (journeys.conversions[modelled], np.maximum(value, 0), np.minimum(value, 0))
        touched = sample.other_rows[lengths[sample.other_rows] > 0]
        left = to[cell[journeys.offsets[1:][touched] - 1]]
        return cls(
            runs=(of_won, of_others),
            exits=tuple(Cells(at, end, one, len(states)) for one in amounts),  # pyright: ignore[reportArgumentType]  # three amounts
            last=states % base - 1,
            source=source,
            to=to,
            channels=base - 1,
            unsold=tally(left, journeys.nulls[touched], len(states)),
            is_solved=sample.method == "dirichlet",
        )

    def draws(self, block: Block) -> Iterator[tuple[markov.Chain, Floats]]:
        """The chain of each replicate, and the sums of its exits."""
        counts = block.won(self.runs[0]) + block.others(self.runs[1])
        exits = np.stack([block.won(one) for one in self.exits])
        unsold = block.gamma(self.unsold) if self.is_solved else None
        for i in range(block.width):
            unsold_here = None if unsold is None else unsold[:, i]
            yield self._fitted(counts[:, i], exits[:, :, i].T, unsold_here), exits[:, :, i].sum(1)

    def _fitted(self, counts: Floats, exits: Floats, unsold: Floats | None) -> markov.Chain:
        """As `markov.fit`, with visits that are counted, or solved for."""
        size = len(self.last)
        is_move = (self.source >= 0) & (self.source != self.to) & (counts > 0)
        source, to, moved = self.source[is_move], self.to[is_move], counts[is_move]
        entries = tally(self.to, np.where(self.source < 0, counts, 0), size)
        if unsold is None:
            visits = entries + tally(to, moved, size)
        else:
            visits = tally(source, moved, size) + exits[:, 0] + unsold
        inflow = sparse.csr_array((moved / visits[source], (to, source)), shape=(size, size))
        return markov.Chain(
            last=self.last,
            visits=visits if unsold is None else _solved(inflow, entries),
            entries=entries,
            exits=divided(exits, visits[:, None]),
            inflow=inflow,
            channels=self.channels,
        )


def _solved(inflow: Any, entries: Floats) -> Floats:
    """Expected visits of each state: v = entries + inflow v, followed until nobody is left."""
    visits = entries
    for _ in range(STEPS):
        after = entries + inflow @ visits
        if np.abs(after - visits).max() <= SETTLED * after.max():
            return after
        visits = after
    found: Any = linalg.spsolve((sparse.eye_array(len(entries)) - inflow).tocsc(), entries)
    return found
