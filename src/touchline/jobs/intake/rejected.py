"""Rejects in State → JSON lines, found by whose they are and when they say they happened.

A reject was never evidence, so its person is found by the identifiers in its payload, which is
opened row by row: rejects are few, and a site that has many should see them.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.collect import time
from touchline.collect.identifiers import identifier_type, identifiers
from touchline.collect.normalise import identifier
from touchline.collect.verdict import own_time
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.identity.profile import find_person
from touchline.jobs import arguments
from touchline.jobs.audited import seen
from touchline.jobs.intake.account import open_payload
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = ["STATUSES", "identifiers_in", "matching", "reject_id_of", "rejects"]

STATUSES = ("open", "replayed", "all")
ID_BYTES = 16

_encoder = msgspec.json.Encoder()
Row = sa.Row[Any]
Test = Callable[[Row, Any], bool]


def rejects(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of what could not be stored, in order of (received_at, seq). Filters are those of
    `matching` and of events: `from` and `to` on the time that the payload says, or else of its
    arrival.
    """
    tests = [*_times(workspace, args), *_owner(workspace, registry, args)]
    seen(workspace, "rejects")
    limit = arguments.limit(args["limit"]) if args.get("limit") else None
    yield from islice(_lines(workspace, _query(args), tests), limit)


def matching(args: dict[str, Any]) -> sa.Select[Any]:
    """Rejects by `ids`, `reason`, `source`, `kind` and `status`: open (the default) ones, replayed
    ones, or all.
    """
    table = schema.reject.c
    query = sa.select(schema.reject).order_by(table.received_us, table.seq)
    for name in ("reason", "source", "kind"):
        if args.get(name):
            query = query.where(table[name] == args[name])
    if args.get("ids"):
        query = query.where(table.reject_id.in_([reject_id_of(name) for name in args["ids"]]))
    status = args.get("status") or "open"
    if status not in STATUSES:
        why = f"is none of {', '.join(STATUSES)}."
        raise BadInput("bad_argument", name="status", value=status, why=why)
    if status != "all":
        is_open = table.replayed_us.is_(None)
        query = query.where(is_open if status == "open" else ~is_open)
    return query


def reject_id_of(name: str) -> bytes:
    """The id of a reject as it is written."""
    try:
        found = bytes.fromhex(name)
    except ValueError:
        found = b""
    if len(found) != ID_BYTES:
        raise NotFound("no_such_reject", id=name[:80])
    return found


def _query(args: dict[str, Any]) -> sa.Select[Any]:
    table = schema.reject.c
    query = matching(args)
    if args.get("message_id_prefix"):
        prefix = args["message_id_prefix"]
        query = query.where(sa.func.substr(table.message_id, 1, len(prefix)) == prefix)
    if args.get("cursor"):
        received, seq = arguments.cursor(args["cursor"])
        same = sa.and_(table.received_us == received, table.seq > seq)
        query = query.where(sa.or_(table.received_us > received, same))
    return query


def _lines(workspace: Workspace, query: sa.Select[Any], tests: list[Test]) -> Iterator[bytes]:
    for row in workspace.state.stream(query):
        raw = open_payload(workspace, row)
        payload = _decoded(raw)
        if all(test(row, payload) for test in tests):
            kept = raw.decode("utf-8", "replace") if payload is None else msgspec.Raw(raw)
            yield _encoder.encode(_line(row, kept)) + b"\n"


def _line(row: Row, payload: Any) -> dict[str, Any]:
    return {
        "reject_id": row.reject_id.hex(),
        "message_id": row.message_id,
        "reason": row.reason,
        "payload": payload,
        "source": row.source,
        "kind": row.kind,
        "line": row.line,
        "received_at": clock.iso(row.received_us),
        "replayed_at": None if row.replayed_us is None else clock.iso(row.replayed_us),
        "cursor": f"{row.received_us}:{row.seq}",
    }


def _times(workspace: Workspace, args: dict[str, Any]) -> Iterator[Test]:
    zone = workspace.time_zone
    if args.get("from"):
        start = arguments.moment(args["from"], "from", zone)
        yield lambda row, payload: _happened(row, payload, zone) >= start
    if args.get("to"):
        end = arguments.moment(args["to"], "to", zone)
        yield lambda row, payload: _happened(row, payload, zone) < end


def _happened(row: Row, payload: Any, zone: str) -> int:
    if not isinstance(payload, dict):
        return row.received_us
    said, _ = own_time(payload.get("originalTimestamp"), payload.get("timestamp"))
    if said is None:
        said = time.parse(payload.get("occurred_at"), zone)
    return row.received_us if said is None else said


def _owner(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[Test]:
    if args.get("person"):
        nodes = _nodes_of(workspace, registry, args["person"])
        yield lambda _, payload: not nodes.isdisjoint(_named(workspace, payload))


def _nodes_of(workspace: Workspace, registry: Registry, name: str) -> set[bytes]:
    """Nodes of a known person, or those that an unknown one's name may stand for."""
    with workspace.view() as view:
        people = registry.at(view)
    try:
        person = find_person(workspace, people, name)
    except NotFound:
        kind, colon, value = name.partition(":")
        read = [(kind, value)] if colon and kind in TYPE_RANK else []
        read += [(kind, name) for kind in IDENTIFIER_TYPES]
        return {node for kind, value in read if (node := _node(workspace, kind, value))}
    return {people.known.node_id(node) for node in people.members(person)}


def identifiers_in(workspace: Workspace, payload: bytes) -> set[bytes]:
    """Nodes of the identifiers that a reject names."""
    return _named(workspace, _decoded(payload))


def _named(workspace: Workspace, payload: Any) -> set[bytes]:
    """Nodes of the identifiers in a payload: an item of a tracker, or a mapped row of a file."""
    if not isinstance(payload, dict):
        return set()
    vault = workspace.vault
    found = {vault.node_id(i.type, i.value) for i in identifiers(payload, workspace.region)}
    for key, value in payload.items():
        kind = key if key in TYPE_RANK else identifier_type(key)
        node = _node(workspace, kind, value) if kind and isinstance(value, str | int) else None
        if node:
            found.add(node)
    return found


def _node(workspace: Workspace, kind: str, value: Any) -> bytes | None:
    known = identifier(kind, value, workspace.region)
    return workspace.vault.node_id(known.type, known.value) if known else None


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
