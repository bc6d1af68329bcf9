"""A disk that fails, fills up or loses power: real files, and beside them what a power cut leaves.

Of every file it knows the bytes of its last sync, and of every folder the names. A power cut keeps
those; of all that came later each name and each block of 64 bytes may have reached the disk or not,
whatever the order. That is harsher than a journaling file system, on which names keep their order.

A sync that failed is believed by nobody: what it should have written counts as clean from then on,
as in Linux, and is lost although the next sync succeeds.
"""

import errno
import os
import random
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

BLOCK = 64
CALLS = ("open", "write", "fsync", "fdatasync", "truncate", "unlink", "remove", "rename", "replace")
CALLS += ("link", "mkdir", "rmdir")
REAL = SimpleNamespace(**{name: getattr(os, name) for name in (*CALLS, "close")})
CREATES = os.O_CREAT | os.O_TRUNC


class CrashError(BaseException):
    """The process is gone: nothing after this call happened."""


class Disk:
    """`os` over one folder. Calls that change something are counted: number `crash_at` ends the
    process, those in `fail` (number → errno) fail; `watch` hears of each before it happens.

    Whatever is there at first counts as synced.
    """

    def __init__(self, root, *, seed=0, crash_at=None, fail=None):
        self.root = Path(root).resolve()
        self.rng = random.Random(seed)
        self.crash_at = crash_at
        self.fail: Any = {} if fail is None else fail
        self.watch: Callable[[int, str], None] = lambda number, name: None
        self.calls = 0
        self.changes = self.syncs = (
            0  # calls that changed what is seen, and what a power cut leaves
        )
        self.synced_after_failure: list[Path] = []
        self._content: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._failed: dict[int, bytes] = {}
        self._synchronous: set[int] = set()  # opened with O_DSYNC
        # A second name for every file known here: its number is not given to another one.
        self._pins = Path(tempfile.mkdtemp(prefix=".pins-", dir=self.root.parent))
        self.sync_everything()

    def sync_everything(self) -> None:
        for folder, _, files in os.walk(self.root):
            self._sync_folder(Path(folder).stat().st_ino, folder)
            for name in files:
                self.sync_file(Path(folder, name))

    def settle(self, path: Path) -> None:
        """A file is on disk as it is, with its name, or is gone."""
        names = self._names[path.parent.stat().st_ino]
        if path.exists():
            self.sync_file(path)
            inode = path.stat().st_ino
            self.syncs += names.get(path.name) != inode
            names[path.name] = inode
        elif gone := names.pop(path.name, None):
            self._unpin_if_gone(gone)

    def sync_file(self, path: Path) -> None:
        inode = path.stat().st_ino
        self._pin(inode, path)
        content = path.read_bytes()
        if inode in self._failed:
            content = _without(content, self._failed[inode], self._content.get(inode, b""))
        self.syncs += content != self._content.get(inode)
        self._content[inode] = content

    def is_synced(self, path: Path) -> bool:
        """Whether the file holds what it did at its last sync."""
        return self._content.get(path.stat().st_ino) == path.read_bytes()

    def forget(self) -> None:
        shutil.rmtree(self._pins, ignore_errors=True)

    # What stands for `os`

    def open(self, path, flags, mode=0o777, *, dir_fd=None):
        if flags & CREATES and self._is_mine(path, dir_fd):
            self._step("open")
        fd = REAL.open(path, flags & ~os.O_DSYNC, mode, dir_fd=dir_fd)
        if flags & os.O_DSYNC:
            self._synchronous.add(fd)
        return fd

    def close(self, fd, /):
        self._synchronous.discard(fd)
        REAL.close(fd)

    def write(self, fd, data, /):
        written = self._write(fd, data)
        if fd in self._synchronous:
            self.fdatasync(fd)
        return written

    def _write(self, fd, data):
        if self._path_of(fd) is None:
            return REAL.write(fd, data)
        try:
            self._step("write")
        except BaseException:  # a part of it may have been written
            REAL.write(fd, data[: self.rng.randrange(len(data) + 1)])
            raise
        return REAL.write(fd, data[: self.rng.randrange(3 * len(data)) + 1])

    def fsync(self, fd, /):
        path = self._path_of(fd)
        if path is None:
            REAL.fsync(fd)
            return
        about = os.fstat(fd)
        is_folder = stat.S_ISDIR(about.st_mode)
        if about.st_ino in self._failed:
            self.synced_after_failure.append(path)
        try:
            self._step("fsync")
        except OSError:
            if not is_folder:  # the names of a folder are the journal's, which does not forget
                self._failed[about.st_ino] = path.read_bytes()
            raise
        if is_folder:
            self._sync_folder(about.st_ino, path)
        else:
            self.sync_file(path)

    fdatasync = fsync

    def truncate(self, path, length, /):
        if self._is_mine(path):
            self._step("truncate")
        REAL.truncate(path, length)

    def unlink(self, path, *, dir_fd=None):
        if not self._is_mine(path, dir_fd):
            REAL.unlink(path, dir_fd=dir_fd)
            return
        self._step("unlink")
        inode = os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_ino
        REAL.unlink(path, dir_fd=dir_fd)
        self._unpin_if_gone(inode)

    remove = unlink

    def rename(self, source, target, **options):
        if self._is_mine(target):
            self._step("rename")
        REAL.rename(source, target, **options)

    replace = rename

    def link(self, source, target, **options):
        if self._is_mine(target):
            self._step("link")
        REAL.link(source, target, **options)

    def mkdir(self, path, mode=0o777, *, dir_fd=None):
        if not self._is_mine(path, dir_fd):
            REAL.mkdir(path, mode, dir_fd=dir_fd)
            return
        self._step("mkdir")
        REAL.mkdir(path, mode, dir_fd=dir_fd)
        self._names[os.stat(path, dir_fd=dir_fd).st_ino] = {}

    def rmdir(self, path, *, dir_fd=None):
        if self._is_mine(path, dir_fd):
            self._step("rmdir")
            inode = os.stat(path, dir_fd=dir_fd).st_ino
            self._names.pop(inode, None)
            for names in self._names.values():  # taken for gone at once: none of ours matters
                for name in [name for name, known in names.items() if known == inode]:
                    del names[name]
        REAL.rmdir(path, dir_fd=dir_fd)

    def foreign(self, name: str, call: Callable[[], Any]) -> Any:
        """A call that does its own writing. When it fails it may have done its work or not."""
        try:
            self._step(name)
        except OSError:
            if self.rng.random() < 0.5:
                call()
            raise
        return call()

    # What is left

    def after_kill(self, target: Path) -> "Disk":
        """A copy for the next process: the same files, and the same of them not yet synced."""
        shutil.copytree(self.root, target, ignore=shutil.ignore_patterns("*-shm"))
        twin = Disk(target)
        new = {
            path.stat().st_ino: (twin.root / path.relative_to(self.root)).stat().st_ino
            for path in (self.root, *self.root.rglob("*"))
            if not path.name.endswith("-shm")
        }
        known = {inode for names in self._names.values() for inode in names.values()}
        for inode in known - new.keys() - self._names.keys():  # removed, which is not synced
            kept = twin._pins / f"kept-{inode}"
            kept.write_bytes(self._content.get(inode, b""))
            new[inode] = kept.stat().st_ino
            kept.rename(twin._pins / str(new[inode]))
        twin._content = {new[i]: content for i, content in self._content.items() if i in new}
        twin._failed = {new[i]: content for i, content in self._failed.items() if i in new}
        twin._names = {
            new[folder]: {name: new[inode] for name, inode in names.items() if inode in new}
            for folder, names in self._names.items()
            if folder in new
        }
        return twin

    def after_power_cut(self, target: Path, *, chance: float, seed: object) -> "Disk":
        """What is on the disk when power returns; `chance` that something unsynced is."""
        target.mkdir()
        self._rebuild(self.root, self.root.stat().st_ino, target, _Luck(chance, seed))
        return Disk(target)

    def cut_power(self) -> None:
        """The folder itself becomes what is left of it."""
        with tempfile.TemporaryDirectory(dir=self.root.parent) as name:
            left = Path(name, "left")
            self.after_power_cut(left, chance=0.5, seed=self.rng.random()).forget()
            shutil.rmtree(self.root)
            left.rename(self.root)
        self.forget()

    def _rebuild(self, present: Path | None, inode: int, target: Path, luck: "_Luck") -> None:
        synced = self._names.get(inode, {})
        now = {} if present is None else _entries(present)
        for name in sorted(synced.keys() | now.keys()):
            if name.endswith("-shm"):
                continue
            old, new = synced.get(name), now.get(name)
            rng = luck.of(name)
            kept = new if old == new or rng.random() < luck.chance else old
            if kept is None:
                continue
            there = present / name if present is not None and kept == new else None
            if kept in self._names or (there is not None and there.is_dir()):
                (target / name).mkdir()
                self._rebuild(there, kept, target / name, luck.inside(name))
            else:
                pin = self._pins / str(kept)
                (target / name).write_bytes(self._left(kept, there or pin, rng, luck.chance))
                shutil.copystat(there or pin, target / name)

    def _left(self, inode: int, path: Path, rng: random.Random, chance: float) -> bytes:
        old, new = self._content.get(inode, b""), path.read_bytes()
        if old == new:
            return old
        size = len(new) if rng.random() < chance else rng.randint(*sorted((len(old), len(new))))
        size = size if chance else len(old)
        left = bytearray()
        for at in range(0, size, BLOCK):
            source = new if rng.random() < chance else old
            left += source[at : min(at + BLOCK, size)].ljust(min(BLOCK, size - at), b"\0")
        return bytes(left)

    def _step(self, name: str) -> None:
        number, self.calls = self.calls, self.calls + 1
        if self.crash_at is not None and number >= self.crash_at:
            raise CrashError(name)
        self.watch(number, name)
        self.changes += "sync" not in name
        if code := self.fail.get(number):
            raise OSError(code, os.strerror(code))

    def _is_mine(self, path, dir_fd=None) -> bool:
        if dir_fd is not None:
            return self._path_of(dir_fd) is not None
        return Path(path).absolute().is_relative_to(self.root)

    def _path_of(self, fd: int) -> Path | None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        return path if path.is_relative_to(self.root) else None

    def _sync_folder(self, inode: int, folder) -> None:
        before, self._names[inode] = self._names.get(inode, {}), _entries(Path(folder))
        for name, known in self._names[inode].items():
            self._pin(known, Path(folder, name))
        self.syncs += before != self._names[inode]
        for known in set(before.values()) - set(self._names[inode].values()):
            self._unpin_if_gone(known)

    def _pin(self, inode: int, path: Path) -> None:
        if not path.is_dir() and not (self._pins / str(inode)).exists():
            REAL.link(path, self._pins / str(inode))

    def _unpin_if_gone(self, inode: int) -> None:
        pin = self._pins / str(inode)
        is_named = any(inode in names.values() for names in self._names.values())
        if not is_named and pin.exists() and pin.stat().st_nlink == 1:
            REAL.unlink(pin)
            self._content.pop(inode, None)
            self._failed.pop(inode, None)


class _Luck:
    """Randomness that each file has for itself, so that none depends on how large another is."""

    def __init__(self, chance: float, seed: object) -> None:
        self.chance = chance
        self._seed = seed

    def of(self, name: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}")

    def inside(self, folder: str) -> "_Luck":
        return _Luck(self.chance, f"{self._seed}/{folder}")


class Chance:
    """Calls that fail: some in a thousand, full disks and broken ones. For `Disk(fail=...)`."""

    def __init__(self, seed: object, per_mille: int) -> None:
        self._rng = random.Random(f"fail {seed}")
        self._per_mille = per_mille

    def get(self, _number: int) -> int | None:
        draw = self._rng.randrange(1000)
        if draw >= self._per_mille:
            return None
        return errno.ENOSPC if draw % 2 else errno.EIO


def _entries(folder: Path) -> dict[str, int]:
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries}


def _without(content: bytes, failed: bytes, before: bytes) -> bytes:
    """Content less the blocks that a failed sync took for written and that did not change since."""
    kept = bytearray(content)
    for at in range(0, len(content), BLOCK):
        block, old = failed[at : at + BLOCK], before[at : at + BLOCK]
        if block and block != old and content[at : at + len(block)] == block:
            kept[at : at + len(block)] = old.ljust(len(block), b"\0")[: len(block)]
    return bytes(kept)
