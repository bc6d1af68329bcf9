"""Requests that wait on the event loop → one group for the log, one wake-up when it is on disk.

While a group is being synced the next one gathers, so the busier the server the larger the groups.
A busy server waits a moment longer: each group costs two changes of thread and a sync, which are
dearer than all else when shared by few. It waits for half as many as came last time, so that while
one half is on its way to the disk the loop has the other to work on.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import cached_property

from touchline.collect.body import MAX_BODY
from touchline.errors import BadInput, Unavailable
from touchline.storage.log import MAX_PAYLOAD, Log

__all__ = ["Group"]

FEW = 4  # a group up to this size is no sign of a busy server
GATHER_S = 0.002


class Group:
    """Of one event loop: the one it first appends in."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._payloads: list[bytes] = []
        self._futures: list[asyncio.Future[int]] = []
        self._is_flying = False
        self._enough = 0  # of this many the gathering waits for no more
        self._gathering: asyncio.TimerHandle | None = None

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()  # asks the kernel for our process id each time

    def append(self, payload: bytes) -> asyncio.Future[int]:
        """Resolves to the payload's offset in log order, or fails with Unavailable.

        Raises BadInput("body_too_large") for a payload that no frame holds.
        """
        if len(payload) > MAX_PAYLOAD:
            raise BadInput("body_too_large", limit=MAX_BODY)
        future: asyncio.Future[int] = self._loop.create_future()
        self._payloads.append(payload)
        self._futures.append(future)
        if not self._is_flying:
            self._is_flying = True
            self._loop.call_soon(self._fly)  # lets what arrived in the same moment come along
        elif self._gathering is not None and len(self._payloads) >= self._enough:
            self._gathering.cancel()
            self._fly()
        return future

    def _fly(self) -> None:
        self._gathering = None
        if not self._payloads:
            self._is_flying = False
            return
        payloads, self._payloads = self._payloads, []
        futures, self._futures = self._futures, []

        def done(result: Sequence[int] | Unavailable) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                self._loop.call_soon_threadsafe(self._land, futures, result)

        self._log.extend(payloads, done)

    def _land(
        self, futures: list[asyncio.Future[int]], result: Sequence[int] | Unavailable
    ) -> None:
        if isinstance(result, Unavailable):
            for future in futures:
                if not future.cancelled():
                    future.set_exception(Unavailable(result.code, **result.params))
        else:
            for future, offset in zip(futures, result, strict=True):
                if not future.cancelled():
                    future.set_result(offset)
        if len(futures) > FEW:
            self._enough = len(futures) // 2
            self._gathering = self._loop.call_later(GATHER_S, self._fly)
        else:
            self._fly()
