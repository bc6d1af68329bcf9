"""The live store beside people computed from all rows: whether both say the same of everybody."""

import numpy as np

from touchline.identity.evidence import Decisions
from touchline.identity.live.follow import is_level
from touchline.identity.live.map import LiveMap
from touchline.identity.live.rows import read_rows
from touchline.identity.live.store import marks
from touchline.identity.people import person_map
from touchline.identity.person_map import PersonMap
from touchline.identity.rules import Rules
from touchline.storage.engine import View
from touchline.storage.state import State

__all__ = ["differing"]


def differing(state: State, view: View, rules: Rules, decisions: Decisions) -> int | None:
    """How many identifiers are not the same person's in both; None where the store is of other
    rows than the view, or is being written.
    """
    if not is_level(state, view, rules, decisions):
        return None
    before = marks(state)
    live = LiveMap.none().with_rows(read_rows(state)).people()
    if marks(state) != before:
        return None
    return _apart(live, person_map(view, rules, decisions))


def _apart(live: PersonMap, batch: PersonMap) -> int:
    known = np.array_equal(live.known.hi, batch.known.hi)
    if not known or not np.array_equal(live.known.lo, batch.known.lo):
        return max(len(live.known), len(batch.known))
    mine, theirs = live.people, batch.people
    is_other = mine.anchor[mine.person] != theirs.anchor[theirs.person]
    is_other |= mine.quarantine.cause != theirs.quarantine.cause
    is_other |= mine.quarantine.count != theirs.quarantine.count
    return int(is_other.sum())
