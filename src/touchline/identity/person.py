"""Anchor node ↔ person_id: the name of a person, for ever.

A person_id is a hash of the person's anchor, so it needs no counter and survives any rebuild. What
surprises: there is no table of retired ids. Every id that was ever given out is the hash of some
node, so an old id is found among the hashes of the nodes, and leads to who holds that node now.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Self, overload

import numpy as np
import numpy.typing as npt

from touchline.identity.evidence import Halves, NodeSet
from touchline.identity.resolve import Clusters

__all__ = ["Names", "PersonIds", "is_person_id", "person_id"]

DOMAIN = b"touchline.person"
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
_PERSON_ID = re.compile("p[0-9a-f]{32}")


def person_id(node_id: bytes) -> str:
    """The id of the person whose anchor this node is."""
    return "p" + _digest(node_id).hex()


def _digest(node_id: bytes) -> bytes:
    return hashlib.blake2b(node_id, digest_size=16, person=DOMAIN).digest()


def is_person_id(text: str) -> bool:
    """Whether this could be a person_id at all: cheap, before every node is hashed to find it."""
    return _PERSON_ID.fullmatch(text) is not None


class PersonIds(Sequence[str]):
    """The id of each person, by person number; hashed when asked for."""

    def __init__(self, nodes: NodeSet, people: Clusters) -> None:
        self._nodes = nodes
        self._anchor = people.anchor

    def __len__(self) -> int:
        return len(self._anchor)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(_candidates(self._nodes, self._anchor[index]))
        return person_id(self._nodes.node_id(int(self._anchor[index])))

    def __iter__(self) -> Iterator[str]:
        return _candidates(self._nodes, self._anchor)


class Names:
    """person_id → the node it was made of, live or given out long ago. It is found among hashes of
    all nodes, which stay: the next map has the same nodes and a few more, and those alone are
    hashed for it. For several threads.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Somebody among the nodes was erased."""
        none = np.empty(0, np.uint64)
        self._hashes = _Hashes(none, none, none)
        self._newest: object = None

    def node(self, known: NodeSet, wanted: str) -> int | None:
        """None for what never was an id of these nodes."""
        if not is_person_id(wanted):
            return None
        found = _made_into(wanted, known, self._hashes)
        if found is None and self._newest is not known:
            with self._turn:
                self._hashes = self._hashes.with_nodes(known)
                self._newest = known
            found = _made_into(wanted, known, self._hashes)
        return found


class _Hashes(NamedTuple):
    """Of nodes by the first half of their ids: halves in order; first halves of their hashes in
    order, and of which half each is.
    """

    known: Halves
    hashes: Halves
    of: Halves

    def with_nodes(self, nodes: NodeSet) -> Self:
        at = np.searchsorted(self.known, nodes.hi)
        is_new = np.ones(len(nodes), np.bool_)
        if len(self.known):
            is_new = self.known[np.minimum(at, len(self.known) - 1)] != nodes.hi
        is_twin = nodes.hi[1:] == nodes.hi[:-1]  # other nodes with the same half: rarer than rare
        is_new[1:] |= is_twin
        is_new[:-1] |= is_twin
        new = np.flatnonzero(is_new)
        if not len(new):
            return self
        ids = nodes.node_ids(new)
        told = b"".join(_digest(ids[at : at + 16])[:8] for at in range(0, len(ids), 16))
        hashes, half = np.frombuffer(told, ">u8").astype(np.uint64), nodes.hi[new]
        order = np.argsort(hashes)
        place = np.searchsorted(self.hashes, hashes[order])
        return type(self)(
            np.insert(self.known, at[new], half),
            np.insert(self.hashes, place, hashes[order]),
            np.insert(self.of, place, half[order]),
        )


def _made_into(wanted: str, known: NodeSet, told: _Hashes) -> int | None:
    hashed = np.uint64(int(wanted[1:17], 16))
    start, end = (int(np.searchsorted(told.hashes, hashed, side)) for side in SIDES)
    for half in told.of[start:end]:
        first, last = (int(np.searchsorted(known.hi, half, side)) for side in SIDES)
        for node in range(first, last):
            if person_id(known.node_id(node)) == wanted:
                return node
    return None


def _candidates(known: NodeSet, nodes: npt.NDArray[np.integer]) -> Iterator[str]:
    ids = known.node_ids(nodes)
    return (person_id(ids[at : at + 16]) for at in range(0, len(ids), 16))
