"""A question of a workspace → what it tells: a line a thing, or the one thing there is."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from touchline.identity.people import Registry
from touchline.jobs.access import reading
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.storage.workspace import Workspace

__all__ = ["ask", "ask_lines"]

Args = dict[str, Any]


def ask(
    directory: Path, question: Callable[[Workspace, Registry, Args], dict[str, Any]], asked: Args
) -> dict[str, Any]:
    """The answer to a question that has one."""
    with reading(directory) as workspace:
        return question(workspace, KeepingRegistry(workspace), asked)


def ask_lines(
    directory: Path, question: Callable[[Workspace, Registry, Args], Iterable[bytes]], asked: Args
) -> list[dict[str, Any]]:
    """The same of one that is told in lines of JSON."""
    with reading(directory) as workspace:
        lines = question(workspace, KeepingRegistry(workspace), asked)
        return [json.loads(line) for line in lines]
