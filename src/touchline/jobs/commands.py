"""Small changes that the API asks of the worker: name → what makes the change and tells of it.

They are done at once and need no writer; what takes long or writes to the lake is a job (`kinds`).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from touchline.jobs import keys
from touchline.storage.workspace import Workspace

__all__ = ["COMMANDS"]

Command = Callable[[Workspace, dict[str, Any]], Any]


def _create_key(workspace: Workspace, args: dict[str, Any]) -> Any:
    return keys.create(workspace, msgspec.convert(args, keys.Wanted))


COMMANDS: dict[str, Command] = {
    "keys": lambda workspace, _: keys.keys(workspace),
    "create_key": _create_key,
    "revoke_key": lambda workspace, args: keys.revoke(workspace, args["key"]),
}
