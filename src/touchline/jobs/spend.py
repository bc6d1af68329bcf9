"""Imported costs → the lake: a file replaces all rows of the (source, day, channel, source column)
it speaks of, as one new batch.

Of a placement's day the newest batch is in force, so a day that is equal to what is stored is not
written again, and a revised one brings all its rows, also those that stayed the same. What
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
from touchline.model import Cost
from touchline.storage import definition
from touchline.storage.columns import COSTS
from touchline.storage.lake import SEQ
from touchline.storage.workspace import Workspace

__all__ = ["store_costs"]

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
FIELDS = tuple(name for name in Cost.__struct_fields__ if name != "day")

Key = tuple[Any, ...]
# day, channel, source column: what a re-import replaces as a whole (within its source).
Place = tuple[int, str, str | None]


class Costs(Struct):
    """Costs by place and key, and the keys whose channel a rule named."""

    at: dict[Place, dict[Key, Cost]] = {}
    ruled: set[Key] = set()

    def add(self, cost: Cost) -> None:
        self.at.setdefault(_place(cost), {})[cost_key(cost)] = cost


def store_costs(workspace: Workspace, rows: Sequence[CostRow], about: Import) -> Verdicts:
    """A row of the file is stored when one of its days is new, updated when one changed."""
    names = renamed_in(definition.current(workspace.state))
    rows = [_renamed(row, names) for row in rows] if names.by_column else rows
    arriving = Costs(ruled={cost_key(day) for row in rows if row.is_by_rule for day in row.days})
    for cost in add_up(rows).values():
        arriving.add(cost)
    held = _held(workspace, about.source, arriving)
    moved = _moved(arriving, held, about.site)
    changed = {place: at for place, at in arriving.at.items() if at != held.at.get(place, {})}
    changed |= _left(held, (cost for _, cost in moved))
    if changed:
        table = workspace.lake.costs
        batch = table.snapshot().offset(SEQ) + 1
        ruled = arriving.ruled | held.ruled
        table.commit(_rows(changed, ruled, about.source, batch), offsets={SEQ: batch})
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
    return cost.day, cost.channel, cost.source_name


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


def _held(workspace: Workspace, source: str, arriving: Costs) -> Costs:
    """What is in force of this source on the days of the file."""
    held = Costs()
    if not arriving.at:
        return held
    days = [day for day, *_ in arriving.at]
    with workspace.view("costs") as view:
        rows = view.table("costs")
        rows = rows.filter(
            rows.source == source, rows.day >= _date(min(days)), rows.day <= _date(max(days))
        )
        rows = in_force(renamed(view, rows)).select("day", "channel_by_rule", *FIELDS)
        for row in view.fetch(rows).to_pylist():
            is_ruled = row.pop("channel_by_rule")
            row["day"] = row["day"].toordinal() - EPOCH_DAY
            cost = Cost(**row)
            held.add(cost)
            if is_ruled:
                held.ruled.add(cost_key(cost))
    return held


def _rows(
    groups: dict[Place, dict[Key, Cost]], ruled: set[Key], source: str, batch: int
) -> pa.Table:
    common = {"source": source, "batch": batch, "known_at_us": clock.now_us()}
    columns: dict[str, list[Any]] = {name: [] for name in COSTS.names}
    for place, costs in groups.items():
        for row in _of_place(place, costs, ruled):
            for name, values in columns.items():
                values.append(common.get(name, row.get(name)))
    return pa.table(columns, schema=COSTS)


def _of_place(place: Place, costs: dict[Key, Cost], ruled: set[Key]) -> Iterator[dict[str, Any]]:
    day, channel, source_name = place
    if not costs:  # without a cost: nothing is in force here any more
        yield {"day": _date(day), "channel": channel, "source_name": source_name}
    for key, cost in costs.items():
        yield {
            **{name: getattr(cost, name) for name in FIELDS},
            "day": _date(day),
            "content_hash": blake2b(msgspec.json.encode(cost), digest_size=16).digest(),
            "channel_by_rule": key in ruled,
        }


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(EPOCH_DAY + day)
