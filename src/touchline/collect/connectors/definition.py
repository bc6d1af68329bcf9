"""A [[source]] of the definitions → a checked description of what is pulled, when, into what.

    [[source]]
    name = "meta"                   the rows' data source, too
    kind = "rest_api"               or sql_database, filesystem
    yields = "costs"                or events, conversions, people, rates
    schedule = "15 6 * * *"         cron line, in the workspace's time zone
    cursor = "date"                 only what is new is pulled, and the last days again
    [source.columns]                as in the map of an import

What surprises: a cost row replaces its whole day, so costs are pulled by the day they speak of and
never by the time at which they were changed.
"""

import datetime as dt
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.collect.connectors.reference import check_references
from touchline.collect.importers.mapfile import MapFile, map_of
from touchline.errors import BadInput

__all__ = ["Source", "sources"]

MAX_NAME = 200
Kind = Literal["rest_api", "sql_database", "filesystem"]
Yields = Literal["events", "conversions", "costs", "people", "rates"]
CursorType = Literal["day", "time", "number"]

_CLIENT = frozenset(("base_url", "headers", "auth", "paginator"))
_ENDPOINT = frozenset(
    ("path", "method", "params", "json", "headers", "paginator", "data_selector", "auth")
)
_PARENT = frozenset(("name", "endpoint", "include_from_parent"))
# What only one kind has.
_OWN = {
    "rest_api": ("client", "endpoint", "parents", "include_from_parent"),
    "sql_database": ("url", "password", "table", "schema"),
    "filesystem": ("folder", "files"),
}
_NEEDED = {
    "rest_api": ("client", "endpoint"),
    "sql_database": ("url", "table"),
    "filesystem": ("folder",),
}


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One source. `cursor_format`: how an API is told a day or time (iso, date, unix, unix_ms, or
    as strftime has it).
    """

    name: str
    kind: Kind
    yields: Yields
    schedule: str | None = None
    is_enabled: bool = True
    cursor: str | None = None
    cursor_type: CursorType | None = None
    cursor_format: str | None = None
    backfill_from: dt.date | None = None
    slice_days: int = 7
    look_back_days: int = 0
    columns: dict[str, Any] = {}
    constants: dict[str, Any] = {}
    format: dict[str, Any] = {}
    # rest_api
    client: dict[str, Any] | None = None
    endpoint: dict[str, Any] | None = None
    parents: list[dict[str, Any]] = []
    include_from_parent: list[str] = []
    # sql_database
    url: str | None = None
    password: str | None = None
    table: str | None = None
    schema: str | None = None
    # filesystem
    folder: str | None = None
    files: str = "*"

    @property
    def type_of_cursor(self) -> CursorType:
        """Costs and rates are told by the day, all else by the moment."""
        return self.cursor_type or ("day" if self.yields in ("costs", "rates") else "time")

    @property
    def mapfile(self) -> MapFile:
        """Its columns, as the map of an import; messages call it by its name."""
        sections = {"columns": self.columns, "constants": self.constants, "format": self.format}
        return map_of(Path(f"source {self.name}"), sections, self.yields)


def sources(documents: Any) -> tuple[Source, ...]:
    """All of a definition document. Raises BadInput that names the source and what is wrong."""
    if not isinstance(documents, list):
        raise BadInput("bad_source", name="source", why="write it as [[source]]")
    found: dict[str, Source] = {}
    for number, document in enumerate(documents, 1):
        name = str(document.get("name", number)) if isinstance(document, dict) else str(number)
        try:
            source = msgspec.convert(document, Source)
        except msgspec.ValidationError as error:
            raise BadInput("bad_source", name=name, why=error) from error
        _check(source)
        if source.name in found:
            raise BadInput("bad_source", name=name, why="there are two of this name")
        found[source.name] = source
    return tuple(found.values())


def _check(source: Source) -> None:
    name = source.name
    if not name.strip() or name != name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise _bad(source, f"its name must be one line of at most {MAX_NAME} characters")
    given = msgspec.to_builtins(source)
    for kind, fields in _OWN.items():
        for field in fields:
            if kind != source.kind and field in given:
                raise _bad(source, f"{field} is for kind {kind}")
    for field in _NEEDED[source.kind]:
        if not given.get(field):
            raise _bad(source, f"kind {source.kind} needs {field}")
    if "://" in (source.folder or ""):
        raise _bad(source, "folder is one of this machine: mount the bucket or server, or copy it")
    _check_keys(source)
    check_references(name, given)
    _check_cursor(source)
    _ = source.mapfile


def _check_keys(source: Source) -> None:
    """Parts that go to dlt: only what is known to be harmless."""
    endpoints = [source.endpoint or {}]
    for parent in source.parents:
        _known(source, "parents", parent, _PARENT)
        endpoint = parent.get("endpoint", {})
        if not isinstance(endpoint, dict):
            raise _bad(source, "parents.endpoint must be a table, such as { path = ... }")
        endpoints.append(endpoint)
    _known(source, "client", source.client or {}, _CLIENT)
    if source.kind == "rest_api" and not isinstance((source.client or {}).get("base_url"), str):
        raise _bad(source, "client needs base_url")
    for endpoint in endpoints:
        _known(source, "endpoint", endpoint, _ENDPOINT)


def _known(source: Source, where: str, table: dict[str, Any], keys: frozenset[str]) -> None:
    for key in table:
        if key not in keys:
            raise _bad(source, f"{where}.{key} is unknown; use {', '.join(sorted(keys))}")


def _check_cursor(source: Source) -> None:
    if not 1 <= source.slice_days <= 366:
        raise _bad(source, "slice_days must be between 1 and 366")
    if not 0 <= source.look_back_days <= 366:
        raise _bad(source, "look_back_days must be between 0 and 366")
    if source.kind == "filesystem" and (source.cursor or source.backfill_from):
        raise _bad(source, "a folder has no cursor: each file is read when it is new or changed")
    if source.cursor is None:
        for field in ("cursor_type", "cursor_format", "backfill_from", "look_back_days"):
            if getattr(source, field):
                raise _bad(source, f"{field} needs a cursor")
        return
    if source.type_of_cursor == "number" and (source.look_back_days or source.backfill_from):
        raise _bad(source, "a cursor of numbers knows no days: leave out the days")
    if source.yields == "costs":
        _check_costs(source)


def _check_costs(source: Source) -> None:
    date = source.columns.get("date", "date")
    if source.type_of_cursor != "day" or source.cursor != date:
        raise _bad(source, "costs replace whole days, so their cursor is the column of the date")
    if "date_to" in source.columns:
        raise _bad(source, "costs of several days (date_to) are pulled as a whole: no cursor")


def _bad(source: Source, why: str) -> BadInput:
    return BadInput("bad_source", name=source.name, why=why)
