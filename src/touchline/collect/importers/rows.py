"""What every file format turns into: numbered rows of named cells, and rows beyond reading.

Cells hold JSON's types only (text, number, true/false, list, object); empty ones are left out, so a
row says the same with or without an empty column. Times inside spreadsheets become ISO texts.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

__all__ = [
    "MAX_CELL",
    "MAX_COLUMNS",
    "Broken",
    "Held",
    "Layout",
    "Row",
    "Rows",
    "Table",
    "cell",
    "column_names",
    "listed",
    "text_cell",
]

MAX_COLUMNS = 2_000
MAX_CELL = 131_072  # characters; also where the csv module gives up

# What exports write when there is nothing to say.
BLANK = frozenset(
    {"\\N", "NULL", "null", "N/A", "n/a", "#N/A", "NaN", "nan", "-", "--", "—", "——", "None"}
)


class Row(NamedTuple):
    """`line` counts from 1 as an editor or a spreadsheet shows it."""

    line: int
    cells: dict[str, Any]


class Broken(NamedTuple):
    """A row that cannot be read: where, why, and its text."""

    line: int
    reason: str
    text: str


Rows = Iterator[Row | Broken]


class Layout(Struct, frozen=True, kw_only=True):
    """The map's [format]: how to read the file where guessing is not enough.

    `header` is the row of the column names (0: there is none, columns are called 1, 2, 3 …);
    `date_order` reads 03/04/2026; `fill_down` names columns whose blanks repeat the cell above.
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | int | None = None
    header: int | None = None
    date_order: str | None = None
    fill_down: tuple[str, ...] = ()


class Table(Protocol):
    """An open file. JSON lines show the columns of their first rows only: not `is_complete`."""

    path: Path
    format: str
    columns: list[str]
    is_complete: bool
    samples: list[Row]

    @property
    def preface(self) -> Sequence[str]:
        """Texts above the header."""
        ...

    @property
    def sheet(self) -> str | None:
        """Which sheet of a workbook it is."""
        ...

    @property
    def alike(self) -> Sequence[str]:
        """Other sheets that hold such rows, and are not read."""
        ...

    def rows(self, measures: frozenset[str]) -> Rows:
        """All rows from the start; `measures` are columns a merged cell must not be repeated in."""
        ...

    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        ...


class Held:
    """Rows in memory as a table."""

    path = Path("-")
    format = "rows"
    is_complete = True
    preface = ()
    sheet = None
    alike = ()

    def __init__(self, rows: Sequence[Row], columns: list[str]) -> None:
        self.columns = columns
        self.samples = list(rows[:1])
        self._rows = rows

    def rows(self, measures: frozenset[str]) -> Rows:  # noqa: ARG002  # nothing is merged here
        yield from self._rows

    def fraction(self) -> float:
        return 1.0


def listed(names: Sequence[str]) -> str:
    """Names out of a file, fit for one line of a message: no control character gets through."""
    shown = ("".join(c if c.isprintable() else " " for c in name[:60]) for name in names[:40])
    return ", ".join(" ".join(name.split()) or "–" for name in shown)


def text_cell(text: str) -> str | None:
    """A trimmed cell without what spreadsheets put round long numbers to keep them as text."""
    text = text.strip()
    if not text or text in BLANK:
        return None
    if text[0] == "=" and text[:2] == '="' and text[-1] == '"':
        return text[2:-1] or None
    if text[0] == "'" and text[1:].isdigit():
        return text[1:]
    return text


def cell(value: Any) -> Any:
    """A typed cell as JSON would hold it; None when it is empty."""
    if type(value) is str:
        return text_cell(value)
    if type(value) is int or type(value) is bool or value is None:
        return value
    for types, convert in _TYPED:
        if isinstance(value, types):
            return convert(value)
    return str(value)


def _number(value: float) -> float | int | None:
    """Spreadsheets know no whole numbers: 13800138000.0 was typed without a point."""
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


_TYPED: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (float, _number),
    ((dt.datetime, dt.date, dt.time), lambda value: value.isoformat()),
    (bytes, lambda value: value.decode("utf-8", "replace")),
    (dict, lambda value: {str(key): cell(inner) for key, inner in value.items()}),
    ((list, tuple), lambda value: [cell(inner) for inner in value]),
)


def column_names(header: Sequence[Any]) -> list[str]:
    """One distinct name a column: a nameless one gets its number, a repeated one a suffix."""
    names: list[str] = []
    taken: set[str] = set()
    for number, raw in enumerate(header, 1):
        text = " ".join(str(raw).replace("\ufeff", "").split()) if raw is not None else ""
        name = base = text or str(number)
        suffix = 2
        while name in taken:
            name = f"{base} {suffix}"
            suffix += 1
        taken.add(name)
        names.append(name)
    return names
