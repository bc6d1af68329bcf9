"""How much comes in → whether a load goes on, and when the chores of the worker are done.

A load is a history that is brought in, by whatever way: more rows at once, or more of the log that
waits to be rows, than traffic brings. It is over sooner without chores, and most of what they write
amid it is old at once, so they wait for its end.

What surprises: they wait for a while only. What goes on for long is no load but the traffic.
"""

import time
from collections.abc import Callable

__all__ = ["LONGEST_S", "ROWS", "Chore", "Load"]

ROWS = 20_000  # at once
SPAN_S = 10.0  # what comes within it comes at once
WAITING = 4 << 20  # bytes of the log
LONGEST_S = 120.0


class Load:
    """Told by one thread how much there is, and asked by others. `seq`: of the last row."""

    def __init__(self, seq: int) -> None:
        self._seq, self._since = seq, time.monotonic()
        self._end = self._since

    def look(self, seq: int, waiting: int) -> None:
        """To be called each second or so. `waiting`: bytes of the log that are no rows yet."""
        now = time.monotonic()
        is_much = waiting >= WAITING or seq - self._seq >= ROWS
        if is_much:
            self._end = now + SPAN_S
        if is_much or now - self._since >= SPAN_S:
            self._seq, self._since = seq, now

    def holds(self, done_at: float, longest_s: float = LONGEST_S) -> bool:
        """Whether what was done last at that moment had better wait for the end of a load."""
        now = time.monotonic()
        return now < self._end and now - done_at < longest_s


class Chore:
    """Done now and then, by a clock of its own; rests so many times longer than it works."""

    def __init__(self, load: Load, rest: float) -> None:
        self._load, self._rest = load, rest
        self._done_at = time.monotonic()
        self._took_s = 0.0

    def do_when_due(self, work: Callable[[], object], pause_s: float, and_s: float = 0.0) -> None:
        """So long after it was done last, and `and_s` more. One round that took long, as after a
        load, does not put off the next for ever.
        """
        pause_s = max(pause_s, min(self._rest * self._took_s, LONGEST_S)) + and_s
        if time.monotonic() - self._done_at < pause_s or self._load.holds(self._done_at):
            return
        started = time.monotonic()
        work()
        self._done_at = time.monotonic()
        self._took_s = self._done_at - started
