"""Payloads → frames on disk, answered after the disk has them. One process appends, any may read.

    DIR/log/{base:020d}.log   frames (see `frames`); base is the offset of the file's first byte

One thread writes everything that waits in one synchronous write (group commit). The surprise:
a failed write or sync is never tried again on that file, for Linux may call lost pages clean
afterwards. The segment is closed, those waiting are told, and the next one begins behind all bytes
that were ever written, so an offset means one frame for ever.
"""

import contextlib
import fcntl
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self

from touchline import clock
from touchline.errors import Unavailable
from touchline.storage.disk import Disk, is_full, sync
from touchline.storage.frames import (
    MAX_PAYLOAD,
    Frame,
    at,
    drop,
    encode,
    end_offset,
    log_folder,
    read,
    segment_path,
    segments,
    whole_size,
)

__all__ = ["MAX_PAYLOAD", "Frame", "Log", "drop", "end_offset", "read"]

SEGMENT_BYTES = 64 << 20
SEGMENT_AGE_US = 6 * 3600 * clock.US  # raw requests are dropped by the segment: keep it short
GROUP_BYTES = 8 << 20
RETRY_S = 0.5  # after a failure: refuse at once for this long, then try a new segment
IDLE_S = 60.0

Done = Callable[[Sequence[int] | Unavailable], None]


class Tail:
    """The end of the log: where the next group goes. Knows nothing of threads."""

    def __init__(self, folder: Path, base: int, disk: Disk) -> None:
        self.folder = folder
        self.disk = disk
        self.base = base
        self.size = 0
        self._acknowledged = 0
        self._opened_us = 0
        self._fd: int | None = None

    @classmethod
    def recover(cls, folder: Path, floor: int, disk: Disk) -> "Tail":
        """Cuts what the last process left half-written; goes on behind it, at `floor` at least."""
        end = 0
        if listed := segments(folder):
            base, path = listed[-1]
            size = whole_size(path, base)
            if path.stat().st_size > size:
                disk.truncate(path, size)
            sync(path, disk)
            end = base + size
        sync(folder, disk)
        return cls(folder, max(end, floor), disk)

    def write(self, payloads: Sequence[bytes]) -> list[int]:
        """Offsets of the payloads, once they are on disk. Raises OSError: none of them count."""
        try:
            fd = self._begin() if self._fd is None or self.is_due else self._fd
            return self._append(fd, payloads)
        except BaseException:
            self._abandon()
            raise

    @property
    def is_due(self) -> bool:
        """Whether the segment is full, or holds requests that should not wait for company."""
        age = clock.now_us() - self._opened_us
        return self.size >= SEGMENT_BYTES or (self.size > 0 and age >= SEGMENT_AGE_US)

    def _begin(self) -> int:
        """The next segment; its name is on disk before any frame in it is acknowledged."""
        self.close()
        self.base, self.size, self._acknowledged = self.base + self.size, 0, 0
        path = segment_path(self.folder, self.base)
        # A write then returns when it is on disk, or fails: one call, and one wait for Python's
        # lock, less than with a sync of its own.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC | os.O_CLOEXEC
        self._fd = fd = self.disk.open(path, flags, 0o600)
        self._opened_us = clock.now_us()
        sync(self.folder, self.disk)
        return fd

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):  # what was promised is synced already
                self.disk.close(fd)

    def _append(self, fd: int, payloads: Sequence[bytes]) -> list[int]:
        now, offset = clock.now_us(), self.base + self.size
        offsets: list[int] = []
        frames: list[bytes] = []
        for payload in payloads:
            frame = encode(payload, offset, now)
            offsets.append(offset)
            frames.append(frame)
            offset += len(frame)
        rest = memoryview(b"".join(frames))
        while rest:
            try:
                written = self.disk.write(fd, rest)
            except BaseException:
                self.size += len(rest)  # a write whose sync failed may have left any part of it
                raise
            self.size += written
            rest = rest[written:]
        self._acknowledged = self.size
        return offsets

    def _abandon(self) -> None:
        """Gives the segment up. One without an acknowledged frame is removed: nothing is owed."""
        self.close()
        if not self._acknowledged:
            with contextlib.suppress(OSError):
                self.disk.unlink(segment_path(self.folder, self.base))


class Log:
    """Appends to the log of a workspace; only one process may, others `read`."""

    def __init__(self, tail: Tail, lock: int) -> None:
        self._tail = tail
        self._lock = lock
        self._closing = False
        self._retry_at = 0.0
        self._waiting: queue.SimpleQueue[tuple[Sequence[bytes], Done] | None] = queue.SimpleQueue()
        self.failure: Unavailable | None = None  # why the last write failed; None when it did not
        self._writer = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, workspace_dir: Path, *, floor: int = 0, disk: Disk = os) -> "Log":
        """`floor`: how far the log had been read and committed. Offsets go on behind that, even
        when a power cut took bytes that a reader had already seen.
        """
        folder = log_folder(workspace_dir)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            sync(workspace_dir, disk)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unavailable(error, folder) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(Tail.recover(folder, floor, disk), lock)
        except BlockingIOError:
            os.close(lock)
            raise Unavailable("already_served", path=workspace_dir) from None
        except OSError as error:
            os.close(lock)
            raise _unavailable(error, folder) from error

    @property
    def end(self) -> int:
        """The offset behind the last frame written."""
        return self._tail.base + self._tail.size

    def append(self, payload: bytes) -> "Future[int]":
        """The payload's offset, once it is on disk. Thread-safe; fails with Unavailable."""
        future: Future[int] = Future()

        def done(result: Sequence[int] | Unavailable) -> None:
            if isinstance(result, Unavailable):
                future.set_exception(result)
            else:
                future.set_result(result[0])

        self.extend([payload], done)
        return future

    def extend(self, payloads: Sequence[bytes], done: Done) -> None:
        """Appends several in one group; `done` gets their offsets, or why none was kept.

        `done` runs in the writer's thread, must be quick and must not raise.
        """
        if max(map(len, payloads), default=0) > MAX_PAYLOAD:
            raise ValueError(MAX_PAYLOAD)
        if self._closing:
            done(Unavailable("log_closed"))
        else:
            self._waiting.put((payloads, done))

    def payload(self, offset: int) -> bytes | None:
        """What was appended at `offset`; None when its segment has been dropped."""
        frame = at(self._tail.folder.parent, offset)
        return None if frame is None else frame.payload

    def close(self) -> None:
        """Writes what waits, then lets the next process append."""
        if not self._closing:
            self._closing = True
            self._waiting.put(None)
            self._writer.join()
            while not self._waiting.empty():  # came in while closing
                if (late := self._waiting.get()) is not None:
                    late[1](Unavailable("log_closed"))
            self._tail.close()
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            try:
                first = self._waiting.get(timeout=RETRY_S if self.failure else IDLE_S)
            except queue.Empty:
                self._idle()
                continue
            if first is None:
                return
            group, size, is_last = [first], sum(map(len, first[0])), False
            while size < GROUP_BYTES and not is_last:
                try:
                    entry = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    is_last = True
                else:
                    group.append(entry)
                    size += sum(map(len, entry[0]))
            self._write(group)
            if is_last:
                return

    def _write(self, group: Sequence[tuple[Sequence[bytes], Done]]) -> None:
        offsets = self._try([payload for payloads, _ in group for payload in payloads])
        start = 0
        for payloads, done in group:
            if isinstance(offsets, Unavailable):
                done(Unavailable(offsets.code, **offsets.params))
            else:
                done(offsets[start : start + len(payloads)])
                start += len(payloads)

    def _try(self, payloads: Sequence[bytes]) -> Sequence[int] | Unavailable:
        if self.failure is not None and time.monotonic() < self._retry_at:
            return self.failure
        try:
            offsets = self._tail.write(payloads)
        except OSError as error:
            self.failure = _unavailable(error, self._tail.folder)
            self._retry_at = time.monotonic() + RETRY_S
            return self.failure
        self.failure = None
        return offsets

    def _idle(self) -> None:
        """After a failure: finds out by an empty frame, which readers skip, whether it is over."""
        if self.failure is not None or self._tail.is_due:
            self._try([b""])


def _unavailable(error: OSError, path: Path) -> Unavailable:
    if is_full(error):
        return Unavailable("disk_full", path=path)
    return Unavailable("log_failed", path=path, why=error.strerror or str(error))
