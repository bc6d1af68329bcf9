"""The lake of a workspace: its Delta tables, and one consistent view over them.

New rows land in `fresh`; a job moves them to day files in `events`, whose commit carries the last
`seq` that moved. A snapshot reads `fresh` before `events`, and of `fresh` only rows beyond that
`seq`: so each row is seen exactly once at every moment, whatever the job is doing.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from touchline.storage.by_node import ByNode
from touchline.storage.columns import EVENTS, MIRRORS, TABLES
from touchline.storage.table import Table, TableSnapshot, day_of, shaped

__all__ = ["Lake", "LakeFiles"]

SETTLED = "settled"  # in `events`: the last seq that moved out of `fresh`
LOG = "log"  # in `fresh`: the log offset up to which requests are in the lake
REVISED = "revised"  # in `fresh`: the last arrival number when a Flag.REVISION came in
ERASED = "erased"  # in each table: when rows were last taken out or changed for an erasure
SEQ = "seq"  # in each table that has one: the last arrival number given out
FEW_ROWS = 10_000
REMEMBERED = 100  # young files
EVERYBODY = frozenset({b"*"})  # too many to be remembered
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

    def naming(self, nodes: Collection[bytes], after: int) -> pa.Table:
        """Events beyond an arrival number that carry one of these identifiers, each once."""
        among = pa.array(sorted(nodes), pa.binary())
        found = [EVENTS.empty_table()]
        for name, beyond in (("fresh", max(after, self.settled_seq)), ("events", after)):
            newest = self.tables[name].last_seq
            for path in [path for path, seq in newest.items() if seq is None or seq > beyond]:
                if not self._lake.names_any(path, nodes):
                    continue
                with pq.ParquetFile(path, memory_map=True) as file:
                    at = _naming(file.read(["node_ids", SEQ]), among, beyond)
                    if len(at):
                        found.append(_events(file.read().take(at), path))
        return pa.concat_tables(found)

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
        self._named: OrderedDict[str, frozenset[bytes]] = OrderedDict()
        self._turn = threading.Lock()

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

    def names_any(self, path: str, nodes: Collection[bytes]) -> bool:
        """Whether a file may carry one of these identifiers. Those of young files are remembered:
        there are few, and each is asked of by whoever wants to know of somebody.
        """
        with self._turn:
            if path not in self._named:
                found = pq.read_metadata(path)
                is_large = found.num_rows > FEW_ROWS
                self._named[path] = EVERYBODY if is_large else _named_in(path)
            while len(self._named) > REMEMBERED:
                self._named.popitem(last=False)
            self._named.move_to_end(path)
            named = self._named[path]
        return named is EVERYBODY or not named.isdisjoint(nodes)

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


def _named_in(path: str) -> frozenset[bytes]:
    """The identifiers that a file carries."""
    with pq.ParquetFile(path, memory_map=True) as file:
        lists = file.read(["node_ids"])["node_ids"].combine_chunks()
    return frozenset(pc.unique(pc.struct_field(pc.list_flatten(lists), "id")).to_pylist())


def _naming(rows: pa.Table, among: pa.Array, beyond: int) -> pa.Array:
    """Places of rows beyond an arrival number that carry one of some identifiers."""
    rows = rows.combine_chunks()
    lists = rows["node_ids"].combine_chunks()
    is_named = pc.is_in(pc.struct_field(pc.list_flatten(lists), "id"), value_set=among)
    at = np.unique(pc.list_parent_indices(lists).filter(is_named).to_numpy())
    return pa.array(at[rows[SEQ].to_numpy()[at] > beyond])


def _events(rows: pa.Table, path: str) -> pa.Table:
    """Rows of a file, with the day that a day file's folder says."""
    if "local_day" not in rows.column_names:
        days = pa.repeat(pa.scalar(day_of(path), pa.date32()), len(rows))
        rows = rows.append_column("local_day", days)
    return shaped(rows, EVENTS)
