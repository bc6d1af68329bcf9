"""Evidence → which values are shared, so that they must not join people.

A value is shared when it directly touches more than K distinct values of one strong type: the kiosk
that six members logged in on, the mail address "null" of ten thousand orders. Cookies never count.
What surprises: the test looks at the raw neighbours, also at those that are held back themselves,
so more evidence can only hold back more, never release.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from touchline.identity.evidence import MANUAL, SUGGESTED, Bytes, Evidence, Ints, Mask
from touchline.identity.rules import Rules
from touchline.model import TYPE_RANK

__all__ = [
    "BLOCKED",
    "BY_HAND",
    "FREE",
    "REASONS",
    "SHARED",
    "STAFF",
    "Quarantine",
    "Touching",
    "judged",
    "quarantine",
    "touching",
]

# By type rank: nodes that may touch too many of it, each once, and how many they touch.
Touching = Callable[[int], tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]]

FREE = -1  # cause of a value that is not held back
BY_HAND = -2  # cause: an operator decided it
STAFF = -3  # cause: it is a value of somebody who works here, who registers customers with it
BLOCKED = -4  # cause: it matches a pattern of the rules
# What each is called; a value that touches too many is SHARED.
SHARED = "shared"
REASONS = {BY_HAND: "by_hand", STAFF: "staff", BLOCKED: "pattern"}


@dataclass(frozen=True, eq=False)
class Quarantine:
    """Per node the rank of the type that it touches too many values of, and how many it touches.

    Of several types it is the one with the most values, the stronger one in a tie. `cause` is FREE
    for a value that is not held back, and below it where another reason than touching holds.
    """

    cause: Bytes
    count: Ints

    @property
    def held(self) -> Mask:
        return self.cause != FREE

    def reason(self, node: int) -> str:
        """Why a node that is held back is: shared, by_hand, staff or pattern."""
        return REASONS.get(int(self.cause[node]), SHARED)


def quarantine(evidence: Evidence, rules: Rules) -> Quarantine:
    """Who is held back, and why."""
    return judged(evidence, rules, touching(evidence, rules))


def touching(evidence: Evidence, rules: Rules) -> Touching:
    """How many values of a type a node touches, where that may be too many. What an operator or a
    likeness of records joined is no sign of sharing.
    """
    value, other = _neighbours(evidence, rules.quarantine_above)
    rank_of_other = evidence.rank[other]
    return lambda rank: np.unique(value[rank_of_other == rank], return_counts=True)


def judged(evidence: Evidence, rules: Rules, touching: Touching) -> Quarantine:
    """The same, by how much each node is known to touch."""
    cause = np.full(len(evidence), FREE, np.int8)
    most = np.full(len(evidence), rules.quarantine_above, np.int32)
    for rank in sorted(TYPE_RANK[name] for name in rules.strong):
        nodes, touches = touching(rank)
        more = touches > most[nodes]
        cause[nodes[more]] = rank
        most[nodes[more]] = touches[more]
    cause[evidence.staff] = STAFF
    cause[evidence.blocked] = BLOCKED
    cause[evidence.released] = FREE
    cause[evidence.held] = BY_HAND
    count = np.where(cause >= 0, most, 0).astype(np.int32)
    return Quarantine(cause, count)


def _neighbours(evidence: Evidence, above: int) -> tuple[Ints, Ints]:
    """(value, what it touches) of the few values that touch more than `above` of anything."""
    seen = (evidence.kind != MANUAL) & (evidence.kind != SUGGESTED)
    a, b = evidence.a[seen], evidence.b[seen]
    size = len(evidence)
    busy = np.bincount(a, minlength=size) + np.bincount(b, minlength=size) > above
    from_a, from_b = busy[a], busy[b]
    return (
        np.concatenate([a[from_a], b[from_b]]),
        np.concatenate([b[from_a], a[from_b]]),
    )
