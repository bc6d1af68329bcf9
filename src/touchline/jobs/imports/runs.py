"""How far each source was pulled, and the log of its runs: State, nothing else.

A cursor belongs to the column it was made of: with another one in the definition, pulling begins
anew. A run that was killed has no end; the next one says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.collect.connectors.definition import Source
from touchline.errors import TouchlineError, Unavailable
from touchline.jobs.failure import packed, unpacked
from touchline.storage import schema
from touchline.storage.state import State

__all__ = ["begin", "cursor_of", "end", "latest", "of_source", "set_cursor"]

KEPT = 1_000  # runs of a source
COUNTED = ("read", "stored", "duplicate", "updated", "rejected")
_run, _cursor = schema.source_run, schema.source_cursor


def cursor_of(state: State, source: Source) -> Any:
    """A whole number, of a folder what is known of its files; None before the first run."""
    rows = state.read(sa.select(_cursor).where(_cursor.c.source == source.name))
    held = msgspec.json.decode(rows[0].cursor) if rows else {}
    return held.get("at") if held.get("of") == _meaning(source) else None


def set_cursor(state: State, source: Source, at: Any) -> None:
    told = msgspec.json.encode({"of": _meaning(source), "at": at}).decode()
    statement = state.upsert(_cursor, newest_by="source")
    state.write((statement, [{"source": source.name, "cursor": told}]))


def forget(state: State, name: str) -> None:
    """As if it had never been pulled. What it brought stays."""
    state.write(
        (sa.delete(_cursor).where(_cursor.c.source == sa.bindparam("gone")), [{"gone": name}])
    )


def begin(state: State, name: str) -> int:
    """The number of a new run. Only one source is pulled at a time."""
    killed = packed(Unavailable("run_interrupted")).decode()
    before = _text(state, name)
    row = {"source": name, "started_us": clock.now_us(), "cursor_before": before}
    row |= dict.fromkeys(COUNTED, 0)
    with state.engine.begin() as connection:
        open_runs = sa.update(_run).where(_run.c.finished_us.is_(None))
        connection.execute(open_runs.values(finished_us=row["started_us"], error=killed))
        done = connection.execute(sa.insert(_run).values(**row))
        number = int(done.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted
        own = sa.select(_run.c.id).where(_run.c.source == name).order_by(_run.c.id.desc())
        oldest = own.offset(KEPT).limit(1).scalar_subquery()
        connection.execute(sa.delete(_run).where(_run.c.source == name, _run.c.id <= oldest))
    return number


def end(state: State, number: int, counts: Mapping[str, int], error: TouchlineError | None) -> None:
    (row,) = state.read(sa.select(_run.c.source).where(_run.c.id == number))
    values: dict[str, Any] = {name: counts[name] for name in COUNTED}
    values |= {"finished_us": clock.now_us(), "cursor_after": _text(state, row.source)}
    values["error"] = None if error is None else packed(error).decode()
    with state.engine.begin() as connection:
        connection.execute(sa.update(_run).where(_run.c.id == number).values(**values))


def of_source(state: State, name: str, language: str, limit: int) -> list[dict[str, Any]]:
    """The runs of one source, newest first."""
    query = sa.select(_run).where(_run.c.source == name).order_by(_run.c.id.desc()).limit(limit)
    return [_told(row, language) for row in state.read(query)]


def latest(state: State, language: str) -> dict[str, dict[str, Any]]:
    """Source → its last run."""
    newest = sa.select(sa.func.max(_run.c.id)).group_by(_run.c.source)
    rows = state.read(sa.select(_run).where(_run.c.id.in_(newest)))
    return {row.source: _told(row, language) for row in rows}


def _told(row: sa.Row[Any], language: str) -> dict[str, Any]:
    error = None if row.error is None else unpacked(row.error)
    return {
        "started_at": clock.iso(row.started_us),
        "finished_at": None if row.finished_us is None else clock.iso(row.finished_us),
        **{name: getattr(row, name) for name in COUNTED},
        **dict(_cursors(row)),
        "error": None if error is None else {"code": error.code, "text": error.text(language)},
    }


def _cursors(row: sa.Row[Any]) -> Iterator[tuple[str, Any]]:
    """As they were; what a folder knows of its files is told by their number."""
    for name in ("cursor_before", "cursor_after"):
        text = getattr(row, name)
        at = None if text is None else msgspec.json.decode(text).get("at")
        yield name, len(at) if isinstance(at, dict) else at


def _text(state: State, name: str) -> str | None:
    """The cursor as the log keeps it: of a folder the number of its files alone."""
    rows = state.read(sa.select(_cursor.c.cursor).where(_cursor.c.source == name))
    if not rows:
        return None
    at = msgspec.json.decode(rows[0].cursor).get("at")
    shown = len(at) if isinstance(at, dict) else at
    return msgspec.json.encode({"at": shown}).decode()


def _meaning(source: Source) -> str:
    """What the number is a place in."""
    if source.kind == "filesystem":
        return f"files of {source.folder}"
    return f"{source.type_of_cursor} {source.cursor}"
