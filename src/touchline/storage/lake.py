"""The lake of a workspace: its Delta tables, and one consistent view over them.

New rows land in `fresh`; a job moves them to day files in `events`, whose commit carries the last
`seq` that moved. A snapshot reads `fresh` before `events`, and of `fresh` only rows beyond that
`seq`: so each row is seen exactly once at every moment, whatever the job is doing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from touchline.storage.columns import MIRRORS, TABLES
from touchline.storage.table import Table, TableSnapshot

__all__ = ["Lake", "LakeFiles"]

SETTLED = "settled"  # in `events`: the last seq that moved out of `fresh`
LOG = "log"  # in `fresh`: the log offset up to which requests are in the lake
REVISED = "revised"  # in `fresh`: the last arrival number when a Flag.REVISION came in
ERASED = "erased"  # in each table: when rows were last taken out or changed for an erasure
SEQ = "seq"  # in each table that has one: the last arrival number given out


class LakeFiles:
    """File lists of tables at one moment: of all, or of those named."""

    def __init__(self, lake: "Lake", names: Sequence[str]) -> None:
        # In the order of TABLES: fresh before events, or rows between the two would be missed.
        self.tables: dict[str, TableSnapshot] = {
            name: lake.tables[name].snapshot() for name in TABLES if name in names
        }

    @property
    def settled_seq(self) -> int:
        """Fresh rows up to here are in `events`."""
        return self.tables["events"].offset(SETTLED)

    @property
    def has_revisions(self) -> bool:
        """Whether any event is a new version of one imported before."""
        return self.tables["fresh"].offset(REVISED) > 0


class Lake:
    """`fresh`, `events`, `conversions`, `costs` …, each an attribute: see `storage.columns`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        tables = {name: Table(root / name, *spec) for name, spec in TABLES.items()}
        self.fresh = tables["fresh"]
        self.events = tables["events"]
        self.conversions = tables["conversions"]
        self.costs = tables["costs"]
        self.aggregates = tables["aggregates"]
        self.people = tables["people"]
        self.rates = tables["rates"]
        self.tables = tables
        # Not among `tables`: no view opens them, and each is made when it is first written.
        self.mirrors = {name: Table(root / name, schema) for name, schema in MIRRORS.items()}

    def create(self) -> None:
        for table in self.tables.values():
            table.create()

    def files(self, *names: str) -> LakeFiles:
        """File lists of the tables named, or of all."""
        return LakeFiles(self, names or tuple(TABLES))

    def arrived(self, columns: Sequence[str], after: int, upto: int) -> Iterator[pa.Table]:
        """Events with an arrival number beyond `after`, up to `upto`: file by file, in no order,
        with the number as last column.
        """
        files = self.files("fresh", "events")
        for name, beyond in (("fresh", max(after, files.settled_seq)), ("events", after)):
            for rows in files.tables[name].read((*columns, SEQ), after=beyond):
                seq = pc.field(SEQ)
                yield rows.filter((seq > beyond) & (seq <= upto))

    def last_commits_ns(self) -> tuple[int, ...]:
        """When each table was last written to: a glance that opens none."""
        return tuple(table.last_commit_ns() for table in self.tables.values())

    def lacks_tables(self) -> bool:
        """Whether it was made by a version that knew fewer of them."""
        return not all((table.root / "_delta_log").is_dir() for table in self.tables.values())

    def log_offset(self) -> int:
        """Requests before this offset of the log are in the lake."""
        return self.fresh.snapshot().offset(LOG)

    def sync(self) -> None:
        """Makes sure that what can be read of the lake is on disk."""
        for table in (*self.tables.values(), *self.mirrors.values()):
            table.sync()

    def sweep(self, older_than_us: int) -> None:
        for table in self.tables.values():
            table.sweep(older_than_us)
