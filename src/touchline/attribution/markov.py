"""Journeys → what would be lost without a channel, in the Markov chain of the last k channels.

A state is a window: the last k channels of a journey so far (fewer at its start). Without channel
c, whoever reaches c does not convert. So with

    h_s   conversions to come from state s on           h = r + Q h
    f_s   journeys that meet c for the first time in s, a window ending in c
    lost_c = sum of f_s h_s over the windows that end in c, removal effect = lost_c / conversions
    credit_c = conversions x lost_c / sum of lost over all channels

The model and the removal effect are those of Anderl, Becker, von Wangenheim and Schumann (2016,
"Mapping the customer journey"): their removal sends whoever reaches c to NULL. The fundamental
matrix N = (I - Q)^-1 and what it counts are from Kemeny and Snell (1960, "Finite Markov chains",
ch. 3): N_st = visits to t from s, so h = N r, and whoever is ever at c is there N_cc times on
average. Hence the paper's difference of two chains, with c and without, is one product:

    P - P_without_c = (chance to reach c) x h_c = v_c h_c / N_cc,    v = visits from the start

The surprise: the expected visits v of the fitted chain are the counts themselves (what flows in
flows out), so f comes from that one inverse as f_C = v_C (N_CC)^-1, C being all windows that end in
c; at order 1 it is the scalar v_c / N_cc. Chains with many states iterate on the sparse Q instead,
all channels at once. Money is the same sum with money in r. Nothing is simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Floats, Ints, tally
from touchline.attribution.journeys import Journeys
from touchline.attribution.rounds import CONVERGED, Rounds, settled

__all__ = ["MARKOV_CHANNELS", "Chain", "losses", "lost", "most_channels", "runs_of"]

MARKOV_CHANNELS = DENSE_STATES = 5_000  # a dense inverse of this side takes a quarter of a minute
# Iterating costs transitions x channels x the steps of long journeys, an inverse states^3 in blocks
# that a busy machine may delay: below this factor between them the inverse wins.
ITERATION_COST = 30
COLUMN_CELLS = 1 << 23  # 64 MiB of float64 at a time
TABLE_CELLS = 1 << 22
RUN_BITS = 62
STEPS, ENDLESS = 20_000, 1 << 60


@dataclass(frozen=True, eq=False)
class Chain:
    """A fitted chain. `inflow[s, t]` is the chance to go from t to s; `exits` are per visit."""

    last: Ints  # the channel each window ends in
    visits: Floats
    entries: Floats
    exits: Floats  # states x (conversions, money earned, money returned)
    inflow: Any  # scipy.sparse.csr_array, states x states
    channels: int


@dataclass(frozen=True, eq=False)
class Grams:
    """How often each run of order + 1 channels occurs, and which run each conversion ends in.

    A run is one integer in base channels + 1, the latest channel in the lowest digit; zeros stand
    for what lies before the start. Dropping the highest digit gives the next lower order.
    """

    order: int
    base: int
    runs: Ints
    counts: Floats
    ends: Ints  # by modelled converting journey


class Shared(NamedTuple):
    """Credit of each channel (K), and its removal effects on conversions and on money."""

    conversions: Floats
    revenue: Floats
    effect: Floats
    effect_revenue: Floats


def most_channels(order: int) -> int:
    """So many channels can be told apart in runs of order + 1 of them written as one integer."""
    return int(2 ** (RUN_BITS / (order + 1))) - 1


def losses(journeys: Journeys, orders: Sequence[int]) -> dict[int, Floats]:
    """By order: conversions, money earned, money returned that would go with each channel (K × 3).

    Earned and returned money (values above and below zero) are kept apart: each can be normalised
    by its own sum, while their difference can be near zero and blow shares up.
    """
    channels = len(journeys.labels.channels)
    if not orders or not len(journeys.label):
        return {order: np.zeros((channels, 3)) for order in orders}
    value = journeys.value[journeys.is_modelled].astype(np.float64)
    outcome = np.stack(
        [journeys.conversions[journeys.is_modelled], np.maximum(value, 0), np.minimum(value, 0)]
    )
    grams = count_grams(journeys, max(orders))
    found: dict[int, Floats] = {}
    for order in sorted(set(orders), reverse=True):
        grams = shorten(grams, order)
        found[order] = lost(fit(grams, outcome))
    return {order: found[order] for order in orders}


def normalised(lost: Floats, totals: Floats) -> Shared:
    """What would be lost (K × 3) as shares of the totals (3): earned and returned money apart."""
    all_lost = lost.sum(axis=0)
    conversions, earned, returned = (
        lost * np.divide(totals, all_lost, out=np.zeros(3), where=all_lost != 0)
    ).T
    money = totals[1] + totals[2]
    return Shared(
        conversions,
        earned + returned,
        lost[:, 0] / totals[0] if totals[0] else np.zeros(len(lost)),
        (lost[:, 1] + lost[:, 2]) / money if money else np.zeros(len(lost)),
    )


def count_grams(journeys: Journeys, order: int) -> Grams:
    """Count the runs of order + 1 channels over all journeys."""
    base = len(journeys.labels.channels) + 1
    run = runs_of(journeys, order)
    runs, counts = _count(run, journeys.touch_weight, base ** (order + 1))
    last = journeys.offsets[1 : journeys.converting + 1][journeys.is_modelled] - 1
    return Grams(order, base, runs, counts, run[last].astype(np.int64))


def runs_of(journeys: Journeys, order: int) -> Ints:
    """The run of order + 1 channels that ends in each touch, as one integer: see `Grams`."""
    base = len(journeys.labels.channels) + 1
    dtype = np.int32 if base ** (order + 1) < 2**31 else np.int64
    channel = journeys.channel.astype(dtype) + 1
    starts = journeys.offsets[:-1][journeys.lengths > 0]
    run = channel
    for _ in range(order):
        before = np.empty_like(run)
        before[1:] = run[:-1]
        before[starts] = 0
        before *= base
        before += channel
        run = before
    return run


def shorten(grams: Grams, order: int) -> Grams:
    """The same counts at a lower order."""
    if order == grams.order:
        return grams
    cells = grams.base ** (order + 1)
    runs, counts = _count(grams.runs % cells, grams.counts, cells)
    return Grams(order, grams.base, runs, counts, grams.ends % cells)


def fit(grams: Grams, outcome: Floats) -> Chain:
    """The maximum-likelihood chain of the counts, with the outcome (3 × conversions) as exits.

    A window followed by itself (one channel all along) is left out: waiting in a state changes
    neither what is met next nor how the journey ends, and long waits would slow the iteration.
    """
    windows = grams.base**grams.order
    states = np.unique(grams.runs % windows)
    size = len(states)
    to = np.searchsorted(states, grams.runs % windows)
    is_entry = grams.runs < grams.base
    source = np.where(is_entry, -1, np.searchsorted(states, grams.runs // grams.base))
    visits = tally(to, np.where(source == to, 0, grams.counts), size)
    moves = (source != to) & ~is_entry
    end = np.searchsorted(states, grams.ends % windows)
    exits = np.stack([tally(end, one, size) for one in outcome], axis=1)
    return Chain(
        last=states % grams.base - 1,
        visits=visits,
        entries=tally(to, np.where(is_entry, grams.counts, 0), size),
        exits=exits / visits[:, None],
        inflow=sparse.csr_array(
            (grams.counts[moves] / visits[source[moves]], (to[moves], source[moves])),
            shape=(size, size),
        ),
        channels=grams.base - 1,
    )


def lost(chain: Chain, near: float = CONVERGED) -> Floats:
    """Conversions and money (K × 3) of the journeys that meet each channel.

    `near` is when iterating may end: the part of itself by which any number still grows.
    """
    states = len(chain.last)
    work = max(chain.inflow.nnz, states) * chain.channels
    found = None
    if states**3 > ITERATION_COST * work:
        found = by_iteration(chain, STEPS if states <= DENSE_STATES else ENDLESS, near)
    meetings, ahead = found or by_inverse(chain)
    share = meetings[:, None] * ahead
    return np.stack([tally(chain.last, one, chain.channels) for one in share.T], axis=1)


def by_inverse(chain: Chain) -> tuple[Floats, Floats]:
    """First meetings f (states) and outcome ahead h (states × 3), from one dense inverse."""
    inverse = np.linalg.inv(np.eye(len(chain.last)) - chain.inflow.toarray().T)
    meetings = np.empty(len(chain.last))
    by_channel = np.argsort(chain.last, kind="stable")
    cuts = np.flatnonzero(np.diff(chain.last[by_channel])) + 1
    for block in np.split(by_channel, cuts):
        meetings[block] = np.linalg.solve(inverse[np.ix_(block, block)].T, chain.visits[block])
    return meetings, inverse @ chain.exits


def by_iteration(
    chain: Chain, patience: int, near: float = CONVERGED
) -> tuple[Floats, Floats] | None:
    """The same two, following journeys step by step through the sparse chain until none is left.

    All terms have one sign, so sums only grow and small channels keep their relative precision.
    None when journeys go round in circles for longer than `patience` steps.
    """
    rounds = Rounds.of(chain.inflow, chain.entries)
    outflow = rounds.inflow.T.tocsr()
    ahead = settled(
        lambda h: rounds.before(chain.exits + outflow @ h),
        rounds.before(chain.exits.copy()),
        patience,
        near,
    )
    if ahead is None:
        return None
    meetings = np.zeros(len(chain.last))
    width = max(1, COLUMN_CELLS // max(len(chain.last), len(rounds.states) ** 2))
    for low in range(0, chain.channels, width):
        states = np.flatnonzero((chain.last >= low) & (chain.last < low + width))
        if len(states):
            met = _first_meetings(chain, rounds, states, low, (patience, near))
            if met is None:
                return None
            meetings[states] = met
    return meetings, ahead


def _first_meetings(
    chain: Chain, rounds: Rounds, states: Ints, low: int, until: tuple[int, float]
) -> Floats | None:
    """One column a channel from `low` on; journeys stop where they meet their column's channel."""
    columns = chain.last[states] - low
    entries = chain.entries[:, None]
    within = rounds.without(chain.last, range(low, low + int(columns.max()) + 1))

    def stopped(flow: Floats) -> Floats:
        flow[states, columns] = 0
        return rounds.after(flow, within)

    def step(flow: Floats) -> Floats:
        further = rounds.inflow @ flow
        further += entries
        return stopped(further)

    start = stopped(np.repeat(entries, int(columns.max()) + 1, axis=1))
    flow = settled(step, start, *until)
    return None if flow is None else (chain.inflow @ flow + entries)[states, columns]


def _count(runs: Ints, weights: Floats | None, cells: int) -> tuple[Ints, Floats]:
    """Distinct runs, ascending, with their summed weights (or their number); none of weight 0."""
    if cells <= TABLE_CELLS + 4 * len(runs):
        table = np.bincount(runs, weights)
        distinct = np.flatnonzero(table)
        return distinct, table[distinct].astype(np.float64)
    if weights is None:
        distinct, number = np.unique(runs, return_counts=True)
        return distinct.astype(np.int64), number.astype(np.float64)
    distinct, which = np.unique(runs, return_inverse=True)
    summed = tally(which, weights, len(distinct))
    return distinct[summed > 0].astype(np.int64), summed[summed > 0]
