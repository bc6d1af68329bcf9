"""FILE → the lake, and what became of its rows: stored, duplicate, updated or rejected.

Events go a chunk at a time through the store that the commit loop uses, what is new of an order
having been found before (see `orders`); every other kind is one commit a file. A rejected row is
kept with its line and reason, once, however often its file is imported.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.collect.importers.costs import CostRow
from touchline.collect.importers.file import OpenFile, open_file
from touchline.collect.importers.mapping import Assignment
from touchline.collect.site import Site
from touchline.jobs.imports.orders import Fate, Orders, history_of
from touchline.jobs.imports.spend import store_costs
from touchline.jobs.imports.stated import Stated
from touchline.jobs.imports.versions import (
    Ledger,
    Verdicts,
    conversion_ledger,
    people_ledger,
    rate_ledger,
)
from touchline.jobs.intake.account import intake_rows, reject_rows
from touchline.jobs.intake.fates import erased
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.intake.writer import Writer
from touchline.model import Conversion, Flag, Person, Reject

__all__ = ["Preview", "import_opened", "preview", "run_import"]

CHUNK = 10_000
SHOWN = 5
LEDGERS: dict[str, Callable[[EventStore, str], Ledger]] = {
    "conversions": conversion_ledger,
    "people": people_ledger,
    "rates": rate_ledger,
}

Progress = Callable[[float], None]


class Preview(Struct, frozen=True):
    """What an import would make of a file; nothing has been stored.

    `map`: the map it is read by, of those that come with Touchline; `sheet`: of a workbook;
    `alike`: other sheets of it that hold such rows; `unproven`, `repeated`: see `OpenFile`.
    """

    format: str
    map: str | None
    sheet: str | None
    alike: list[str]
    unproven: list[int]
    repeated: list[int]
    columns: list[Assignment]
    constants: dict[str, Any]
    read: int
    rejected: int
    reasons: dict[str, int]
    rejects: list[dict[str, Any]]


def run_import(
    writer: Writer,
    kind: str,
    path: Path,
    *,
    map_path: Path | None = None,
    source: str | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """{"read", "stored", "duplicate", "updated", "rejected"}. BadInput leaves nothing stored."""
    file = open_file(kind, path, writer.site, map_path=map_path, source=source)
    return import_opened(writer, file, progress)


def import_opened(
    writer: Writer, file: OpenFile, progress: Progress | None = None
) -> dict[str, int]:
    """`run_import` of a file that is open."""
    run = _Run(writer, file, progress or (lambda _: None))
    found = run.events() if file.about.kind == "events" else run.versions()
    run.progress(1.0)
    return {
        "read": found.stored + found.duplicate + found.updated + run.rejected,
        "stored": found.stored,
        "duplicate": found.duplicate,
        "updated": found.updated,
        "rejected": run.rejected,
    }


def preview(
    site: Site,
    kind: str,
    path: Path,
    *,
    map_path: Path | None = None,
    source: str | None = None,
    sheet: str | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Reads the whole file and stores nothing: which column became which field, what is wrong."""
    file = open_file(kind, path, site, map_path=map_path, source=source, sheet=sheet)
    reasons: Counter[str] = Counter()
    rejects: list[dict[str, Any]] = []
    read = 0
    for row in file.rows():
        read += 1
        if progress is not None and read % CHUNK == 0:
            progress(file.table.fraction())
        if isinstance(row, Reject):
            reasons[row.reason] += 1
            if len(rejects) < SHOWN:
                rejects.append({"line": row.line, "reason": row.reason})
    return Preview(
        format=file.table.format,
        map=file.map_name,
        sheet=file.table.sheet,
        alike=list(file.table.alike),
        unproven=file.unproven,
        repeated=file.repeated,
        columns=list(file.plan.assignments),
        constants=file.plan.constants,
        read=read,
        rejected=sum(reasons.values()),
        reasons=dict(reasons),
        rejects=rejects,
    )


class _Run:
    """One import in progress."""

    def __init__(self, writer: Writer, file: OpenFile, progress: Progress) -> None:
        self.progress = progress
        self.rejected = 0
        self.found: Counter[str] = Counter()
        self._writer = writer
        self._file = file
        self._read = 0

    def events(self) -> Verdicts:
        """A chunk at a time: an import cut short is ended by running it again."""
        arrivals: list[Arrival] = []
        rejects: list[Reject] = []
        fates: Counter[str] = Counter()
        for row, fate in self._told():
            fates[fate] += 1
            if isinstance(row, Reject):
                rejects.append(row)
            elif fate != "duplicate":
                arrivals.append(Arrival(row.event, msgspec.Raw(row.content), row.line))
            if fates.total() == CHUNK:
                self._store(arrivals, rejects, fates)
        self._store(arrivals, rejects, fates)
        return Verdicts(self.found["stored"], self.found["duplicate"], self.found["updated"])

    def _told(self) -> Iterator[tuple[Any, Fate | Literal["rejected"]]]:
        """Rows in the file's order, each when it is known whether it is new as far as its order
        says; of other rows the store finds out.
        """
        orders: Orders | None = None
        for row in self._rows():
            if isinstance(row, Reject):
                yield row, "rejected"
            elif row.event.flags & Flag.VERSION:
                if orders is None:
                    orders = Orders(self._file.about.kind, history_of(self._writer.workspace))
                yield from orders.add(row)
            else:
                yield row, "stored"
        if orders is not None:
            yield from orders.rest()

    def _store(self, arrivals: list[Arrival], rejects: list[Reject], fates: Counter[str]) -> None:
        """A chunk into the lake, and its repeated orders into the account."""
        if arrivals or rejects:
            tally = self._writer.store.store(arrivals, rejects)
            self.rejected += tally.rejected
            fates["updated"] -= tally.unrevised
            self.found["stored"] += tally.stored - fates["updated"]
            self.found["duplicate"] += tally.duplicate
        if fates["duplicate"]:
            self.found["duplicate"] += fates["duplicate"]
            about, state = self._file.about, self._writer.workspace.state
            again = (about.source, about.received_us, "duplicate")
            state.write(intake_rows(state, [again] * fates["duplicate"]))
        self.found["updated"] += fates["updated"]
        for gathered in (arrivals, rejects, fates):
            gathered.clear()

    def versions(self) -> Verdicts:
        """All in one commit; what is wrong is kept first, so nothing is lost if it fails."""
        about, store = self._file.about, self._writer.store
        costs: list[CostRow] = []
        ledger = LEDGERS[about.kind](store, about.source) if about.kind in LEDGERS else None
        stated = Stated(about.source, about.received_us)
        rejects: list[Reject] = []
        for row in self._rows():
            if isinstance(row, Reject):
                rejects.append(row)
                if len(rejects) == CHUNK:
                    self._keep(rejects)
            elif ledger is not None:
                left = self._admitted(row)
                if left is None:
                    about = self._file.about
                    rejects.append(erased(about.source, about.received_us, kind=about.kind))
                    continue
                ledger.add(stated.add(left) if isinstance(left, Conversion) else left)
            else:
                costs.append(row)
        self._keep(rejects)
        if ledger is not None:
            found = ledger.commit(store.workspace)
            stated.store(self._writer)
            return found
        return store_costs(store.workspace, costs, about)

    def _admitted(self, row: Any) -> Any:
        """The row without identifiers that were erased; None when it is to be refused."""
        if not isinstance(row, Conversion | Person):
            return row
        order = row.conversion_id if isinstance(row, Conversion) else None
        left = self._writer.store.nodes.admitted(row.identifiers, order)
        if left is None or left is row.identifiers:
            return None if left is None else row
        return msgspec.structs.replace(row, identifiers=tuple(left))

    def _keep(self, rejects: list[Reject]) -> None:
        workspace = self._writer.workspace
        workspace.state.write(*reject_rows(workspace, rejects))
        self.rejected += len(rejects)
        rejects.clear()

    def _rows(self) -> Any:
        for row in self._file.rows():
            self._read += 1
            if self._read % 5000 == 0:
                self.progress(self._file.table.fraction())
            yield row
