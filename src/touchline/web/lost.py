"""Visits that were led on and could not be kept → one reject that says how many, and why.

Too many came at once, or the disk was full. They are counted by source, in memory, and told once
the log takes it, so a flood of them costs one request every few seconds; a server that is told to
stop tells them first. What surprises: one that is killed meanwhile forgets them.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from touchline.collect.visit import not_kept
from touchline.errors import TouchlineError
from touchline.model import RawRequest

__all__ = ["Lost"]

TELL_S = 5.0


class Lost:
    """`keep` logs a request; it raises what keeps it from that."""

    def __init__(self, keep: Callable[[RawRequest], Awaitable[Any]]) -> None:
        self._keep = keep
        self._counts: dict[str, tuple[RawRequest, Counter[str]]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def add(self, request: RawRequest, why: Counter[str]) -> None:
        """Counts such requests; the first one of a source stands for all."""
        self._count(request, why)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tells at once what is counted; what the log does not take now is `forgotten`."""
        self._closing.set()
        if self._telling is not None:
            await asyncio.wait([self._telling])  # however it ends, the last is told
        await self._tell_once()

    @property
    def forgotten(self) -> int:
        """How many visits nothing on disk tells of, by now."""
        return sum(why.total() for _, why in self._counts.values())

    def _count(self, request: RawRequest, why: Counter[str]) -> None:
        self._counts.setdefault(request.source, (request, Counter()))[1].update(why)

    async def _tell(self) -> None:
        while self._counts and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), TELL_S)
                return
            await self._tell_once()

    async def _tell_once(self) -> None:
        for source, (request, why) in list(self._counts.items()):
            told = why.copy()  # others may be counted while this waits for the disk
            with contextlib.suppress(TouchlineError):
                await self._keep(not_kept(request, told))
                rest = why - told
                del self._counts[source]
                if rest:
                    self._counts[source] = (request, rest)
