"""Imported costs and aggregates → the lake: a file replaces all rows of the (source, day, channel,
source column, for aggregates place) it speaks of, as one new batch.

Of a placement's day the newest batch is in force, so a day that is equal to what is stored is not
written again (unless it was provisional then and is final now), and a revised one brings all its
rows, also those that stayed the same. What
surprises: where the rules named the channel, rows stored under older rules are at another place
than the file's; those the file speaks of are taken away from there. And places are the same when
the aliases in force give them one name, yet each is stored as it was written, so that no alias ever
changes what was spent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from touchline import clock
from touchline.collect.alias import Aliases, renamed_in
from touchline.collect.importers.cells import Import
from touchline.collect.importers.costs import CostRow, add_up, as_ruled, cost_key
from touchline.collect.site import Site
from touchline.jobs.imports.versions import Verdicts
from touchline.measure.cost import in_force
from touchline.measure.provisional import Finality
from touchline.model import Aggregate, Cost
from touchline.storage import definition
from touchline.storage.columns import AGGREGATES, COSTS
from touchline.storage.lake import SEQ
from touchline.storage.workspace import Workspace

__all__ = ["store_costs"]

DAYS = ("day", "first_day", "last_day")

Key = tuple[Any, ...]
# day, channel, source column, place: what a re-import replaces as a whole (within its source).
Place = tuple[int, str, str | None, str | None]


class Kind(Struct, frozen=True):
    """Where rows of a kind are kept."""

    name: str
    schema: pa.Schema
    row: type[Cost]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.row.__struct_fields__


KINDS = {
    kind.name: kind
    for kind in (Kind("costs", COSTS, Cost), Kind("aggregates", AGGREGATES, Aggregate))
}


class Costs(Struct):
    """Costs by place and key as written, the keys whose channel a rule named, and when a place was
    known.
    """

    at: dict[Place, dict[Key, Cost]] = {}
    ruled: set[Key] = set()
    known_us: dict[Place, int] = {}

    def add(self, cost: Cost) -> None:
        self.at.setdefault(_place(cost), {})[cost_key(cost)] = cost

    def named(self, names: Aliases) -> "Costs":
        """Under their one names: spellings of a place add up, known since the first was."""
        if not names.by_column:
            return self
        found = Costs()
        written = (cost for costs in self.at.values() for cost in costs.values())
        for cost in add_up(_named(cost, names) for cost in written).values():
            found.add(cost)
        for place, known_us in self.known_us.items():
            one = _named_place(place, names)
            found.known_us[one] = min(known_us, found.known_us.get(one, known_us))
        return found


def store_costs(workspace: Workspace, rows: Sequence[CostRow], about: Import) -> Verdicts:
    """A row of the file is stored when one of its days is new, updated when one changed."""
    kind = KINDS[about.kind]
    documents = definition.current(workspace.state)
    names = renamed_in(documents)
    arriving = Costs(ruled={cost_key(day) for row in rows if row.is_by_rule for day in row.days})
    for cost in add_up(day for row in rows for day in row.days).values():
        arriving.add(cost)
    held = _held(workspace, kind, about.source, arriving)
    told, stood = arriving.named(names), held.named(names)
    moved = _moved(told, held, names, about.site)
    finality = Finality.of(documents, workspace.time_zone)
    differing = {
        place
        for place, at in told.at.items()
        if at != stood.at.get(place, {}) or _is_final_now(place, stood, finality, about.source)
    }
    changed = {
        place: arriving.at.get(place, {})
        for place in (*arriving.at, *held.at)
        if _named_place(place, names) in differing
    }
    changed |= _left(held, (cost for _, cost in moved))
    if changed:
        table = workspace.lake.tables[kind.name]
        batch = table.snapshot().offset(SEQ) + 1
        ruled = arriving.ruled | held.ruled
        table.commit(_rows(kind, changed, ruled, about.source, batch), offsets={SEQ: batch})
    days = [[_named(day, names) for day in row.days] for row in rows]
    return _verdicts(days, told.at, stood.at, {key for key, _ in moved})


def _named(cost: Cost, names: Aliases) -> Cost:
    """A cost under the aliases in force, as reports read it."""
    if not names.by_column:
        return cost
    labels = {column: names.named(column, getattr(cost, column)) for column in names.by_column}
    return msgspec.structs.replace(cost, **labels)


def _named_place(place: Place, names: Aliases) -> Place:
    day, channel, source_name, where = place
    one = names.named("channel", channel) or channel
    return day, one, names.named("source_name", source_name), where


def _place(cost: Cost) -> Place:
    place = cost.place if isinstance(cost, Aggregate) else None
    return cost.day, cost.channel, cost.source_name, place


def _is_final_now(place: Place, held: Costs, finality: Finality, source: str) -> bool:
    """Whether what is stored was provisional when it came, and would be no more."""
    day, _, source_name, _ = place
    days = finality.after(source, source_name)
    known_us = held.known_us.get(place)
    if not days or known_us is None or finality.is_final(day, known_us, days):
        return False
    return finality.is_final(day, clock.now_us(), days)


def _moved(told: Costs, held: Costs, names: Aliases, site: Site) -> list[tuple[Key, Cost]]:
    """Stored costs that the rules of today put at a place of the file, with what they are now."""
    found: list[tuple[Key, Cost]] = []
    for place, costs in held.at.items():
        for key, cost in costs.items():
            if key in held.ruled and _named_place(place, names) not in told.at:
                now = _named(as_ruled(cost, site), names)
                if _place(now) in told.at:
                    found.append((cost_key(now), cost))
    return found


def _left(held: Costs, moved: Iterable[Cost]) -> dict[Place, dict[Key, Cost]]:
    """What stays in force at the places that costs moved away from."""
    found: dict[Place, dict[Key, Cost]] = {}
    for cost in moved:
        place = _place(cost)
        found.setdefault(place, dict(held.at[place])).pop(cost_key(cost))
    return found


def _verdicts(
    rows: Iterable[Sequence[Cost]],
    told: Mapping[Place, Mapping[Key, Cost]],
    stood: Mapping[Place, Mapping[Key, Cost]],
    moved: set[Key],
) -> Verdicts:
    counts = [0, 0, 0]
    for days in rows:
        worst = 0
        for day in days:
            key, place = cost_key(day), _place(day)
            before = stood.get(place, {}).get(key)
            if before is None:
                worst = max(worst, 1 if key in moved else 2)
            else:
                worst = max(worst, int(before != told[place][key]))
        counts[worst] += 1
    duplicate, updated, stored = counts
    return Verdicts(stored, duplicate, updated)


def _held(workspace: Workspace, kind: Kind, source: str, arriving: Costs) -> Costs:
    """What is in force of this source on the days of the file."""
    held = Costs()
    if not arriving.at:
        return held
    days = [day for day, *_ in arriving.at]
    with workspace.view(kind.name) as view:
        rows = view.table(kind.name)
        rows = rows.filter(
            rows.source == source,
            rows.day >= clock.from_day(min(days)),
            rows.day <= clock.from_day(max(days)),
        )
        rows = in_force(rows, kind.name).select("channel_by_rule", "known_at_us", *kind.fields)
        for row in view.fetch(rows).to_pylist():
            is_ruled, known_us = row.pop("channel_by_rule"), row.pop("known_at_us")
            row |= {name: clock.to_day(row[name]) for name in DAYS if name in row}
            cost = kind.row(**row)
            held.add(cost)
            held.known_us[_place(cost)] = known_us
            if is_ruled:
                held.ruled.add(cost_key(cost))
    return held


def _rows(
    kind: Kind,
    groups: dict[Place, dict[Key, Cost]],
    ruled: set[Key],
    source: str,
    batch: int,
) -> pa.Table:
    common = {"source": source, "batch": batch, "known_at_us": clock.now_us()}
    columns: dict[str, list[Any]] = {name: [] for name in kind.schema.names}
    for place, costs in groups.items():
        for row in _of_place(place, costs, ruled):
            for name, values in columns.items():
                values.append(common.get(name, row.get(name)))
    return pa.table(columns, schema=kind.schema)


def _of_place(place: Place, costs: dict[Key, Cost], ruled: set[Key]) -> Iterator[dict[str, Any]]:
    if not costs:  # without a cost: nothing is in force here any more
        day, channel, source_name, where = place
        empty = {"day": clock.from_day(day), "channel": channel, "source_name": source_name}
        yield {**empty, "place": where}
    for key, cost in costs.items():
        row = msgspec.structs.asdict(cost)
        yield {
            **row,
            **{name: clock.from_day(row[name]) for name in DAYS if name in row},
            "content_hash": blake2b(msgspec.json.encode(cost), digest_size=16).digest(),
            "channel_by_rule": key in ruled,
        }
