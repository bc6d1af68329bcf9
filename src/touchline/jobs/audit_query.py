"""Rows of the audit log → JSON lines: what was done, by whom, of which person."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline.identity.people import Registry
from touchline.identity.profile import find_person
from touchline.jobs import arguments
from touchline.storage import audit, schema
from touchline.storage.workspace import Workspace

__all__ = ["audit_rows"]

LIMIT = 1000

_table = schema.audit.c


def audit_rows(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines, the oldest first. `action`, `actor`, `person`, `from` (inclusive) and `to`
    (exclusive) choose; `limit`, `cursor` (a number: rows behind it): a page.
    """
    query = sa.select(schema.audit).order_by(_table.id)
    for name in ("action", "actor"):
        if args.get(name):
            query = query.where(_table[name] == args[name])
    if args.get("person"):
        with workspace.view() as view:
            people = registry.at(view)
        person_id = people.person_ids[find_person(workspace, people, args["person"])]
        told = audit.reference(workspace.vault, person_id)
        query = query.where(_table.about.contains(told))
    zone = workspace.time_zone
    if args.get("from"):
        query = query.where(_table.at_us >= arguments.moment(args["from"], "from", zone))
    if args.get("to"):
        query = query.where(_table.at_us < arguments.moment(args["to"], "to", zone))
    if args.get("cursor"):
        query = query.where(_table.id > arguments.number(args["cursor"], "cursor"))
    query = query.limit(arguments.limit(args["limit"]) if args.get("limit") else LIMIT)
    for entry in audit.entries(workspace.state, query):
        yield msgspec.json.encode(entry) + b"\n"
