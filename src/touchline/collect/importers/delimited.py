"""CSV, TSV and whitespace text → rows, one record at a time.

A record is read twice only when it fails: an opening quote that never closes would otherwise
swallow the lines after it, so its first line is given up and reading goes on with the second.
A line of 50 MB is cut while it is read.
"""

import csv
import itertools
from collections import deque
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

from touchline.collect.importers.charset import SURROGATE, Charset, open_text
from touchline.collect.importers.header import Names, heading
from touchline.collect.importers.rows import (
    MAX_CELL,
    MAX_COLUMNS,
    Broken,
    Layout,
    Row,
    Rows,
    column_names,
    text_cell,
)
from touchline.errors import BadInput

__all__ = ["MAX_LINE", "Delimited", "Lines"]

MAX_LINE = 1 << 20
KEPT_TEXT = 4_000  # characters of a broken row that are kept with its rejection
SAMPLED = 200
WHITESPACE = "whitespace"
_CANDIDATES = (",", "\t", ";", "|")


class Lines(Iterator[str]):
    """Lines of a text with their numbers, cut at MAX_LINE; lines can be given back.

    `flaw` is what is wrong with a line read since `start`.
    """

    def __init__(self, text: TextIO, *, is_damaged: bool, delimiter: str = ",") -> None:
        self._text = text
        self._returned: deque[str] = deque()
        self._is_damaged = is_damaged
        self._delimiter = delimiter
        self.number = 0
        self.flaw: str | None = None
        self.taken: list[str] = []

    def start(self) -> None:
        """A new record begins."""
        self.flaw = None
        self.taken.clear()

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) >= MAX_LINE and not line.endswith("\n"):
            line = self._cut(line)
        if "\0" in line:
            self.flaw = "nul_character"
        elif self._is_damaged and not line.isascii() and _is_damaged(line):
            self.flaw = "bad_encoding"
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """All but the first line of the record are read again."""
        self._returned.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        del self.taken[1:]

    def _cut(self, line: str) -> str:
        """Drops the rest of an endless line, keeping whether it leaves a quote open."""
        quotes = line.count('"')
        kept = line[:KEPT_TEXT].replace('"', "")
        while line and not line.endswith("\n"):
            line = self._text.readline(MAX_LINE)
            quotes += line.count('"')
        self.flaw = "line_too_long"
        return kept + (f'{self._delimiter}"\n' if quotes % 2 else "\n")


def _is_damaged(line: str) -> bool:
    return "\ufffd" in line or SURROGATE.search(line) is not None


class Delimited:
    """A text file of columns; its first lines tell the delimiter and the header."""

    format = "csv"
    is_complete = True
    sheet = None
    alike = ()

    def __init__(self, path: Path, charset: Charset, layout: Layout, names: Names) -> None:
        self.path = path
        self._charset = charset
        self._size = max(path.stat().st_size, 1)
        self._read = 0
        with open_text(path, charset) as text:
            head = list(itertools.islice(Lines(text, is_damaged=False), SAMPLED))
        self.delimiter = _delimiter(layout.delimiter, head)
        first = [(at, cells) for at, cells in self._records() if not isinstance(cells, Broken)]
        self.header_line, self.columns = self._header(first, layout, names)
        self.preface = [cell for at, cells in first if at < self.header_line for cell in cells]
        self.samples = [
            row for row in itertools.islice(self.rows(frozenset()), 5) if isinstance(row, Row)
        ]

    def fraction(self) -> float:
        return min(self._read / self._size, 1.0)

    def rows(self, measures: frozenset[str]) -> Rows:
        """Rows after the header; nothing is merged in a text, so `measures` does not matter."""
        del measures
        columns, width = self.columns, len(self.columns)
        for line, cells in self._records(limit=None):
            if line <= self.header_line:
                continue
            if isinstance(cells, Broken):
                yield cells
            elif len(cells) != width and _is_ragged(cells, width):
                reason = "too_many_cells" if len(cells) > width else "too_few_cells"
                yield Broken(line, reason, self.delimiter.join(cells)[:KEPT_TEXT])
            else:
                row = {
                    name: value
                    for name, cell in zip(columns, cells, strict=False)
                    if cell and (value := text_cell(cell)) is not None
                }
                if row:
                    yield Row(line, row)

    def _records(self, limit: int | None = SAMPLED) -> Iterator[tuple[int, list[str] | Broken]]:
        with open_text(self.path, self._charset) as text:
            lines = Lines(text, is_damaged=self._charset.is_damaged, delimiter=self.delimiter)
            split = _words(lines) if self.delimiter == WHITESPACE else _cells(lines, self.delimiter)
            for number, record in enumerate(itertools.islice(split, limit)):
                if number % 4096 == 0:
                    self._read = _position(text)
                yield record
        self._read = self._size

    def _header(
        self, first: list[tuple[int, list[str]]], layout: Layout, names: Names
    ) -> tuple[int, list[str]]:
        """Line of the header (0: none) and the columns' names."""
        if not first:
            raise BadInput("file_empty", path=self.path)
        if layout.header is not None:
            chosen = [(at, cells) for at, cells in first if at == layout.header]
            if layout.header and not chosen:
                raise BadInput("map_no_header", path=self.path, row=layout.header)
        else:
            found = heading([cells for _, cells in first], names)
            chosen = [] if found is None else [(first[found.last][0], found.labels)]
        width = len(chosen[0][1]) if chosen else max(len(cells) for _, cells in first)
        if width > MAX_COLUMNS:
            raise BadInput("too_many_columns", path=self.path, found=width, limit=MAX_COLUMNS)
        if not chosen:
            return 0, [str(number) for number in range(1, width + 1)]
        return chosen[0][0], column_names(chosen[0][1])


def _position(text: Any) -> int:
    """Bytes read of the file itself, under the text and under gzip."""
    raw = text.buffer
    return int(getattr(raw, "fileobj", raw).tell())


def _is_ragged(cells: list[str], width: int) -> bool:
    """Empty cells too many are no harm; a row that breaks off before the last column is."""
    return any(cell.strip() for cell in (cells[width:] if len(cells) > width else cells))


def _cells(lines: Lines, delimiter: str) -> Generator[tuple[int, list[str] | Broken]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.start()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Broken(line, _reason(error, lines), _text(lines.taken[0]))
            continue
        if lines.flaw:
            yield line, Broken(line, lines.flaw, _text("".join(lines.taken)))
        elif cells:
            yield line, cells


def _reason(error: csv.Error, lines: Lines) -> str:
    """Also gives the swallowed lines back when a quote was left open."""
    if len(lines.taken) > 1 or "unexpected end" in str(error):
        lines.give_back()
        return "unclosed_quote"
    if "field larger" in str(error):
        return "cell_too_large"
    return "bad_quoting"


def _words(lines: Lines) -> Generator[tuple[int, list[str] | Broken]]:
    for line in lines:
        words = line.split()
        if lines.flaw:
            yield lines.number, Broken(lines.number, lines.flaw, _text(line))
        elif any(len(word) > MAX_CELL for word in words):
            yield lines.number, Broken(lines.number, "cell_too_large", _text(line))
        elif words:
            yield lines.number, words
        lines.start()


def _text(line: str) -> str:
    return line[:KEPT_TEXT].rstrip("\r\n")


def _delimiter(named: str | None, head: list[str]) -> str:
    if named is not None:
        return named
    best, found = (0.0, 1), ""
    for candidate in _CANDIDATES:
        try:
            counts = [len(cells) for cells in csv.reader(head, delimiter=candidate) if cells]
        except csv.Error:
            counts = [line.count(candidate) + 1 for line in head]
        wide = [count for count in counts if count > 1]
        if not wide:
            continue
        usual = max(set(wide), key=wide.count)
        score = (wide.count(usual) / len(counts), usual)
        if score > best:
            best, found = score, candidate
    if found:
        return found
    widths = {len(line.split()) for line in head if line.strip()}
    return WHITESPACE if len(widths) == 1 and max(widths) >= 3 else ","
