"""Two person maps → who became whom: persons merged, split and renamed, values held back.

A person goes on in whoever holds the value they were named after: so does their old id (`person`).
Where that one has another name now, two were merged (or an earlier sighting renamed one alone).
Whatever else of a person is somebody else's now was split off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from touchline.identity.evidence import Ints, Longs, Mask, NodeSet
from touchline.identity.person_map import PersonMap

__all__ = ["MERGED", "RENAMED", "SPLIT", "Change", "Differences"]

MERGED = "person_merged"  # `person_id` is `other_id` from now on, with somebody else
SPLIT = "person_split"  # values of `person_id` are those of `other_id` from now on
RENAMED = "person_renamed"  # `person_id` is called `other_id` from now on


class Change(NamedTuple):
    """`values`: how many identifiers moved."""

    kind: str
    person_id: str
    other_id: str
    values: int


@dataclass(frozen=True, eq=False)
class Differences:
    """What is different in `after`, of the values that both know."""

    before: PersonMap
    after: PersonMap

    @property
    def counts(self) -> dict[str, int]:
        """Persons merged, split and renamed; values newly held back and no longer so."""
        kinds = self._kinds
        was, now = self._places
        held_was = self.before.people.quarantine.held[was]
        held_now = self.after.people.quarantine.held[now]
        return {
            "merged": int((kinds.is_merged & ~kinds.was_held).sum()),
            "split": int((kinds.is_split & ~kinds.is_held).sum()),
            "renamed": int(kinds.is_renamed.sum()),
            "held_back": int((held_now & ~held_was).sum()),
            "released": int((held_was & ~held_now).sum()),
        }

    def changes(self, limit: int | None = None, *, of_persons: bool = False) -> Iterator[Change]:
        """Each change, those that move most values first. `of_persons`: without values that are
        nobody because they are held back, or were.
        """
        kinds = self._kinds
        is_told = kinds.is_merged | kinds.is_split | kinds.is_renamed
        if of_persons:
            is_told &= ~(kinds.is_split & kinds.is_held) & ~(kinds.is_merged & kinds.was_held)
        rows = np.flatnonzero(is_told)
        rows = rows[np.lexsort((kinds.now[rows], kinds.was[rows], -kinds.values[rows]))]
        before, after = self.before.person_ids, self.after.person_ids
        for row in rows[:limit].tolist():
            is_one = kinds.is_merged[row] or kinds.is_renamed[row]
            kind = (MERGED if kinds.is_merged[row] else RENAMED) if is_one else SPLIT
            was, now = before[int(kinds.was[row])], after[int(kinds.now[row])]
            yield Change(kind, was, now, int(kinds.values[row]))

    def held_back(self) -> Longs:
        """Nodes of `after` that are held back and were not (an unknown one was not)."""
        was, now = self._places
        held = self.after.people.quarantine.held.copy()
        held[now[self.before.people.quarantine.held[was]]] = False
        return np.flatnonzero(held)

    def released(self) -> Longs:
        """Nodes of `after` that are not held back any more."""
        was, now = self._places
        free = ~self.after.people.quarantine.held[now]
        return np.sort(now[self.before.people.quarantine.held[was] & free]).astype(np.int64)

    @cached_property
    def _found(self) -> Ints:
        """Where each value of `before` stands in `after`; -1: nowhere."""
        return _positions(self.before.known, self.after.known)

    @cached_property
    def _places(self) -> tuple[Ints, Ints]:
        """Where each value that both know stands, in either."""
        was = np.flatnonzero(self._found >= 0).astype(np.int32)
        return was, self._found[was]

    @cached_property
    def _kinds(self) -> "_Pairs":
        was, now = self._places
        before, after = self.before.people, self.after.people
        at = self._found[before.anchor]  # -1: erased
        old, new = before.person[was], after.person[now]
        # Most values are still those of who has the same name as before: nothing to tell.
        moved = at[old] != after.anchor[new]
        size = max(len(after), 1)
        key = old[moved].astype(np.int64) * size + new[moved]
        pairs, values = np.unique(key, return_counts=True)
        old, new = (pairs // size).astype(np.int32), (pairs % size).astype(np.int32)
        heir = np.full(len(at), -1, np.int32)
        heir[at >= 0] = after.person[at[at >= 0]]
        is_heir = heir[old] == new
        # A person that others went into is one of several; one alone was renamed.
        parts = np.bincount(heir[heir >= 0], minlength=len(after))
        is_several = parts[new] > 1
        return _Pairs(
            old,
            new,
            values,
            is_merged=is_heir & is_several,
            is_renamed=is_heir & ~is_several,
            is_split=~is_heir,
            was_held=before.quarantine.held[before.anchor[old]],
            is_held=after.quarantine.held[after.anchor[new]],
        )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """A person before and one of another name after, who have values in common: each pair once."""

    was: Ints
    now: Ints
    values: Longs
    is_merged: Mask
    is_renamed: Mask
    is_split: Mask
    was_held: Mask
    is_held: Mask


def _positions(nodes: NodeSet, among: NodeSet) -> Ints:
    """Index of each node in another set, -1 where it is not. Both are sorted by id."""
    if np.array_equal(nodes.hi, among.hi) and np.array_equal(nodes.lo, among.lo):
        return np.arange(len(nodes), dtype=np.int32)
    if not len(among):
        return np.full(len(nodes), -1, np.int32)
    at = np.searchsorted(among.hi, nodes.hi)
    last = len(among) - 1
    while True:  # equal first halves of different ids are rare: a step or none
        here = np.minimum(at, last)
        is_other = (at <= last) & (among.hi[here] == nodes.hi) & (among.lo[here] < nodes.lo)
        if not is_other.any():
            break
        at = at + is_other
    same = (at <= last) & (among.hi[here] == nodes.hi) & (among.lo[here] == nodes.lo)
    return np.where(same, here, -1).astype(np.int32)
