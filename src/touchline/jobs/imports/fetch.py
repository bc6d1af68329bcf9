"""What a source has, pulled by a process of its own: dlt's state, settings and threads stay there.

    parent   `fetching(folder)`      child   python -P -m touchline.jobs.imports.fetch
    a question goes in as a line, credentials in it; lines come back: how many rows, then the end

The child lives in the spool folder of its run, which goes with it: nothing is written elsewhere,
telemetry is off, and of the environment it sees next to nothing. It dies with its parent.
"""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from touchline.collect.connectors.extract import Ask, Taken, extract
from touchline.errors import TouchlineError, Unavailable
from touchline.jobs import process
from touchline.jobs.failure import packed, unpacked

__all__ = ["Fetch", "dlt_environment", "fetching"]

LONGEST_S = 6 * 3600.0
LOOK_S = 0.5
# What a program needs to start and to trust certificates; nothing with credentials in it.
_KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH")

Tell = Callable[[int], None]
Fetch = Callable[[Ask, Tell], Taken]


class Told(Struct, frozen=True, omit_defaults=True):
    """A line of the child: rows so far, the end, or what went wrong (`failure.packed`)."""

    rows: int = 0
    taken: Taken | None = None
    failure: str | None = None


def dlt_environment(folder: Path) -> dict[str, str]:
    """Settings under which dlt sends nothing and writes nothing outside the folder."""
    places = ("HOME", "TMPDIR", "DLT_DATA_DIR", "DLT_PROJECT_DIR", "DLT_LOCAL_DIR")
    return {
        **dict.fromkeys(places, str(folder)),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "DLT_DISABLE_PLUGINS": "true",
        "DO_NOT_TRACK": "1",
    }


@contextlib.contextmanager
def fetching(folder: Path) -> Generator[Fetch]:
    """A process that answers one question after the other: dlt takes a while to be loaded. Its home
    is the folder.
    """
    parent, lifeline = os.pipe()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= dlt_environment(folder) | {process.PARENT_FD: str(parent)}
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "touchline.jobs.imports.fetch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            pass_fds=(parent,),
        ) as child:
            try:
                yield partial(_asked, child)
            finally:
                child.kill()
    finally:
        os.close(parent)
        os.close(lifeline)


def _asked(child: subprocess.Popen[bytes], ask: Ask, tell: Tell) -> Taken:
    """`tell` hears the rows so far twice a second, and may raise to end it. Raises what went wrong
    there.
    """
    if child.stdin is None or child.stdout is None:
        raise TouchlineError("internal_error")
    with contextlib.suppress(BrokenPipeError):  # what it died of is told below
        child.stdin.write(msgspec.json.encode(ask) + b"\n")
        child.stdin.flush()
    deadline = time.monotonic() + LONGEST_S
    for told in _lines(child.stdout.fileno(), deadline):
        if told.failure is not None:
            raise unpacked(told.failure)
        if told.taken is not None:
            return told.taken
        tell(told.rows)
    raise Unavailable("source_away", name=ask.source.name, why="the program that pulls ended")


def _lines(pipe: int, deadline: float) -> Iterator[Told]:
    """What the child says, and its last word again while it is silent."""
    held, last = b"", Told()
    while time.monotonic() < deadline:
        if not select.select([pipe], [], [], LOOK_S)[0]:
            yield last
            continue
        part = os.read(pipe, 1 << 16)
        if not part:
            return
        *whole, held = (held + part).split(b"\n")
        for line in whole:
            last = msgspec.json.decode(line, type=Told)
            yield last


def main() -> None:
    process.begin()
    for line in sys.stdin.buffer:
        try:
            ask = msgspec.json.decode(line, type=Ask)
            _say(Told(taken=extract(ask, lambda rows: _say(Told(rows=rows)))))
        except TouchlineError as error:
            _say(Told(failure=packed(error).decode()))
        except Exception:  # noqa: BLE001  # whoever asked must hear of it
            _say(Told(failure=packed(TouchlineError("internal_error")).decode()))
    os._exit(0)  # without waiting for threads that libraries may have begun


def _say(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
