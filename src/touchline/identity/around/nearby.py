"""A decision about two identifiers → people with it, judged from the rows of those it can touch.

Identifiers that do not hang together never meet when people are computed. So two that are merged or
set apart change nobody but those who hang together with them, and the rest of the map stays as it
is. What surprises: what is held back is taken from the map. What was joined by hand is no sign of
a shared value, so rows of such two count again when a merge is taken back: then all are judged.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchline.identity.around.carried import MOST
from touchline.identity.around.proof import Proof
from touchline.identity.around.reach import Reach, reached
from touchline.identity.evidence import Decisions, Evidence
from touchline.identity.people import Registry
from touchline.identity.person_map import PersonMap
from touchline.identity.quarantine import Quarantine
from touchline.identity.resolve import Clusters, People, resolve
from touchline.identity.rules import Rules
from touchline.storage.engine import View

__all__ = ["Judged", "judged", "judged_nearby"]

NODES = 2_000  # of more than these it is quicker to judge all


class Judged(NamedTuple):
    """Everybody, and the evidence that was looked at with what came out of it."""

    people: PersonMap
    evidence: Evidence
    found: People


def judged(
    registry: Registry,
    view: View,
    before: PersonMap,
    ruled: tuple[Rules, Decisions, Decisions],
    about: Sequence[bytes],
) -> Judged:
    """What people would be of a view: `ruled` are the rules, and the decisions of `before` and of
    then, when another one was made about these.
    """
    rules, now, then = ruled
    if len(about) == 2:  # two are merged or set apart: others can only be held back by a block
        found = judged_nearby(view, before, rules, (now, then), (about[0], about[1]))
        if found is not None:
            return found
    evidence, people = registry.supposed(view, rules=rules, decisions=then)
    return Judged(PersonMap.of(evidence, people), evidence, people)


def judged_nearby(
    view: View,
    before: PersonMap,
    rules: Rules,
    decisions: tuple[Decisions, Decisions],
    about: tuple[bytes, bytes],
) -> Judged | None:
    """After `about` was merged or set apart, or that was undone: `decisions` before and after. None
    where others may have to be held back, or those who hang together are too many.
    """
    old, new = decisions
    nearby = _hanging_together(view, before, new, about)
    if nearby is None:
        return None
    nodes, rows = nearby
    known, shared = before.known, before.people.quarantine
    proof = Proof.of(known, nodes, rows, rules=rules, decisions=new)
    if old.together != new.together and tuple(sorted(about)) in proof.quotes:
        return None
    evidence = proof.evidence
    at = known.find([evidence.node_id(node) for node in range(len(evidence))])
    found = resolve(evidence, rules, Quarantine(shared.cause[at], shared.count[at]))
    anchor = before.people.anchor[before.people.person]
    is_near = np.isin(at, nodes)
    anchor[at[is_near]] = at[found.anchor[found.person]][is_near]
    is_anchor = anchor == np.arange(len(anchor), dtype=np.int32)
    number = np.cumsum(is_anchor, dtype=np.int32) - 1
    anchors = np.flatnonzero(is_anchor).astype(np.int32)
    return Judged(PersonMap(known, Clusters(number[anchor], anchors, shared)), evidence, found)


def _hanging_together(
    view: View, before: PersonMap, decisions: Decisions, about: Sequence[bytes]
) -> Reach | None:
    """All that rows or decisions lead to from these, by way of what may join people."""
    start = [node for node in before.known.find(about).tolist() if node >= 0]
    couples, unlinked = (*decisions.together, *decisions.suggested), set(decisions.unlinked)
    found: Reach | None = Reach([], [])
    for found in reached(view, before, unlinked, start, couples=couples, most=NODES):
        if found is None or len(found.nodes) > NODES or len(found.rows) >= MOST:
            return None
    return found
