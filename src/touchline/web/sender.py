"""A source as the collector knows it: how much it may send, and how much of it is in memory.

Events are a token bucket that may be overdrawn by one request: whether it may come in is asked
before it is read, so refusing costs next to nothing; what it held is taken off afterwards, when it
is known. Nothing ticks: the bucket is filled when asked.

Bodies are counted as they come in, so a slow sender holds no more than it has sent.
"""

import math
import time

from touchline.collect.protocol import RETRY_AFTER_S
from touchline.errors import TooMany, Unavailable

__all__ = ["Sender", "Senders"]

BURST_S = 10.0  # so many seconds' worth may come at once
LONGEST_S = 60
EVENT_BYTES = 4096  # so many bytes count as an event, however few items they are

MAX_HELD = 256 << 20  # bytes of bodies in memory at once, over all connections
MAX_SHARE = MAX_HELD // 2  # of one source


class Senders:
    """All of them by name; `rate` is how many events a second each may send, 0 without limit."""

    def __init__(self, rate: float = 0.0) -> None:
        self._rate = rate
        self._all: dict[str, Sender] = {}
        self.held = 0

    def of(self, source: str) -> "Sender":
        found = self._all.get(source)
        if found is None:
            found = self._all[source] = Sender(source, self._rate, self)
        return found


class Sender:
    """One source."""

    __slots__ = ("_all", "_at", "_held", "_left", "_most", "_rate", "source")

    def __init__(self, source: str, rate: float, among: Senders) -> None:
        self.source = source
        self._all = among
        self._held = 0
        self._rate = rate
        self._most = self._left = rate * BURST_S
        self._at = time.monotonic()

    def check(self) -> None:
        """Raises TooMany while more has been sent than was allowed."""
        if self._left > 0 or not self._rate:
            return
        self._fill()
        if self._left <= 0:
            after = min(LONGEST_S, 1 + math.floor(-self._left / self._rate))
            raise TooMany("too_many_requests", after=after)

    def spend(self, items: int, size: int) -> None:
        """Takes a request of so many items and bytes off what may be sent."""
        if self._rate:
            self._fill()
            self._left -= max(items, 1, size // EVENT_BYTES)

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now

    def hold(self, size: int) -> None:
        """Counts bytes of a body; raises when all together, or those of this source, are too many.

        They are to be let go of when their request has its answer.
        """
        if self._all.held + size > MAX_HELD:
            raise Unavailable("busy")
        if self._held + size > MAX_SHARE:
            raise TooMany("too_many_requests", after=RETRY_AFTER_S)
        self._all.held += size
        self._held += size

    def let_go(self, size: int) -> None:
        self._all.held -= size
        self._held -= size
