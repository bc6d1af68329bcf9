"""Identifiers and pairs of them, as they come → Evidence: the same, as a set.

Two identifiers are a pair when one row carried both. What surprises: arrays here are in the order
of the identifiers' ids, whatever order the rows came in, and what is said twice counts once. So an
Evidence is a function of the set of facts, and all that is computed from it is one as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "MANUAL",
    "NEVER_US",
    "NO_APP",
    "NO_DECISIONS",
    "OBSERVED",
    "RECORD",
    "SUGGESTED",
    "Decisions",
    "Evidence",
    "NodeSet",
    "Nodes",
    "Pairs",
    "gather",
]

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
Longs = npt.NDArray[np.int64]
Halves = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

# Who says that two identifiers belong together; the least class is believed first.
MANUAL = 0  # an operator decided it
RECORD = 1  # one people row of a system of record holds both
OBSERVED = 2  # one event or conversion carried both
SUGGESTED = 3  # a probabilistic match

NO_APP = -1
NEVER_US = np.iinfo(np.int64).max >> 8  # first_seen_us of what no dated row has shown


class Nodes(NamedTuple):
    """Identifiers in any order, repeated at will.

    A node id is 16 bytes, read as two big-endian halves so that numbers sort like bytes. `app` is a
    code (NO_APP: none) of an openid's app.
    """

    hi: Halves
    lo: Halves
    rank: Bytes
    app: Ints
    first_seen_us: Longs

    @classmethod
    def of(
        cls,
        ids: Sequence[bytes],
        rank: npt.ArrayLike,
        app: npt.ArrayLike,
        first_seen_us: npt.ArrayLike,
    ) -> "Nodes":
        hi, lo = halves(b"".join(ids))
        return cls(
            hi,
            lo,
            np.asarray(rank, np.int8),
            np.asarray(app, np.int32),
            np.asarray(first_seen_us, np.int64),
        )


class Pairs(NamedTuple):
    """Positions in Nodes, the class, and on how many local days the two were seen together."""

    a: Ints
    b: Ints
    kind: Bytes
    days: Ints

    def at(self, rows: npt.NDArray[Any]) -> "Pairs":
        return Pairs(self.a[rows], self.b[rows], self.kind[rows], self.days[rows])

    def plus(self, other: "Pairs") -> "Pairs":
        return Pairs(
            np.concatenate([self.a, other.a]),
            np.concatenate([self.b, other.b]),
            np.concatenate([self.kind, other.kind]),
            np.concatenate([self.days, other.days]),
        )


@dataclass(frozen=True)
class Decisions:
    """What operators decided, by node id: `together` joins two values as far as limits allow,
    `apart` stops two from being one person, `quarantined` holds a value back whatever it touches,
    `released` does not hold it back however much it touches. And what follows from their rules:
    `blocked` matches a pattern, `staff` is a value of somebody who works here. `unlinked` is one
    whose owner refuses to be linked. `suggested` are two that records make out to be one person's:
    joined as by hand, but believed last.
    """

    together: tuple[tuple[bytes, bytes], ...] = ()
    apart: tuple[tuple[bytes, bytes], ...] = ()
    quarantined: tuple[bytes, ...] = ()
    released: tuple[bytes, ...] = ()
    blocked: tuple[bytes, ...] = ()
    staff: tuple[bytes, ...] = ()
    unlinked: tuple[bytes, ...] = ()
    suggested: tuple[tuple[bytes, bytes], ...] = ()


NO_DECISIONS = Decisions()


@dataclass(frozen=True, eq=False)
class NodeSet:
    """Nodes sorted by id, each once: all that is asked of them when people are known."""

    hi: Halves
    lo: Halves
    rank: Bytes
    first_seen_us: Longs

    def __len__(self) -> int:
        return len(self.hi)

    def node_id(self, node: int) -> bytes:
        return int(self.hi[node]).to_bytes(8, "big") + int(self.lo[node]).to_bytes(8, "big")

    def node_ids(self, nodes: npt.NDArray[np.integer] | None = None) -> bytes:
        """Ids of these nodes (all without), 16 bytes each, end to end."""
        hi, lo = (self.hi, self.lo) if nodes is None else (self.hi[nodes], self.lo[nodes])
        return np.column_stack([hi, lo]).astype(">u8").tobytes()

    def find(self, ids: Sequence[bytes]) -> Ints:
        """Index of each node id, -1 for one that no evidence names."""
        hi, lo = halves(b"".join(ids))
        at = np.searchsorted(self.hi, hi)
        found = np.full(len(hi), -1, np.int32)
        for k, start in enumerate(at.tolist()):
            end = int(np.searchsorted(self.hi, hi[k], side="right"))
            for node in range(start, end):
                if self.lo[node] == lo[k]:
                    found[k] = node
        return found


def _none() -> Ints:
    return np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class Evidence(NodeSet):
    """Edges (a < b) between nodes, sorted by (a, b), each once; the others as indices.

    The last letter of the module's promise: equal sets of facts give equal bytes in every array.
    """

    app: Ints
    a: Ints
    b: Ints
    kind: Bytes
    days: Ints
    apart: Ints
    held: Ints
    released: Ints
    blocked: Ints = field(default_factory=_none)
    staff: Ints = field(default_factory=_none)
    unlinked: Ints = field(default_factory=_none)

    @classmethod
    def of(cls, nodes: Nodes, pairs: Pairs, **decided: Ints) -> "Evidence":
        hi, lo, rank, app, first_seen_us = nodes
        return cls(hi, lo, rank, first_seen_us, app, *pairs, **decided)


def halves(ids: bytes) -> tuple[Halves, Halves]:
    """16-byte ids, end to end, as numbers."""
    both = np.frombuffer(ids, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])


def gather(nodes: Nodes, pairs: Pairs, decisions: Decisions = NO_DECISIONS) -> Evidence:
    """One pair in several rows (a class each) keeps the best of them."""
    order, index = _sorted_ids(nodes)
    a, b = _ordered(index, pairs.a, pairs.b)
    canonical = _best(Pairs(a, b, pairs.kind, pairs.days))
    return _decided(_merged(nodes, order, index), canonical, decisions)


def _sorted_ids(nodes: Nodes) -> tuple[npt.NDArray[np.intp], Ints]:
    """The order of the ids, and the index that each given node will have."""
    order = np.argsort(nodes.hi)
    hi, lo = nodes.hi[order], nodes.lo[order]
    # Ids are hashes: equal first halves almost always mean equal ids, and one sort is enough.
    if np.any((hi[1:] == hi[:-1]) & (lo[1:] < lo[:-1])):
        order = np.lexsort((nodes.lo, nodes.hi))
        hi, lo = nodes.hi[order], nodes.lo[order]
    index = np.empty(len(order), np.int32)
    index[order] = np.cumsum(_starts(hi, lo), dtype=np.int32) - 1
    return order, index


def _merged(nodes: Nodes, order: npt.NDArray[np.intp], index: Ints) -> Nodes:
    """One row per id: least rank, least named app, earliest sight."""
    if not len(order):
        return nodes
    first = np.flatnonzero(_starts(index[order]))
    app = nodes.app[order].view(np.uint32)  # NO_APP becomes the greatest, so that a name wins
    return Nodes(
        nodes.hi[order][first],
        nodes.lo[order][first],
        np.minimum.reduceat(nodes.rank[order], first),
        np.minimum.reduceat(app, first).view(np.int32),
        np.minimum.reduceat(nodes.first_seen_us[order], first),
    )


def _ordered(index: Ints, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    x, y = index[a], index[b]
    return np.minimum(x, y), np.maximum(x, y)


def _best(pairs: Pairs) -> Pairs:
    """Sorted by (a, b), each pair once: the least class, the most days."""
    if not len(pairs.a):
        return pairs
    a, b, kind, days = pairs.at(np.argsort(pairs.a.astype(np.int64) << 32 | pairs.b))
    first = np.flatnonzero(_starts(a, b))
    best, most = np.minimum.reduceat(kind, first), np.maximum.reduceat(days, first)
    return Pairs(a[first], b[first], best, most)


def _decided(nodes: Nodes, pairs: Pairs, decisions: Decisions) -> Evidence:
    """Nodes and pairs with the decisions that concern them.

    One that names a value without any evidence waits: it takes effect when the value first comes.
    """
    none = _none()
    bare = Evidence.of(nodes, pairs, apart=none.reshape(0, 2), held=none, released=none)
    for kind, couples in ((MANUAL, decisions.together), (SUGGESTED, decisions.suggested)):
        joined = _known(bare, couples)
        if len(joined):
            kinds = np.full(len(joined), kind, np.int8)
            added = Pairs(joined[:, 0], joined[:, 1], kinds, np.ones(len(joined), np.int32))
            pairs = _best(pairs.plus(added))
    pairs = pairs.at(pairs.a != pairs.b)
    return Evidence.of(
        nodes,
        pairs,
        apart=_known(bare, decisions.apart),
        held=_each(bare, decisions.quarantined),
        released=_each(bare, decisions.released),
        blocked=_each(bare, decisions.blocked),
        staff=_each(bare, decisions.staff),
        unlinked=_each(bare, decisions.unlinked),
    )


def _each(evidence: Evidence, ids: Sequence[bytes]) -> Ints:
    """Index of each of these that is known, each once."""
    found = evidence.find(ids)
    return np.unique(found[found >= 0])


def _known(evidence: Evidence, couples: Sequence[tuple[bytes, bytes]]) -> Ints:
    """Index pairs (a < b) of the couples whose two values are known, each once."""
    at = evidence.find([node_id for couple in couples for node_id in couple]).reshape(-1, 2)
    at = np.sort(at[(at >= 0).all(axis=1) & (at[:, 0] != at[:, 1])], axis=1)
    return np.unique(at, axis=0)


def _starts(*columns: npt.NDArray[np.generic]) -> Mask:
    """True where a row differs from the one before it."""
    starts = np.ones(len(columns[0]), np.bool_)
    if len(starts) > 1:
        starts[1:] = False
        for column in columns:
            starts[1:] |= column[1:] != column[:-1]
    return starts
