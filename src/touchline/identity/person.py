"""Anchor node ↔ person_id: the name of a person, for ever.

A person_id is a hash of the person's anchor, so it needs no counter and survives any rebuild. What
surprises: there is no table of retired ids. Every id that was ever given out is the hash of some
node, so an old id is found by hashing the nodes, and leads to the person who holds that node now.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from touchline.identity.evidence import Ints, NodeSet
from touchline.identity.resolve import Clusters

__all__ = ["PersonIds", "is_person_id", "named_after", "person_id", "redirect"]

DOMAIN = b"touchline.person"
_PERSON_ID = re.compile("p[0-9a-f]{32}")


def person_id(node_id: bytes) -> str:
    """The id of the person whose anchor this node is."""
    return "p" + hashlib.blake2b(node_id, digest_size=16, person=DOMAIN).hexdigest()


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


def redirect(nodes: NodeSet, people: Clusters, wanted: Sequence[str]) -> Ints:
    """The person each id stands for now, -1 for an id that never was one.

    A live id is its own person's: a node that is an anchor belongs to the person it anchors.
    """
    found: dict[str, int] = dict.fromkeys(wanted, -1)
    missing = len(found)
    for numbers in (people.anchor, _others(people)):  # most ids are live: try the anchors first
        if not missing:
            break
        for node, candidate in zip(numbers.tolist(), _candidates(nodes, numbers), strict=True):
            if candidate in found:
                found[candidate] = int(people.person[node])
        missing = sum(person < 0 for person in found.values())
    return np.array([found[name] for name in wanted], np.int32)


def named_after(nodes: NodeSet, people: Clusters, wanted: str) -> int | None:
    """The node that an id was made of, also one of long ago."""
    for numbers in (people.anchor, _others(people)):
        for node, candidate in zip(numbers.tolist(), _candidates(nodes, numbers), strict=True):
            if candidate == wanted:
                return node
    return None


def _candidates(known: NodeSet, nodes: npt.NDArray[np.integer]) -> Iterator[str]:
    ids = known.node_ids(nodes)
    return (person_id(ids[at : at + 16]) for at in range(0, len(ids), 16))


def _others(people: Clusters) -> npt.NDArray[np.integer]:
    anchored = np.zeros(len(people.person), np.bool_)
    anchored[people.anchor] = True
    return np.flatnonzero(~anchored)
