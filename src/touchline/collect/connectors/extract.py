"""What to pull → a file of rows (JSON lines) by their cursor, and what there was to say of them.

Runs in a process of its own (`jobs.fetch`), where dlt is at home. Errors of whatever was asked come
out as ours, in words: away, credentials refused, table or column gone.
"""

import json
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from msgspec import Struct

from touchline.collect.connectors.definition import Source
from touchline.collect.connectors.failures import in_words
from touchline.collect.connectors.window import ALL, Window, cursor_value, told
from touchline.errors import BadInput
from touchline.net import Client, Reach

__all__ = ["Ask", "Taken", "extract"]

TOLD_EVERY = 1_000
MAX_ROWS = 20_000_000
ROWS, UNREAD = "rows.jsonl", "unread.jsonl"
_encoder = msgspec.json.Encoder(enc_hook=str)


class Ask(Struct, frozen=True):
    """`source` with its credentials in place, which are `hidden` in messages. `until`: the end that
    an open window is told as.
    """

    source: Source
    folder: str
    zone: str
    window: Window = ALL
    until: int | None = None
    reach: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    limit: int | None = None


class Taken(Struct, frozen=True):
    """`latest`: the greatest cursor among the rows. `is_complete`: `columns` are all there are."""

    rows: int
    unread: int
    columns: list[str]
    is_complete: bool
    latest: int | None = None


def extract(ask: Ask, tell: Callable[[int], None]) -> Taken:
    """Fills `ask.folder` with `rows.jsonl`, sorted by the cursor, and `unread.jsonl`: rows whose
    cursor cannot be read. Raises our errors only.
    """
    try:
        with Client(Reach(ask.reach)) as client:
            return _Spool(ask, tell).fill(client)
    except Exception as error:
        raise in_words(ask.source, error, ask.hidden) from error


class _Spool:
    """The rows on their way into the file."""

    def __init__(self, ask: Ask, tell: Callable[[int], None]) -> None:
        self._ask = ask
        self._tell = tell
        self._columns: dict[str, None] = {}
        self._keys, self._places = array("q"), array("Q")
        self._lifted = _paths(ask.source)
        self._rows = self._unread = 0

    def fill(self, client: Client) -> Taken:
        folder, definite = Path(self._ask.folder), list[str]()
        with (folder / ROWS).open("wb") as rows, (folder / UNREAD).open("wb") as unread:
            for number, row in enumerate(self._asked(client, definite), 1):
                self._add(row, rows, unread)
                if number % TOLD_EVERY == 0:
                    self._tell(self._rows)
                if self._rows == self._ask.limit:
                    break
        self._sort(folder / ROWS)
        columns = dict.fromkeys([*definite, *self._columns])
        latest = max(self._keys, default=None)
        return Taken(self._rows, self._unread, list(columns), bool(definite), latest)

    def _asked(self, client: Client, definite: list[str]) -> Iterator[Any]:
        ask, source = self._ask, self._ask.source
        if source.kind == "rest_api":
            from touchline.collect.connectors.rest import api_rows

            return api_rows(source, _bounds(ask), client)
        if source.kind == "sql_database":
            from touchline.collect.connectors.table import table_rows

            return table_rows(source, ask.window, Reach(ask.reach), ask.zone, definite)
        from touchline.collect.connectors.folder import folder_files

        return folder_files(source, Reach(ask.reach))

    def _add(self, row: Any, rows: BinaryIO, unread: BinaryIO) -> None:
        if not isinstance(row, dict):
            raise BadInput("source_no_rows", name=self._ask.source.name)
        row = _lifted(row, self._lifted)
        self._columns.update(dict.fromkeys(row))
        cursor = self._ask.source.cursor
        if cursor is not None:
            value = self._cursor(row.get(cursor))
            if value is None:
                self._unread += 1
                unread.write(_line(row))
                return
            if not self._ask.window.holds(value):
                return
            self._keys.append(value)
            self._places.append(rows.tell())
        rows.write(_line(row))
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise BadInput("source_too_long", name=self._ask.source.name, limit=MAX_ROWS)

    def _cursor(self, value: Any) -> int | None:
        order = self._ask.source.mapfile.layout.date_order
        if value is not None and type(value) not in (str, int, float):
            value = msgspec.to_builtins(value, enc_hook=str)
        return cursor_value(value, self._ask.source.type_of_cursor, self._ask.zone, order)

    def _sort(self, path: Path) -> None:
        """What came first stands first; rows of one moment stay as they came."""
        keys = np.frombuffer(self._keys, np.int64) if self._keys else np.empty(0, np.int64)
        if len(keys) < 2 or bool((keys[1:] >= keys[:-1]).all()):
            return
        places = np.frombuffer(self._places, np.uint64)
        sorted_path = path.with_suffix(".sorted")
        with path.open("rb") as rows, sorted_path.open("wb") as ordered:
            for place in places[np.argsort(keys, kind="stable")].tolist():
                rows.seek(place)
                ordered.write(rows.readline())
        sorted_path.replace(path)


def _bounds(ask: Ask) -> dict[str, str]:
    kind, form = ask.source.type_of_cursor, ask.source.cursor_format
    start, end = ask.window
    end = ask.until if end is None else end
    last = None if end is None else end - (1_000_000 if kind == "time" else 1)
    values = {"start": start, "end": end, "last": last}
    return {name: told(value, kind, ask.zone, form) for name, value in values.items()}


def _paths(source: Source) -> list[str]:
    """Columns that the map names inside others: `metrics.spend`."""
    named = [name for names in source.mapfile.columns.values() for name in names]
    return [name for name in dict.fromkeys([*named, source.cursor or ""]) if "." in name]


def _lifted(row: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The row with the values at these paths as columns of their own, and no longer inside."""
    for path in paths:
        if path in row:
            continue
        *steps, last = path.split(".")
        copied = row = dict(row)
        for step in steps:
            inner = copied.get(step)
            if not isinstance(inner, dict):
                break
            copied[step] = dict(inner)
            copied = copied[step]
        else:
            if last in copied:
                row[path] = copied.pop(last)
    return row


def _line(row: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(row) + b"\n"
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError, TypeError):
        # Lone surrogates and numbers without end: the reader says what is wrong with them.
        return json.dumps(row, default=str).encode() + b"\n"
