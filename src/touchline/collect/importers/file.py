"""FILE + kind + map → an open import: its rows in our words, ready to be read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from touchline import clock
from touchline.collect.importers.aggregates import read_aggregates
from touchline.collect.importers.cells import Import
from touchline.collect.importers.conversions import read_conversions
from touchline.collect.importers.costs import read_costs
from touchline.collect.importers.events import read_events
from touchline.collect.importers.mapfile import MapFile, read_map
from touchline.collect.importers.mapping import Plan, column_guesses, make_plan
from touchline.collect.importers.people import read_people
from touchline.collect.importers.rates import read_rates
from touchline.collect.importers.read import open_table
from touchline.collect.importers.rows import Table
from touchline.collect.importers.shipped import recognised
from touchline.collect.site import Site
from touchline.errors import BadInput

__all__ = ["OpenFile", "open_file"]

READERS: dict[str, Callable[[Table, Plan, Import], Iterator[Any]]] = {
    "events": read_events,
    "costs": read_costs,
    "aggregates": read_aggregates,
    "conversions": read_conversions,
    "people": read_people,
    "rates": read_rates,
}
MAX_SOURCE = 200


class OpenFile(Struct, frozen=True):
    """`rows()` gives what the kind's reader makes of the file, from its start each time.

    `map_name`: the map among those that come with Touchline that it is read by.
    """

    table: Table
    plan: Plan
    about: Import
    map_name: str | None = None

    @property
    def unproven(self) -> list[int]:
        """The first of the lines that may be totals, stand beside what they may sum up, and were
        given as they are: known when all rows have been read.
        """
        return self.about.unproven

    @property
    def repeated(self) -> list[int]:
        """The first of the lines that say all that an earlier line says, and count as well."""
        return self.about.repeated

    def rows(self) -> Iterator[Any]:
        self.about.unproven.clear()
        self.about.repeated.clear()
        return READERS[self.about.kind](self.table, self.plan, self.about)


def open_file(
    kind: str,
    path: Path,
    site: Site,
    *,
    map_path: Path | None = None,
    source: str | None = None,
    sheet: str | None = None,
) -> OpenFile:
    """Raises BadInput when the file, the map or their agreement is no good."""
    if kind not in READERS:
        why = f"is none of {', '.join(READERS)}."
        raise BadInput("bad_argument", name="kind", value=kind, why=why)
    name = (source or kind).strip()
    if not name or len(name) > MAX_SOURCE or not name.isprintable():
        why = f"must be a name of at most {MAX_SOURCE} characters."
        raise BadInput("bad_argument", name="--source", value=source, why=why)
    mapfile = read_map(map_path, kind)
    layout = mapfile.layout
    if sheet is not None:
        layout = msgspec.structs.replace(layout, sheet=int(sheet) if sheet.isdecimal() else sheet)
    table = open_table(path, layout, column_guesses(kind, mapfile))
    mapfile = mapfile if mapfile.path else _recognised(kind, table)
    plan = make_plan(kind, table, mapfile)
    about = Import(site, name, kind, clock.now_us(), mapfile.layout)
    return OpenFile(table, plan, about, mapfile.name)


def _recognised(kind: str, table: Table) -> MapFile:
    found = recognised(kind, table.columns)
    return read_map(Path(found.name) if found else None, kind)
