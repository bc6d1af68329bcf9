"""A part that was judged → the rows of State that differ from what was read.

A component keeps its number as long as it can: what becomes of several has that of the largest, so
that the fewest identifiers have to be told where they are now.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from touchline.identity.live.part import Part
from touchline.storage import schema
from touchline.storage.state import State, Statement

__all__ = ["Puts", "Written"]

Row = dict[str, Any]

_component, _node, _beside = (
    schema.identity_component,
    schema.identity_node,
    schema.identity_beside,
)
_LEAVE = sa.delete(_component).where(_component.c.id == sa.bindparam("gone"))
_JOINED = sa.delete(_beside).where(_beside.c.alone == sa.bindparam("joined"))


class Puts(NamedTuple):
    """Statements, made once since making one takes longer than to run it."""

    component: sa.Executable
    node: sa.Executable
    beside: sa.Executable

    @classmethod
    def of(cls, state: State) -> Self:
        return cls(
            state.upsert(_component, newest_by="version"),
            state.upsert(_node, newest_by="node_id"),
            state.upsert(_beside),
        )


class Written(NamedTuple):
    """`last`: the largest number given to a component so far."""

    components: list[Row]
    nodes: list[Row]
    gone: list[Row]
    beside: list[Row]
    joined: list[Row]
    last: int

    @classmethod
    def of(cls, part: Part, last: int, version: int) -> Self:
        numbers, last = _numbers(part, last)
        known = dict(zip(part.rows.ids, part.rows.packed, strict=True))
        return cls(
            components=[
                {"id": number, "version": version, **row}
                for number, row in zip(numbers, part.made(), strict=True)
                if not _is_same(known.get(number), row)
            ],
            nodes=_moved(part, numbers),
            gone=[{"gone": number} for number in known.keys() - set(numbers)],
            beside=list(part.beside()),
            joined=[{"joined": node} for node in part.joined()],
            last=last,
        )

    def statements(self, put: Puts) -> list[Statement]:
        return [
            (_LEAVE, self.gone),
            (put.component, self.components),
            (put.node, self.nodes),
            (_JOINED, self.joined),
            (put.beside, self.beside),
        ]


def _moved(part: Part, numbers: list[int]) -> list[Row]:
    """Nodes that are in another component than they were, or new."""
    here = part.is_here.nonzero()[0]
    ids = part.evidence.node_ids(here)
    label = part.label[here].tolist()
    was = dict.fromkeys(here.tolist(), 0)
    owner = part.rows.row_of_node.tolist()
    for node, row in zip(part.index[: len(owner)].tolist(), owner, strict=True):
        was[node] = part.rows.ids[row]
    return [
        {"node_id": ids[16 * at : 16 * at + 16], "component": numbers[label[at]]}
        for at, old in enumerate(was.values())
        if numbers[label[at]] != old
    ]


def _numbers(part: Part, last: int) -> tuple[list[int], int]:
    """A number for each label: that of the largest row that goes on in it, or a new one."""
    rows = part.rows
    count = int(part.label.max(initial=-1)) + 1
    numbers, largest = [0] * count, [0] * count
    heirs = part.label[part.index[rows.sizes.cumsum() - 1]].tolist() if rows.ids else []
    for number, size, label in zip(rows.ids, rows.sizes.tolist(), heirs, strict=True):
        if size > largest[label]:
            numbers[label], largest[label] = number, size
    for label, number in enumerate(numbers):
        if not number:
            last += 1
            numbers[label] = last
    return numbers, last


def _is_same(known: Any, row: Mapping[str, Any]) -> bool:
    return known is not None and all(getattr(known, name) == row[name] for name in row)
