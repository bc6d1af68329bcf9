"""Ids and their hashes, 16 bytes each → one sorted file that is never changed: part of an index.

    magic (8 bytes) | count (u64) | first halves (u64 each) | second halves | hashes

The file is mapped, not read: a lookup touches a few pages, which the system keeps as it has memory.
Ids have to be spread evenly, as the output of a hash function is.
"""

import itertools
import mmap
import os
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from touchline.storage.disk import sync

__all__ = ["Entries", "SortedRun", "merged", "write_run"]

MAGIC = b"TLRUN\0\0\1"
HEADER = struct.Struct("<8sQ")
ENTRY = 32
PIECE = 1 << 18  # entries that are merged at once

U64 = npt.NDArray[np.uint64]


class Entries:
    """Columns of one length: both halves of each id as numbers, and hashes of shape (n, 16)."""

    def __init__(self, first: U64, second: U64, hashes: npt.NDArray[np.uint8]) -> None:
        self.first, self.second, self.hashes = first, second, hashes

    @classmethod
    def of(cls, ids: Collection[bytes], hashes: Collection[bytes] = ()) -> "Entries":
        halves = np.frombuffer(b"".join(ids), ">u8").astype(np.uint64).reshape(-1, 2)
        rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 16)
        return cls(halves[:, 0], halves[:, 1], rows)

    def pairs(self) -> Iterator[tuple[bytes, bytes]]:
        ids = np.stack([self.first, self.second], axis=1).astype(">u8")
        return zip(map(bytes, ids), map(bytes, self.hashes), strict=True)

    @classmethod
    def joined(cls, parts: Sequence["Entries"]) -> "Entries":
        columns = zip(*((p.first, p.second, p.hashes) for p in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, which: Any) -> "Entries":
        return Entries(self.first[which], self.second[which], self.hashes[which])

    def in_order(self) -> "Entries":
        return self[np.argsort(self.first, kind="stable")]


class SortedRun:
    """Raises ValueError or OSError when the file is no whole run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        data = np.frombuffer(self._map, np.uint8)
        magic, count = HEADER.unpack(data[: HEADER.size].tobytes().ljust(HEADER.size, b"\0"))
        if magic != MAGIC or len(data) != HEADER.size + count * ENTRY:
            raise ValueError(f"{path} is no run of ids")
        first, second, hashes = np.split(data[HEADER.size :], [8 * count, 16 * count])
        self._entries = Entries(
            first.view(np.uint64), second.view(np.uint64), hashes.reshape(count, 16)
        )

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, asked: Entries) -> npt.NDArray[np.int64]:
        """Where each id of `asked` is, -1 where it is not. Quicker when they are in order."""
        mine = self._entries
        at = np.searchsorted(mine.first, asked.first)
        inside = np.minimum(at, len(mine) - 1)
        near = mine.first[inside] == asked.first
        is_same = near & (mine.second[inside] == asked.second)
        found = np.where(is_same, inside, -1)
        # Two ids with one first half are rarer than broken disks; they are told apart all the same.
        for i in np.flatnonzero(near & ~is_same):
            last = np.searchsorted(mine.first, asked.first[i], "right")
            same = np.flatnonzero(mine.second[at[i] : last] == asked.second[i])
            found[i] = at[i] + same[0] if len(same) else -1
        return found

    def hashes_at(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return self._entries.hashes[places]

    def between(self, edges: U64) -> Iterator[Entries]:
        """All entries, cut where the first half of an id reaches an edge."""
        cuts = [0, *np.searchsorted(self._entries.first, edges), len(self)]
        for start, stop in itertools.pairwise(cuts):
            yield self._entries[start:stop]
            self._map.madvise(mmap.MADV_DONTNEED)  # or all of it would count as our memory


def merged(runs: Sequence[SortedRun]) -> tuple[int, Iterator[Entries]]:
    """How many entries runs have together, and all of them in order, some at a time."""
    count = sum(map(len, runs))
    parts = count // PIECE + 1
    edges = np.array([(i << 64) // parts for i in range(1, parts)], np.uint64)
    pieces = zip(*(run.between(edges) for run in runs), strict=True)
    return count, (Entries.joined(piece).in_order() for piece in pieces)


def write_run(path: Path, count: int, pieces: Iterable[Entries]) -> SortedRun:
    """A run of that many entries, which come in order. It gets its name when all is on disk."""
    partial = path.with_suffix(".part")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        _write(fd, 0, HEADER.pack(MAGIC, count))
        done = 0
        for piece in pieces:
            for start, width, column in (
                (0, 8, piece.first),
                (8, 8, piece.second),
                (16, 16, piece.hashes),
            ):
                _write(fd, HEADER.size + start * count + width * done, column.tobytes())
            done += len(piece)
        os.fsync(fd)
    finally:
        os.close(fd)
    partial.replace(path)
    sync(path.parent)
    return SortedRun(path)


def _write(fd: int, start: int, data: bytes) -> None:
    os.lseek(fd, start, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
