"""One Delta table: rows in, files out, commits that are atomic, durable and carry offsets.

Delta-rs never syncs, so this module writes the Parquet files itself and syncs them. What surprises:
delta-rs does not write to the table's log either, but to a second one beside it. A commit gets its
name in the log only when its bytes are on disk, so that a power cut leaves all of it or nothing,
and never a torn one that nobody could open. Files that a commit removes stay on disk for readers
that hold an older snapshot, until `sweep`.
"""

import contextlib
import datetime as dt
import itertools
import json
import os
import shutil
import threading
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from touchline import clock
from touchline.errors import Unavailable
from touchline.storage.disk import is_full, make_folder, sync, sync_all

__all__ = ["Run", "Table", "TableSnapshot", "shaped"]

CHECKPOINT_EVERY = 20
# Each opening lists all commits there are. At one a second, the usual month would be millions.
HISTORY = {"delta.logRetentionDuration": "interval 1 hours"}
ROWS_A_GROUP = 100_000
FEW_ROWS = 10_000
LOG = "_delta_log"
BESIDE = "_beside"  # names that begin like this are none of a reader's business
POINTER = "_last_checkpoint"
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Run(NamedTuple):
    """Rows of one file, some at a time: the value it is filed under, about how many they are."""

    value: str
    rows: int
    parts: Iterable[pa.Table]


class TableSnapshot:
    """The files of one version, and the offsets committed with it."""

    def __init__(self, delta: DeltaTable, root: Path) -> None:
        self._delta = delta
        self._offsets: dict[str, int] = {}
        self.version = delta.version()
        adds = pa.table(delta.get_add_actions(flatten=True))
        self.files = [str(root / path) for path in adds.column("path").to_pylist()]
        counts = adds.column("num_records").to_pylist()
        self.rows_of: dict[str, int] = dict(zip(self.files, counts, strict=True))
        self.rows = sum(counts)
        newest = adds.column("max.seq").to_pylist() if "max.seq" in adds.column_names else []
        self.last_seq = dict(zip(self.files, newest, strict=False))

    def has_one_shape(self, schema: pa.Schema) -> bool:
        """Whether every file has just these columns, so that an engine need not compare them."""
        return all(Path(path).name.startswith(_shape(schema)) for path in self.files)

    def read(self, columns: Sequence[str], *, after: int = 0) -> Iterator[pa.Table]:
        """The rows, file by file in no order, less files without an arrival number beyond `after`.

        Raises OSError or ArrowInvalid on a damaged file.
        """
        for path in self.files:
            if (self.last_seq.get(path) or after + 1) <= after:
                continue
            with pq.ParquetFile(path) as file:
                yield file.read(list(columns))

    def offset(self, app: str) -> int:
        """The last number committed under this name; 0 before the first."""
        if app not in self._offsets:
            self._offsets[app] = self._delta.transaction_version(app) or 0
        return self._offsets[app]


class Table:
    """`partition` names a column that splits the rows, which come in its order, into a folder a
    value; or None. Only one of dates is a day (`day_of`).
    """

    rows_a_group = ROWS_A_GROUP

    def __init__(self, root: Path, schema: pa.Schema, partition: str | None = None) -> None:
        self.root = root
        self.schema = schema
        self.partition = partition
        self._log = root / LOG
        self._one_at_a_time = threading.Lock()
        self._newest: tuple[TableSnapshot, tuple[int, int]] | None = None

    def create(self) -> None:
        """Its log, too, gets its name when what is in it is on disk: there is a table or none."""
        make_folder(self.root)
        with self._one_at_a_time:
            if not self.exists():
                made = self.root / BESIDE
                shutil.rmtree(made, ignore_errors=True)
                made.mkdir()
                DeltaTable.create(
                    str(made),
                    self.schema,
                    partition_by=[self.partition] if self.partition else None,
                    configuration=HISTORY,
                )
                sync(made / LOG / f"{0:020d}.json")
                sync(made / LOG)
                (made / LOG).rename(self._log)
        sync(self.root)

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(str(self.root))

    def last_commit_ns(self) -> int:
        """When something was last committed, without opening the table."""
        return self._log.stat().st_mtime_ns

    def snapshot(self) -> TableSnapshot:
        """The newest version. The one asked for last is kept, and is it as long as its commit is
        the last in the log: two glances, where opening reads all of them.
        """
        if self._newest is not None and self._newest[1] == self._named_last(
            self._newest[0].version
        ):
            return self._newest[0]
        found = TableSnapshot(DeltaTable(str(self.root)), self.root)
        commit = self._named_last(found.version)
        self._newest = None if commit is None else (found, commit)
        return found

    def _named_last(self, version: int) -> tuple[int, int] | None:
        """Which file a version's commit is, if none comes after it."""
        try:
            commit = (self._log / f"{version:020d}.json").stat()
        except FileNotFoundError:
            return None
        is_last = not os.path.lexists(self._log / f"{version + 1:020d}.json")
        return (commit.st_ino, commit.st_mtime_ns) if is_last else None

    def commit(
        self,
        rows: pa.Table | Iterable[pa.Table | Run] | None,
        *,
        remove: Iterable[str] = (),
        offsets: Mapping[str, int] | None = None,
    ) -> None:
        """Adds rows, drops files (paths as a snapshot gave them) and moves offsets, all or nothing.

        Rows that come in parts are written part by part, so that memory holds one at a time.
        Raises Unavailable("disk_full"); then nothing has changed.
        """
        written: list[Path] = []
        leaving = [Path(path) for path in remove]
        parts = () if rows is None else (rows,) if isinstance(rows, pa.Table) else rows
        with self._all_or_nothing(written):
            adds = [add for part in parts for add in self._write(part, written)]
            sync_all(written, self.root)
        if not adds and not leaving and not offsets:
            return
        with self._one_at_a_time:
            with self._all_or_nothing(written), self._beside() as beside:
                actions = [*adds, *self._removals(leaving)]
                version = self._transact(beside, actions, offsets or {})
                named = self._name(beside, version)
            self._confirm(named)
            if version % CHECKPOINT_EVERY == 0:
                self._checkpoint(version)

    def sync(self) -> None:
        """Makes sure of the commits' names: whoever gave the last one may have been killed then."""
        if self._log.exists():
            sync(self._log)

    def sweep(self, older_than_us: int) -> None:
        """Deletes files that no version in force uses and that are older than the given age, and
        commits older than an hour that a checkpoint holds.
        """
        self.sync()  # a commit that was taken back must not return without its files
        delta = DeltaTable(str(self.root))
        used = {
            str(self.root / p) for p in pa.table(delta.get_add_actions()).column("path").to_pylist()
        }
        limit = (clock.now_us() - older_than_us) / 1e6
        for path in self.root.rglob("*.parquet"):
            if LOG in path.parts or str(path) in used:
                continue
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
        delta.cleanup_metadata()

    @contextlib.contextmanager
    def _all_or_nothing(self, written: Sequence[Path]) -> Generator[None]:
        """Takes away what was written when a commit comes to nothing."""
        try:
            yield
        except OSError as error:
            for path in written:
                path.unlink(missing_ok=True)
            if is_full(error):
                raise Unavailable("disk_full", path=self.root) from error
            raise

    @contextlib.contextmanager
    def _beside(self) -> Generator[Path]:
        """The folder of a second log, which begins with the last checkpoint of the first."""
        beside = self.root / BESIDE
        log = beside / LOG
        needed = _needed(self._log)
        if not log.is_dir() or _entries(log) != needed:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            log.mkdir()
            for name in needed:
                os.link(self._log / name, log / name)
        yield beside

    def _transact(
        self, beside: Path, actions: list[AddAction | RemoveAction], offsets: Mapping[str, int]
    ) -> int:
        delta = DeltaTable(str(beside))
        delta.create_write_transaction(
            actions,
            "append",
            self.schema,
            [self.partition] if self.partition else None,
            commit_properties=CommitProperties(
                app_transactions=[Transaction(app, value) for app, value in offsets.items()],
            ),
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )
        return delta.version() + 1

    def _name(self, beside: Path, version: int) -> Path:
        """Gives a commit its name in the log, once its bytes are on disk."""
        name = f"{version:020d}.json"
        sync(beside / LOG / name)
        os.link(beside / LOG / name, self._log / name)
        return self._log / name

    def _confirm(self, named: Path) -> None:
        """A commit is done when its name is on disk. One that may be or not is taken back; its
        files stay until `sweep`, for a power cut may bring it back.
        """
        try:
            self.sync()
        except OSError as error:
            with contextlib.suppress(OSError):
                named.unlink()
            if is_full(error):
                raise Unavailable("disk_full", path=self.root) from error
            raise

    def _write(self, rows: pa.Table | Run, written: list[Path]) -> Iterator[AddAction]:
        by = self.partition or ""
        if isinstance(rows, Run):
            yield from self._file(rows, {by: rows.value}, written)
        elif rows.num_rows and self.partition is None:
            yield from self._file(Run("", rows.num_rows, (rows,)), {}, written)
        elif rows.num_rows:
            days = rows.column(by)
            rest = rows.drop_columns([by])
            for a, b in itertools.pairwise([0, *_changes(days), rows.num_rows]):
                day = str(days[a].as_py())
                yield from self._file(Run(day, b - a, (rest.slice(a, b - a),)), {by: day}, written)

    def _file(self, run: Run, values: dict[str, str], written: list[Path]) -> Iterator[AddAction]:
        """One file, or none when there are no rows."""
        parts = iter(run.parts)
        first = next(parts, None)
        if first is None:
            return
        folder = self.root.joinpath(*(f"{key}={value}" for key, value in values.items()))
        folder.mkdir(exist_ok=True)
        path = folder / f"{_shape(self.schema)}-{uuid.uuid4().hex}.parquet"
        written.append(path)
        # A small file is soon written again: half the time now, not the last byte, is what counts.
        compression = "zstd" if run.rows > FEW_ROWS else "lz4"
        stats = _Stats()
        parts = stats.of(itertools.chain((first,), parts))
        write_file(path, first.schema, parts, compression=compression, group=self.rows_a_group)
        yield AddAction(
            str(path.relative_to(self.root)),
            path.stat().st_size,
            values,
            clock.now_us() // 1000,
            data_change=True,
            stats=stats.as_json(),
        )

    def _removals(self, paths: Iterable[Path]) -> Iterator[RemoveAction]:
        for path in paths:
            values: dict[str, str | None] = {}
            relative = path.relative_to(self.root)
            for part in relative.parts[:-1]:
                key, _, value = part.partition("=")
                values[key] = value
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)  # `sweep` counts the age of what is unused from here
            yield RemoveAction(str(relative), True, clock.now_us() // 1000, partition_values=values)

    def _checkpoint(self, version: int) -> None:
        """Makes opening cheap. Without it the table is whole, so a failure waits for the next."""
        with contextlib.suppress(OSError, DeltaError), self._beside() as beside:
            DeltaTable(str(beside)).create_checkpoint()
            for name in (f"{version:020d}.checkpoint.parquet", POINTER):
                sync(beside / LOG / name)
                (beside / LOG / name).replace(self._log / name)
                sync(self._log)


def _needed(log: Path) -> dict[str, int]:
    """What tells the present version: the last checkpoint, and the commits behind it."""
    entries = _entries(log)
    checkpoints = sorted(name for name in entries if name.endswith(".checkpoint.parquet"))
    start = checkpoints[-1] if checkpoints else ""
    return {
        name: inode
        for name, inode in entries.items()
        if name == start or (len(name) == 25 and name.endswith(".json") and name >= start[:20])
    }


def _entries(folder: Path) -> dict[str, int]:
    """Names, and which file each stands for."""
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries}


def _shape(schema: pa.Schema) -> str:
    """Short name of a set of columns: the first part of the names of files that have them."""
    return blake2b(schema.to_string().encode(), digest_size=4).hexdigest()


def write_file(
    path: Path, schema: pa.Schema, parts: Iterable[pa.Table], *, compression: str, group: int
) -> None:
    with pq.ParquetWriter(path, schema, compression=compression) as file:
        for part in parts:
            file.write_table(part, row_group_size=group)


class _Stats:
    """What a file's entry in the log says of its rows."""

    def __init__(self) -> None:
        self._count = 0
        self._seq: list[int] = []

    def of(self, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The parts as they come, taken note of."""
        for rows in parts:
            self._count += rows.num_rows
            if "seq" in rows.column_names and rows.num_rows:
                numbers = rows.column("seq").to_numpy()
                self._seq += [int(numbers.min()), int(numbers.max())]
            yield rows

    def as_json(self) -> str:
        stats: dict[str, Any] = {"numRecords": self._count}
        if self._seq:
            stats |= {"minValues": {"seq": min(self._seq)}, "maxValues": {"seq": max(self._seq)}}
        return json.dumps(stats)


def _changes(days: pa.ChunkedArray) -> list[int]:
    """Where a sorted column takes a new value."""
    flat = days.combine_chunks()
    is_new = pc.not_equal(flat[1:], flat[:-1]).to_numpy(zero_copy_only=False)
    return [int(i) + 1 for i in is_new.nonzero()[0]]


def shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows with just these columns; those that an older file lacks are null."""
    held = rows.column_names
    columns = [rows[f.name] if f.name in held else pa.nulls(rows.num_rows, f.type) for f in schema]
    return pa.table(columns, names=schema.names).cast(schema)


def day_of(path: str) -> dt.date:
    """The day of a partition file, from its folder's name."""
    return dt.date.fromisoformat(Path(path).parent.name.partition("=")[2])
