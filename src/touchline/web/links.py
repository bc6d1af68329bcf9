"""Codes of short links and nodes of people as the collector knows them: read from State when first
asked for, then kept.

All that is missing at a moment is read at once, in one thread, so a flood of made-up codes costs
one reader. What was found stays good when State cannot be read: who has a link in hand is led on.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from touchline.errors import Unavailable

__all__ = ["Shelf"]

FRESH_S = 30.0  # then it is read again, beside the requests that still get it as it was
GONE_S = 1.0  # what was not there is asked for again: a link just made is good at once
KEPT = 50_000
AT_ONCE = 500

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Shelf(Generic[Key, Value]):
    """Values by their keys. `read` gives those of many keys that are there; it may block."""

    def __init__(self, read: Callable[[Collection[Key]], Mapping[Key, Value]]) -> None:
        self._read = read
        self._kept: dict[Key, tuple[Value | None, float]] = {}
        self._asked: dict[Key, asyncio.Future[bool]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        """None when there is none. Raises Unavailable for one never seen while none can be read."""
        value, at = self._kept.get(key, (None, -GONE_S))
        age = time.monotonic() - at
        if age < (GONE_S if value is None else FRESH_S):
            return value
        answer = self._ask(key)
        if value is not None:
            return value
        if not await asyncio.shield(answer):
            raise Unavailable("busy")
        return self._kept.get(key, (None, 0.0))[0]

    def _ask(self, key: Key) -> asyncio.Future[bool]:
        """Whether it could be read, once it was tried."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on())
        return asked

    async def _read_on(self) -> None:
        while self._asked:
            keys = list(self._asked)[:AT_ONCE]
            try:
                found = await asyncio.to_thread(self._read, keys)
            except Exception:  # noqa: BLE001  # whatever ails State, visitors go on
                self._tell(keys, is_read=False)
                continue
            now = time.monotonic()
            for key in keys:
                self._kept.pop(key, None)
                self._kept[key] = found.get(key), now
            self._forget()
            self._tell(keys, is_read=True)

    def _tell(self, keys: Collection[Key], *, is_read: bool) -> None:
        for key in keys:
            asked = self._asked.pop(key)
            if not asked.done():
                asked.set_result(is_read)

    def _forget(self) -> None:
        """The half that was read longest ago, once there are too many."""
        if len(self._kept) > KEPT:
            for key in list(self._kept)[: KEPT // 2]:
                del self._kept[key]
