"""How much comes in → whether a load goes on, and when the chores of the worker are done.

A load is a history that is brought in, by whatever way: more rows at once, or more of the log that
waits to be rows, than traffic brings; or a job that took long. It is over sooner without chores,
and most of what they write amid it is old at once, so they wait for its end, and a moment longer:
who brought it in asks for a report next. They wait for questions as well, for each fills memory.

What surprises: they wait for a while only. What goes on for long is no load but the traffic.
"""

import contextlib
import time
from collections.abc import Callable, Generator

__all__ = ["LONGEST_S", "LONG_S", "PATIENCE_S", "ROWS", "Chore", "Load"]

ROWS = 20_000  # at once
SPAN_S = 10.0  # what comes within it comes at once
WAITING = 4 << 20  # bytes of the log
LONG_S = 1.0  # a job
PATIENCE_S = 90.0  # of a chore that is due
LONGEST_S = 120.0  # of its rest


class Load:
    """Told by one thread how much there is, and asked by others. `seq`: of the last row."""

    def __init__(self, seq: int) -> None:
        self._seq, self._since = seq, time.monotonic()
        self._end = self._since
        self._asking = set[object]()

    def look(self, seq: int, waiting: int) -> None:
        """To be called each second or so. `waiting`: bytes of the log that are no rows yet."""
        now = time.monotonic()
        is_much = waiting >= WAITING or seq - self._seq >= ROWS
        if is_much:
            self._end = now + SPAN_S
        if is_much or now - self._since >= SPAN_S:
            self._seq, self._since = seq, now

    def note_job(self, took_s: float) -> None:
        """To be called after a job."""
        if took_s >= LONG_S:
            self._end = max(self._end, time.monotonic() + SPAN_S)

    @contextlib.contextmanager
    def asked(self) -> Generator[None]:
        """While a question is being answered."""
        one = object()
        self._asking.add(one)
        try:
            yield
        finally:
            self._asking.discard(one)

    def holds(self, due_at: float, longest_s: float = PATIENCE_S) -> bool:
        """Whether what is due since that moment had better wait for the end of it all. `longest_s`:
        for that of a load.
        """
        now = time.monotonic()
        waited_s = now - due_at
        is_load = now < self._end and waited_s < longest_s
        return is_load or (bool(self._asking) and waited_s < PATIENCE_S)


class Chore:
    """Done now and then, by a clock of its own; rests so many times longer than it works."""

    def __init__(self, load: Load, rest: float) -> None:
        self._load, self._rest = load, rest
        self._done_at = time.monotonic()
        self._took_s = 0.0

    def do_when_due(self, work: Callable[[], object], pause_s: float) -> None:
        """So long after it was done last. One round that took long, as after a load, does not put
        off the next for ever.
        """
        due_at = self._done_at + max(pause_s, min(self._rest * self._took_s, LONGEST_S))
        if time.monotonic() < due_at or self._load.holds(due_at):
            return
        started = time.monotonic()
        work()
        self._done_at = time.monotonic()
        self._took_s = self._done_at - started
