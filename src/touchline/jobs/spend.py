"""Imported costs → the lake: a file replaces all rows of the (source, day, channel, source column)
it speaks of, as one new batch.

Of a placement's day the newest batch is in force, so a day that is equal to what is stored is not
written again, and a revised one brings all its rows, also those that stayed the same.
"""

import datetime as dt
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from touchline import clock
from touchline.collect.importers.costs import CostRow, add_up, cost_key
from touchline.jobs.versions import Verdicts
from touchline.model import Cost
from touchline.storage.columns import COSTS
from touchline.storage.lake import SEQ
from touchline.storage.workspace import Workspace

__all__ = ["store_costs"]

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
FIELDS = tuple(name for name in Cost.__struct_fields__ if name != "day")

Key = tuple[Any, ...]
# day, channel, source column: what a re-import replaces as a whole (within its source).
Place = tuple[int, str, str | None]


def store_costs(workspace: Workspace, rows: Sequence[CostRow], source: str) -> Verdicts:
    """A row of the file is stored when one of its days is new, updated when one changed."""
    arriving = add_up(rows)
    held = _in_force(workspace, source, arriving)
    groups: dict[Place, dict[Key, Cost]] = {}
    for key, cost in arriving.items():
        groups.setdefault(_place(cost), {})[key] = cost
    changed = [
        cost
        for place, group in groups.items()
        if group != held.get(place, {})
        for cost in group.values()
    ]
    if changed:
        table = workspace.lake.costs
        batch = table.snapshot().offset(SEQ) + 1
        table.commit(_rows(changed, source, batch), offsets={SEQ: batch})
    return _verdicts(rows, arriving, held)


def _place(cost: Cost) -> Place:
    return cost.day, cost.channel, cost.source_name


def _verdicts(
    rows: Sequence[CostRow], arriving: dict[Key, Cost], held: dict[Place, dict[Key, Cost]]
) -> Verdicts:
    counts = [0, 0, 0]
    for row in rows:
        worst = 0
        for day in row.days:
            key = cost_key(day)
            before = held.get(_place(day), {}).get(key)
            worst = max(worst, 2 if before is None else int(before != arriving[key]))
        counts[worst] += 1
    duplicate, updated, stored = counts
    return Verdicts(stored, duplicate, updated)


def _in_force(
    workspace: Workspace, source: str, arriving: dict[Key, Cost]
) -> dict[Place, dict[Key, Cost]]:
    """What is stored of this source for the days of the file, by place."""
    if not arriving:
        return {}
    days = [cost.day for cost in arriving.values()]
    with workspace.view("costs") as view:
        rows = view.table("costs")
        rows = rows.filter(
            rows.source == source, rows.day >= _date(min(days)), rows.day <= _date(max(days))
        )
        found = view.fetch(rows.select("day", "batch", *FIELDS).order_by("batch")).to_pylist()
    newest: dict[Place, int] = {}
    held: dict[Place, dict[Key, Cost]] = {}
    for row in found:
        batch = row.pop("batch")
        row["day"] = row["day"].toordinal() - EPOCH_DAY
        cost = Cost(**row)
        place = _place(cost)
        if newest.get(place) != batch:
            newest[place] = batch
            held[place] = {}
        held[place][cost_key(cost)] = cost
    return held


def _rows(costs: Sequence[Cost], source: str, batch: int) -> pa.Table:
    columns: dict[str, list[Any]] = {
        name: [getattr(cost, name) for cost in costs] for name in FIELDS
    }
    columns |= {
        "day": [_date(cost.day) for cost in costs],
        "source": [source] * len(costs),
        "content_hash": [
            blake2b(msgspec.json.encode(cost), digest_size=16).digest() for cost in costs
        ],
        "batch": [batch] * len(costs),
        "known_at_us": [clock.now_us()] * len(costs),
    }
    return pa.table({name: columns[name] for name in COSTS.names}, schema=COSTS)


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(EPOCH_DAY + day)
