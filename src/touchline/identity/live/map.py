"""Rows of the live store → the map of all people, kept in memory and brought up by changed rows.

Everything of a changed row is in it, so what it says of an identifier replaces what was known. A
map that was given out never changes: columns are copied, which at a million identifiers takes a
blink, where putting them together anew takes seconds.
"""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from touchline.identity.evidence import Bytes, Halves, Ints, Longs, NodeSet
from touchline.identity.live.part import person_map, places
from touchline.identity.live.rows import Rows
from touchline.identity.person_map import PersonMap
from touchline.identity.quarantine import Quarantine

__all__ = ["LiveMap"]

Array = npt.NDArray[Any]


class LiveMap(NamedTuple):
    """In the order of the ids; `anchor`: the place of the node that the person is named after."""

    hi: Halves
    lo: Halves
    seen_us: Longs
    rank: Bytes
    cause: Bytes
    most: Ints
    anchor: Ints

    @classmethod
    def none(cls) -> Self:
        kinds = (np.uint64, np.uint64, np.int64, np.int8, np.int8, np.int32, np.int32)
        columns: list[Any] = [np.empty(0, kind) for kind in kinds]
        return cls(*columns)

    def people(self) -> PersonMap:
        known = NodeSet(self.hi, self.lo, self.rank, self.seen_us)
        return person_map(known, self.anchor, Quarantine(self.cause, self.most))

    def with_rows(self, rows: Rows) -> Self:
        """The same after these rows were written."""
        if not rows.ids:
            return self
        nodes, row = rows.nodes, rows.row_of_node
        order = np.lexsort((nodes["lo"], nodes["hi"]))
        told: list[Array] = [nodes["hi"], nodes["lo"], nodes["seen_us"], nodes["rank"]]
        told += [rows.cause[row], rows.most[row], np.zeros(len(nodes), np.int32)]
        given: list[Any] = [column[order] for column in told]
        new = type(self)(*given)
        at, is_known = self._places(new.hi, new.lo)
        added, places_added = ~is_known, at[~is_known]
        shift = np.cumsum(np.bincount(places_added, minlength=len(self.hi) + 1))[:-1]
        moved = self._replace(anchor=(self.anchor + shift[self.anchor]).astype(np.int32))
        both: list[tuple[Any, Any]] = list(zip(moved, new, strict=True))
        grown: list[Any] = [np.insert(mine, places_added, more[added]) for mine, more in both]
        made = type(self)(*grown)
        known = NodeSet(made.hi, made.lo, made.rank, made.seen_us)
        here = places(known, nodes["hi"], nodes["lo"])
        columns: list[tuple[Any, Any]] = list(zip(made, told, strict=True))
        for mine, theirs in columns:
            mine[here] = theirs
        first = np.repeat(np.cumsum(rows.sizes) - rows.sizes, rows.sizes)
        made.anchor[here] = here[first + nodes["anchor"]]
        return made

    def _places(self, hi: Halves, lo: Halves) -> tuple[Longs, npt.NDArray[np.bool_]]:
        """Where each id is or belongs, and whether it is there."""
        at = np.searchsorted(self.hi, hi)
        if not len(self.hi):
            return at, np.zeros(len(at), np.bool_)
        last = len(self.hi) - 1
        while True:  # equal first halves of different ids are rare: a step or none
            here = np.minimum(at, last)
            is_less = (at <= last) & (self.hi[here] == hi) & (self.lo[here] < lo)
            if not is_less.any():
                return at, (at <= last) & (self.hi[here] == hi) & (self.lo[here] == lo)
            at = at + is_less
