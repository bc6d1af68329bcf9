"""What a story runs on in place of a computer: which disk there is, what time it is, what luck.

Every way in which storage reaches the disk is led through `Disk`: the calls of `os`, and those that
write by themselves: pyarrow, delta-rs, SQLite, `syncfs`.
"""

import atexit
import contextlib
import functools
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from deltalake import DeltaTable
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from crash.world import Promises
from disk import CALLS, REAL, Disk
from touchline import clock
from touchline.jobs import doctor
from touchline.jobs.intake import settle
from touchline.jobs.intake import writer as writer_module
from touchline.storage import by_node, dedup, log
from touchline.storage import disk as disk_module
from touchline.storage import table as table_module
from touchline.storage.workspace import Workspace

YESTERDAY = 86_400
FULL = 2


class Machine:
    """The process, as far as it is shared: which disk and clock there are. One story at a time."""

    def __init__(self) -> None:
        self.disk: Disk | None = None
        self.told = Promises()
        self._random = random.Random(0)

    @contextlib.contextmanager
    def running(self) -> Generator["Machine"]:
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._call(name))
            for owner, name in (
                (table_module, "write_file"),
                (DeltaTable, "create_write_transaction"),
                (DeltaTable, "create_checkpoint"),
                (DeltaTable, "create"),
            ):
                patch.setattr(owner, name, self._foreign(name, getattr(owner, name)))
            for name, around in (("do_commit", self._commit), ("do_close", self._close)):
                real = getattr(SQLiteDialect_pysqlite, name)
                patch.setattr(SQLiteDialect_pysqlite, name, around(real))
            patch.setattr(DeltaTable, "cleanup_metadata", self._cleaned(DeltaTable))
            patch.setattr(disk_module, "_libc", SimpleNamespace(syncfs=self._sync_file_system))
            patch.setattr(clock, "now_us", self._now_us)
            patch.setattr(table_module, "uuid", SimpleNamespace(uuid4=self._uuid))
            patch.setattr(secrets, "token_bytes", self._bytes)
            patch.setattr(secrets, "token_hex", lambda size: self._bytes(size).hex())
            small(patch)
            empty()
            yield self

    @contextlib.contextmanager
    def on(self, disk: Disk, told: Promises, seed: object) -> Generator[None]:
        """What is called now happens on this disk, and nowhere else."""
        before = self.disk, self.told, self._random
        self.disk, self.told, self._random = disk, told, random.Random(f"secrets {seed}")
        try:
            yield
        finally:
            self.disk, self.told, self._random = before

    def _call(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            owner = self.disk or REAL
            return getattr(owner, name)(*args, **options)

        return call

    def _foreign(self, name: str, real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if self.disk is None:
                return real(*args, **options)
            return self.disk.foreign(name, lambda: real(*args, **options))

        return call

    def _commit(self, real: Any) -> Any:
        """SQLite is trusted to do what it says: under synchronous=FULL a commit is synced when it
        returns; under NORMAL only a checkpoint syncs, which changes the database itself.
        """

        def do_commit(dialect: Any, connection: Any) -> None:
            if self.disk is None:
                real(dialect, connection)
                return
            self.disk.foreign("do_commit", lambda: real(dialect, connection))
            database = _database(connection)
            level = connection.execute("PRAGMA synchronous").fetchone()[0]
            if level >= FULL or not self.disk.is_synced(database):
                self._settle(database)

        return do_commit

    def _close(self, real: Any) -> Any:
        """The last connection makes a checkpoint and removes the log."""

        def do_close(dialect: Any, connection: Any) -> None:
            database = _database(connection)
            real(dialect, connection)
            if self.disk is not None and database.is_relative_to(self.disk.root):
                self._settle(database)

        return do_close

    def _settle(self, database: Path) -> None:
        assert self.disk is not None
        for path in (database, database.with_name(f"{database.name}-wal")):
            self.disk.settle(path)

    def _cleaned(self, owner: Any) -> Any:
        real = owner.cleanup_metadata

        def cleanup_metadata(table: Any) -> Any:
            if self.disk is None:
                return real(table)
            then = time.time() - YESTERDAY
            for path in Path(table.table_uri.removeprefix("file://"), "_delta_log").iterdir():
                os.utime(path, (then, then))
            return self.disk.foreign("cleanup_metadata", lambda: real(table))

        return cleanup_metadata

    def _sync_file_system(self, _fd: int) -> int:
        assert self.disk is not None
        self.disk.foreign("syncfs", self.disk.sync_everything)
        return 0

    def _now_us(self) -> int:
        self.told.now_us += 1
        return self.told.now_us

    def _bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def _uuid(self) -> Any:
        return SimpleNamespace(hex=f"{self.told.number():032x}")


def small(patch: pytest.MonkeyPatch) -> None:
    """Bounds so low that a short story meets all of them."""
    patch.setattr(log, "SEGMENT_BYTES", 3_000)
    patch.setattr(writer_module, "BATCH_BYTES", 2_000)
    patch.setattr(table_module, "CHECKPOINT_EVERY", 3)
    patch.setattr(disk_module, "FEW_FILES", 2)
    patch.setattr(dedup, "YOUNG", 2)
    patch.setattr(dedup, "FAN_IN", 2)
    patch.setattr(dedup, "WINDOW", 5)
    patch.setattr(settle, "FILES_A_DAY", 2)
    patch.setattr(by_node, "SMALL", 4)
    patch.setattr(by_node, "SPLIT", 12)
    patch.setattr(by_node, "FAN_IN", 2)
    patch.setattr(by_node.ByNode, "rows_a_group", 3)
    patch.setattr(settle, "SMALL_DAY", 2)
    patch.setattr(doctor, "PAUSE_S", 0.0)


def _database(connection: Any) -> Path:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


@functools.cache
def empty() -> Path:
    """A workspace that stories begin with, of the same secrets every time."""
    folder = Path(tempfile.mkdtemp(prefix="touchline-crash-", dir=memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Workspace.init(
        folder / "w", time_zone="UTC", write_keys={"web": "w" * 8, "app": "p" * 8}
    ).close()
    return folder / "w"


def memory() -> Path | None:
    """Where files are made fastest: nothing here depends on a disk's own syncs."""
    path = Path("/dev/shm")
    return path if os.access(path, os.W_OK) else None
