"""Node ids and texts → where they still stand: in rows of Parquet files, and in the bytes of files.

Rows are found by the engine, column by column as their types say, so that a file is opened as a
reader would. Bytes are looked at as well, for what a file holds beside its rows: the least and
greatest values in its footer, pages of a database that are no longer in use.
"""

import mmap
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from msgspec import Struct

from touchline.settings import Settings
from touchline.storage.columns import NODE_IDS

__all__ = ["Wanted", "in_bytes", "in_rows"]

PLACE = ("filename", "file_row_number")
EDGE = "[^0-9A-Za-z]"


class Wanted(Struct, frozen=True):
    """`nodes` are found wherever they stand; `texts` (person ids, distinctive clear values) where
    they stand by themselves.
    """

    nodes: Sequence[bytes]
    texts: Sequence[str] = ()

    @property
    def pattern(self) -> str:
        """In text: a node is written as hex or base64 there."""
        ids = [node.hex() for node in self.nodes]
        ids += [re.escape(b64encode(node).decode()) for node in self.nodes]
        words = "|".join(map(re.escape, self.texts))
        return "(?i)" + "|".join(
            [*ids, *([f"(?:^|{EDGE})(?:{words})(?:{EDGE}|$)"] if words else [])]
        )

    @property
    def needles(self) -> list[bytes]:
        """In bytes."""
        ids = [form for n in self.nodes for form in (n, n.hex().encode(), b64encode(n))]
        return [*ids, *(text.encode() for text in self.texts)]


def in_rows(
    files: Sequence[str],
    schema: pa.Schema,
    wanted: Wanted,
    settings: Settings,
    columns: Sequence[str] = (),
) -> pa.Table:
    """Rows that hold any of it: (filename, file_row_number) and these columns, null where a file
    has none.
    """
    shown = pa.schema([("filename", pa.string()), ("file_row_number", pa.int64())])
    shown = pa.schema([*shown, *(schema.field(name) for name in columns)])
    if not files or not wanted.nodes:
        return shown.empty_table()
    with duckdb.connect(config={"threads": settings.threads}) as connection:
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")
        rows = "read_parquet($files, filename = true, file_row_number = true, union_by_name = true)"
        given = {"files": list(files)}
        there = connection.execute(f"describe select * from {rows}", given).fetchall()  # noqa: S608  # names of ours alone
        names = {name for name, *_ in there}
        tests = [test for field in schema if field.name in names for test in _tests(field)]
        if not tests:
            return shown.empty_table()
        picked = [*PLACE, *(name for name in columns if name in names)]
        query = f"select {', '.join(picked)} from {rows} where {' or '.join(tests)}"  # noqa: S608  # as above
        asked = {"nodes": list(wanted.nodes), "pattern": wanted.pattern}
        asked = {name: value for name, value in asked.items() if f"${name}" in query}
        found = connection.sql(query, params={**given, **asked}).to_arrow_table()
    absent = [name for name in columns if name not in names]
    for name in absent:
        found = found.append_column(name, pa.nulls(len(found), schema.field(name).type))
    return found.select(shown.names).cast(shown)


def in_bytes(paths: Iterable[Path], wanted: Wanted) -> Iterator[tuple[Path, int]]:
    """Each file, and how many of the needles stand in its bytes."""
    needles = wanted.needles
    for path in paths:
        try:
            with path.open("rb") as file:
                if path.stat().st_size == 0:
                    yield path, 0
                    continue
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    yield path, sum(data.find(needle) >= 0 for needle in needles)
        except FileNotFoundError:  # gone since it was listed
            continue


def _tests(field: "pa.Field[Any]") -> Iterator[str]:
    name, kind = f'"{field.name}"', field.type
    if kind == NODE_IDS:
        yield f"list_has_any([node.id for node in {name}], $nodes)"
    elif pa.types.is_binary(kind):
        yield f"list_contains($nodes, {name})"
    elif pa.types.is_string(kind):
        yield f"regexp_matches({name}, $pattern)"
    elif pa.types.is_map(kind):
        yield f"regexp_matches(array_to_string(map_values({name}), ' '), $pattern)"
