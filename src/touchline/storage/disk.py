"""Bytes and names → on disk, so that a power cut leaves them as they are now.

What surprises: a file that is synced has no name until its folder is synced as well, and a folder
none until the one above it is.
"""

import contextlib
import ctypes
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from touchline.errors import BadInput

__all__ = ["Disk", "check_links", "is_full", "make_folder", "put", "sync", "sync_all"]

FEW_FILES = 16
_libc = ctypes.CDLL(None, use_errno=True)


class Disk(Protocol):
    """What the log needs of `os`, so that tests can fail each call."""

    def open(self, path: Path, flags: int, mode: int = 0o777, /) -> int: ...
    def write(self, fd: int, data: memoryview, /) -> int: ...
    def fsync(self, fd: int, /) -> None: ...
    def truncate(self, path: Path, length: int, /) -> None: ...
    def unlink(self, path: Path, /) -> None: ...
    def close(self, fd: int, /) -> None: ...


def sync(path: Path, disk: Disk = os) -> None:
    """What a file holds, or which names a folder does."""
    fd = disk.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.fsync(fd)
    finally:
        disk.close(fd)


def sync_all(paths: Sequence[Path], root: Path) -> None:
    """Files below `root` and their names. Beyond a few, one call for the whole file system is
    faster than two for every file.
    """
    if len(paths) > FEW_FILES and hasattr(_libc, "syncfs"):
        _sync_file_system(root)
        return
    for path in paths:
        sync(path)
    for folder in {path.parent for path in paths} | ({root} if paths else set()):
        sync(folder)


def _sync_file_system(root: Path) -> None:
    handle = os.open(root, os.O_RDONLY)
    try:
        if _libc.syncfs(handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Makes a folder and those above it, each with its name on disk; one that is there stays."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(mode=mode, exist_ok=True)
    with contextlib.suppress(PermissionError):  # whoever made one where we may not look
        sync(path.parent)


def put(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Writes a file as a whole: a reader, and the next start, finds the old one or the new one."""
    partial = path.with_name(path.name + ".part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)


def is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def check_links(folder: Path) -> None:
    """Raises BadInput where a file cannot have two names, as on SMB and exFAT: a commit to the lake
    is made by giving it one, so that would fail only then. A full disk is for others to tell of.
    """
    probe, second = folder / ".probe", folder / ".probe.link"
    with contextlib.suppress(OSError):
        second.unlink(missing_ok=True)  # of one that was killed
        probe.touch()
        try:
            os.link(probe, second)
        except OSError as error:
            if not is_full(error):
                raise BadInput("no_hard_links", path=folder, why=error.strerror) from error
        finally:
            probe.unlink(missing_ok=True)
            second.unlink(missing_ok=True)


def is_full(error: OSError) -> bool:
    """Whether a disk is full; delta-rs says so in words only."""
    codes = (errno.ENOSPC, errno.EDQUOT)
    return error.errno in codes or any(f"(os error {code})" in str(error) for code in codes)
