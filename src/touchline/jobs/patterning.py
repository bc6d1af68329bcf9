"""What the journeys of a workspace look like, for the command line and the API."""

from typing import Any

from touchline.identity.people import Registry
from touchline.jobs import arguments
from touchline.jobs.asked import asking
from touchline.jobs.rebuilt import remarked
from touchline.measure.patterns import LIMIT, patterns
from touchline.storage.workspace import Workspace

__all__ = ["patterns_of"]


def patterns_of(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """show, order, limit, and of the question goal, window, from, to, as_of."""
    order, limit = (
        default if args.get(name) is None else arguments.number(args[name], name)
        for name, default in (("order", 1), ("limit", LIMIT))
    )
    with asking(workspace, registry, args, ("channel",)) as asked:
        show = args.get("show") or "combinations"
        found = patterns(*asked, show, order=order, limit=limit)
        return remarked(workspace, asked.view, found)
