"""The lake of a workspace: its Delta tables, and one consistent view over them.

New rows land in `fresh`; a job moves them to day files in `events`, whose commit carries the last
`seq` that moved. A snapshot reads `fresh` before `events`, and of `fresh` only rows beyond that
`seq`: so each row is seen exactly once at every moment, whatever the job is doing.
"""

from pathlib import Path

from touchline.storage.columns import TABLES
from touchline.storage.table import Table, TableSnapshot

__all__ = ["Lake", "LakeFiles"]

SETTLED = "settled"  # in `events`: the last seq that moved out of `fresh`
LOG = "log"  # in `fresh`: the log offset up to which requests are in the lake
SEQ = "seq"  # in each table that has one: the last arrival number given out


class LakeFiles:
    """File lists of all tables at one moment."""

    def __init__(self, lake: "Lake") -> None:
        self.tables: dict[str, TableSnapshot] = {}
        for name in ("fresh", "events", "conversions", "costs", "people", "rates"):
            self.tables[name] = getattr(lake, name).snapshot()
        self.settled_seq = self.tables["events"].offset(SETTLED)

    @property
    def version(self) -> str:
        """Names this view: equal versions hold equal rows."""
        return "-".join(str(t.version) for t in self.tables.values())


class Lake:
    """`fresh`, `events`, `conversions`, `costs`, `people`, `rates`: see `storage.columns`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        tables = {name: Table(root / name, *spec) for name, spec in TABLES.items()}
        self.fresh = tables["fresh"]
        self.events = tables["events"]
        self.conversions = tables["conversions"]
        self.costs = tables["costs"]
        self.people = tables["people"]
        self.rates = tables["rates"]
        self.tables = tables

    def create(self) -> None:
        for table in self.tables.values():
            table.create()

    def files(self) -> LakeFiles:
        return LakeFiles(self)

    def log_offset(self) -> int:
        """Requests before this offset of the log are in the lake."""
        return self.fresh.snapshot().offset(LOG)

    def sweep(self, older_than_us: int) -> None:
        for table in self.tables.values():
            table.sweep(older_than_us)
