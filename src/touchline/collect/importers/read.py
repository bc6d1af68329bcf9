"""FILE → table of numbered rows. What a file is, is read from its first bytes, not from its name.

Half of the files called .xls are tab-separated text, and .csv files arrive zipped. CSV, JSON and
gzip of them, XLSX and Parquet are read; anything else is refused with what to do about it.
"""

from pathlib import Path

from touchline.collect.importers.charset import detect, open_bytes, open_text
from touchline.collect.importers.delimited import Delimited
from touchline.collect.importers.header import Names
from touchline.collect.importers.jsonrows import JsonLines
from touchline.collect.importers.rows import Layout, Table
from touchline.errors import BadInput

__all__ = ["open_table"]

HEAD = 4096

_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "an old .xls or a protected workbook", "save it as .xlsx or CSV"),
    (b"%PDF", "a PDF", "export it as CSV or .xlsx"),
    (b"\x89PNG", "a picture", "export the table as CSV or .xlsx"),
    (b"\xff\xd8\xff", "a picture", "export the table as CSV or .xlsx"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"SQLite format 3", "a database", "export the table as CSV"),
)


def open_table(path: Path, layout: Layout, names: Names) -> Table:
    """The rows of a file; BadInput says why there are none to be had."""
    head = _head(path)
    if head.startswith(b"PK"):
        from touchline.collect.importers.sheet import Sheet

        return Sheet(path, layout, names)
    if head.startswith(b"PAR1"):
        from touchline.collect.importers.parquet import ParquetFile

        return ParquetFile(path)
    for magic, what, remedy in _REFUSED:
        if head.startswith(magic):
            raise BadInput(
                "file_unreadable", path=path, format="a table", reason=f"{what}: {remedy}"
            )
    charset = detect(path, layout.encoding)
    with open_text(path, charset) as text:
        start = text.read(HEAD).lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        raise BadInput(
            "file_unreadable", path=path, format="a table", reason="HTML or XML: save it as CSV"
        )
    if start.startswith(("{", "[")):
        return JsonLines(path, charset)
    return Delimited(path, charset, layout, names)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise BadInput("file_unreadable", path=path, format="a file", reason="it is a folder")
    if path.exists() and not path.is_file():
        raise BadInput(
            "file_unreadable", path=path, format="a file", reason="it is a device or pipe"
        )
    with open_bytes(path) as stream:
        try:
            head = stream.read(HEAD)
        except (EOFError, OSError, ValueError) as error:
            raise BadInput(
                "file_unreadable", path=path, format="gzip", reason=str(error) or "it breaks off"
            ) from None
    if not head.strip():
        raise BadInput("file_empty", path=path)
    return head
