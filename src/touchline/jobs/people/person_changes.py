"""Who became whom: persons merged, split and renamed, as the live store noted it in State.

Whoever keeps something by person_id (a segment, a journey) asks for what is behind the last number
it knows, and looks again at those persons alone.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.errors import NotFound
from touchline.jobs import arguments
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = ["GONE", "person_changes"]

LIMIT = 10_000
GONE = "changes_gone"  # mark: the number of the last one that retention took

_table = schema.person_change.c


def person_changes(
    workspace: Workspace, _registry: object, args: dict[str, Any]
) -> Iterator[bytes]:
    """JSON lines, the oldest first: those behind the number `after`; `limit`. Raises NotFound for
    one behind which some are gone; without a number, they begin with the first there is.
    """
    limit = arguments.limit(args["limit"]) if args.get("limit") else LIMIT
    after, gone = int(args.get("after") or 0), workspace.state.mark(GONE)
    if 0 < after < gone:
        raise NotFound("changes_gone", after=after, first=gone)
    query = sa.select(schema.person_change).where(_table.id > after)
    for row in workspace.state.stream(query.order_by(_table.id).limit(limit)):
        shown = {
            "number": row.id,
            "kind": row.kind,
            "person_id": row.person_id,
            "other_id": row.other_id,
            "values": row.identifiers,
            "cause": row.cause,
            "at": clock.iso(row.at_us),
        }
        yield msgspec.json.encode(shown) + b"\n"
