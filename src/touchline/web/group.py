"""Requests that wait on the event loop → one group for the log, one wake-up when it is on disk.

While a group is being synced the next one gathers, so the busier the server the larger the groups.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from touchline.errors import Unavailable
from touchline.storage.log import Log

__all__ = ["Group"]


class Group:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._payloads: list[bytes] = []
        self._futures: list[asyncio.Future[int]] = []
        self._is_flying = False

    def append(self, payload: bytes) -> asyncio.Future[int]:
        """Resolves to the payload's offset in log order, or fails with Unavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._payloads.append(payload)
        self._futures.append(future)
        if not self._is_flying:
            self._is_flying = True
            loop.call_soon(self._fly, loop)  # lets what arrived in the same moment come along
        return future

    def _fly(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._payloads:
            self._is_flying = False
            return
        payloads, self._payloads = self._payloads, []
        futures, self._futures = self._futures, []

        def done(result: Sequence[int] | Unavailable) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                loop.call_soon_threadsafe(self._land, loop, futures, result)

        self._log.extend(payloads, done)

    def _land(
        self,
        loop: asyncio.AbstractEventLoop,
        futures: list[asyncio.Future[int]],
        result: Sequence[int] | Unavailable,
    ) -> None:
        if isinstance(result, Unavailable):
            for future in futures:
                if not future.cancelled():
                    future.set_exception(Unavailable(result.code, **result.params))
        else:
            for future, offset in zip(futures, result, strict=True):
                if not future.cancelled():
                    future.set_result(offset)
        # Two turns of the loop: the answers go out and what has arrived is read. On an idle loop
        # that is no time, on a busy one the next group is larger and costs a tenth less.
        loop.call_soon(loop.call_soon, self._fly, loop)
