"""How much one source may send: a token bucket of events that may be overdrawn by one request.

Whether a request may come in is asked before it is read, so refusing costs next to nothing; what it
held is taken off afterwards, when it is known. Nothing ticks: the bucket is filled when asked.
"""

import math
import time

from touchline.errors import TooMany

__all__ = ["Allowance", "weight"]

BURST_S = 10.0  # so many seconds' worth may come at once
LONGEST_S = 60
EVENT_BYTES = 4096


class Allowance:
    """`rate` events a second; 0 is no limit."""

    __slots__ = ("_at", "_left", "_most", "_rate")

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = self._left = rate * BURST_S
        self._at = time.monotonic()

    def check(self) -> None:
        """Raises TooMany while more has been sent than was allowed."""
        if self._left > 0 or not self._rate:
            return
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left <= 0:
            after = min(LONGEST_S, 1 + math.floor(-self._left / self._rate))
            raise TooMany("too_many_requests", after=after)

    def spend(self, events: int) -> None:
        if self._rate:
            now = time.monotonic()
            filled = min(self._most, self._left + (now - self._at) * self._rate)
            self._left, self._at = filled - events, now


def weight(items: int, size: int) -> int:
    """How many events a request counts as: its items, or what bytes of such a number would be."""
    return max(items, 1, size // EVENT_BYTES)
