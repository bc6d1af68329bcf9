"""The live store of people: brought up to date by new facts alone, exactly as if made of all.

    new facts → the components they touch → `resolve` on those → rows changed, persons merged, split

Identifiers of different components never meet in `resolve`, so a part that is whole components has
the people that the whole would give it. Facts are a set: what is told twice changes nothing, in
whatever order and portions it comes. What surprises: only a value that joined nobody and is let
join again, or another rule, needs all rows. One process writes, under the lock of the workspace.
"""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from touchline import clock
from touchline.identity.change import Change, Differences
from touchline.identity.live_part import NOTHING, Facts, Part, Released
from touchline.identity.live_rows import components_of, read_rows
from touchline.identity.person_map import PersonMap
from touchline.identity.ruled import Ruled
from touchline.storage import schema
from touchline.storage.state import State, Statement

__all__ = ["CHANGED", "RULED", "LiveStore", "forget", "kept", "marks"]

PREFIX = "live:"  # of the marks in State
CHANGED = "version"  # mark: grows with each change of a row
RULED = "ruled"  # mark: a hash of what the rows were judged by
EVIDENCE, DECISION, RULES = "evidence", "decision", "rules"  # why somebody became somebody else

_component, _node, _change = (
    schema.identity_component,
    schema.identity_node,
    schema.person_change,
)
_LEAVE = sa.delete(_component).where(_component.c.id == sa.bindparam("gone"))
_TELL = sa.insert(_change)
_FORGET = sa.delete(schema.mark).where(schema.mark.c.name == sa.bindparam("gone"))
_KEEP = sa.insert(schema.mark)


class LiveStore:
    """People of all facts added so far, under rules and decisions."""

    def __init__(self, state: State, ruled: Ruled | None = None) -> None:
        self._state = state
        self._ruled = ruled or Ruled()
        self._put_component = state.upsert(_component, newest_by="version")
        self._put_node = state.upsert(_node, newest_by="node_id")
        known = marks(state)
        self._version = known.get(CHANGED, 0)
        query = sa.select(sa.func.max(_component.c.id).label("last"))
        self._last = state.read(query)[0].last or 0
        if self._last and known.get(RULED) != self._ruled.number:
            self._all(NOTHING, {}, RULES)

    def add(self, facts: Facts, told: Mapping[str, int] | None = None) -> list[Change]:
        """Takes facts in. `told`: numbers to keep in the same transaction."""
        nodes = self._ruled.with_partners(facts.node_ids())
        return self._some(nodes, facts, told or {}, EVIDENCE)

    def rule(self, ruled: Ruled) -> list[Change]:
        """Judges by other rules and decisions from now on, of the past as well."""
        before, self._ruled = self._ruled, ruled
        if not before.is_same_rule(ruled):
            return self._all(NOTHING, {}, RULES)
        nodes = ruled.with_partners(before.differing(ruled))
        return self._some(nodes, NOTHING, {}, DECISION) if nodes else []

    def map_of(self, nodes: Collection[bytes]) -> dict[bytes, str]:
        """person_id of each of these that is known."""
        held = components_of(self._state, nodes)
        people = Part(read_rows(self._state, held.values()), NOTHING, Ruled()).before()
        found = people.person_of(list(held))
        return {n: people.person_ids[p] for n, p in zip(held, found, strict=True) if p is not None}

    def people(self) -> PersonMap:
        """Everybody."""
        return Part(read_rows(self._state), NOTHING, Ruled(), is_whole=True).before()

    def _some(
        self, nodes: set[bytes], facts: Facts, told: Mapping[str, int], cause: str
    ) -> list[Change]:
        held = components_of(self._state, nodes)
        part = Part(read_rows(self._state, held.values()), facts, self._ruled)
        try:
            return self._write(part, told, cause)
        except Released:
            return self._all(facts, told, cause)

    def _all(self, facts: Facts, told: Mapping[str, int], cause: str) -> list[Change]:
        part = Part(read_rows(self._state), facts, self._ruled, is_whole=True)
        return self._write(part, told, cause)

    def _write(self, part: Part, told: Mapping[str, int], cause: str) -> list[Change]:
        rows, nodes, gone, last = self._rows(part)
        changes = list(Differences(part.before(), part.after()).changes()) if part.rows.ids else []
        at_us = clock.now_us()
        changed = [
            {
                "at_us": at_us,
                "kind": one.kind,
                "person_id": one.person_id,
                "other_id": one.other_id,
                "identifiers": one.values,
                "cause": cause,
            }
            for one in changes
        ]
        version = self._version + bool(rows)
        numbers = {**told, CHANGED: version, RULED: self._ruled.number}
        self._state.write(
            (_LEAVE, gone),
            (self._put_component, rows),
            (self._put_node, nodes),
            (_TELL, changed),
            *kept(numbers),
        )
        self._version, self._last = version, last
        return changes

    def _rows(
        self, part: Part
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], int]:
        """Rows of components and of nodes to write, components to delete, the last number."""
        numbers, last = _numbers(part, self._last)
        known = dict(zip(part.rows.ids, part.rows.packed, strict=True))
        rows = [
            {"id": number, "version": self._version + 1, **row}
            for number, row in zip(numbers, part.made(), strict=True)
            if not _is_same(known.get(number), row)
        ]
        here = part.is_here.nonzero()[0]
        ids = part.evidence.node_ids(here)
        label = part.label[here].tolist()
        was = dict.fromkeys(here.tolist(), 0)
        owner = part.rows.row_of_node.tolist()
        for node, row in zip(part.index[: len(owner)].tolist(), owner, strict=True):
            was[node] = part.rows.ids[row]
        nodes = [
            {"node_id": ids[16 * at : 16 * at + 16], "component": numbers[label[at]]}
            for at, old in enumerate(was.values())
            if numbers[label[at]] != old
        ]
        gone = [{"gone": number} for number in known.keys() - set(numbers)]
        return rows, nodes, gone, last


def marks(state: State) -> dict[str, int]:
    """Numbers that the store was last written with."""
    table = schema.mark.c
    found = state.read(sa.select(schema.mark).where(table.name.startswith(PREFIX)))
    return {row.name.removeprefix(PREFIX): row.value for row in found}


def forget(state: State) -> None:
    """Empties it, so that it is made anew. What was told of persons stays."""
    with state.engine.begin() as connection:
        connection.execute(sa.delete(_component))
        connection.execute(sa.delete(_node))
        connection.execute(sa.delete(schema.mark).where(schema.mark.c.name.startswith(PREFIX)))


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


def kept(numbers: Mapping[str, int]) -> list[Statement]:
    """Marks, for `State.write`; smaller than they were, if need be."""
    rows = [{"name": PREFIX + name, "value": value} for name, value in numbers.items()]
    return [(_FORGET, [{"gone": row["name"]} for row in rows]), (_KEEP, rows)]
