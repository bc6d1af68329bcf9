"""Requests that wait on the event loop → one group for the log, one wake-up when it is on disk.

While a group is being synced the next one gathers, so the busier the server the larger the groups.
A busy server waits a moment longer: each group costs two changes of thread and a sync, which are
dearer than all else when shared by few. It waits for half as many as came last time, so that while
one half is on its way to the disk the loop has the other to work on.

What is to be done with each of a group is done in one go, before it leaves and when it has landed:
the same work, spread between requests as they come in, takes a third longer.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

from touchline.collect.body import MAX_BODY
from touchline.errors import BadInput, Unavailable
from touchline.storage.log import MAX_PAYLOAD, Log

__all__ = ["Entry", "Group"]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)
FEW = 4  # a group up to this size is no sign of a busy server
GATHER_S = 0.002


class Entry(Protocol[T_co]):
    """A request on its way to the log. What either method raises is its sender's alone."""

    def payload(self) -> bytes:
        """What is logged, just before it is."""
        ...

    def told(self, offset: int) -> T_co:
        """What its sender is told, once it is on disk there."""
        ...


class Waiter(Protocol[T_contra]):
    """Who is to be told: a future, or what needs none."""

    def cancelled(self) -> bool: ...
    def set_result(self, result: T_contra, /) -> None: ...
    def set_exception(self, exception: Exception, /) -> None: ...


_Waiting = tuple[Entry[Any], Waiter[Any]]


class Group:
    """Of one event loop: the one it first appends in."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._waiting: list[_Waiting] = []
        self._is_flying = False
        self._enough = 0  # of this many the gathering waits for no more
        self._gathering: asyncio.TimerHandle | None = None

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()  # asks the kernel for our process id each time

    def append(self, entry: Entry[T]) -> asyncio.Future[T]:
        """Resolves to what its sender is told, or fails: with Unavailable when it could not be
        logged, with BadInput("body_too_large") when no frame holds it.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self.put(entry, future)
        return future

    def put(self, entry: Entry[T], waiter: Waiter[T]) -> None:
        """As `append`, for one who waits in another way."""
        self._waiting.append((entry, waiter))
        if not self._is_flying:
            self._is_flying = True
            self._loop.call_soon(self._fly)  # lets what arrived in the same moment come along
        elif self._gathering is not None and len(self._waiting) >= self._enough:
            self._gathering.cancel()
            self._fly()

    def _fly(self) -> None:
        self._gathering = None
        waiting, self._waiting = self._waiting, []
        payloads: list[bytes] = []
        flying: list[_Waiting] = []
        for each in waiting:
            entry, waiter = each
            try:
                payloads.append(_payload(entry))
            except Exception as error:  # noqa: BLE001  # one must not keep the others
                _fail(waiter, error)
            else:
                flying.append(each)
        if not flying:
            self._is_flying = False
            return

        def done(result: Sequence[int] | Unavailable) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                self._loop.call_soon_threadsafe(self._land, flying, result)

        self._log.extend(payloads, done)

    def _land(self, flying: list[_Waiting], result: Sequence[int] | Unavailable) -> None:
        if isinstance(result, Unavailable):
            for _, waiter in flying:
                _fail(waiter, Unavailable(result.code, **result.params))
        else:
            for (entry, waiter), offset in zip(flying, result, strict=True):
                try:
                    told = entry.told(offset)
                except Exception as error:  # noqa: BLE001  # one must not keep the others
                    _fail(waiter, error)
                else:
                    if not waiter.cancelled():
                        waiter.set_result(told)
        if len(flying) > FEW:
            self._enough = len(flying) // 2
            self._gathering = self._loop.call_later(GATHER_S, self._fly)
        else:
            self._fly()


def _payload(entry: Entry[Any]) -> bytes:
    payload = entry.payload()
    if len(payload) > MAX_PAYLOAD:
        raise BadInput("body_too_large", limit=MAX_BODY)
    return payload


def _fail(waiter: Waiter[Any], error: Exception) -> None:
    if not waiter.cancelled():
        waiter.set_exception(error)
