"""What every process of the group does alike: die with its parent, hear signals, write notes.

The parent holds one end of a pipe. The kernel's signal covers a parent that is killed, the pipe
also one that was gone before we asked for the signal. Dying at once is safe: everything is written
so that a kill costs nothing that was acknowledged, and the next start need not wait for us.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterable, Iterator
from pathlib import PurePath
from types import FrameType
from typing import Self

from touchline.errors import TouchlineError
from touchline.jobs.failure import packed, unpacked

__all__ = [
    "PARENT_FD",
    "READY_FD",
    "Signals",
    "begin",
    "note",
    "placed",
    "settle_memory",
    "tell_failure",
    "tell_ready",
    "told",
    "without_collector",
]

PR_SET_PDEATHSIG = 1
READY_FD = "TOUCHLINE_READY_FD"
PARENT_FD = "TOUCHLINE_PARENT_FD"


def begin() -> None:
    """Call first in a child process started by the supervisor; harmless in one that was not."""
    if PARENT_FD not in os.environ:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    pipe = int(os.environ[PARENT_FD])
    threading.Thread(target=_die_with, args=(pipe,), name="parent-watch", daemon=True).start()


def tell_ready() -> None:
    """Tells the supervisor that this process does its work now."""
    _tell(b"")


def tell_failure(error: TouchlineError) -> int:
    """Tells the supervisor (or stderr, without one) why this process cannot; its exit code."""
    if not _tell(packed(error)):
        note("process", "cannot start", error)
    return error.exit_code


def told(pipe: int) -> Iterator[TouchlineError | None]:
    """What a child told through its pipe since last time: None that it is ready, or its error."""
    with contextlib.suppress(BlockingIOError):
        for line in os.read(pipe, 1 << 16).splitlines():
            yield unpacked(line) if line else None


def _tell(line: bytes) -> bool:
    if READY_FD not in os.environ:
        return False
    with contextlib.suppress(BrokenPipeError):
        os.write(int(os.environ[READY_FD]), line + b"\n")
    return True


def settle_memory() -> None:
    """Takes all that was imported out of the garbage collector's rounds: they are 50 ms shorter."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextlib.contextmanager
def without_collector() -> Generator[None]:
    """No garbage collection inside: millions of live records make its rounds long and vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def note(who: str, what: str, error: BaseException | None = None) -> None:
    """One line on stderr."""
    if isinstance(error, TouchlineError):
        what = f"{what}: {error.text('en')}"
    elif error is not None:
        what = f"{what}: {placed(error)}"
    say(f"touchline {who}: {what}")


def placed(error: BaseException) -> str:
    """Of an error that nobody foresaw its kind and place; not its text, which may hold customers'
    data.
    """
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = " < ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames)
    return f"{type(error).__name__} at {places}"


def say(text: str) -> None:
    """One line on stderr, whatever signs are in it; a terminal that is gone does not matter."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("".join(char if char.isprintable() else " " for char in text) + "\n")
        sys.stderr.flush()


class Signals:
    """Turns signals into something to wait for, whichever thread the kernel hands them to."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._previous = {number: signal.signal(number, _noted) for number in numbers}
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def wait(self, timeout_s: float | None = None) -> set[signal.Signals]:
        """The signals that came, at once when one is waiting; empty after the timeout."""
        ready, _, _ = select.select([self._read], [], [], timeout_s)
        return {signal.Signals(number) for number in os.read(self._read, 64)} if ready else set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Puts back what was before."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The number itself goes through the wake-up pipe."""


def _die_with(pipe: int) -> None:
    os.read(pipe, 1)  # returns when the parent's end is closed: nothing is ever written
    os._exit(1)
