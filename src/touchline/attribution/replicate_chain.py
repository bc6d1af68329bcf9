"""A Markov model in each replicate: counts of runs of channels, drawn again, and solved again.

The chain is a function of how often each run of order + 1 channels occurs and of how conversions
leave it. Drawing journeys draws both, without ever making a journey: see resample.py.

The surprise: flow in = flow out holds in every Poisson replicate, as whole journeys are drawn, but
not where each cell of the counts is drawn alone. There the visits of a state are solved for.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from touchline.attribution import markov
from touchline.attribution.arrays import Floats, Ints, dense, tally
from touchline.attribution.replicate import Totals, divided, nothing, went_back
from touchline.attribution.resample import Block, Cells, Sample
from touchline.attribution.rounds import visited

__all__ = ["chain"]

NEAR = 1e-8  # of itself: chance moves a replicate by far more
AT_ONCE = 128  # states of a chain whose replicates are inverted together


def chain(sample: Sample, order: int) -> Totals:
    """A Markov model of any order; credit and effects as `models._from_losses` has them."""
    if order not in sample.solved:
        sample.solved[order] = _drawn(sample, order)
    return sample.solved[order]


def _drawn(sample: Sample, order: int) -> Totals:
    journeys = sample.journeys
    channels = len(journeys.labels.channels)
    if not len(journeys.label) or not journeys.is_modelled.any():
        return nothing(sample, channels)
    counted = _Counted.of(sample, order)
    cells = counted.runs[0].size
    found = [counted.solved(few) for block in sample.blocks() for few in block.narrow(cells)]
    lost, totals, predicted = (np.concatenate(parts) for parts in zip(*found, strict=True))
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

    def solved(self, block: Block) -> tuple[Floats, Floats, Floats]:
        """By replicate: what goes with each channel, the sums of the exits, and what the chain
        makes of them, which is the same where flow in = flow out.
        """
        counts = block.won(self.runs[0]) + block.others(self.runs[1])
        exits = np.stack([block.won(one) for one in self.exits], axis=2)
        unsold = block.gamma(self.unsold) if self.is_solved else None
        totals = exits.sum(axis=0)
        if len(self.last) <= AT_ONCE and len(np.unique(self.last)) == len(self.last):
            lost, predicted = self._at_once(counts.T, exits, unsold)
            return lost, totals, predicted
        chains = [
            self._fitted(counts[:, i], exits[:, i], None if unsold is None else unsold[:, i])
            for i in range(block.width)
        ]
        lost = np.stack([markov.lost(one, NEAR) for one in chains])
        return lost, totals, np.stack([one.visits @ one.exits for one in chains])

    def _at_once(
        self, counts: Floats, exits: Floats, unsold: Floats | None
    ) -> tuple[Floats, Floats]:
        """Of order 1 all replicates in one go: each channel is a state, met v_c ÷ N_cc times."""
        size = len(self.last)
        flow = np.zeros((len(counts), size, size))
        is_move = (self.source >= 0) & (self.source != self.to)
        flow[:, self.source[is_move], self.to[is_move]] = counts[:, is_move]
        entries = np.zeros((len(counts), size))
        entries[:, self.to[self.source < 0]] = counts[:, self.source < 0]
        out = exits.swapaxes(0, 1)
        if unsold is None:
            passed = entries + flow.sum(axis=1)
        else:
            passed = flow.sum(axis=2) + out[:, :, 0] + unsold.T
        inverse = np.linalg.inv(np.eye(size) - divided(flow, passed[:, :, None]))
        rates = divided(out, passed[:, :, None])
        visits = passed if unsold is None else (entries[:, None] @ inverse)[:, 0]
        met = visits / np.diagonal(inverse, axis1=1, axis2=2)
        lost = np.zeros((len(counts), self.channels, 3))
        lost[:, self.last] = met[:, :, None] * (inverse @ rates)
        return lost, (visits[:, None] @ rates)[:, 0]

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
            visits=visits if unsold is None else visited(inflow, entries),
            entries=entries,
            exits=divided(exits, visits[:, None]),
            inflow=inflow,
            channels=self.channels,
        )
