"""Events again, filed by identifier: what is asked of one person opens a few files, not all days.

A row stands under each of its identifiers, so that a merge, an unmerge or a new quarantine moves
none: which of them speaks for the row is decided by who reads. A file is sorted by (node, ts, seq);
its bucket says with which hex digits its nodes begin, and `all` is the bucket of the newest rows.
Four files of about one size in a bucket become one, or one in each of the sixteen buckets below, so
that a row is written a few times in its life, however many there are (`merge`).

What surprises: a row may stand there twice. Sessions change labels of stored rows, and such a row
is filed again under a later `round`; of one (node, seq) the latest round is in force.
"""

import bisect
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from touchline.storage.columns import BY_NODE
from touchline.storage.lately import Lately
from touchline.storage.table import Run, Table, TableSnapshot, shaped

__all__ = [
    "BUILT",
    "EVENT",
    "FILED",
    "STORED",
    "ByNode",
    "bucket_of",
    "filed",
    "in_force",
    "merge",
    "weight",
]

BUILT = "built"  # 1 when every row that has settled is filed
FILED = "filed"  # the last seq that is filed, when it is built

ALL = "all"
DEPTH = 2  # buckets of so many digits at most: 256
FAN_IN = 4
MOST = 8  # files that are merged at once
SMALL = 4_000  # rows: files below it are of one size
SPLIT = 250_000  # rows that are too many for a bucket which has others below it
GROUPS = 2_000  # of files whose footers are remembered: 40 KB each
ROWS_WEIGHT = 64 << 20  # of rows that are remembered
READERS = 4  # files at once: who reads cold waits for the disk
AT_ONCE = 50_000  # rows in memory
HEX = "0123456789abcdef"
ORDER = [("node", "ascending"), ("ts_us", "ascending"), ("seq", "ascending")]
STORED = pa.schema([field for field in BY_NODE if field.name != "bucket"])
EVENT = [name for name in STORED.names if name not in ("node", "round")]
NONE = STORED.empty_table()
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class _Groups:
    """Of one file: its footer, and the first and last node of each group of rows."""

    def __init__(self, footer: Any) -> None:
        column = footer.schema.names.index("node")
        stats = [
            footer.row_group(i).column(column).statistics for i in range(footer.num_row_groups)
        ]
        self.footer = footer
        self.first: list[bytes] = [one.min for one in stats]
        self.last: list[bytes] = [one.max for one in stats]

    def __len__(self) -> int:
        return len(self.first)

    def between(self, low: bytes, high: bytes) -> range:
        """Groups that may hold nodes from `low` up to `high`."""
        return range(bisect.bisect_left(self.last, low), bisect.bisect_right(self.first, high))

    def bytes_of(self, group: int) -> tuple[int, int]:
        """Where a group stands in the file: from which byte, and how many."""
        row_group = self.footer.row_group(group)
        first, last = row_group.column(0), row_group.column(row_group.num_columns - 1)
        start = first.dictionary_page_offset or first.data_page_offset
        end = last.dictionary_page_offset or last.data_page_offset
        return start, end + last.total_compressed_size - start


class ByNode(Table):
    """The table. It remembers what was read lately: footers of files, and the rows under an
    identifier in a file, which never change. `is_damaged`: a file was found gone or unreadable.
    """

    rows_a_group = 2_500  # a person's rows cost the reading of one group a file

    def __init__(self, root: Path) -> None:
        super().__init__(root, BY_NODE, "bucket")
        self.is_damaged = False
        self._groups: Lately[str, _Groups] = Lately(GROUPS, len)
        self._rows: Lately[tuple[str, bytes], pa.Table] = Lately(ROWS_WEIGHT, weight)
        self._listed: tuple[TableSnapshot, dict[str, list[str]]] | None = None
        self._readers = ThreadPoolExecutor(READERS, "by-node")

    def forget(self) -> None:
        """Drops from memory what was read: somebody in it was erased."""
        self._rows.clear()
        self._groups.clear()

    def rows_under(self, snapshot: TableSnapshot, nodes: Collection[bytes]) -> pa.Table:
        """All rows under these nodes, in no order, also those that are no longer in force.

        Raises OSError or ArrowException on a damaged file.
        """
        found = [STORED.empty_table()]
        absent: dict[str, list[bytes]] = defaultdict(list)
        files = self._in_buckets(snapshot)
        for node in sorted(nodes):
            for depth in range(DEPTH + 1):
                for path in files.get(_bucket(node, depth), ()):
                    rows = self._rows.get((path, node))
                    if rows is None:
                        absent[path].append(node)
                    elif len(rows):
                        found.append(rows)
        try:
            for rows in self._readers.map(self._rows_in, absent, absent.values()):
                found += rows
        except (OSError, pa.ArrowException):
            self.is_damaged = True
            raise
        return pa.concat_tables(found, promote_options="default")

    def _in_buckets(self, snapshot: TableSnapshot) -> dict[str, list[str]]:
        listed = self._listed
        if listed is None or listed[0] is not snapshot:
            files: dict[str, list[str]] = defaultdict(list)
            for path in snapshot.files:
                files[bucket_of(path)].append(path)
            listed = self._listed = (snapshot, files)
        return listed[1]

    def _rows_in(self, path: str, nodes: Sequence[bytes]) -> list[pa.Table]:
        """Rows of a file under some of its nodes."""
        parts: dict[bytes, list[pa.Table]] = {node: [] for node in nodes}
        groups = self._groups.get(path)
        if groups is None:
            groups = self._groups.put(path, _Groups(pq.read_metadata(path, memory_map=True)))
        wanted: dict[int, list[bytes]] = defaultdict(list)
        for node in nodes:
            for group in groups.between(node, node):
                wanted[group].append(node)
        with ExitStack() as held:
            if wanted:
                _fetch_ahead(path, [groups.bytes_of(group) for group in wanted])
                file = pq.ParquetFile(path, memory_map=True, metadata=groups.footer)
                held.enter_context(file)
                for group, here in sorted(wanted.items()):
                    for node, rows in _in_group(file, group, here):
                        parts[node].append(rows)
        told = {node: _joined(some) for node, some in parts.items()}
        for node, rows in told.items():
            self._rows.put((path, node), rows)
        return [rows for rows in told.values() if len(rows)]


def _fetch_ahead(path: str, spans: Sequence[tuple[int, int]]) -> None:
    """Has the disk read parts of a file at once, where page by page would wait for each."""
    handle = os.open(path, os.O_RDONLY)
    try:
        for start, length in spans:
            os.posix_fadvise(handle, start, length, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(handle)


def _in_group(file: Any, group: int, nodes: Sequence[bytes]) -> Iterator[tuple[bytes, pa.Table]]:
    """A copy of the rows under each node, if there are any: they stand together."""
    held = file.read_row_group(group, columns=["node"], use_threads=False)["node"]
    ids = held.to_numpy(zero_copy_only=False)
    spans = {node: np.searchsorted(ids, [node, node + b"\0"]).tolist() for node in nodes}
    if any(start < end for start, end in spans.values()):
        names = _told(file.metadata, group)
        rows = file.read_row_group(group, columns=names, use_threads=False)
        for node, (start, end) in spans.items():
            if start < end:
                yield node, rows.take(pa.array(range(start, end)))


def _joined(parts: Sequence[pa.Table]) -> pa.Table:
    """As a row of the copy is: a file may lack columns, or have them of another type."""
    if not parts:
        return NONE
    rows = pa.concat_tables(parts, promote_options="default")
    return shaped(rows, STORED)


def weight(rows: pa.Table) -> int:
    """Bytes of memory, about."""
    return 1_000 + rows.nbytes


def filed(rows: pa.Table, number: int) -> Run:
    """Events → what is filed of them in a round."""
    lists = rows["node_ids"].combine_chunks()
    node = pc.struct_field(pc.list_flatten(lists), "id")
    repeated = rows.select(EVENT).combine_chunks().take(pc.list_parent_indices(lists))
    count = len(repeated)
    columns = {name: repeated[name] for name in EVENT}
    columns |= {"node": node, "round": pa.array(np.full(count, number))}
    found = pa.table(columns).select(STORED.names).cast(STORED).sort_by(ORDER)
    return Run(ALL, count, (found,) if count else ())


def _told(footer: Any, group: int) -> list[str]:
    """Columns that are not null throughout a group: half of them are, and cost as much to read."""
    found: dict[str, None] = {}
    row_group = footer.row_group(group)
    for at in range(row_group.num_columns):
        column = row_group.column(at)
        name, dot, _ = column.path_in_schema.partition(".")
        stats = column.statistics
        # Of a list's parts, none may be there although the list is: it is empty.
        if dot or stats is None or stats.null_count != column.num_values:
            found[name] = None
    return list(found)


def in_force(rows: pa.Table) -> pa.Table:
    """The latest version of each (node, seq), in the order of a file."""
    rows = rows.sort_by([*ORDER, ("round", "ascending")])
    if len(rows) < 2:
        return rows
    seq, node = rows["seq"].to_numpy(), rows["node"].combine_chunks()
    is_last = (seq[1:] != seq[:-1]) | pc.not_equal(node[1:], node[:-1]).to_numpy(False)
    return rows if is_last.all() else rows.filter(pa.array(np.append(is_last, True)))


def bucket_of(path: str) -> str:
    """The bucket of a file, from its folder's name."""
    return Path(path).parent.name.partition("=")[2]


def merge(table: ByNode) -> int:
    """Makes few files of many, until each size of a bucket has less than four; returns how many
    files it wrote together. Each step is a commit of its own.
    """
    done = 0
    while due := _due(table.snapshot()):
        bucket, paths, count = due
        below = _below(bucket) if count > SPLIT else None
        targets = below or [bucket]
        runs = (Run(to, count // len(targets), _merged(paths, to)) for to in targets)
        table.commit(runs, remove=paths)
        done += len(paths)
    return done


def _due(snapshot: TableSnapshot) -> tuple[str, list[str], int] | None:
    """The smallest files that are too many: their bucket, and how many rows they hold."""
    alike: dict[tuple[int, str], list[str]] = defaultdict(list)
    for path, count in snapshot.rows_of.items():
        alike[_size(count), bucket_of(path)].append(path)
    for (_, bucket), paths in sorted(alike.items()):
        if len(paths) >= FAN_IN:
            some = paths[:MOST]
            return bucket, some, sum(snapshot.rows_of[path] for path in some)
    return None


def _size(count: int) -> int:
    size = 0
    while count >= SMALL:
        count, size = count // FAN_IN, size + 1
    return size


def _bucket(node: bytes, depth: int) -> str:
    return node.hex()[:depth] or ALL


def _below(bucket: str) -> list[str] | None:
    prefix = "" if bucket == ALL else bucket
    return [prefix + digit for digit in HEX] if len(prefix) < DEPTH else None


def _merged(paths: Sequence[str], bucket: str) -> Iterator[pa.Table]:
    """The rows of a bucket in these files, in order and some at a time: memory holds AT_ONCE."""
    prefix = "" if bucket == ALL else bucket
    low, high = (bytes.fromhex(prefix.ljust(32, digit)) for digit in "0f")
    size = max(1, AT_ONCE // (ByNode.rows_a_group * len(paths)))
    sources = [_between(path, low, high, size) for path in paths]
    heads = [(source, head) for source in sources if (head := next(source, None)) is not None]
    waiting: list[pa.Table] = []
    while heads:
        bound = min(_key(head, -1) for _, head in heads)
        left: list[tuple[Iterator[pa.Table], pa.Table]] = []
        taken: list[pa.Table] = []
        for source, head in heads:
            upto = _upto(head, bound)
            taken.append(head.slice(0, upto))
            rest = head.slice(upto) if upto < len(head) else next(source, None)
            if rest is not None:
                left.append((source, rest))
        heads = left
        waiting.append(in_force(pa.concat_tables(taken)))
        if sum(map(len, waiting)) >= ByNode.rows_a_group:
            yield from _whole_groups(waiting, is_end=False)
    yield from _whole_groups(waiting, is_end=True)


def _whole_groups(waiting: list[pa.Table], *, is_end: bool) -> Iterator[pa.Table]:
    """What waits, as far as it fills groups; the rest goes on waiting."""
    rows = pa.concat_tables(waiting) if waiting else STORED.empty_table()
    size = ByNode.rows_a_group
    count = len(rows) if is_end else len(rows) // size * size
    waiting[:] = [rows.slice(count)]
    if count:
        yield rows.slice(0, count).combine_chunks()


def _between(path: str, low: bytes, high: bytes, size: int) -> Iterator[pa.Table]:
    """A file's rows from one node to another, as many groups at a time."""
    with pq.ParquetFile(path, memory_map=True) as file:
        groups = _Groups(file.metadata).between(low, high)
        for start in range(groups.start, groups.stop, size):
            at = [*range(start, min(start + size, groups.stop))]
            rows = shaped(file.read_row_groups(at, use_threads=False), STORED)
            node = rows["node"]
            is_here = pc.and_(
                pc.greater_equal(node, pa.scalar(low, pa.binary())),
                pc.less_equal(node, pa.scalar(high, pa.binary())),
            )
            if pc.any(is_here).as_py():
                yield rows if pc.all(is_here).as_py() else rows.filter(is_here)


Key = tuple[bytes, int, int]


def _key(rows: pa.Table, at: int) -> Key:
    at %= len(rows)
    return rows["node"][at].as_py(), rows["ts_us"][at].as_py(), rows["seq"][at].as_py()


def _upto(rows: pa.Table, bound: Key) -> int:
    """How many of the sorted rows are not beyond the bound."""
    return bisect.bisect_right(range(len(rows)), bound, key=lambda at: _key(rows, at))
