"""The tracking plan beside what came in: which touchpoints live, and what somebody must look at.

Nothing here reads the lake. Faults are counted, and touchpoints noted, when events are stored; so
asking costs as much as there are rows of faults in the days asked for, whatever the traffic.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

import sqlalchemy as sa

from touchline import clock
from touchline.collect.plan import NO_VALUE, UNPLANNED, Plan
from touchline.collect.plan_spec import EventSpec
from touchline.collect.property_check import PropertySpec
from touchline.collect.reasons import REASONS
from touchline.collect.time import local_day
from touchline.collect.touchpoint_map import CONDITIONS, TouchpointSpec
from touchline.collect.veiled import Sight
from touchline.identity.people import Registry
from touchline.jobs import arguments
from touchline.jobs.definitions import planned_of
from touchline.jobs.intake import sightings
from touchline.jobs.plan.planned import Planned, goals_on
from touchline.storage import definition, schema
from touchline.storage.workspace import Workspace

__all__ = ["STATUSES", "check", "told", "touchpoints"]

DAYS = 7
NEAR = 0.75
THOROUGH = 50  # findings whose names are compared with all of the plan's
STATUSES = ("planned", "instrumented", "receiving", "lost")
LOST, EVENT_LOST = "touchpoint_lost", "event_lost"
# What a finding is, beyond the reasons for which a strict plan refuses an event.
WHAT = {
    **REASONS,
    NO_VALUE: (
        "A conversion came without what it is worth. Send revenue, or what the goal takes.",
        "转化事件没有金额。请传 revenue,或转化目标所取的属性。",
    ),
    LOST: (
        "The touchpoint was seen before and is not any more. Check its key, link or page.",
        "该触点以前有数据,现在没有了。请检查密钥、链接或页面埋点。",
    ),
    EVENT_LOST: (
        "A key event came before and does not any more. Check where it is sent from.",
        "该关键事件以前有数据,现在没有了。请检查上报该事件的页面或系统。",
    ),
}
# Definitions that set something up which sends, under the name of its source or its own.
SENDERS = ("webhook", "form", "source")
_table = schema.off_plan.c
Row = sa.Row[Any]


class Status(NamedTuple):
    status: str
    seen_us: int | None = None

    def told(self) -> dict[str, str | None]:
        at = None if self.seen_us is None else clock.iso(self.seen_us)
        return {"status": self.status, "last_seen_at": at}


def check(workspace: Workspace, _registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """{"findings": [...], "days", "has_plan"} of the last `days` (default 7), today included. Each
    finding: finding, event or touchpoint, property, sources, count, rejected, first_day, last_day,
    example, suggestion, what (in `language`: en, zh).
    """
    days, language = arguments.days(args.get("days"), DAYS), args.get("language") or "en"
    planned = planned_of(workspace)
    findings = [*_faults(workspace, planned, days), *_lost(workspace, planned, days)]
    sight = Sight.of(workspace)
    for finding in findings:
        if sight is not None:
            finding["example"] = sight.value(finding["property"] or "", finding["example"])
        finding["what"] = told(finding["finding"], language)
    return {
        "findings": findings,
        "days": days,
        "has_plan": planned.plan is not None or bool(planned.touchpoints.touchpoints),
    }


def touchpoints(workspace: Workspace, _registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """{"touchpoints": [...], "events": [...], "days"}: the map and the plan as they stand, each
    with its status: planned, instrumented (what sends it is set up), receiving (seen in the last
    `days`), lost (seen, but not lately).
    """
    days, planned = arguments.days(args.get("days"), DAYS), planned_of(workspace)
    eye = _Eye(workspace, planned, days)
    goals = planned.goals
    return {
        "touchpoints": [_touchpoint(one, eye) for one in planned.touchpoints.touchpoints],
        "events": [
            {
                "name": one.name,
                "also": list(one.also),
                "type": one.type,
                "kind": one.kind,
                "stage": one.stage,
                "owner": one.owner,
                "description": one.description,
                "is_key": one.key or bool(goals_on(one, goals)),
                "goals": [goal.name for goal in goals_on(one, goals)],
                **eye.of_event(one).told(),
            }
            for one in (planned.plan.events if planned.plan else ())
        ],
        "days": days,
    }


def told(finding: str, language: str) -> str:
    """What a finding means and what to do."""
    return WHAT[finding][language == "zh"]


def _touchpoint(one: TouchpointSpec, eye: "_Eye") -> dict[str, Any]:
    conditions = {name: list(one.texts(name)) for name in CONDITIONS if one.texts(name)}
    return {
        "name": one.name,
        "stage": one.stage,
        "owner": one.owner,
        "description": one.description,
        "recognised_by": conditions,
        **eye.of_touchpoint(one).told(),
    }


class _Eye:
    """Looks at what was last seen when, and at what is set up."""

    def __init__(self, workspace: Workspace, planned: Planned, days: int) -> None:
        self._map = planned.touchpoints
        self._seen = sightings.last_seen(workspace.state)
        today = local_day(clock.now_us(), workspace.time_zone)
        self._first_day = today - days + 1
        self._zone = workspace.time_zone
        self._senders = _senders(workspace)
        self._links = _links(workspace, planned)

    def of_touchpoint(self, one: TouchpointSpec) -> Status:
        key = self._map.key_of(one.name)
        seen_us = self._seen.get(key) if key else None
        is_set_up = not (
            self._senders.isdisjoint(one.texts("data_source"))
            and self._links.isdisjoint(text.lower() for text in one.texts("link"))
        )
        return self._status(seen_us, is_set_up=is_set_up)

    def of_event(self, one: EventSpec) -> Status:
        return self._status(self._seen.get(self._map.key_of_event(one)), is_set_up=False)

    def day(self, status: Status) -> str:
        """The local day on which it was last seen."""
        return _iso(local_day(status.seen_us or 0, self._zone))

    def _status(self, seen_us: int | None, *, is_set_up: bool) -> Status:
        if seen_us is None:
            return Status("instrumented" if is_set_up else "planned")
        is_live = local_day(seen_us, self._zone) >= self._first_day
        return Status("receiving" if is_live else "lost", seen_us)


def _senders(workspace: Workspace) -> set[str]:
    """Names of what is set up to send: sources of write keys, connectors, webhooks, forms."""
    found = set(workspace.write_keys().values())
    held = definition.current(workspace.state)
    for kind in SENDERS:
        tables = held.get(kind, [])
        named = tables if isinstance(tables, list) else []
        found |= {str(one.get("source") or one.get("name")) for one in named}
    return found


def _links(workspace: Workspace, planned: Planned) -> set[str]:
    """Codes of short links that the map names and that there are."""
    code = schema.link.c.code
    named = {text.lower() for one in planned.touchpoints.touchpoints for text in one.texts("link")}
    return {row.code for row in workspace.state.lookup(code, named, code)}


def _lost(workspace: Workspace, planned: Planned, days: int) -> Iterator[dict[str, Any]]:
    eye = _Eye(workspace, planned, days)
    for one in planned.touchpoints.touchpoints:
        status = eye.of_touchpoint(one)
        if status.status == "lost":
            yield _finding(LOST) | {"touchpoint": one.name, "last_day": eye.day(status)}
    for event in planned.plan.events if planned.plan else ():
        status = eye.of_event(event)
        if status.status == "lost" and (event.key or goals_on(event, planned.goals)):
            yield _finding(EVENT_LOST) | {"event": event.name, "last_day": eye.day(status)}


def _finding(finding: str) -> dict[str, Any]:
    return {
        "finding": finding,
        "event": None,
        "touchpoint": None,
        "property": None,
        "sources": [],
        "count": 0,
        "rejected": 0,
        "first_day": None,
        "last_day": None,
        "example": None,
        "suggestion": None,
    }


def _faults(workspace: Workspace, planned: Planned, days: int) -> list[dict[str, Any]]:
    """Counted faults that the plan in force would find again, the most frequent first."""
    if planned.plan is None:
        return []
    since = local_day(clock.now_us(), workspace.time_zone) - days + 1
    query = sa.select(schema.off_plan).where(_table.day >= since).order_by(_table.day)
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    sources: dict[tuple[str, str, str], Counter[str]] = {}
    now = _Now(planned)
    for row in workspace.state.read(query):
        if not now.is_at_fault(row):
            continue
        key = (row.reason, row.event, row.property)
        day = _iso(row.day)
        finding = found.setdefault(
            key, _finding(row.reason) | {"event": row.event, "first_day": day}
        )
        finding["property"] = row.property or None
        finding["count"] += row.stored + row.rejected
        finding["rejected"] += row.rejected
        finding["last_day"] = day
        finding["example"] = finding["example"] or row.example
        sources.setdefault(key, Counter())[row.source] += row.stored + row.rejected
    for key, finding in found.items():
        finding["sources"] = [name for name, _ in sources[key].most_common()]
    names = ("finding", "event", "property")
    ordered = sorted(found.values(), key=lambda f: (-f["count"], *(f[n] or "" for n in names)))
    for place, finding in enumerate(ordered):
        finding["suggestion"] = now.suggestion(finding, is_thorough=place < THOROUGH)
    return ordered


def _iso(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


class _Now:
    """The plan in force, asked about faults that may have been counted under an earlier one."""

    def __init__(self, planned: Planned) -> None:
        assert planned.plan is not None  # noqa: S101  # nothing is counted without one
        self._plan: Plan = planned.plan
        self._events = {one.name: one for one in planned.plan.events}
        self._goals = planned.goals
        names = {name: one.name for one in planned.plan.events for name in (one.name, *one.also)}
        self._names = {_bare(name): canonical for name, canonical in names.items()}

    def is_at_fault(self, row: Row) -> bool:
        if row.reason == UNPLANNED:
            return self._plan.name_of("track", row.event) is None and not self._plan.is_ignored(
                row.event
            )
        event = self._events.get(row.event)
        if event is None:
            return False
        if row.reason == NO_VALUE:
            return bool(goals_on(event, self._goals))
        if row.reason == "unplanned_property":
            return event.closed and row.property not in event.properties
        spec = _spec(event.properties, row.property)
        return spec is not None and _may_find(spec, row.reason)

    def suggestion(self, finding: dict[str, Any], *, is_thorough: bool) -> str | None:
        """What was probably meant by a name that the plan does not have."""
        if finding["finding"] == UNPLANNED:
            return _nearest(finding["event"], self._names, is_thorough=is_thorough)
        if finding["finding"] == "unplanned_property" and finding["property"]:
            own = self._events[finding["event"]].properties
            known = {_bare(name): name for name in own}
            return _nearest(finding["property"], known, is_thorough=is_thorough)
        return None


def _spec(properties: dict[str, PropertySpec], path: str) -> PropertySpec | None:
    """The part of a plan that a fault's path leads to, such as `products[].price`."""
    for name, spec in properties.items():
        rest = path.removeprefix(name) if path.startswith(name) else None
        found: PropertySpec | None = spec
        while rest is not None and found is not None:
            if not rest:
                return found
            if rest.startswith("[]"):
                found, rest = found.items, rest[2:]
            elif rest.startswith("."):
                return _spec(found.properties, rest[1:])
            else:
                break
    return None


def _may_find(spec: PropertySpec, reason: str) -> bool:
    by_reason: dict[str, tuple[Any, ...]] = {
        "missing_property": (spec.required or None,),
        "wrong_type": (spec.type,),
        "not_in_list": (spec.enum,),
        "wrong_format": (spec.pattern, spec.format),
        "out_of_range": (
            *(spec.minimum, spec.maximum, spec.min_length, spec.max_length),
            *(spec.min_items, spec.max_items),
        ),
    }
    return any(said is not None for said in by_reason.get(reason, ()))


def _bare(name: str) -> str:
    """A name as near misses are compared: letters and digits alone, in one case."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _nearest(name: str, known: dict[str, str], *, is_thorough: bool) -> str | None:
    """`known`: bare name -> the name itself."""
    bare = _bare(name)
    if bare in known:
        return known[bare]
    near = get_close_matches(bare, known, 1, NEAR) if is_thorough else []
    return known[near[0]] if near else None
