"""How a command gets at a workspace: alone under the lock, or through the server that holds it.

A command that reads without a server first takes in what the log still holds. A command that writes
takes the lock itself, or becomes a job of the running server.
"""

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from touchline.errors import Unavailable
from touchline.jobs import job
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rpc import is_served
from touchline.storage.frames import end_offset
from touchline.storage.workspace import Workspace

__all__ = ["reading", "writing"]

WAIT_S = 10.0


@contextlib.contextmanager
def reading(directory: Path) -> Generator[Workspace]:
    """An open workspace whose lake holds all that was acknowledged (a server commits by itself)."""
    workspace = Workspace.open(directory)
    try:
        if not is_served(directory) and _is_behind(workspace):
            with workspace.write_lock(WAIT_S):
                Writer(workspace).catch_up()
        yield workspace
    finally:
        workspace.close()


def writing(
    directory: Path, kind: str, args: dict[str, Any], progress: Callable[[float], None]
) -> Any:
    """Runs a job here under the lock, or in the running server; returns its result."""
    from touchline.jobs.kinds import run_here  # all that a job may need: who only reads waits less

    workspace = Workspace.open(directory)

    def by_server() -> Any:
        number = job.submit(workspace.state, kind, args)
        is_served(directory)  # a call, so that the worker looks at once
        return job.wait(workspace.state, number, progress, lambda: is_served(directory))

    try:
        if is_served(directory):
            return by_server()
        try:
            with workspace.write_lock(WAIT_S):
                writer = Writer(workspace)
                writer.catch_up()
                result = run_here(writer, kind, args, progress)
                writer.catch_up()
                return result
        except Unavailable:
            if not is_served(directory):
                raise
            return by_server()
    finally:
        workspace.close()


def _is_behind(workspace: Workspace) -> bool:
    """Whether requests wait in the log, or rows in the fresh table."""
    files = workspace.lake.files()
    fresh = files.tables["fresh"]
    return fresh.rows > 0 or fresh.offset("log") < end_offset(workspace.dir)
