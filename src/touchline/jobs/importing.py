"""FILE → the lake, and what became of its rows: stored, duplicate, updated or rejected.

Events go a chunk at a time through the store that the commit loop uses; every other kind is one
commit a file. A rejected row is kept with its line and reason, once, however often its file is
imported.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.importers.costs import CostRow
from touchline.collect.importers.events import EventRow
from touchline.collect.importers.file import OpenFile, open_file
from touchline.collect.importers.mapping import Assignment
from touchline.collect.site import Site
from touchline.jobs.account import reject_rows
from touchline.jobs.spend import store_costs
from touchline.jobs.store import Arrival, EventStore
from touchline.jobs.versions import (
    Ledger,
    Verdicts,
    conversion_ledger,
    people_ledger,
    rate_ledger,
)
from touchline.jobs.writer import Writer
from touchline.model import Reject

__all__ = ["Preview", "preview", "run_import"]

CHUNK = 10_000
SHOWN = 5
LEDGERS: dict[str, Callable[[EventStore, str], Ledger]] = {
    "conversions": conversion_ledger,
    "people": people_ledger,
    "rates": rate_ledger,
}

Progress = Callable[[float], None]


class Preview(Struct, frozen=True):
    """What an import would make of a file; nothing has been stored."""

    format: str
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
    run = _Run(writer, file, progress or (lambda _: None))
    found = run.events() if kind == "events" else run.versions()
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
    progress: Progress | None = None,
) -> Preview:
    """Reads the whole file and stores nothing: which column became which field, what is wrong."""
    file = open_file(kind, path, site, map_path=map_path, source=source)
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
        self._writer = writer
        self._file = file
        self._read = 0

    def events(self) -> Verdicts:
        """A chunk at a time: an import cut short is ended by running it again."""
        arrivals: list[Arrival] = []
        rejects: list[Reject] = []
        stored = duplicate = 0

        def flush() -> None:
            nonlocal stored, duplicate
            tally = self._writer.store.store(arrivals, rejects)
            stored += tally.stored
            duplicate += tally.duplicate
            self.rejected += tally.rejected
            arrivals.clear()
            rejects.clear()

        for row in self._rows():
            if isinstance(row, EventRow):
                arrivals.append(Arrival(row.event, msgspec.Raw(row.content), row.line))
            else:
                rejects.append(row)
            if len(arrivals) + len(rejects) == CHUNK:
                flush()
        if arrivals or rejects:
            flush()
        return Verdicts(stored, duplicate)

    def versions(self) -> Verdicts:
        """All in one commit; what is wrong is kept first, so nothing is lost if it fails."""
        about, store = self._file.about, self._writer.store
        costs: list[CostRow] = []
        ledger = LEDGERS[about.kind](store, about.source) if about.kind in LEDGERS else None
        rejects: list[Reject] = []
        for row in self._rows():
            if isinstance(row, Reject):
                rejects.append(row)
                if len(rejects) == CHUNK:
                    self._keep(rejects)
            elif ledger is not None:
                ledger.add(row)
            else:
                costs.append(row)
        self._keep(rejects)
        if ledger is not None:
            return ledger.commit(store.workspace)
        return store_costs(store.workspace, costs, about.source)

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
