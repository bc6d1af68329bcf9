"""An .xlsx file before it is opened → sure not to eat the machine, or BadInput.

A workbook is a zip of XML, read into one dense grid: a few kilobytes can ask for gigabytes, by a
zip bomb or by one cell at XFD1048576. So every entry is inflated once, whatever size it declares,
and the cells of each sheet are counted as they stream by; nothing is kept.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from touchline.errors import BadInput

__all__ = ["check_workbook"]

MAX_UNPACKED = 256 << 20
MAX_ENTRIES = 10_000
MAX_GRID = 24_000_000
MAX_ROW = 8 << 20
CHUNK = 1 << 20
LOCAL_HEADER = 30

# Tags under any prefix; references wherever they stand, for a ">" inside an attribute or a column
# ZZZZZZ is read by the workbook's reader, too.
_ROW = re.compile(rb"<(?:[^\s<>/:]*:)?row[\s>/]")
_CELL = re.compile(rb"<(?:[^\s<>/:]*:)?c[\s>/]")
_REFERENCE = re.compile(rb"[\s\"']r\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"']")


def check_workbook(path: Path) -> None:
    """Raises BadInput when it is no workbook, is encrypted, or is too large to open safely."""
    try:
        with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            entries = archive.infolist()
            if not any(entry.filename == "xl/workbook.xml" for entry in entries):
                raise _broken(path, "it is a zip file without a workbook")
            if len(entries) > MAX_ENTRIES:
                raise BadInput("sheet_too_large", path=path)
            unpacked = 0
            for entry in entries:
                grid = _Grid(path)
                for chunk in _inflated(raw, entry):
                    unpacked += len(chunk)
                    if unpacked > MAX_UNPACKED:
                        raise BadInput("sheet_too_large", path=path)
                    if entry.filename.endswith(".xml"):
                        grid.add(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise _broken(path, str(error) or "it breaks off") from None
    except OSError as error:
        raise _broken(path, error.strerror or str(error)) from None


def _inflated(raw: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What the entry really holds; `zipfile` would stop at the size the entry claims."""
    if entry.flag_bits & 1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("it is encrypted or packed in an unusual way")
    raw.seek(entry.header_offset)
    header = raw.read(LOCAL_HEADER)
    raw.seek(sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28)), 1)
    left = entry.compress_size
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.compress_type else None
    while left > 0 and (part := raw.read(min(left, CHUNK))):
        left -= len(part)
        if inflater is None:
            yield part
            continue
        while part:
            yield inflater.decompress(part, CHUNK)
            part = inflater.unconsumed_tail


class _Grid:
    """Bounds the grid of a sheet from above, whatever its XML tries to hide.

    A row or cell stands where it says, or behind the one before it: so at most at the greatest
    number said plus all that could count on from there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._is_inside = False
        self._last_row = self._rows = self._last_column = self._widest = 0

    def add(self, chunk: bytes) -> None:
        buffer = self._rest + chunk
        if b"\0" in chunk:
            raise _broken(self._path, "its XML is not UTF-8")
        if not self._is_inside:
            self._is_inside = b"sheetData" in buffer
            if not self._is_inside:
                self._rest = buffer[-16:]
                return
        start = max((found.start() for found in _ROW.finditer(buffer)), default=0)
        self._count(buffer[:start])
        self._rest = buffer[start:]
        if b"</" in self._rest and b"sheetData>" in self._rest:
            self._count(self._rest)
            self._rest, self._is_inside = b"", False
        grid = (self._last_row + self._rows) * (self._last_column + self._widest)
        if grid > MAX_GRID or len(self._rest) > MAX_ROW:
            raise BadInput("sheet_too_large", path=self._path)

    def _count(self, xml: bytes) -> None:
        rows = _ROW.split(xml)
        self._rows += len(rows) - 1
        self._widest = max(self._widest, *(len(_CELL.findall(row)) for row in rows))
        references = set(_REFERENCE.findall(xml))
        numbers = {number[:20] for _, number in references}
        self._last_row = max(self._last_row, *map(int, numbers), 0)
        columns = {letters[:20] for letters, _ in references}
        self._last_column = max(self._last_column, *map(_column, columns), 0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _broken(path: Path, reason: str) -> BadInput:
    return BadInput("file_unreadable", path=path, format="XLSX", reason=reason)
