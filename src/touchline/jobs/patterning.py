"""What the journeys of a workspace look like, for the command line and the API."""

from typing import Any

from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs.asked import as_of, question_of
from touchline.measure.patterns import LIMIT, patterns
from touchline.storage.workspace import Workspace

__all__ = ["patterns_of"]


def patterns_of(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """show, order, limit, and of the question goal, window, from, to, as_of."""
    question = question_of(workspace, args, ("channel",))
    with workspace.view(as_of_us=as_of(workspace, args)) as view:
        return patterns(
            view,
            registry.at(view),
            question,
            args.get("show") or "combinations",
            order=_whole(args.get("order") or 1, "order"),
            limit=_whole(args.get("limit") or LIMIT, "limit"),
        )


def _whole(said: Any, name: str) -> int:
    try:
        number = int(said)
    except ValueError:
        number = 0
    if number < 1:
        raise BadInput("bad_argument", name=name, value=said, why="is not a number from 1 up.")
    return number
