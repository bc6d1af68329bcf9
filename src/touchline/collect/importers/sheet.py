"""One sheet of an .xlsx workbook → rows.

A merged cell stands for all its rows: people merge dates and channels down the left of an agency
sheet. Its text is repeated downwards, but never a measure: a lump cost merged over three campaigns
was paid once.
"""

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from touchline.collect.importers.header import LOOKED_AT, Heading, Names, heading
from touchline.collect.importers.rows import (
    MAX_CELL,
    MAX_COLUMNS,
    Broken,
    Layout,
    Row,
    Rows,
    cell,
    column_names,
    listed,
)
from touchline.collect.importers.sheetguard import check_workbook
from touchline.errors import BadInput

__all__ = ["Sheet"]

# Rust's own panics arrive as a BaseException that pyo3 does not export.
_PANIC = "PanicException"
MAX_MERGED = 4_000_000


class Sheet:
    """The chosen sheet: the map's, else the first visible one whose header is recognised."""

    format = "xlsx"
    is_complete = True

    def __init__(self, path: Path, layout: Layout, names: Names) -> None:
        self.path = path
        check_workbook(path)
        self.alike: list[str] = []
        self._sheet, found = self._choose(_open(path), layout, names)
        self.sheet = self._sheet.name
        self._top, self._left = self._sheet.start or (0, 0)
        self._height = max(self._sheet.height, 1)
        self._read = 0
        first = list(itertools.islice(self._sheet.iter_rows(), LOOKED_AT))
        if layout.header is not None:
            found = None
            index = layout.header - 1 - self._top
            if layout.header and not 0 <= index < len(first):
                raise BadInput("map_no_header", path=path, row=layout.header)
            if layout.header:
                found = Heading(index, column_names(first[index]))
        self._header = -1 if found is None else found.last
        width = len(first[0]) if first else 0
        if width > MAX_COLUMNS:
            raise BadInput("too_many_columns", path=path, found=width, limit=MAX_COLUMNS)
        self.columns = column_names(range(1, width + 1)) if found is None else found.labels
        above = itertools.chain.from_iterable(first[: max(self._header, 0)])
        self.preface = [str(cell) for cell in above if cell != ""]
        self.samples = [
            row for row in itertools.islice(self.rows(frozenset()), 5) if isinstance(row, Row)
        ]

    def fraction(self) -> float:
        return self._read / self._height

    def rows(self, measures: frozenset[str]) -> Rows:
        """Rows below the header; merged cells repeat downwards except in `measures`."""
        above = self._merged(measures)
        kept: dict[tuple[int, int], Any] = {}
        for index, values in enumerate(self._sheet.iter_rows()):
            self._read = index + 1
            if index <= self._header:
                continue
            line = self._top + index + 1
            for column, first in above.get(index, ()):
                if index == first:
                    kept[first, column] = values[column]
                else:
                    values[column] = kept.get((first, column), "")
            cells = {
                name: value
                for name, raw in zip(self.columns, values, strict=False)
                if raw != "" and (value := cell(raw)) is not None
            }
            if any(type(value) is str and len(value) > MAX_CELL for value in cells.values()):
                yield Broken(line, "cell_too_large", "")
            elif cells:
                yield Row(line, cells)

    def _merged(self, measures: frozenset[str]) -> dict[int, list[tuple[int, int]]]:
        """Row → (column, first row) of the merged ranges that pass through it."""
        found: dict[int, list[tuple[int, int]]] = {}
        covered = 0
        for (top, left), (bottom, _) in self._sheet.merged_cell_ranges or ():
            column, first = left - self._left, top - self._top
            if first <= self._header or not 0 <= column < len(self.columns):
                continue
            if self.columns[column] in measures:
                continue
            rows = range(first, min(bottom - self._top, self._height - 1) + 1)
            covered += len(rows)
            if covered > MAX_MERGED:
                raise BadInput("sheet_too_large", path=self.path)
            for row in rows:
                found.setdefault(row, []).append((column, first))
        return found

    def _choose(
        self, book: CalamineWorkbook, layout: Layout, names: Names
    ) -> tuple[CalamineSheet, Heading | None]:
        """The sheet and its header: the first that holds all that is needed (others that do are
        `alike`), else the first with known names, else the first.
        """
        choices = [
            meta.name
            for meta in book.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
        ]
        if layout.sheet is not None:
            choices = [_named(book.sheet_names, layout.sheet, self.path)]
        filled: list[tuple[CalamineSheet, Heading | None]] = []
        known: list[tuple[CalamineSheet, Heading | None]] = []
        for number, name in enumerate(choices, 1):
            sheet = _sheet(book, name, self.path)
            if sheet.height and sheet.width:
                found = _heading(sheet, names)
                if found is not None and _is_recognised(found.labels, names):
                    if _is_whole(found, names):
                        self.alike = list(self._alike(book, choices[number:], names))
                        return sheet, found
                    known.append((sheet, found))
                filled.append((sheet, found))
        if not filled:
            raise BadInput("file_empty", path=self.path)
        return (known or filled)[0]

    def _alike(self, book: CalamineWorkbook, others: Sequence[str], names: Names) -> Iterator[str]:
        """Which of the sheets that are not read hold such rows; damage in them is none of ours."""
        for name in others:
            with contextlib.suppress(BadInput), _told(self.path):
                found = _heading(book.get_sheet_by_name(name), names)
                if found and _is_recognised(found.labels, names) and _is_whole(found, names):
                    yield name


def _heading(sheet: CalamineSheet, names: Names) -> Heading | None:
    return heading(list(itertools.islice(sheet.iter_rows(), LOOKED_AT)), names)


def _is_whole(found: Heading, names: Names) -> bool:
    return bool(names.mapped) or names.suffices(found.labels)


def _is_recognised(labels: Sequence[str], names: Names) -> bool:
    if names.mapped:
        return names.mapped <= {label.casefold() for label in labels}
    return sum(1 for label in labels if names.is_known(label)) >= 2


def _open(path: Path) -> CalamineWorkbook:
    with _told(path):
        return CalamineWorkbook.from_path(path)


def _sheet(book: CalamineWorkbook, name: str, path: Path) -> CalamineSheet:
    """A sheet all of whose cells can be read: damage is told before the first row is given."""
    with _told(path):
        sheet = book.get_sheet_by_name(name)
        for _ in sheet.iter_rows():
            pass
        return sheet


@contextlib.contextmanager
def _told(path: Path) -> Generator[None]:
    """Whatever the reader throws, as BadInput."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BadInput("file_unreadable", path=path, format="XLSX", reason=reason) from None


def _named(names: Sequence[str], wanted: str | int, path: Path) -> str:
    if isinstance(wanted, int) and 1 <= wanted <= len(names):
        return names[wanted - 1]
    for name in names:
        if name.strip().casefold() == str(wanted).strip().casefold():
            return name
    raise BadInput("map_no_sheet", path=path, sheet=wanted, sheets=listed(names))
