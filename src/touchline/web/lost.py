"""Visits that were led on and could not be kept → one reject that says how many, and why.

Too many came at once, or the disk was full. They are counted by source, in memory, and told once
the log takes it, so a flood of them costs one request every few seconds. What surprises: a server
that is killed meanwhile forgets them.
"""

import asyncio
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

    def add(self, request: RawRequest, why: Counter[str]) -> None:
        """Counts such requests; the first one of a source stands for all."""
        self._counts.setdefault(request.source, (request, Counter()))[1].update(why)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._counts:
            await asyncio.sleep(TELL_S)
            counts, self._counts = self._counts, {}
            for request, why in counts.values():
                try:
                    await self._keep(not_kept(request, why))
                except TouchlineError:
                    self.add(request, why)
