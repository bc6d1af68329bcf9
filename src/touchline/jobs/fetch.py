"""What a source has, pulled by a process of its own: dlt's state, settings and threads stay there.

    parent   `fetch(ask, …)`        child   python -P -m touchline.jobs.fetch
    the question goes in as a line, credentials in it; lines come back: how many rows, then the end

The child lives in the spool folder of its run, which goes with it: nothing is written elsewhere,
telemetry is off, and of the environment it sees next to nothing. It dies with its parent.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.connectors.extract import Ask, Taken, extract
from touchline.errors import TouchlineError, Unavailable
from touchline.jobs import process
from touchline.jobs.failure import packed, unpacked

__all__ = ["dlt_environment", "fetch"]

LONGEST_S = 6 * 3600.0
LOOK_S = 0.5
# What a program needs to start and to trust certificates; nothing with credentials in it.
_KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH")

Tell = Callable[[int], None]


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


def fetch(ask: Ask, tell: Tell) -> Taken:
    """Asks in a child process. `tell` hears the rows so far twice a second, and may raise to end
    it. Raises what went wrong there.
    """
    folder = Path(ask.folder)
    parent, lifeline = os.pipe()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= dlt_environment(folder) | {process.PARENT_FD: str(parent)}
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "touchline.jobs.fetch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            pass_fds=(parent,),
        )
        try:
            return _heard(child, ask, tell)
        finally:
            child.kill()
            child.communicate()
    finally:
        os.close(parent)
        os.close(lifeline)


def _heard(child: subprocess.Popen[bytes], ask: Ask, tell: Tell) -> Taken:
    if child.stdin is None or child.stdout is None:
        raise TouchlineError("internal_error")
    child.stdin.write(msgspec.json.encode(ask) + b"\n")
    child.stdin.close()
    child.stdin = None
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


def main() -> int:
    process.begin()

    def say(told: Told) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()

    ask = msgspec.json.decode(sys.stdin.buffer.readline(), type=Ask)
    try:
        say(Told(taken=extract(ask, lambda rows: say(Told(rows=rows)))))
    except TouchlineError as error:
        say(Told(failure=packed(error).decode()))
        return error.exit_code
    return 0


def run_main() -> Any:
    """Leaves without waiting for threads that libraries may have begun."""
    code = main()
    os._exit(code)


if __name__ == "__main__":
    run_main()
