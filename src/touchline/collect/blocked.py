"""Identifiers that match a pattern of `[identity.blocked]` → their node ids, kept in State.

Clear values are sealed, so a pattern is tried once: on all that is known when the rule is put in
force, on a new value as it comes in. What surprises: each row carries the number of the document
whose pattern it matched. So a value that comes in while a new document is gone through is
tried against the new one by either, and none is missed.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from touchline.collect.junk import Junk, Patterns, patterns
from touchline.collect.nodes import opened
from touchline.collect.outdated import unblocked
from touchline.model import Identifier
from touchline.storage import definition, schema
from touchline.storage.workspace import Workspace

__all__ = ["Blocklist", "blocked_nodes", "patterns_matched", "renew"]

DONE = "blocked"  # mark in State: the document that all known values were tried against
KIND = "identity"

_table = schema.blocked_node.c
Matched = dict[bytes, str]


class Blocklist:
    """Tries new values against the patterns in force."""

    def __init__(self, workspace: Workspace) -> None:
        self._state = workspace.state
        self._number = 0
        self._junk: Junk | None = None

    def note(self, new: Mapping[bytes, Identifier], *, is_again: bool = False) -> None:
        """Writes down those of the new values that match. `is_again`: only if the patterns have
        changed since the last time.
        """
        if not new:
            return
        has_changed = self._has_changed()
        if self._junk is not None and (has_changed or not is_again):
            found = {node: self._junk.matched(value) for node, value in new.items()}
            _write(self._state, {n: text for n, text in found.items() if text}, self._number)

    def _has_changed(self) -> bool:
        number = definition.newest(self._state, KIND)
        if number == self._number:
            return False
        self._number = number
        held = _patterns(self._state, number)
        self._junk = Junk(held) if held else None
        return True


def blocked_nodes(
    workspace: Workspace, wanted: Patterns, as_of_us: int | None = None
) -> tuple[bytes, ...]:
    """Node ids that match: those kept, if they are of the document in force (then), else all that
    is known is tried now.
    """
    if not wanted:
        return ()
    state = workspace.state
    number = definition.newest(state, KIND, as_of_us)
    if state.mark(DONE) == number and _patterns(state, number) == wanted:
        query = sa.select(_table.node_id).where(_table.number == number).order_by(_table.node_id)
        return tuple(row.node_id for row in state.read(query))
    return tuple(sorted(_matched(workspace, wanted)))


def patterns_matched(workspace: Workspace, nodes: list[bytes]) -> Matched:
    """Which pattern each of these nodes matches, of those that are kept."""
    rows = workspace.state.lookup(_table.node_id, nodes, _table.node_id, _table.pattern)
    return {row.node_id: row.pattern for row in rows}


def renew(workspace: Workspace, *, is_all: bool = False) -> None:
    """Brings what is kept up to the document in force; `is_all`: by trying every value again.
    Needs the write lock; safe to repeat.
    """
    state = workspace.state
    number, done = definition.newest(state, KIND), state.mark(DONE)
    if number == done and not is_all:
        return
    wanted = _patterns(state, number)
    if wanted and wanted == _patterns(state, done) and not is_all:
        with state.engine.begin() as connection:
            connection.execute(sa.update(schema.blocked_node).values(number=number))
    elif wanted:
        _write(state, _matched(workspace, wanted), number)
    with state.engine.begin() as connection:
        connection.execute(sa.delete(schema.blocked_node).where(_table.number < number))
    state.write(state.set_mark(DONE, number))


def _patterns(state: Any, number: int) -> Patterns:
    found = definition.document(state, number) if number else None
    return patterns(unblocked(found, []).get("blocked", {})) if isinstance(found, dict) else ()


def _matched(workspace: Workspace, wanted: Patterns) -> Matched:
    """All known values that match."""
    junk, node = Junk(wanted), schema.node
    query = sa.select(node).where(node.c.type.in_(junk.types))
    found: Matched = {}
    for row in workspace.state.stream(query):
        if text := junk.matched(opened(workspace.vault, row)):
            found[row.node_id] = text
    return found


def _write(state: Any, matched: Matched, number: int) -> None:
    rows = [{"node_id": node, "pattern": text, "number": number} for node, text in matched.items()]
    state.write((state.upsert(schema.blocked_node, newest_by="number"), rows))
