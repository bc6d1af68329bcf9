"""The lake of a workspace: its Delta tables, and one consistent view over them.

New rows land in `fresh`; a job moves them to day files in `events`, whose commit carries the last
`seq` that moved. A snapshot reads `fresh` before `events`, and of `fresh` only rows beyond that
`seq`: so each row is seen exactly once at every moment, whatever the job is doing.
"""

from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from touchline.storage.by_node import ByNode, weight
from touchline.storage.columns import EVENTS, MIRRORS, TABLES
from touchline.storage.lately import Lately
from touchline.storage.mentions import Mentions, mentions_in, naming, rows_at
from touchline.storage.table import Table, TableSnapshot, day_of, shaped

__all__ = ["Lake", "LakeFiles"]

SETTLED = "settled"  # in `events`: the last seq that moved out of `fresh`
LOG = "log"  # in `fresh`: the log offset up to which requests are in the lake
REVISED = "revised"  # in `fresh`: the last arrival number when a Flag.REVISION came in
ERASED = "erased"  # in each table: when rows were last taken out or changed for an erasure
SEQ = "seq"  # in each table that has one: the last arrival number given out
MENTIONS = 128 << 20  # bytes of them that are remembered
ROWS = 32 << 20  # the same of rows by whom they name
NONE = pa.table({})
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class LakeFiles:
    """File lists of tables at one moment: of all, or of those named."""

    def __init__(self, lake: "Lake", names: Sequence[str]) -> None:
        self._lake = lake
        # In the order of TABLES: fresh before events, or rows between the two would be missed.
        self.tables: dict[str, TableSnapshot] = {
            name: lake.tables[name].snapshot() for name in TABLES if name in names
        }

    @property
    def settled_seq(self) -> int:
        """Fresh rows up to here are in `events`."""
        return self.tables["events"].offset(SETTLED)

    @property
    def last_seq(self) -> int:
        """The arrival number of the newest event."""
        found = (self.tables[name].last_seq.values() for name in ("fresh", "events"))
        return max((seq or 0 for numbers in found for seq in numbers), default=0)

    @property
    def by_node(self) -> ByNode:
        """The copy of events by identifier; as it is now, which may be later than these files."""
        return self._lake.by_node

    def naming(self, nodes: Collection[bytes], after: int) -> pa.Table:
        """Events beyond an arrival number that carry one of these identifiers, each once."""
        found = [EVENTS.empty_table()]
        for name, beyond in (("fresh", max(after, self.settled_seq)), ("events", after)):
            newest = self.tables[name].last_seq
            paths = [path for path, seq in newest.items() if seq is None or seq > beyond]
            for path, rows in self._naming(paths, nodes, None):
                late = rows.filter(pc.greater(rows[SEQ], beyond))
                found += [_events(late, path)] if len(late) else []
        return pa.concat_tables(found)

    def between(
        self, name: str, columns: Sequence[str], numbers: tuple[int, int], most: int
    ) -> pa.Table | None:
        """Rows of a table, of events with what is fresh, whose arrival number is beyond one and up
        to the other; None where more than so many would have to be read.
        """
        (after, upto), schema = numbers, TABLES[name][0]
        found = [pa.schema([schema.field(column) for column in columns]).empty_table()]
        begins = {name: after}
        if name == "events":
            begins["fresh"] = max(after, self.settled_seq)
        for part, beyond in begins.items():
            files = self.tables[part]
            newest = {path: files.last_seq.get(path) for path in files.files}
            paths = [path for path, seq in newest.items() if seq is None or seq > beyond]
            most -= sum(files.rows_of[path] for path in paths)
            if most < 0:
                return None
            for path in paths:
                with pq.ParquetFile(path, memory_map=True) as file:
                    held = file.schema_arrow.names
                    rows = file.read([one for one in (*columns, SEQ) if one in held])
                if TABLES[part][1] == "local_day":
                    rows = _dated(rows, path)
                rows = rows.filter((pc.field(SEQ) > beyond) & (pc.field(SEQ) <= upto))
                found.append(shaped(rows, found[0].schema))
        return pa.concat_tables(found)

    def rows_naming(self, name: str, nodes: Collection[bytes], columns: list[str]) -> pa.Table:
        """Rows of a table that carry one of these identifiers."""
        schema = pa.schema([TABLES[name][0].field(column) for column in columns])
        found = [
            shaped(rows, schema)
            for _, rows in self._naming(self.tables[name].files, nodes, columns)
        ]
        return pa.concat_tables([schema.empty_table(), *found])

    def _naming(
        self, paths: Sequence[str], nodes: Collection[bytes], columns: list[str] | None
    ) -> Iterator[tuple[str, pa.Table]]:
        asked = tuple(sorted(nodes)), columns and tuple(columns)
        for path in paths:
            rows = self._lake.named.get((path, *asked))
            if rows is None:
                rows = self._lake.named.put((path, *asked), self._named_in(path, nodes, columns))
            if len(rows):
                yield path, rows

    def _named_in(self, path: str, nodes: Collection[bytes], columns: list[str] | None) -> pa.Table:
        """Rows of a file that carry one of these; a table without columns when there is none."""
        places = self._lake.mentions(path).of(nodes)
        if not len(places):
            return NONE
        return naming(rows_at(path, places, columns), nodes)

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
        self.by_node = ByNode(root / "by_node")  # nor is this one
        self.all: dict[str, Table] = {**tables, **self.mirrors, "by_node": self.by_node}
        self.named: Lately[tuple[object, ...], pa.Table] = Lately(ROWS, weight)
        self._mentions: Lately[str, Mentions] = Lately(MENTIONS, attrgetter("weight"))

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

    def mentions(self, path: str) -> Mentions:
        """Which rows of a file carry which identifier. It is remembered: each is asked of by
        whoever wants to know of somebody.
        """
        found = self._mentions.get(path)
        return found or self._mentions.put(path, mentions_in(path))

    def forget(self) -> None:
        """Drops from memory what was read: somebody in it was erased."""
        self._mentions.clear()
        self.named.clear()
        self.by_node.forget()

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
        for table in self.all.values():
            table.sync()

    def sweep(self, older_than_us: int) -> None:
        for table in self.tables.values():
            table.sweep(older_than_us)
        if self.by_node.exists():
            self.by_node.sweep(older_than_us)


def _events(rows: pa.Table, path: str) -> pa.Table:
    """Rows of a file as events."""
    return shaped(_dated(rows, path), EVENTS)


def _dated(rows: pa.Table, path: str) -> pa.Table:
    """Rows of a file, with the day that a day file's folder says."""
    if "local_day" in rows.column_names:
        return rows
    days = pa.repeat(pa.scalar(day_of(path), pa.date32()), len(rows))
    return rows.append_column("local_day", days)
