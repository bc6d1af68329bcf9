"""Changes that the API asks of the worker: name → what makes the change and tells of it.

Small ones are done at once. What takes long or writes to the lake is a job (`kinds`): who asked
gets its result, or, when that takes too long, its number to ask again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from touchline.jobs import job, keys
from touchline.jobs.replay import asked
from touchline.storage.workspace import Workspace

__all__ = ["COMMANDS"]

PATIENCE_S = 30.0

Command = Callable[[Workspace, dict[str, Any]], Any]


def _create_key(workspace: Workspace, args: dict[str, Any]) -> Any:
    return keys.create(workspace, msgspec.convert(args, keys.Wanted))


def _replay(workspace: Workspace, args: dict[str, Any]) -> Any:
    number = job.submit(workspace.state, "replay", asked(workspace, args))
    return job.told(workspace.state, number, patience_s=PATIENCE_S)


COMMANDS: dict[str, Command] = {
    "job": lambda workspace, args: job.told(workspace.state, args["number"]),
    "keys": lambda workspace, _: keys.keys(workspace),
    "create_key": _create_key,
    "replay": _replay,
    "revoke_key": lambda workspace, args: keys.revoke(workspace, args["key"]),
}
