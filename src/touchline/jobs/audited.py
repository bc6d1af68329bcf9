"""Rows of the audit log, made and read: what a workspace's operators did, and what they looked at.

A request is one row, however many people its answer speaks of.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline.identity.people import Registry
from touchline.identity.profile import find_person
from touchline.jobs import arguments
from touchline.storage import audit, schema
from touchline.storage.audit import Entry
from touchline.storage.state import Statement
from touchline.storage.workspace import Workspace

__all__ = ["audit_rows", "done", "seen"]

LIMIT = 1000

_table = schema.audit.c


def seen(workspace: Workspace, what: str, person_id: str | None = None) -> None:
    """Writes down that somebody is about to see personal data in clear: everybody's, or one
    person's.
    """
    done(workspace, f"read.{what}", person_id=person_id)


def done(
    workspace: Workspace,
    action: str,
    *statements: Statement,
    person_id: str | None = None,
    reason: str | None = None,
    **about: Any,
) -> None:
    """Writes down what is done, in one transaction with these statements."""
    if person_id is not None:
        about["person"] = audit.reference(workspace.vault, person_id)
    actor = audit.actor_of(workspace.principal)
    audit.write(workspace.state, Entry(action, actor, about, reason), *statements)


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
