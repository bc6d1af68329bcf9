"""What the staff write on a customer: tags, and the owner who looks after them.

Each is kept on an identifier and read through the person, so a merge joins the tags of two and an
unmerge gives each their own again, without a row being moved. What surprises: to take a tag away
is to take it from every identifier of the person that has it, or it would still be there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from touchline import clock
from touchline.storage import schema
from touchline.storage.state import State, Statement

__all__ = ["NOTES", "Kind", "Note", "Written", "all_holding", "holding", "written"]

NOTES = "notes"  # mark in State: how often notes were written
Kind = Literal["tag", "owner"]
_table = schema.person_note
_c = _table.c


class Note(NamedTuple):
    """One that holds. `id` orders those of one moment."""

    node_id: bytes
    kind: Kind
    value: str
    author: str
    at_us: int
    id: int


class Written(NamedTuple):
    """Notes that hold of one person: tags by name, the latest of each, and the owner."""

    tags: tuple[Note, ...]
    owner: Note | None

    @classmethod
    def of(cls, notes: Iterable[Note]) -> "Written":
        ordered = sorted(notes, key=lambda one: (one.at_us, one.id))
        tags = {one.value: one for one in ordered if one.kind == "tag"}
        owners = [one for one in ordered if one.kind == "owner"]
        return cls(tuple(tags[name] for name in sorted(tags)), owners[-1] if owners else None)


def holding(state: State, nodes: Collection[bytes]) -> dict[bytes, list[Note]]:
    """By node, what was set and not unset."""
    held: dict[bytes, list[Note]] = {}
    for note in _last(state.lookup(_c.node_id, nodes, *_table.columns)):
        held.setdefault(note.node_id, []).append(note)
    return held


def all_holding(state: State) -> Iterable[Note]:
    """The same of everybody."""
    return _last(state.read(sa.select(_table)))


def _last(rows: Iterable[sa.Row[Any]]) -> Iterator[Note]:
    found: dict[tuple[bytes, str, str], sa.Row[Any]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        found[row.node_id, row.kind, row.value] = row
    for row in found.values():
        if row.is_set:
            yield Note(row.node_id, row.kind, row.value, row.author, row.at_us, row.id)


def written(
    state: State, notes: Sequence[tuple[bytes, Kind, str, bool]], author: str
) -> tuple[Statement, ...]:
    """What writes (node, kind, value, whether it is set)."""
    now = clock.now_us()
    rows = [
        {
            "node_id": node,
            "kind": kind,
            "value": value,
            "is_set": is_set,
            "author": author,
            "at_us": now,
        }
        for node, kind, value, is_set in notes
    ]
    mark = [{"name": NOTES, "value": 1}] if rows else []
    return (
        (sa.insert(_table), rows),
        (state.upsert(schema.mark, add=["value"]), mark),
    )
