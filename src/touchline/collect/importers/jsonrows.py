"""JSON lines, or one JSON array, → rows.

Lines stand alone: a broken one is given up and the next is read. An array is read element by
element, never as a whole, and once through before the first row: in a torn array nobody can tell
where the next element would begin.
"""

import itertools
import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, TextIO

import msgspec

from touchline.collect.importers.charset import Charset, open_text
from touchline.collect.importers.delimited import KEPT_TEXT, Lines
from touchline.collect.importers.rows import MAX_COLUMNS, Broken, Row, Rows, cell
from touchline.errors import BadInput

__all__ = ["JsonLines"]

SAMPLED = 200
CHUNK = 1 << 18
MAX_ELEMENT = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonLines:
    """A file of JSON objects; `columns` are the keys of its first ones, in order of appearance."""

    format = "json"
    preface = ()
    sheet = None
    alike = ()

    def __init__(self, path: Path, charset: Charset) -> None:
        self.path = path
        self._charset = charset
        self._size = max(path.stat().st_size, 1)
        self._read = 0
        with open_text(path, charset) as text:
            self._is_array = _first_character(text) == "["
        if self._is_array:
            for _ in self._values():
                pass
        first = [
            row for row in itertools.islice(self.rows(frozenset()), SAMPLED) if isinstance(row, Row)
        ]
        self.columns = list(dict.fromkeys(key for row in first for key in row.cells))
        self.is_complete = len(first) < SAMPLED
        self.samples = first[:5]
        if not first:
            self._refuse_pretty()

    def fraction(self) -> float:
        return min(self._read / self._size, 1.0)

    def rows(self, measures: frozenset[str]) -> Rows:
        """Each object as a row; nested values stay as they are."""
        del measures
        for line, value, text in self._values():
            if isinstance(value, Broken):
                yield value
            elif type(value) is not dict:
                yield Broken(line, "not_an_object", text[:KEPT_TEXT])
            elif len(value) > MAX_COLUMNS:
                yield Broken(line, "too_many_cells", text[:KEPT_TEXT])
            else:
                row = _row(line, value, text)
                if isinstance(row, Broken) or row.cells:
                    yield row

    def _values(self) -> Iterator[tuple[int, Any, str]]:
        with open_text(self.path, self._charset) as text:
            values = (
                _elements(text, self.path)
                if self._is_array
                else _lines(Lines(text, is_damaged=self._charset.is_damaged))
            )
            for number, value in enumerate(values):
                if number % 1024 == 0:
                    raw: Any = text.buffer
                    self._read = int(getattr(raw, "fileobj", raw).tell())
                yield value
        self._read = self._size

    def _refuse_pretty(self) -> None:
        """When none of the first lines is an object: one object over many lines, or no JSON."""
        if next(self._values(), None) is None:
            raise BadInput("file_empty", path=self.path)
        raise BadInput(
            "file_unreadable",
            path=self.path,
            format="JSON",
            reason="write one object a line, or one array of objects",
        )


def _row(line: int, value: dict[str, Any], text: str) -> Row | Broken:
    try:
        cells = {key: cell(inner) for key, inner in value.items()}
    except RecursionError:
        return Broken(line, "too_deep", text[:KEPT_TEXT])
    return Row(line, {key: inner for key, inner in cells.items() if inner is not None})


def _lines(lines: Lines) -> Generator[tuple[int, Any, str]]:
    decode = msgspec.json.Decoder().decode
    for line in lines:
        number = lines.number
        flaw = lines.flaw or ("nul_character" if "\\u0000" in line else None)
        lines.start()
        if flaw is not None:
            yield number, Broken(number, flaw, line[:KEPT_TEXT]), line
            continue
        if not line.strip():
            continue
        try:
            value = decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            reason = "too_deep" if isinstance(error, RecursionError) else "bad_json"
            value = Broken(number, reason, line[:KEPT_TEXT].rstrip("\r\n"))
        yield number, value, line


def _first_character(text: TextIO) -> str:
    while part := text.read(4096):
        if stripped := part.strip():
            return stripped[0]
    return ""


class _Window:
    """A stretch of the text that moves on; nothing before `at` is needed any more."""

    def __init__(self, text: TextIO, path: Path) -> None:
        self._text = text
        self._path = path
        self._decoder = json.JSONDecoder(parse_int=_integer)
        self.buffer = ""
        self.at = 0
        self.line = 1

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            space = _SPACE.match(self.buffer, self.at)
            self._step_to(space.end() if space else self.at)
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more():
                return ""

    def step(self) -> None:
        self.at += 1

    def value(self) -> tuple[Any, str]:
        """The next value and its text."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self.buffer, self.at)
            except (ValueError, RecursionError) as error:
                if len(self.buffer) - self.at > MAX_ELEMENT or not self._more():
                    raise self.torn(str(error)) from None
                continue
            # A number that ends with the window may go on in the next one.
            if end < len(self.buffer) or not self._more():
                text = self.buffer[self.at : end]
                self._step_to(end)
                return value, text

    def torn(self, why: str) -> BadInput:
        return BadInput(
            "file_unreadable",
            path=self._path,
            format="a JSON array",
            reason=f"line {self.line}: {why}",
        )

    def _step_to(self, end: int) -> None:
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def _more(self) -> bool:
        part = self._text.read(CHUNK)
        self.buffer = self.buffer[self.at :] + part
        self.at = 0
        return bool(part)


def _elements(text: TextIO, path: Path) -> Generator[tuple[int, Any, str]]:
    window = _Window(text, path)
    window.peek()
    window.step()
    mark = "]" if window.peek() == "]" else ","
    while mark == ",":
        window.peek()
        line = window.line
        value, source = window.value()
        yield line, _storable(line, value, source), source
        mark = window.peek()
        window.step()
        if mark not in {",", "]"}:
            raise window.torn("the array breaks off" if not mark else f"{mark!r} after an element")
    if window.peek():
        raise window.torn("there is more after the array")


def _storable(line: int, value: Any, source: str) -> Any:
    if "\\u0000" in source:
        return Broken(line, "nul_character", source[:KEPT_TEXT])
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, msgspec.MsgspecError, RecursionError):
        return Broken(line, "bad_json", source[:KEPT_TEXT])
    return value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 400 else digits
