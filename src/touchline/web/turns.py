"""Work of many sources on one event loop: none has more than a slice of each round of it.

A flood of large requests would else be read in one go, with everybody behind it. What is beyond the
slice waits for the next round of the loop, in which whatever came in meanwhile is served as well.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Turns"]

SLICE_S = 0.004

Result = TypeVar("Result")


class Turns:
    def __init__(self) -> None:
        self._spent = defaultdict[str, float](float)
        self._round: asyncio.Future[None] | None = None
        self._threads = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def run(self, source: str, work: Callable[[], Result]) -> Result:
        """The result of work that is done here, on the loop."""
        while self._spent[source] > SLICE_S:
            await self._next_round()
        start = time.perf_counter()
        try:
            return work()
        finally:
            self._spent[source] += time.perf_counter() - start

    async def run_aside(self, source: str, work: Callable[[], Result]) -> Result:
        """The result of work that is too long for the loop: in a thread, one of each source."""
        async with self._threads[source]:
            return await asyncio.to_thread(work)

    def _next_round(self) -> asyncio.Future[None]:
        if self._round is None:
            loop = asyncio.get_running_loop()
            self._round = loop.create_future()
            loop.call_soon(self._begin)
        return self._round

    def _begin(self) -> None:
        self._spent.clear()
        if self._round is not None and not self._round.done():
            self._round.set_result(None)
        self._round = None
