"""Imported costs and aggregates → the lake: a file replaces all rows of the (source, day, channel,
source column, for aggregates place) it speaks of, as one new batch.

Of a placement's day the newest batch is in force, so a day that is equal to what is stored is not
written again (unless it was provisional then and is final now), and a revised one brings all its
rows, also those that stayed the same. What
surprises: where the rules named the channel, rows stored under older rules are at another place
than the file's; those the file speaks of are taken away from there.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from touchline import clock
from touchline.collect.alias import Aliases, renamed, renamed_in
from touchline.collect.importers.cells import Import
from touchline.collect.importers.costs import CostRow, add_up, as_ruled, cost_key
from touchline.collect.site import Site
from touchline.jobs.versions import Verdicts
from touchline.measure.cost import in_force
from touchline.measure.provisional import Finality
from touchline.model import Aggregate, Cost
from touchline.storage import definition
from touchline.storage.columns import AGGREGATES, COSTS
from touchline.storage.lake import SEQ
from touchline.storage.workspace import Workspace

__all__ = ["store_costs"]

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
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
    """Costs by place and key, the keys whose channel a rule named, and when a place was known."""

    at: dict[Place, dict[Key, Cost]] = {}
    ruled: set[Key] = set()
    known_us: dict[Place, int] = {}

    def add(self, cost: Cost) -> None:
        self.at.setdefault(_place(cost), {})[cost_key(cost)] = cost


def store_costs(workspace: Workspace, rows: Sequence[CostRow], about: Import) -> Verdicts:
    """A row of the file is stored when one of its days is new, updated when one changed."""
    kind = KINDS[about.kind]
    documents = definition.current(workspace.state)
    names = renamed_in(documents)
    rows = [_renamed(row, names) for row in rows] if names.by_column else rows
    arriving = Costs(ruled={cost_key(day) for row in rows if row.is_by_rule for day in row.days})
    for cost in add_up(rows).values():
        arriving.add(cost)
    held = _held(workspace, kind, about.source, arriving)
    moved = _moved(arriving, held, about.site)
    finality = Finality.of(documents, workspace.time_zone)
    changed = {
        place: at
        for place, at in arriving.at.items()
        if at != held.at.get(place, {}) or _is_final_now(place, held, finality, about.source)
    }
    changed |= _left(held, (cost for _, cost in moved))
    if changed:
        table = workspace.lake.tables[kind.name]
        batch = table.snapshot().offset(SEQ) + 1
        ruled = arriving.ruled | held.ruled
        table.commit(_rows(kind, changed, ruled, about.source, batch), offsets={SEQ: batch})
    return _verdicts(rows, arriving, held, {key for key, _ in moved})


def _renamed(row: CostRow, names: Aliases) -> CostRow:
    """A row under the aliases in force, as the stored ones it replaces are read."""
    days = (
        msgspec.structs.replace(
            day, **{column: names.named(column, getattr(day, column)) for column in names.by_column}
        )
        for day in row.days
    )
    return msgspec.structs.replace(row, days=tuple(days))


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


def _moved(arriving: Costs, held: Costs, site: Site) -> list[tuple[Key, Cost]]:
    """Stored costs that the rules of today put at a place of the file, with what they are now."""
    found: list[tuple[Key, Cost]] = []
    for place, costs in held.at.items():
        for key, cost in costs.items():
            if place not in arriving.at and key in held.ruled:
                now = as_ruled(cost, site)
                if _place(now) in arriving.at:
                    found.append((cost_key(now), cost))
    return found


def _left(held: Costs, moved: Iterable[Cost]) -> dict[Place, dict[Key, Cost]]:
    """What stays in force at the places that costs moved away from."""
    found: dict[Place, dict[Key, Cost]] = {}
    for cost in moved:
        place = _place(cost)
        found.setdefault(place, dict(held.at[place])).pop(cost_key(cost))
    return found


def _verdicts(rows: Sequence[CostRow], arriving: Costs, held: Costs, moved: set[Key]) -> Verdicts:
    counts = [0, 0, 0]
    for row in rows:
        worst = 0
        for day in row.days:
            key, place = cost_key(day), _place(day)
            before = held.at.get(place, {}).get(key)
            if before is None:
                worst = max(worst, 1 if key in moved else 2)
            else:
                worst = max(worst, int(before != arriving.at[place][key]))
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
            rows.source == source, rows.day >= _date(min(days)), rows.day <= _date(max(days))
        )
        rows = in_force(renamed(view, rows), kind.name)
        rows = rows.select("channel_by_rule", "known_at_us", *kind.fields)
        for row in view.fetch(rows).to_pylist():
            is_ruled, known_us = row.pop("channel_by_rule"), row.pop("known_at_us")
            row |= {name: row[name].toordinal() - EPOCH_DAY for name in DAYS if name in row}
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
        empty = {"day": _date(day), "channel": channel, "source_name": source_name}
        yield {**empty, "place": where}
    for key, cost in costs.items():
        row = msgspec.structs.asdict(cost)
        yield {
            **row,
            **{name: _date(row[name]) for name in DAYS if name in row},
            "content_hash": blake2b(msgspec.json.encode(cost), digest_size=16).digest(),
            "channel_by_rule": key in ruled,
        }


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(EPOCH_DAY + day)
