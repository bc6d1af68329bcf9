"""The root key, and the change from one to the next: files of the secrets' folder.

    root.key      wraps the data keys of nodes, and the payload key
    root.old      the root key of before, only while a change goes on
    payload.key   seals what belongs to no node; wrapped, so that a change leaves what it sealed

What surprises: other processes hold the keys in memory while they change. So who wraps looks first
whether the file is another one, and who cannot unwrap reads the files again.
"""

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from touchline.errors import BadInput
from touchline.storage.disk import put, sync

__all__ = ["KEY", "NONCE", "RootKey", "destroyed", "read_key"]

NONCE = 12
KEY = 32
PLACE = b"payload"


class RootKey:
    """Wraps and unwraps; of several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._path, self._old = folder / "root.key", folder / "root.old"
        self._payload = folder / "payload.key"
        self._sign: tuple[int, int] = (0, 0)
        self._keys: Sequence[AESGCM] = ()
        self._load()

    @staticmethod
    def create(folder: Path) -> None:
        """Existing files stay: a payload key that is missing beside a root key is that one."""
        if (folder / "root.key").exists():
            return
        root = secrets.token_bytes(KEY)
        put(folder / "payload.key", _wrapped(AESGCM(root), secrets.token_bytes(KEY), PLACE), 0o600)
        put(folder / "root.key", root, 0o600)

    def wrap(self, clear: bytes, place: bytes) -> bytes:
        if self._seen() != self._sign:
            self._load()
        return _wrapped(self._keys[0], clear, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Raises BadInput("wrong_secrets")."""
        for is_again in (False, True):
            if is_again:
                self._load()
            for key in self._keys:
                with contextlib.suppress(InvalidTag, ValueError):
                    return key.decrypt(wrapped[:NONCE], wrapped[NONCE:], place)
        raise BadInput("wrong_secrets")

    def is_current(self, wrapped: bytes, place: bytes) -> bool:
        """Whether it is wrapped by the root key of now, and not by the one of before."""
        try:
            self._keys[0].decrypt(wrapped[:NONCE], wrapped[NONCE:], place)
        except (InvalidTag, ValueError):
            return False
        return True

    def payload(self) -> bytes:
        """The payload key; it never changes."""
        if not self._payload.exists():  # a workspace of before: its root key was both
            return read_key(self._old if self._old.exists() else self._path)
        return self.unwrap(self._payload.read_bytes(), PLACE)

    @property
    def is_changing(self) -> bool:
        return self._old.exists()

    def begin(self) -> None:
        """A new root key is in force; the old one is kept for what it has wrapped. May be done
        again after it was cut short: one that was begun is the one that goes on.
        """
        if not self._old.exists():
            put(self._old, read_key(self._path), 0o600)
        if not self._payload.exists():
            own = read_key(self._old)
            put(self._payload, _wrapped(AESGCM(own), own, PLACE), 0o600)
        if read_key(self._path) == read_key(self._old):
            put(self._path, secrets.token_bytes(KEY), 0o600)
        self._load()
        payload = self.unwrap(self._payload.read_bytes(), PLACE)
        if not self.is_current(self._payload.read_bytes(), PLACE):
            put(self._payload, self.wrap(payload, PLACE), 0o600)

    def begun_us(self) -> int:
        """Since when the root key is in force."""
        return self._path.stat().st_mtime_ns // 1000

    def end(self) -> None:
        """Destroys the old one: nothing may be wrapped by it any more."""
        destroyed(self._old)
        self._load()

    def _seen(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError as error:
            raise BadInput("secrets_missing", path=self._path) from error
        return found.st_ino, found.st_mtime_ns

    def _load(self) -> None:
        sign = self._seen()  # first: what is read may be newer, never older
        keys = [read_key(self._path)]
        with contextlib.suppress(FileNotFoundError):
            keys.append(self._old.read_bytes())
        self._keys, self._sign = [AESGCM(key) for key in dict.fromkeys(keys)], sign


def destroyed(path: Path) -> None:
    """Overwrites a file before it goes, as far as its file system writes in place."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b", buffering=0) as file:
            file.write(bytes(path.stat().st_size))
            os.fsync(file.fileno())
        path.unlink()
        sync(path.parent)


def read_key(path: Path) -> bytes:
    try:
        value = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput("secrets_missing", path=path) from error
    if len(value) != KEY:
        raise BadInput("secrets_missing", path=path)
    return value


def _wrapped(root: AESGCM, clear: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + root.encrypt(nonce, clear, place)
