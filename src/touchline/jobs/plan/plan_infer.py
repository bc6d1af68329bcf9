"""Events that came in → a tracking plan that describes them, as TOML to correct and apply.

Names and counts are of all track events of the days asked for; properties are read from the newest
of each name. What nobody should see in a plan is not in it: values are listed only where a few come
again and again, and never those of a property that names somebody.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ibis
import msgspec
import tomli_w

from touchline import clock
from touchline.collect.plan_spec import is_automatic
from touchline.collect.redact import REMOVED, is_telling
from touchline.collect.time import local_day
from touchline.collect.veiled import Sight
from touchline.identity.people import Registry
from touchline.jobs import arguments
from touchline.jobs.definitions import planned_of
from touchline.journey.goal import Goal
from touchline.model import IDENTIFIER_TYPES
from touchline.storage.engine import Expression, View
from touchline.storage.workspace import Workspace

__all__ = ["infer", "observed"]

DAYS = 30
SAMPLE = 300  # events of a name whose properties are read
LARGEST = 32_000  # letters of properties: who reads 300 events of 4 MB each waits for a minute
MOST_EVENTS, MOST_PROPERTIES = 300, 60
ENOUGH = 20  # events from which on a property that is in all of them is called required
LISTED = 12  # different values at most that make a list
AGAIN = 5  # times that each of them was seen
MAX_VALUE = 40
ANYTHING = "anything"


# Columns that are properties to whoever sends an event, and how else they may stand there.
COLUMNS = {
    "order_id": frozenset(("order_id", "orderId")),
    "store_code": frozenset(("store_code", "storeCode")),
    "staff_id": frozenset(("staff_id", "staffId")),
    "content_id": frozenset(("content_id", "contentId")),
    "currency": frozenset(("currency", "revenue", "total", "value")),
    "revenue": frozenset(("revenue", "total", "value")),
}


class Property:
    """What was seen of a property."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.values: Counter[str] = Counter()

    def add(self, value: Any) -> None:
        self.types[_type(value)] += 1
        if isinstance(value, str) and len(self.values) <= LISTED:
            self.values[value[: MAX_VALUE + 1]] += 1

    def spec(self, name: str, sampled: int) -> dict[str, Any]:
        kinds = sorted(self.types)
        if kinds == ["integer", "number"]:
            kinds = ["number"]
        spec: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
        if self.types.total() == sampled >= ENOUGH:
            spec["required"] = True
        if kinds == ["string"] and not is_telling(name) and _is_list(self.values):
            spec["enum"] = sorted(self.values)
        return spec


class Seen:
    """An event of one name, and what was seen of its newest."""

    def __init__(self, name: str, count: int, last_day: str) -> None:
        self.name, self.count, self.last_day = name, count, last_day
        self.sampled = 0
        self.properties: dict[str, Property] = {}

    def add(self, properties: dict[str, Any]) -> None:
        self.sampled += 1
        for name, value in properties.items():
            known = self.properties.get(name)
            if value is None or (known is None and len(self.properties) >= MOST_PROPERTIES):
                continue
            if known is None:
                known = self.properties[name] = Property()
            known.add(value)

    def hide(self, sight: Sight) -> None:
        """Of what is not seen as it is there are no values."""
        for name, known in self.properties.items():
            if sight.value(name, ANYTHING) != ANYTHING:
                known.values.clear()


def observed(workspace: Workspace, _registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """{"toml", "events": [{"name", "count", "last_day", "is_planned"}], "days"}: a plan of the
    track events of the last `days` (default 30), without those that trackers send by themselves.
    """
    days = arguments.days(args.get("days"), DAYS)
    planned = planned_of(workspace)
    with workspace.view("fresh", "events") as view:
        found = _seen(view, local_day(clock.now_us(), workspace.time_zone) - days + 1)
    sight = Sight.of(workspace)
    if sight is not None:
        for one in found:
            one.hide(sight)
    return {
        "toml": infer(found, planned.goals),
        "events": [
            {
                "name": one.name,
                "count": one.count,
                "last_day": one.last_day,
                "is_planned": planned.plan is not None
                and planned.plan.name_of("track", one.name) is not None,
            }
            for one in found
        ],
        "days": days,
    }


def infer(found: Sequence[Seen], goals: Sequence[Goal] = ()) -> str:
    """The plan as TOML; above each event how often it came."""
    counted = {name for goal in goals for name in (goal.event, *goal.also)}
    parts: list[str] = []
    for one in found:
        event: dict[str, Any] = {"name": one.name, "description": ""}
        if one.name in counted:
            event["conversion"] = True
        parts.append(f"# {one.count:,} events, the last on {one.last_day}\n[[event]]")
        parts.append(tomli_w.dumps(event))
        for name, of in one.properties.items():
            key = tomli_w.dumps({name: 0}).removesuffix(" = 0\n")
            spec = tomli_w.dumps(of.spec(name, one.sampled))
            parts.append(f"[event.properties.{key}]\n{spec}")
    return "\n".join(parts)


def _seen(view: View, since: int) -> list[Seen]:
    first = dt.date(1970, 1, 1) + dt.timedelta(days=since)
    names = ("type", "name", "ts_us", "seq", "local_day", "properties", "bot", *COLUMNS)
    events = view.events(*names)
    events = events.filter(events.type == "track", ~events.bot, events.local_day >= first)
    counts = events.group_by("name").agg(n=events.count(), last=events.local_day.max())
    counts = counts.order_by(counts.n.desc(), "name").limit(2 * MOST_EVENTS)
    rows = [row for row in view.fetch(counts).to_pylist() if not is_automatic(row["name"])]
    found = [Seen(row["name"], row["n"], row["last"].isoformat()) for row in rows[:MOST_EVENTS]]
    named = {one.name: one for one in found}
    if named:
        for batch in view.batches(_newest(events, list(named))):
            for row in batch.to_pylist():
                properties = msgspec.json.decode(row["properties"] or "{}")
                named[row["name"]].add({**_in_columns(row, properties), **properties})
    return found


def _newest(events: Expression, names: list[str]) -> Expression:
    """Name and properties of the newest events of each name, monsters left out."""
    events = events.filter(events.properties.length().fill_null(0) <= LARGEST)
    place = ibis.row_number().over(
        group_by=events.name, order_by=[events.ts_us.desc(), events.seq.desc()]
    )
    found = events.filter(events.name.isin(names)).mutate(place=place)
    return found.filter(found.place < SAMPLE).select("name", "properties", *COLUMNS)


def _in_columns(row: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """What files say of an event outside its properties; trackers say it in them."""
    return {
        name: float(row[name]) if name == "revenue" else row[name]
        for name, spellings in COLUMNS.items()
        if row[name] is not None and spellings.isdisjoint(properties)
    }


def _is_list(values: Counter[str]) -> bool:
    """Whether these are the values of a list rather than what people are called or say."""
    return (
        0 < len(values) <= LISTED
        and min(values.values()) >= AGAIN
        and all(0 < len(value) <= MAX_VALUE and not _is_veiled(value) for value in values)
    )


def _is_veiled(value: str) -> bool:
    return value == REMOVED or value.partition(":")[0] in IDENTIFIER_TYPES


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return {str: "string", list: "array"}.get(type(value), "object")
