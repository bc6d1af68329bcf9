"""Node ids and texts → where they still stand: in rows of Parquet files, and in the bytes of files.

Rows are found by the engine, column by column as their types say, so that a file is opened as a
reader would. Bytes are looked at as well, for what a file holds beside its rows: the least and
greatest values in its footer, pages of a database that are no longer in use.
"""

import mmap
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from touchline.settings import Settings
from touchline.storage.columns import NODE_IDS

__all__ = ["Wanted", "cells", "in_bytes", "in_rows"]

PLACE = ("filename", "file_row_number")
INNER = "[0-9A-Za-z]"
EDGE = "[^0-9A-Za-z]"
NO_KEY = """[^0-9A-Za-z"]|"\\s*(?:[^:\\s]|$)|$"""
NOTHING = "(?!)"
NO_FIELDS = pa.schema([])
ROWS = "read_parquet($files, filename = true, file_row_number = true, union_by_name = true)"


class Wanted(Struct, frozen=True):
    """`nodes` are found wherever they stand; `texts` (addresses, numbers, ids of ours) where they
    stand by themselves; `chosen` (identifiers that anybody may have chosen) too, but not as a key.
    """

    nodes: Sequence[bytes]
    texts: Sequence[str] = ()
    chosen: Sequence[str] = ()

    @property
    def ids(self) -> list[str]:
        """In text, a node is written as hex or base64."""
        return [form for node in self.nodes for form in (node.hex(), b64encode(node).decode())]

    @property
    def raw(self) -> list[bytes]:
        """In bytes, as it is, or as two numbers the way arrays are stored."""
        return [form for node in self.nodes for form in (node, node[7::-1] + node[:7:-1])]

    @property
    def pattern(self) -> str:
        """For the engine, which knows no looking ahead."""
        parts = [re.escape(form) for form in self.ids]
        for words, behind in ((self.texts, f"{EDGE}|$"), (self.chosen, NO_KEY)):
            if words:
                parts.append(f"(?:^|{EDGE})(?:{_any_of(words)})(?:{behind})")
        return "(?i)" + "|".join(parts)

    def words(self, *, has_chosen: bool = True) -> re.Pattern[str]:
        """What is cut out of a text that is no JSON."""
        parts = [_any_of(self.ids)] if self.nodes else []
        if words := [*self.texts, *(self.chosen if has_chosen else ())]:
            parts.append(f"(?<!{INNER})(?:{_any_of(words)})(?!{INNER})")
        return re.compile("|".join(parts) or NOTHING, re.IGNORECASE)


def in_rows(
    files: Sequence[str],
    among: pa.Schema,
    wanted: Wanted,
    settings: Settings,
    beside: pa.Schema = NO_FIELDS,
) -> pa.Table:
    """Rows that hold any of it in a field of `among`: (filename, file_row_number), and the fields
    of `beside`, null where a file has none.
    """
    shown = pa.schema([("filename", pa.string()), ("file_row_number", pa.int64()), *beside])
    if not files or not wanted.nodes:
        return shown.empty_table()
    names, filled = _columns(files)
    tests = [test for field in among if field.name in filled for test in _tests(field)]
    if not tests:
        return shown.empty_table()
    picked = [*PLACE, *(name for name in beside.names if name in names)]
    query = f"select {', '.join(picked)} from {ROWS} where {' or '.join(tests)}"  # noqa: S608  # names of ours alone
    asked = {"nodes": list(wanted.nodes), "pattern": wanted.pattern}
    found = _asked(files, query, asked, settings)
    for name in beside.names:
        if name not in names:
            found = found.append_column(name, pa.nulls(len(found), beside.field(name).type))
    return found.select(shown.names).cast(shown)


def cells(
    files: Sequence[str], columns: Iterable[str], words: Sequence[str], settings: Settings
) -> dict[str, dict[str, int]]:
    """By column of text: what holds any of these words (in small letters) → in how many rows."""
    if not files or not words:
        return {}
    _, filled = _columns(files)
    names = [name for name in columns if name in filled]
    if not names:
        return {}
    picked = [f"histogram({name}) filter (where {_matches(name)})" for name in map(_quoted, names)]
    query = f"select {', '.join(picked)} from {ROWS}"  # noqa: S608  # names of ours alone
    found = _asked(files, query, {"pattern": f"(?i){_any_of(words)}"}, settings)
    held = {name: dict(found.column(at)[0].as_py() or ()) for at, name in enumerate(names)}
    return {name: some for name, some in held.items() if some}


def in_bytes(paths: Mapping[Path, int | None], wanted: Wanted) -> Iterator[tuple[Path, int]]:
    """Each file, and how many of the wanted stand in its bytes, up to where it is to be read."""
    needles = [*wanted.raw, *(text.encode() for text in (*wanted.ids, *wanted.texts))]
    chosen = [word.encode() for word in wanted.chosen]
    for path, end in paths.items():
        try:
            with path.open("rb") as file:
                size = path.stat().st_size if end is None else min(end, path.stat().st_size)
                if size <= 0:
                    yield path, 0
                    continue
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    found = sum(data.find(needle, 0, size) >= 0 for needle in needles)
                    yield path, found + sum(_stands(data, word, size) for word in chosen)
        except FileNotFoundError:  # gone since it was listed
            continue


def _any_of(words: Iterable[str]) -> str:
    """The longest first: one may begin like another."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _stands(data: mmap.mmap, word: bytes, end: int) -> bool:
    """Whether a word stands there other than as a key of JSON."""
    if data.find(word, 0, end) < 0:
        return False
    alone = re.compile(re.escape(word) + rb'(?!\\?"\s*:)')
    return alone.search(data, 0, end) is not None


def _asked(
    files: Sequence[str], query: str, asked: Mapping[str, Any], settings: Settings
) -> pa.Table:
    given = {name: value for name, value in asked.items() if f"${name}" in query}
    with duckdb.connect(config={"threads": settings.threads}) as connection:
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")
        return connection.sql(query, params={"files": list(files), **given}).to_arrow_table()


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


def _tests(field: "pa.Field[Any]") -> Iterator[str]:
    name, kind = _quoted(field.name), field.type
    if kind == NODE_IDS:
        yield f"list_has_any([node.id for node in {name}], $nodes)"
    elif pa.types.is_binary(kind):
        yield f"list_contains($nodes, {name})"
    elif pa.types.is_string(kind):
        yield _matches(name)
    elif pa.types.is_map(kind):
        yield _matches(f"array_to_string(map_values({name}), ' ')")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _matches(text: str) -> str:
    """One look for all words: one for each costs more from four on."""
    return f"regexp_matches({text}, $pattern)"
