"""A key as sent → the source it writes for, or whether it administers.

Keys live hashed in State and are kept here for a few seconds, so the receiving loop touches no
database: it looks up a hash, and only a key never seen makes it read State again, in a thread and
at most once a second.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import Protocol

from touchline.errors import TouchlineError
from touchline.storage.workspace import key_hash

__all__ = ["KeyStore", "Keys", "basic_user"]

STALE_S = 10.0
PAUSE_S = 1.0
REMEMBERED = 4096


class KeyStore(Protocol):
    """What is needed of a workspace."""

    def write_keys(self) -> Mapping[str, str]: ...
    def is_admin(self, key: str) -> bool: ...


class Keys:
    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._sources: Mapping[str, str] = store.write_keys()
        self._by_header: dict[bytes, str] = {}
        self._loaded_at = time.monotonic()
        self._loading: asyncio.Task[None] | None = None

    def by_header(self, authorization: bytes | None) -> str | None:
        """The source of an `Authorization` header that was accepted a moment ago."""
        if time.monotonic() - self._loaded_at > STALE_S:
            self._reload()
        return None if authorization is None else self._by_header.get(authorization)

    async def source(self, key: str, authorization: bytes | None = None) -> str | None:
        """The source this key writes for, or None."""
        hashed = key_hash(key)
        found = self._sources.get(hashed)
        if found is None and time.monotonic() - self._loaded_at > PAUSE_S:
            await asyncio.shield(self._reload())
            found = self._sources.get(hashed)
        if found is not None and authorization is not None and len(self._by_header) < REMEMBERED:
            self._by_header[authorization] = found
        return found

    async def is_admin(self, key: str) -> bool:
        return await asyncio.to_thread(self._store.is_admin, key)

    def _reload(self) -> asyncio.Task[None]:
        if self._loading is None or self._loading.done():
            self._loaded_at = time.monotonic()
            self._loading = asyncio.create_task(self._load())
        return self._loading

    async def _load(self) -> None:
        try:
            sources = await asyncio.to_thread(self._store.write_keys)
        except (TouchlineError, OSError):
            return  # what was known stays good: receiving goes on while State cannot be read
        self._sources = sources
        self._by_header.clear()


def basic_user(authorization: bytes) -> str | None:
    """The user name of a Basic header; None for other schemes, nonsense or an empty name."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, _, _ = base64.b64decode(encoded, validate=True).partition(b":")
        return user.decode() or None
    except (binascii.Error, ValueError):
        return None
