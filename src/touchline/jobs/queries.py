"""Questions to a workspace → answers, the same for the command line and the API.

Each takes an open workspace and plain arguments, reads one view of the lake, and yields JSON lines
or returns one JSON value. `QUERIES` names those that may be asked over the worker's socket.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import pyarrow as pa

from touchline import clock
from touchline.collect.alias import renamed, renamed_in
from touchline.collect.nodes import clear_values
from touchline.collect.veiled import Sight
from touchline.identity.people import Registry
from touchline.identity.profile import find_person, identifiers_of
from touchline.identity.speaker import with_person
from touchline.identity.timeline import events_of
from touchline.jobs import arguments
from touchline.jobs.asked import asking
from touchline.jobs.audit_query import audit_rows
from touchline.jobs.audited import seen
from touchline.jobs.calibration import next_lift
from touchline.jobs.channel import explain
from touchline.jobs.explaining import explain as explain_conversion
from touchline.jobs.explaining import landing_seen, model_notes, number
from touchline.jobs.guide import guide
from touchline.jobs.intake.received import intake
from touchline.jobs.intake.rejected import rejects
from touchline.jobs.lift import lift_tests
from touchline.jobs.links import links
from touchline.jobs.patterning import patterns_of
from touchline.jobs.people import (
    companies,
    identity,
    identity_rules,
    matching,
    profile,
    profile_notes,
)
from touchline.jobs.people.known import person, why
from touchline.jobs.people.person_changes import person_changes
from touchline.jobs.plan import plan_check, plan_infer, plan_template
from touchline.jobs.plan.named import named
from touchline.jobs.privacy import consent, erase, preferences, retention
from touchline.jobs.qr import drawn
from touchline.jobs.rebuilt import relabelled, remarked
from touchline.journey.version import in_force, rows_in_force
from touchline.measure.aggregate import aggregate_lines
from touchline.measure.credit_table import credit_table
from touchline.measure.report import Report, report
from touchline.measure.roles import TOP, roles_report
from touchline.model import LABELS, Identifier
from touchline.storage.engine import Expression
from touchline.storage.workspace import Workspace

__all__ = [
    "QUERIES",
    "aggregates",
    "attribution",
    "credit_rows",
    "events",
    "people",
    "rejects",
    "roles",
    "timeline",
]

_encoder = msgspec.json.Encoder()
AT_ONCE = 20_000
MOST_PATHS = 1000


def attribution(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Report:
    """goal, models, by, window ("90d"), from, to, as_of, interval, replicates: all optional."""
    by = arguments.labels(args.get("by") or "channel")
    interval = arguments.interval(args)
    with asking(workspace, registry, args, by) as asked:
        found = report(*asked, args.get("models") or "all", interval)
        notes = relabelled(workspace, asked.view)
    for row in found.rows if "landing_page" in by else ():
        row.labels["landing_page"] = landing_seen(workspace, row.labels["landing_page"])
    return msgspec.structs.replace(found, notes=[*found.notes, *notes]) if notes else found


def roles(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """goal, by, window, from, to, as_of, top: how journeys open, close and come to nothing."""
    by = arguments.labels(args.get("by") or "channel")
    top = args.get("top")
    most = TOP if top is None else arguments.number(top, "top")
    with asking(workspace, registry, args, by) as asked:
        found = roles_report(*asked, top=min(most, MOST_PATHS))
        found = remarked(workspace, asked.view, found)
    if "landing_page" in by:
        loss = found["loss"]
        for row in (*found["rows"], *loss["rows"], *(loss["deals"] or {}).get("last_touch", ())):
            row["landing_page"] = landing_seen(workspace, row["landing_page"])
        for row in (*found["paths"], *loss["paths"]):
            row["path"] = [landing_seen(workspace, step) or "–" for step in row["path"]]
    return found


def credit_rows(
    workspace: Workspace,
    registry: Registry,
    args: dict[str, Any],
    aside: dict[str, Any] | None = None,
) -> Iterator[bytes]:
    """JSON lines of the credit table: what each touch got of each conversion, by model; `aside`
    is given what they add up to, and what they leave out.
    """
    with asking(workspace, registry, args, LABELS) as asked:
        for row in credit_table(*asked, args.get("models") or "all", aside):
            yield _encoder.encode(row) + b"\n"


def aggregates(workspace: Workspace, _registry: Registry, _args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of touches that name nobody, a row a period."""
    with workspace.view() as view:
        yield from aggregate_lines(view)


def people(workspace: Workspace, registry: Registry, _args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of everybody: person_id, identifiers in clear, traits, stage, tags, owner."""
    seen(workspace, "people")
    with workspace.view() as view:
        for person in profile.export(workspace, view, registry.at(view)):
            yield _encoder.encode(person) + b"\n"


def events(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines in order of (received_at, seq); filters: see docs/reference/http.md."""
    with workspace.view() as view:
        rows = renamed(view, in_force(view, view.events()))
        if args.get("person"):
            known = registry.at(view)
            person = find_person(workspace, known, args["person"])
            seen(workspace, "events", known.person_ids[person])
            rows = with_person(rows, known.speakers(view))
            rows = rows.filter(rows.person_ix == person)
        else:
            seen(workspace, "events")
        if args.get("message_id_prefix"):
            rows = rows.filter(rows.message_id.startswith(args["message_id_prefix"]))
        if args.get("from"):
            rows = rows.filter(
                rows.ts_us >= arguments.moment(args["from"], "from", workspace.time_zone)
            )
        if args.get("to"):
            rows = rows.filter(rows.ts_us < arguments.moment(args["to"], "to", workspace.time_zone))
        rows = _page(rows, args)
        yield from _event_lines(workspace, view.batches(rows))


def timeline(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """A person with everything that happened to them, oldest first."""
    with workspace.view() as view:
        known = registry.at(view)
        person = find_person(workspace, known, args["person"])
        seen(workspace, "timeline", known.person_ids[person])
        rows = rows_in_force(view, events_of(workspace.lake.by_node, view, known, person))
        rows = renamed_in(view.documents).renamed_rows(rows)
        lines = _event_lines(workspace, rows.to_batches(AT_ONCE))
        found = [msgspec.Raw(line.rstrip()) for line in lines]
        return {
            "person_id": known.person_ids[person],
            "identifiers": identifiers_of(workspace, known, person),
            "events": found,
        }


def _page(rows: Expression, args: dict[str, Any]) -> Expression:
    if args.get("cursor"):
        received, seq = arguments.cursor(args["cursor"])
        later = (rows.received_us == received) & (rows.seq > seq)
        rows = rows.filter((rows.received_us > received) | later)
    rows = rows.order_by("received_us", "seq")
    return rows.limit(arguments.limit(args["limit"])) if args.get("limit") else rows


def _event_lines(workspace: Workspace, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    sight = Sight.of(workspace)
    for batch in batches:
        found = batch.to_pylist()
        nodes = {node["id"] for row in found for node in row["node_ids"] or ()}
        clear = clear_values(workspace, nodes)
        for row in found:
            event = _event(row, clear)
            yield _encoder.encode(event if sight is None else event | _seen(row, sight)) + b"\n"


def _event(row: dict[str, Any], clear: dict[bytes, Identifier]) -> dict[str, Any]:
    known = [clear[node["id"]] for node in row["node_ids"] or () if node["id"] in clear]
    first: dict[str, str] = {}
    for identifier in known:
        first.setdefault(identifier.type, identifier.value)
    return {
        "message_id": row["message_id"],
        "type": row["type"],
        "name": row["name"],
        "user_id": first.get("user_id"),
        "anonymous_id": first.get("anonymous_id"),
        "timestamp": clock.iso(row["ts_us"]),
        "received_at": clock.iso(row["received_us"]),
        "sent_at": _iso(row["sent_us"]),
        "original_timestamp": _iso(row["original_us"]),
        "source": row["source"],
        **{name: row[name] for name in _AS_THEY_ARE},
        "click_ids": dict(row["click_ids"] or ()),
        "identifiers": [{"type": i.type, "value": i.value} for i in known],
        "properties": msgspec.Raw((row["properties"] or "{}").encode()),
        "context": msgspec.Raw((row["context"] or "{}").encode()),
        "cursor": f"{row['received_us']}:{row['seq']}",
    }


def _seen(row: dict[str, Any], sight: Sight) -> dict[str, Any]:
    """What stands in an event's own words, as a masked role sees it."""
    return {
        **{name: sight.url(name, row[name]) for name in ("page_url", "landing_page")},
        "page_title": sight.value("page_title", row["page_title"]),
        "click_ids": sight.value("click_ids", dict(row["click_ids"] or ())) or {},
        "properties": sight.members(row["properties"]),
        "context": sight.members(row["context"]),
    }


_AS_THEY_ARE = (
    *LABELS, "referrer_host", "page_url", "page_title", "landing_page", "store_code", "staff_id",
    "account_id", "content_id", "revenue", "currency", "order_id", "stage", "bot",
    "consent",
)  # fmt: skip


def _bundle(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    from touchline.jobs.privacy.dsar import bundle

    yield from bundle(workspace, registry, args)


def _iso(us: int | None) -> str | None:
    return None if us is None else clock.iso(us)


Query = Callable[[Workspace, Registry, dict[str, Any]], Any]
QUERIES: dict[str, Query] = {
    "account": companies.account,
    "accounts": companies.accounts,
    "attribution_guide": guide,
    "attribution": lambda workspace, registry, args: attribution(
        workspace, registry, args
    ).as_json(),
    "channel_explain": lambda workspace, _, args: explain(workspace, args),
    "aggregates": aggregates,
    "answer_suggestion": matching.answer,
    "audit": audit_rows,
    "decide": identity.decide,
    "decisions": identity.decisions,
    "consent": consent.shown,
    "preferences": preferences.page,
    "preview_erasure": lambda workspace, registry, args: erase.preview(
        workspace, registry, args["person"]
    ),
    "preferences_link": preferences.link,
    "events": events,
    "explain": explain_conversion,
    "explain_number": number,
    "model_notes": model_notes,
    "export_person": _bundle,
    "households": companies.shared_homes,
    "identity_dry_run": identity_rules.dry_run,
    "identity_rules": identity_rules.rules,
    "intake": intake,
    "lift_tests": lift_tests,
    "links": links,
    "named": named,
    "next_lift": next_lift,
    "note_person": profile_notes.note,
    "person_changes": person_changes,
    "person": person,
    "patterns": patterns_of,
    "plan": plan_check.touchpoints,
    "plan_check": plan_check.check,
    "plan_observed": plan_infer.observed,
    "plan_template": lambda _, __, args: plan_template.template(args["name"], args["language"]),
    "plan_templates": lambda _, __, ___: plan_template.templates(),
    "qr": drawn,
    "quarantine": identity_rules.quarantine,
    "rejects": rejects,
    "retention": retention.preview,
    "roles": roles,
    "review": matching.review,
    "timeline": timeline,
    "why": why,
}
