"""Components of the evidence ↔ rows of State.

A row is a set of identifiers that hang together, all pairs of them, and the days each pair was seen
on: packed records, so that a thousand rows are read as one array. What surprises: a pair of which
one end joins nobody stands in the row of the other end, beside the type of what is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from touchline.model import IDENTIFIER_TYPES
from touchline.storage import schema
from touchline.storage.state import State

__all__ = [
    "DAY",
    "EDGE",
    "NODE",
    "RANKS",
    "Rows",
    "beside",
    "components_of",
    "node_ids",
    "numbers_after",
    "packed_apps",
    "read_rows",
    "split",
]

Records = npt.NDArray[np.void]

# `anchor`: the place in the row of the node that the person is named after.
NODE = np.dtype(
    [("hi", "<u8"), ("lo", "<u8"), ("seen_us", "<i8"), ("anchor", "<i4"), ("rank", "i1")]
)
EDGE = np.dtype(
    [
        ("a_hi", "<u8"),
        ("a_lo", "<u8"),
        ("b_hi", "<u8"),
        ("b_lo", "<u8"),
        ("days", "<i4"),
        ("a_rank", "i1"),
        ("b_rank", "i1"),
        ("kind", "i1"),
    ]
)
DAY = np.dtype("<i4")
RANKS = len(IDENTIFIER_TYPES) + 1  # the last is a type unknown

_row = schema.identity_component.c
_place = schema.identity_node.c
_beside = schema.identity_beside.c
_WANTED = (_row.id, _row.nodes, _row.edges, _row.days, _row.apps, _row.cause, _row.most)


class Rows(NamedTuple):
    """Several rows end to end; `sizes`: how many nodes each has, `touches`: -1 where not alone,
    `most`: how many of the type that is the cause.
    """

    ids: list[int]
    packed: list[Any]
    sizes: npt.NDArray[np.int64]
    nodes: Records
    edges: Records
    days: npt.NDArray[np.int32]
    apps: dict[bytes, str]
    cause: npt.NDArray[np.int8]
    most: npt.NDArray[np.int32]
    touches: npt.NDArray[np.int32]

    @classmethod
    def of(cls, found: Sequence[Any]) -> "Rows":
        unknown = np.full(RANKS, -1, "<i4").tobytes()
        apps: dict[bytes, str] = {}
        for row in found:
            if row.apps:
                apps.update(_apps.decode(row.apps))
        touches = b"".join(row.touches or unknown for row in found)
        return cls(
            ids=[row.id for row in found],
            packed=list(found),
            sizes=np.array([len(row.nodes) // NODE.itemsize for row in found], np.int64),
            nodes=np.frombuffer(b"".join(row.nodes for row in found), NODE),
            edges=np.frombuffer(b"".join(row.edges for row in found), EDGE),
            days=np.frombuffer(b"".join(row.days for row in found), DAY),
            apps=apps,
            cause=np.array([row.cause for row in found], np.int8),
            most=np.array([row.most for row in found], np.int32),
            touches=np.frombuffer(touches, "<i4").reshape(-1, RANKS),
        )

    @property
    def row_of_node(self) -> npt.NDArray[np.int64]:
        return np.repeat(np.arange(len(self.ids)), self.sizes)

    @property
    def is_alone(self) -> npt.NDArray[np.bool_]:
        """Per row: is it one identifier that joins nobody?"""
        return self.touches[:, 0] >= 0


_apps = msgspec.msgpack.Decoder(dict[bytes, str])


def packed_apps(apps: Mapping[bytes, str]) -> bytes:
    return msgspec.msgpack.encode(apps) if apps else b""


def node_ids(nodes: Records) -> set[bytes]:
    return split(np.column_stack([nodes["hi"], nodes["lo"]]).astype(">u8").tobytes())


def split(ids: bytes) -> set[bytes]:
    """Ids that stand end to end."""
    return {ids[at : at + 16] for at in range(0, len(ids), 16)}


def components_of(state: State, nodes: Iterable[bytes]) -> dict[bytes, int]:
    """In which component each of these is; those not known are left out."""
    found = state.lookup(_place.node_id, nodes, _place.node_id, _place.component)
    return {row.node_id: row.component for row in found}


def beside(state: State, alone: Iterable[bytes]) -> set[bytes]:
    """All that these values, which join nobody, were seen beside."""
    return {row.other for row in state.lookup(_beside.alone, alone, _beside.other)}


def numbers_after(state: State, after: int, upto: int, most: int) -> list[int]:
    """Numbers of the next rows, beyond one and up to another."""
    query = sa.select(_row.id).where(_row.id > after, _row.id <= upto)
    return [row.id for row in state.read(query.order_by(_row.id).limit(most))]


def read_rows(state: State, ids: Iterable[int] | None = None, *, after: int | None = None) -> Rows:
    """Rows by number, all of them, or those written after a version."""
    wanted = (*_WANTED, _row.touches)
    if ids is not None:
        return Rows.of(sorted(state.lookup(_row.id, set(ids), *wanted), key=lambda row: row.id))
    query = sa.select(*wanted).order_by(_row.id)
    return Rows.of(state.read(query if after is None else query.where(_row.version > after)))
