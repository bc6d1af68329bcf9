"""`[[retention]]` and what is stored → what has run out is gone; each night, and when asked.

    events      rows of day files; what may be a conversion stays, with nothing left of anybody
    profiles    identifiers in clear and traits of persons of whom nothing came in for so long
    rejects     payloads
    changes     who became whom

The account of what came in stays exact: what is taken away is counted by source and hour. The lake
is changed first, State follows. A file says in between what State is to be told, so that a run that
was cut short is neither told twice nor forgotten.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.collect.nodes import TOMBSTONES, TRAITS, heard
from touchline.collect.retention import CHANGES_DAYS, Retention, retentions
from touchline.identity.people import Registry
from touchline.identity.profile_notes import NOTES
from touchline.identity.sharing import today_of
from touchline.identity.sources import TABLES
from touchline.jobs.audited import done
from touchline.jobs.intake.account import HOUR_US
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.jobs.people.person_changes import GONE
from touchline.jobs.privacy.erase_lake import RETAINED, rewrite
from touchline.jobs.privacy.erase_map import owners
from touchline.jobs.privacy.erase_plan import Plan, paid_names
from touchline.jobs.schedule import Line
from touchline.storage import definition, schema
from touchline.storage.disk import put
from touchline.storage.lake import SEQ
from touchline.storage.mentions import ids_in
from touchline.storage.state import Statement
from touchline.storage.table import day_of
from touchline.storage.workspace import Workspace

__all__ = ["LINE", "preview", "retain"]

KIND = "retain"
LINE = Line("retention", "40 3 * * *", KIND, {})
FILE = "retention.json"
AT_ONCE = 10_000
REST_S = 0.1  # who waits for the database looks as often as that whether it is free
COLUMNS = ("source", "name", "received_us", SEQ, "revenue", "order_id", "node_ids")
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
LIMITED = ("profiles", "rejects", "changes")
_node, _link = schema.node.c, schema.link.c
Place = tuple[str, int]


class _Pending(Struct, frozen=True):
    """What State is to be told once the lake has a commit of this number."""

    number: int
    hours: list[tuple[str, int, int]]


class _Due(Struct, frozen=True):
    """`plan`: which rows of events go, and which stay without anybody. `profiles`: identifiers,
    each with its person.
    `undated`: identifiers that stay for as long again, as if they were heard of today.
    """

    plan: Plan
    hours: Counter[Place]
    profiles: dict[bytes, int | None]
    undated: list[bytes]
    rejects: Counter[Place]
    rejects_before_us: int
    changes_upto: int
    changes: int

    def told(self) -> dict[str, Any]:
        return {
            "events_deleted": len(self.plan.gone.get("events", ())),
            "events_anonymised": len(self.plan.kept.get("events", ())),
            "persons_forgotten": len(set(self.profiles.values())),
            "identifiers_forgotten": len(self.profiles),
            "rejects_deleted": sum(self.rejects.values()),
            "changes_deleted": self.changes,
        }


def preview(
    workspace: Workspace, registry: Registry, _args: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What has run out, in numbers; nothing is changed."""
    return {"rules": _rules(workspace), **_due(workspace, registry).told()}


def retain(writer: Writer, _args: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Takes away what has run out; {"rules"} and how much it was."""
    workspace = writer.workspace
    _follow(workspace)
    writer.catch_up()
    progress(0.1)
    due = _due(workspace, writer.registry)
    told = due.told()
    _put_down(workspace, due.undated, clock.now_us())
    if any(told.values()):
        _take_events(workspace, due)
        progress(0.7)
        with writer.store.turn:  # nobody comes back meanwhile
            due = _less_returned(workspace, due)
            told = due.told()
            _take_state(workspace, due, told)
        writer.forget(())
    return {"rules": _rules(workspace), **told}


def _rules(workspace: Workspace) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(one) for one in retentions(definition.current(workspace.state))]


def _due(workspace: Workspace, registry: Registry) -> _Due:
    rules = retentions(definition.current(workspace.state))
    now, today = clock.now_us(), today_of(workspace)
    events = [one for one in rules if one.what == "events"]
    plan, hours = _events(workspace, events, today)
    days = {what: min((r.days for r in rules if r.what == what), default=None) for what in LIMITED}
    profiles, undated = _profiles(workspace, registry, today, days["profiles"])
    before = 0 if days["rejects"] is None else now - days["rejects"] * clock.DAY_US
    upto, changes = _changes(workspace, now - (days["changes"] or CHANGES_DAYS) * clock.DAY_US)
    rejects = _rejects(workspace, before)
    return _Due(plan, hours, profiles, undated, rejects, before, upto, changes)


def _events(
    workspace: Workspace, rules: list[Retention], today: dt.date
) -> tuple[Plan, Counter[Place]]:
    """Rows of day files that are older than a rule allows, and the account of those that go."""
    plan, hours = Plan(nodes=[], person_ids=[]), Counter[Place]()
    gone, kept, places = list[int](), list[int](), dict[str, list[int]]()
    paid = pa.array(sorted(paid_names(workspace)), pa.string())
    for path in workspace.lake.events.snapshot().files:
        age = (today - day_of(path)).days
        due = [rule for rule in rules if age > rule.days]
        if not due:
            continue
        names = None if any(not r.names for r in due) else {n for r in due for n in r.names}
        with pq.ParquetFile(path) as file:
            rows = file.read([name for name in COLUMNS if name in file.schema_arrow.names])
        is_over = pc.is_valid(rows[SEQ]) if names is None else _is_in(rows["name"], names)
        is_paid = pc.or_(
            pc.or_(pc.is_valid(rows["revenue"]), pc.is_valid(rows["order_id"])),
            pc.is_in(rows["name"], value_set=paid),
        )
        is_somebodys = pc.greater(pc.list_value_length(rows["node_ids"]), 0)
        is_kept = pc.and_(pc.and_(is_over, is_paid), is_somebodys)
        is_gone = pc.and_(is_over, pc.invert(is_paid))
        at = pc.indices_nonzero(pc.or_(is_gone, is_kept)).to_pylist()
        if at:
            places[path] = at
            kept += rows[SEQ].filter(is_kept).to_pylist()
            gone += rows[SEQ].filter(is_gone).to_pylist()
            hours += _by_hour(rows.filter(is_gone))
    plan.gone, plan.kept, plan.places = {"events": gone}, {"events": kept}, {"events": places}
    return plan, hours


def _is_in(names: pa.ChunkedArray, wanted: set[str]) -> pa.ChunkedArray:
    return pc.is_in(names, value_set=pa.array(sorted(wanted), pa.string()))


def _by_hour(rows: pa.Table) -> Counter[Place]:
    received = rows["received_us"].to_numpy()
    hours = (received - received % HOUR_US).tolist()
    return Counter(zip(rows["source"].to_pylist(), hours, strict=True))


def _profiles(
    workspace: Workspace, registry: Registry, today: dt.date, days: int | None
) -> tuple[dict[bytes, int | None], list[bytes]]:
    """Identifiers whose person nothing was heard of for so long, each with its person, if any row
    has it; and those without a row of which nothing tells when they were heard of.
    """
    if days is None:
        return {}, []
    with workspace.view() as view:
        people = registry.at(view)
    first = today - dt.timedelta(days=days)
    since_us, told_us = clock.to_day(first) * clock.DAY_US, _told_of(workspace)
    recent = _heard_of(workspace, first, TABLES)
    recent.update(node for node, at_us in told_us.items() if at_us >= since_us)
    active = set(people.person_of(sorted(recent)))
    held = [row.node_id for row in workspace.state.read(sa.select(_node.node_id))]
    over, undated = dict[bytes, int | None](), list[bytes]()
    for node, of in zip(held, people.person_of(held), strict=True):
        if of is None and node not in told_us:
            undated.append(node)
        elif (of not in active) if of is not None else (node not in recent):
            over[node] = of
    return over, undated


def _told_of(workspace: Workspace) -> dict[bytes, int]:
    """When identifiers were last heard of other than by rows: named in a link or a mail, in a text,
    or in rows that have run out.
    """
    found: dict[bytes, int] = {}
    for column, at_us in ((_node.node_id, _node.heard_us), (_link.person_node, _link.created_us)):
        query = sa.select(column.label("of"), at_us.label("at_us"))
        for row in workspace.state.stream(query.where(column.is_not(None), at_us.is_not(None))):
            found[row.of] = max(row.at_us, found.get(row.of, 0))
    return found


def _heard_of(workspace: Workspace, first: dt.date, tables: Sequence[str]) -> set[bytes]:
    """Identifiers in any row of a day or later."""
    lake, found = workspace.lake, set[bytes]()
    since_us = clock.to_day(first) * clock.DAY_US
    for name in tables:
        for path in lake.tables[name].snapshot().files:
            if name == "events" and day_of(path) < first:
                continue
            with pq.ParquetFile(path) as file:
                rows = file.read(["node_ids", "known_at_us"])
            if name in ("conversions", "people"):
                rows = rows.filter(pc.greater_equal(rows["known_at_us"], since_us))
            found.update(pc.unique(ids_in(rows)).to_pylist())
    return found


def _less_returned(workspace: Workspace, due: _Due) -> _Due:
    """Without persons of whom something came in since it was looked."""
    came = _heard_of(workspace, dt.date.min, ("fresh",)) if due.profiles else set[bytes]()
    lately_us = clock.now_us() - clock.DAY_US
    came.update(node for node, at_us in _told_of(workspace).items() if at_us >= lately_us)
    back = {due.profiles[node] for node in came.intersection(due.profiles)}
    left = {node: of for node, of in due.profiles.items() if of not in back}
    return msgspec.structs.replace(due, profiles=left)


def _rejects(workspace: Workspace, before_us: int) -> Counter[Place]:
    table = schema.reject.c
    query = sa.select(table.source, table.received_us, table.kind, table.replayed_us)
    found = Counter[Place]()
    for row in workspace.state.stream(query.where(table.received_us < before_us)):
        is_counted = row.kind == "events" and row.replayed_us is None
        hour = row.received_us - row.received_us % HOUR_US if is_counted else -1
        found[row.source, hour] += 1
    return found


def _changes(workspace: Workspace, before_us: int) -> tuple[int, int]:
    table = schema.person_change.c
    newest, count = sa.func.max(table.id).label("newest"), sa.func.count().label("n")
    found = workspace.state.read(sa.select(newest, count).where(table.at_us < before_us))[0]
    return found.newest or 0, found.n


def _put_down(workspace: Workspace, nodes: Sequence[bytes], at_us: int) -> None:
    """When these were last heard of. Some at a time, for meanwhile nobody else can write."""
    for start in range(0, len(nodes), AT_ONCE):
        if start:
            time.sleep(REST_S)
        workspace.state.write(heard(nodes[start : start + AT_ONCE], at_us))


def _take_events(workspace: Workspace, due: _Due) -> None:
    if not due.plan.places["events"]:
        return
    for path, at in due.plan.places["events"].items():
        with pq.ParquetFile(path) as file:
            ids = pc.unique(ids_in(file.read(["node_ids"]).take(at))).to_pylist()
        _put_down(workspace, ids, clock.to_day(day_of(path)) * clock.DAY_US)
    number = clock.now_us()
    hours = [(source, hour, count) for (source, hour), count in sorted(due.hours.items())]
    put(_file(workspace), msgspec.json.encode(_Pending(number, hours)))
    rewrite(workspace, due.plan, number)
    _follow(workspace)


def _follow(workspace: Workspace) -> None:
    """Tells State what the lake has done, once."""
    path, state = _file(workspace), workspace.state
    if not path.exists():
        return
    pending = msgspec.json.decode(path.read_bytes(), type=_Pending)
    is_done = workspace.lake.events.snapshot().offset(RETAINED) == pending.number
    if is_done and state.mark(RETAINED) != pending.number:
        rows = [
            {"source": source, "hour_us": hour, "stored": count, "rejected": 0}
            for source, hour, count in pending.hours
        ]
        added = state.upsert(schema.erased_count, add=("stored", "rejected"))
        state.write((added, rows), state.set_mark(RETAINED, pending.number))
    path.unlink()


def _take_state(workspace: Workspace, due: _Due, told: dict[str, Any]) -> None:
    """All that goes out of State, in one transaction with the row of the audit log."""
    state = workspace.state
    rejected = [
        {"source": source, "hour_us": hour, "stored": 0, "rejected": count}
        for (source, hour), count in due.rejects.items()
        if hour >= 0
    ]
    of, before = sa.bindparam("of"), sa.bindparam("before")
    forgotten = [{"of": node} for node in due.profiles]
    old_rejects = [{"before": due.rejects_before_us}] if due.rejects else []
    old_changes = [{"before": due.changes_upto}] if due.changes else []
    statements: list[Statement] = [
        (state.upsert(schema.erased_count, add=("stored", "rejected")), rejected),
        (sa.delete(schema.reject).where(schema.reject.c.received_us < before), old_rejects),
        (sa.delete(schema.person_change).where(schema.person_change.c.id <= before), old_changes),
        *_forgetting(of, forgotten),
    ]
    if old_changes:
        statements.append(state.set_mark(GONE, due.changes_upto))
    if forgotten:  # whoever remembers that State knows these identifiers is to look again
        moved = [{"name": name, "value": 1} for name in (TOMBSTONES, TRAITS, NOTES)]
        statements.append((state.upsert(schema.mark, add=["value"]), moved))
    done(workspace, "retention", *statements, **told)


def _forgetting(of: sa.BindParameter[Any], rows: list[dict[str, bytes]]) -> Iterator[Statement]:
    for table in (schema.trait, schema.person_note, schema.mail_domain, schema.node):
        yield from ((sa.delete(table).where(column == of), rows) for column in owners(table))


def _file(workspace: Workspace) -> Path:
    return workspace.dir / FILE
