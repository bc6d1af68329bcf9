"""The account of what was received, per source and hour, for people to read."""

from typing import Any

import sqlalchemy as sa

from touchline import clock
from touchline.identity.people import Registry
from touchline.jobs import arguments
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = ["intake"]

_table = schema.intake.c


def intake(workspace: Workspace, _registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """{"hours": [{"source", "hour", "received", "stored", …}], "is_balanced"}.

    `source`, `from` (inclusive) and `to` (exclusive) choose hours; balanced is an account in which
    received = stored + duplicate + rejected in every one of them.
    """
    query = sa.select(schema.intake).order_by(_table.hour_us, _table.source)
    if args.get("source"):
        query = query.where(_table.source == args["source"])
    if args.get("from"):
        start = arguments.moment(args["from"], "from", workspace.time_zone)
        query = query.where(_table.hour_us >= start)
    if args.get("to"):
        end = arguments.moment(args["to"], "to", workspace.time_zone)
        query = query.where(_table.hour_us < end)
    hours = [_hour(row) for row in workspace.state.read(query)]
    balanced = (h["received"] == h["stored"] + h["duplicate"] + h["rejected"] for h in hours)
    return {"hours": hours, "is_balanced": all(balanced)}


def _hour(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "source": row.source,
        "hour": clock.iso(row.hour_us),
        "received": row.received,
        "stored": row.stored,
        "duplicate": row.duplicate,
        "rejected": row.rejected,
    }
