"""Identifiers and their persons, by number → answers to "who is this?".

What surprises: the evidence itself is not here. A map may have been computed a moment ago or read
from its mirror in the lake; nobody who asks can tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from touchline.identity.evidence import Evidence, Ints, NodeSet
from touchline.identity.kruskal import DEVICE_TIER
from touchline.identity.person import Names, PersonIds
from touchline.identity.resolve import Clusters, People
from touchline.identity.speaker import Speakers, stays_in
from touchline.storage.engine import View

__all__ = ["PersonMap", "node_bytes", "node_column"]

T = TypeVar("T")

MANY = 30


@dataclass(frozen=True, eq=False)
class PersonMap:
    """Nodes and persons by number; `nodes` is the same as a table for joins."""

    known: NodeSet
    people: Clusters
    names: Names = field(default_factory=Names)
    _asked: int = 0
    _kept: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, evidence: Evidence, people: People) -> "PersonMap":
        """Without the pairs, which are most of the evidence and have done their work."""
        known = NodeSet(evidence.hi, evidence.lo, evidence.rank, evidence.first_seen_us)
        return cls(known, Clusters(people.person, people.anchor, people.quarantine))

    @cached_property
    def nodes(self) -> pa.Table:
        """(node_id, node_person_ix, is_quarantined, is_shared_device): what `speaker.with_person`
        joins.
        """
        held = self.people.quarantine.held
        return pa.table(
            {
                "node_id": node_column(self.known.node_ids()),
                "node_person_ix": self.people.person.astype(np.int64),
                "is_quarantined": held,
                "is_shared_device": held & (self.known.rank >= DEVICE_TIER),
            }
        )

    def speakers(self, view: View) -> Speakers:
        """What `with_person` takes, in a view that this is the map of. Who was logged in on shared
        devices is looked up once.
        """
        return Speakers.given(view, self.nodes, self.stays(view))

    def stays(self, view: View) -> pa.Table | None:
        """Who was logged in on shared devices, and when; None where nobody was."""
        if "stays" not in self._kept:
            self._kept["stays"] = stays_in(view, self.nodes)
        return self._kept["stays"]

    def kept(self, name: str, made_of: str, make: Callable[[], T]) -> T:
        """What is made of this map and something else, the latest of each name."""
        found = self._kept.get(name)
        if found is None or found[0] != made_of:
            found = self._kept[name] = (made_of, make())
        return found[1]

    @cached_property
    def person_ids(self) -> PersonIds:
        """person_id of each person_ix."""
        return PersonIds(self.known, self.people)

    @cached_property
    def _by_person(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.people.person, kind="stable").astype(np.int32)
        sizes = np.bincount(self.people.person, minlength=len(self.people))
        return order, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)

    def members(self, person_ix: int) -> list[int]:
        """Nodes of a person. To bring all in order pays when many are asked for."""
        if (asked := self._asked + 1) < MANY:
            object.__setattr__(self, "_asked", asked)
            return np.flatnonzero(self.people.person == person_ix).tolist()
        order, starts = self._by_person
        return order[starts[person_ix] : starts[person_ix + 1]].tolist()

    def node_ids(self, person_ix: int) -> list[bytes]:
        """Node ids of a person, strongest type first."""
        known = self.known
        nodes = sorted(self.members(person_ix), key=lambda node: (known.rank[node], node))
        return [known.node_id(node) for node in nodes]

    def person_of(self, node_ids: list[bytes]) -> list[int | None]:
        """person_ix of each node id; None for one that no row carries."""
        nodes = self.known.find(node_ids).tolist()
        return [None if node < 0 else int(self.people.person[node]) for node in nodes]

    def node_of_id(self, person_id: str) -> int | None:
        """The node that a person_id was made of, also of one given out long ago."""
        return self.names.node(self.known, person_id)

    def is_quarantined(self, person_ix: int) -> bool:
        """Whether this is a shared value standing alone, not somebody."""
        return bool(self.people.quarantine.held[self.people.anchor[person_ix]])

    def somebody(self) -> list[int]:
        """All person_ix but those of shared values."""
        held = self.people.quarantine.held[self.people.anchor]
        return np.flatnonzero(~held).tolist()


def node_bytes(ids: pa.ChunkedArray) -> bytes:
    """16-byte ids, end to end."""
    return b"".join(
        chunk.buffers()[1].to_pybytes()[chunk.offset * 16 : (chunk.offset + len(chunk)) * 16]
        for chunk in ids.cast(pa.binary(16)).chunks
    )


def node_column(ids: bytes) -> pa.Array:
    """16-byte ids, end to end, as a column of the lake."""
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(ids) // 16, [None, pa.py_buffer(ids)]
    )
    return fixed.cast(pa.binary())
