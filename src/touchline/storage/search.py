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
import pyarrow.parquet as pq
from msgspec import Struct

from touchline.settings import Settings
from touchline.storage.columns import NODE_IDS

__all__ = ["Wanted", "in_bytes", "in_rows"]

PLACE = ("filename", "file_row_number")
EDGE = "[^0-9A-Za-z]"
FEW = 20


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
    def signs(self) -> list[str]:
        """In text in small letters: what is there if the pattern matches."""
        ids = [form for node in self.nodes for form in (node.hex(), b64encode(node).decode())]
        return [form.lower() for form in (*ids, *self.texts)]

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
        given, signs = {"files": list(files)}, wanted.signs
        names, filled = _columns(files)
        tests = [
            test for field in schema if field.name in filled for test in _tests(field, len(signs))
        ]
        if not tests:
            return shown.empty_table()
        picked = [*PLACE, *(name for name in columns if name in names)]
        query = f"select {', '.join(picked)} from {rows} where {' or '.join(tests)}"  # noqa: S608  # names of ours alone
        asked: dict[str, Any] = {"nodes": list(wanted.nodes), "pattern": wanted.pattern}
        asked |= {f"sign_{at}_": sign for at, sign in enumerate(signs)}
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


def _columns(files: Sequence[str]) -> tuple[set[str], set[str]]:
    """Columns that any of the files has, and those with anything in them: half have not."""
    names, filled = set[str](), set[str]()
    for path in files:
        footer = pq.read_metadata(path)
        paths = [footer.schema.column(at).path for at in range(footer.num_columns)]
        tops = [path.partition(".")[0] for path in paths]
        names.update(tops)
        for group in range(footer.num_row_groups):
            chunks = footer.row_group(group)
            for at, name in enumerate(tops):
                if name not in filled:
                    chunk = chunks.column(at)
                    stats = chunk.statistics
                    if stats is None or stats.null_count != chunk.num_values:
                        filled.add(name)
    return names, filled


def _tests(field: "pa.Field[Any]", signs: int) -> Iterator[str]:
    name, kind = f'"{field.name}"', field.type
    if kind == NODE_IDS:
        yield f"list_has_any([node.id for node in {name}], $nodes)"
    elif pa.types.is_binary(kind):
        yield f"list_contains($nodes, {name})"
    elif pa.types.is_string(kind):
        yield _matches(name, signs)
    elif pa.types.is_map(kind):
        yield _matches(f"array_to_string(map_values({name}), ' ')", signs)


def _matches(text: str, signs: int) -> str:
    """A look for a few words costs a quarter of matching a pattern; for many, more than that."""
    is_there = f"regexp_matches({text}, $pattern)"
    if signs > FEW:
        return is_there
    some = " or ".join(f"contains(lower({text}), $sign_{at}_)" for at in range(signs))
    return f"(({some}) and {is_there})"
