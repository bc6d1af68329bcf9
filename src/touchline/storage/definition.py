"""Definitions: what a site decided (goals, channel rules ...), as versioned documents in State.

A document holds one kind, as TOML. Nothing is overwritten: the newest version of a kind is in
force, and a report as of an earlier day can ask for the version of that day.
"""

import tomllib
from typing import Any

import sqlalchemy as sa
import tomli_w

from touchline import clock
from touchline.storage import audit, schema
from touchline.storage.audit import Entry
from touchline.storage.state import State

__all__ = ["about", "current", "document", "known", "newest", "save"]


def current(state: State, as_of_us: int | None = None) -> dict[str, Any]:
    """Kind -> its document's value, as of a moment (default: now)."""
    table = schema.definition
    newest = sa.select(table.c.kind, sa.func.max(table.c.version).label("version"))
    if as_of_us is not None:
        newest = newest.where(table.c.known_at_us <= as_of_us)
    last = newest.group_by(table.c.kind).subquery()
    is_last = (table.c.kind == last.c.kind) & (table.c.version == last.c.version)
    query = sa.select(table.c.kind, table.c.document).join(last, is_last).order_by(table.c.kind)
    return {row.kind: tomllib.loads(row.document)[row.kind] for row in state.read(query)}


def known(state: State, as_of_us: int | None = None) -> dict[str, Any]:
    """Kind -> its value in force, as a report of that moment reads it.

    What was defined only later is read as it was first defined: a report as of an earlier day can
    be asked for by a goal of today, and is the same whatever is defined after that.
    """
    if as_of_us is None:
        return current(state)
    table = schema.definition
    first = sa.select(table.c.kind, sa.func.min(table.c.version).label("version"))
    first = first.group_by(table.c.kind).subquery()
    is_first = (table.c.kind == first.c.kind) & (table.c.version == first.c.version)
    query = sa.select(table.c.kind, table.c.document).join(first, is_first)
    begun = {row.kind: tomllib.loads(row.document)[row.kind] for row in state.read(query)}
    return dict(sorted({**begun, **current(state, as_of_us)}.items()))


def newest(state: State, kind: str | None = None, as_of_us: int | None = None) -> int:
    """A number that grows whenever a definition changes, or one of this kind."""
    table = schema.definition
    query = sa.select(sa.func.max(table.c.id).label("newest"))
    if kind is not None:
        query = query.where(table.c.kind == kind)
    if as_of_us is not None:
        query = query.where(table.c.known_at_us <= as_of_us)
    return state.read(query)[0].newest or 0


def document(state: State, number: int) -> Any:
    """The value of the document of this number; None when there is none."""
    table = schema.definition
    query = sa.select(table.c.kind, table.c.document).where(table.c.id == number)
    return next((tomllib.loads(row.document)[row.kind] for row in state.read(query)), None)


def about(state: State, kind: str) -> tuple[int, str, int] | None:
    """Version, author and time of the document of a kind that is in force."""
    table = schema.definition
    query = sa.select(table.c.version, table.c.author, table.c.known_at_us)
    rows = state.read(query.where(table.c.id == newest(state, kind)))
    return next(((row.version, row.author, row.known_at_us) for row in rows), None)


def save(state: State, documents: dict[str, Any], author: str) -> list[str]:
    """Stores the kinds whose value changed, in one transaction; returns which they were."""
    table = schema.definition
    held = current(state)
    newest = sa.func.max(table.c.version).label("newest")
    rows = state.read(sa.select(table.c.kind, newest).group_by(table.c.kind))
    versions = {row.kind: row.newest for row in rows}
    changed = [kind for kind, value in documents.items() if held.get(kind) != value]
    now = clock.now_us()
    rows = [
        {
            "kind": kind,
            "version": versions.get(kind, 0) + 1,
            "document": tomli_w.dumps({kind: documents[kind]}),
            "author": author,
            "known_at_us": now,
        }
        for kind in changed
    ]
    if changed:
        done = Entry("definitions.apply", author, {"kinds": sorted(changed)})
        audit.write(state, done, (sa.insert(table), rows))
    return changed
