"""Rows that were pulled → an open import, with the columns that the source's definition names.

Which column is which field is decided by the definition and by the fields' very names alone, never
guessed: what a column means must not depend on which columns a slice happens to have. What
surprises: rows have no line, so a bad row is kept as a reject once, however often it is pulled.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from touchline import clock
from touchline.collect.connectors.definition import Source
from touchline.collect.connectors.extract import ROWS, UNREAD, Taken
from touchline.collect.importers.cells import Import
from touchline.collect.importers.charset import Charset
from touchline.collect.importers.fields import KINDS, guessed
from touchline.collect.importers.file import OpenFile
from touchline.collect.importers.jsonrows import JsonLines
from touchline.collect.importers.mapfile import MapFile
from touchline.collect.importers.mapping import Assignment, Plan, check_needs
from touchline.collect.importers.read import open_table
from touchline.collect.importers.rows import Broken, Row, Rows, listed
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES

__all__ = ["Pulled", "open_pulled"]

KEPT_TEXT = 2_000


class Pulled(Struct, frozen=True):
    """One window's rows, in their folder."""

    folder: Path
    taken: Taken


class _Spooled:
    """The rows of several windows, as a table."""

    format = "rows"
    is_complete = True
    preface = ()
    sheet = None
    alike = ()

    def __init__(self, name: str, pulled: Sequence[Pulled], columns: list[str]) -> None:
        self.path = Path(f"source {name}")
        self.columns = columns
        self.samples: list[Row] = []
        self._pulled = pulled
        self._read = 0
        self._total = max(sum(one.taken.rows for one in pulled), 1)

    def fraction(self) -> float:
        return min(self._read / self._total, 1.0)

    def rows(self, measures: frozenset[str]) -> Rows:
        for one in self._pulled:
            path = one.folder / ROWS
            if path.stat().st_size:
                for row in JsonLines(path, Charset("utf-8")).rows(measures):
                    self._read += 1
                    yield row._replace(line=0)
            with (one.folder / UNREAD).open(encoding="utf-8", errors="replace") as unread:
                for text in unread:
                    yield Broken(0, "bad_cursor", text.rstrip("\n")[:KEPT_TEXT])


def open_pulled(source: Source, pulled: Sequence[Pulled], site: Site) -> OpenFile:
    """Raises BadInput when a column that is needed, or that the definition names, is gone."""
    seen = list(dict.fromkeys(name for one in pulled for name in one.taken.columns))
    mapfile = source.mapfile
    table = _Spooled(source.name, pulled, seen)
    if any(one.taken.is_complete for one in pulled):
        _check_named(table, mapfile)
    plan = _plan(source, table, mapfile)
    about = Import(site, source.name, source.yields, clock.now_us(), mapfile.layout)
    return OpenFile(table, plan, about)


def open_one(source: Source, path: Path, site: Site) -> OpenFile:
    """A file of a folder, read as `touchline import` reads it."""
    from touchline.collect.importers.mapping import column_guesses, make_plan

    mapfile = source.mapfile
    table = open_table(path, mapfile.layout, column_guesses(source.yields, mapfile))
    plan = make_plan(source.yields, table, mapfile)
    about = Import(site, source.name, source.yields, clock.now_us(), mapfile.layout)
    return OpenFile(table, plan, about)


def _check_named(table: _Spooled, mapfile: MapFile) -> None:
    """Of a table all columns are known: one that is named and not there was renamed or dropped."""
    known = {column.casefold() for column in table.columns}
    for field, names in mapfile.columns.items():
        for name in names:
            if name.casefold() not in known:
                raise BadInput(
                    "map_no_column",
                    path=table.path,
                    field=field,
                    column=name,
                    columns=listed(table.columns),
                )


def _plan(source: Source, table: _Spooled, mapfile: MapFile) -> Plan:
    kind = KINDS[source.yields]
    named = {n.casefold(): field for field, names in mapfile.columns.items() for n in names}
    rest = "unused" if kind.rest is None else "rest"
    taken = set(mapfile.columns) | set(mapfile.constants)
    assignments: list[Assignment] = []
    for column in table.columns:
        field, how = named.get(column.casefold()), "map"
        if field is None:
            field, how = _very_name(source.yields, column, taken), "name"
        if field is None:
            assignments.append(Assignment(column, column if kind.rest else "", rest))
            continue
        if how == "name" and field not in IDENTIFIER_TYPES:
            taken.add(field)
        assignments.append(Assignment(column, field, how))
    plan = Plan(kind, assignments, mapfile.constants, fill_down=mapfile.layout.fill_down)
    check_needs(plan, table)
    if source.yields == "costs" and source.cursor and "date_to" in plan.fields():
        why = "costs of several days (date_to) are pulled as a whole: leave out the cursor"
        raise BadInput("bad_source", name=source.name, why=why)
    return plan


def _very_name(kind: str, column: str, taken: set[str]) -> str | None:
    fields = [field for field, place in guessed(kind, column).items() if place == 0]
    return next((field for field in fields if field not in taken), None)
