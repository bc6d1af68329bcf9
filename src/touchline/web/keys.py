"""A key as sent → the source it writes for, or what it administers.

Keys live hashed in State and are kept here for a few seconds, so the receiving loop touches no
database: it looks up a hash, and only a key never seen makes it read State again, in a thread and
at most four times a second.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import Protocol

from touchline.errors import TouchlineError
from touchline.jobs.keys import ALIASES
from touchline.storage.access_key import alias_form, key_hash

__all__ = ["KeyStore", "Keys", "basic_user"]

# A revoked key is refused within 10 s: from STALE_S on keys are read again beside requests, from
# EXPIRED_S on before the next one is let in.
STALE_S = 4.0
EXPIRED_S = 8.0
PAUSE_S = 0.25
REMEMBERED = 4096
MAX_REMEMBERED = 512  # bytes of a header


class KeyStore(Protocol):
    """What is needed of a workspace."""

    def write_keys(self) -> Mapping[str, str]: ...
    def write_aliases(self) -> Mapping[str, str]: ...
    def admin_scopes(self, key: str) -> frozenset[str]: ...


class Keys:
    """The keys of one workspace."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._sources: Mapping[str, str] = store.write_keys()
        self._aliases: Mapping[str, str] = store.write_aliases()
        self._by_header: dict[bytes, str] = {}
        self._loaded_at = time.monotonic()
        self._loading: asyncio.Task[None] | None = None

    def by_header(self, authorization: bytes | None) -> str | None:
        """The source of an `Authorization` header that was accepted a moment ago."""
        if authorization is None or not self._is_fresh():
            return None
        return self._by_header.get(authorization)

    def known(self, key: str) -> str | None:
        """The source this key or alias writes for, if that can be told at once."""
        return self._find(key) if self._is_fresh() else None

    async def source(self, key: str, authorization: bytes | None = None) -> str | None:
        """The source this key or alias writes for, or None."""
        age = time.monotonic() - self._loaded_at
        if age > EXPIRED_S:
            await asyncio.shield(self._reload())
        elif age > STALE_S:
            self._reload()
        found = self._find(key)
        if found is None:
            await self._catch_up()
            if (found := self._find(key)) is None:
                return None
        if authorization is not None and self._may_remember(authorization):
            self._by_header[authorization] = found
        return found

    def _is_fresh(self) -> bool:
        age = time.monotonic() - self._loaded_at
        if age > STALE_S and age <= EXPIRED_S:
            self._reload()
        return age <= EXPIRED_S

    def _find(self, key: str) -> str | None:
        """By alias, else as one of our keys; `name:KEY` is what a protocol makes of a key of ours
        that its client was given as the name of a site.
        """
        name, _, site = key.partition(":")
        if site and name in ALIASES:
            hashed = self._aliases.get(alias_form(key))
            if hashed is not None:
                return self._sources.get(hashed)
            return self._sources.get(key_hash(key)) or self._sources.get(key_hash(site))
        return self._sources.get(key_hash(key))

    async def scopes(self, key: str) -> frozenset[str]:
        """What an admin key may do; nothing when it is none."""
        return await asyncio.to_thread(self._store.admin_scopes, key)

    def _may_remember(self, authorization: bytes) -> bool:
        return len(authorization) <= MAX_REMEMBERED and len(self._by_header) < REMEMBERED

    async def _catch_up(self) -> None:
        """Reads State as it is now, so that a key just made is good; seldom, so that a flood of
        unknown ones costs no more than one.
        """
        asked = time.monotonic()
        pause = self._loaded_at + PAUSE_S - asked
        if pause > 0:
            await asyncio.sleep(pause)
        is_loading = self._loading is not None and not self._loading.done()
        if self._loaded_at <= asked or is_loading:
            await asyncio.shield(self._reload())

    def _reload(self) -> asyncio.Task[None]:
        if self._loading is None or self._loading.done():
            self._loaded_at = time.monotonic()
            self._loading = asyncio.create_task(self._load())
        return self._loading

    async def _load(self) -> None:
        try:
            sources, aliases = await asyncio.to_thread(self._read)
        except (TouchlineError, OSError):
            return  # what was known stays good: receiving goes on while State cannot be read
        self._sources, self._aliases = sources, aliases
        self._by_header.clear()

    def _read(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return self._store.write_keys(), self._store.write_aliases()


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
