"""A sparse chain → the flow through it, step by step until nobody is left.

    flow = entries + inflow · flow        ahead = exits + outflow · ahead

Each is its own recipe: repeated, it only grows, and keeps the relative precision of small numbers.
The surprise: one bot that goes A B A B … for fifty thousand touches would need a million steps.
The few states in which such journeys go round are solved at once instead, and only what enters and
leaves them is followed: the splitting of the chain is regular (Varga 1962, "Matrix iterative
analysis", ch. 3), so all terms keep one sign.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from touchline.attribution.arrays import Floats, Ints

__all__ = ["Rounds", "settled", "visited"]

CONVERGED = 1e-14
CHECK_EVERY = 8
STEPS = 20_000
USUAL = 300  # steps in which nearly all journeys end
MOST_ROUNDS, MAIN_PART = 256, 0.9


@dataclass(frozen=True, eq=False)
class Rounds:
    """The states in which journeys go round, none in most chains: a dense block within the rest.

    With B for these states, a step is (I - Q_BB)^-1 applied to what comes into them.
    """

    states: Ints
    among: Floats  # the chances to go from each (row) to each of them
    inverse: Floats  # of the identity less these
    inflow: Any  # without them

    @classmethod
    def of(cls, inflow: Any, entries: Floats) -> "Rounds":
        """As many as it takes for journeys to end in USUAL steps; none if too many do not."""
        none = cls._with(inflow, np.zeros(0, dtype=np.int64))
        found = none
        while len(left := found.left(entries)):
            left[found.states] = 0
            heaviest = np.argsort(-left, kind="stable")
            mass = np.cumsum(left[heaviest])
            more = heaviest[: 1 + np.searchsorted(mass, MAIN_PART * mass[-1])]
            states = np.union1d(found.states, more)
            if len(states) > MOST_ROUNDS:
                return none
            found = cls._with(inflow, states)
        return found

    @classmethod
    def _with(cls, inflow: Any, states: Ints) -> "Rounds":
        among = inflow[states][:, states].toarray().T
        rest = inflow
        if len(states):
            cells = inflow.tocoo()
            is_in = np.zeros(inflow.shape[0], dtype=np.bool_)
            is_in[states] = True
            to, source = cells.coords
            kept = ~(is_in[to] & is_in[source])
            rest = sparse.csr_array(
                (cells.data[kept], (to[kept], source[kept])), shape=inflow.shape
            )
        return cls(states, among, np.linalg.inv(np.eye(len(states)) - among), rest)

    def left(self, entries: Floats) -> Floats:
        """Where journeys are in the second half of USUAL steps; nothing if all have ended by then.

        More than one moment is looked at: who goes round is each time in another state.
        """
        now = self.after(entries[:, None].copy())
        total, left = now.copy(), np.zeros_like(now)
        for taken in range(1, USUAL + 1):
            now = self.after(self.inflow @ now)
            total += now
            if taken % CHECK_EVERY == 0 and np.all(now <= CONVERGED * total):
                return left[:0, 0]
            if taken > USUAL // 2:
                left += now
        return left[:, 0]

    def before(self, ahead: Floats) -> Floats:
        """What is ahead of these states, given what is ahead of those they lead to."""
        if len(self.states):
            ahead[self.states] = self.inverse @ ahead[self.states]
        return ahead

    def after(self, flow: Floats, within: Floats | None = None) -> Floats:
        """Flow (states × columns) through these states, given what flows into them."""
        if len(self.states):
            ways = self.inverse.T if within is None else within
            flow[self.states] = np.squeeze(ways @ flow[self.states].T[:, :, None], 2).T
        return flow

    def without(self, last: Ints, channels: range) -> Floats:
        """Per column, the inverse where nobody passes the states of its channel."""
        stops = last[self.states] == np.array(channels)[:, None]
        kept = self.among * ~stops[:, :, None] * ~stops[:, None]
        return np.linalg.inv(np.eye(len(self.states)) - kept).swapaxes(1, 2)


def visited(inflow: Any, entries: Floats) -> Floats:
    """Expected visits of each state, where they are not what was counted."""
    rounds = Rounds.of(inflow, entries)
    column = entries[:, None]
    found = settled(
        lambda v: rounds.after(column + rounds.inflow @ v), rounds.after(column.copy()), STEPS
    )
    if found is not None:
        return found[:, 0]
    solved: Any = linalg.spsolve((sparse.eye_array(len(entries)) - inflow).tocsc(), entries)
    return solved


def settled(
    step: Callable[[Floats], Floats], start: Floats, patience: int, near: float = CONVERGED
) -> Floats | None:
    """`step` repeated until nothing grows any more, by more than this part of itself."""
    now = start
    for taken in range(1, patience + 1):
        after = step(now)
        if taken % CHECK_EVERY == 0 and np.all(np.abs(after - now) <= near * np.abs(after)):
            return after
        now = after
    return None
