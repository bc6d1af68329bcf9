"""Rows about touches that name nobody → Aggregate, one a day.

Posters, podcasts, TV, creators' posts, statistics of marketplaces.

They are what costs are, and how many saw it. Figures are spread over the days of a period like
costs, so that a report of a week takes a week's share; period and place stay beside each share.
Nothing of it is ever spread over people.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from touchline.collect.importers.cells import Import, count, label
from touchline.collect.importers.costs import CostRow, figures_spread, is_by_rule, share
from touchline.collect.importers.mapping import Mapped, Plan
from touchline.collect.importers.rows import Table
from touchline.collect.importers.totals import without_totals
from touchline.model import Aggregate, Reject

__all__ = ["read_aggregates"]

_encoder = msgspec.json.Encoder(order="sorted")
FIGURES = ("engagements", "visits")


def read_aggregates(table: Table, plan: Plan, about: Import) -> Iterator[CostRow | Reject]:
    """The file's rows in order, as `costs.read_costs` gives them."""

    def build(row: Mapped) -> CostRow:
        return CostRow(row.line, _days(row, about), row.content_hash, is_by_rule(row.fields))

    return without_totals(table, plan, about, build)


def _days(row: Mapped, about: Import) -> tuple[Aggregate, ...]:
    fields = row.fields
    figures = {name: count(fields.get(name), "bad_count") for name in FIGURES}
    is_seen = any(value is not None for value in figures.values())
    days = figures_spread(fields, about, may_be_free=is_seen)
    common: dict[str, Any] = {
        "place": label(fields.get("place")),
        "first_day": days[0].day,
        "last_day": days[-1].day,
        "properties": _encoder.encode(row.rest).decode() if row.rest else None,
    }
    found: list[Aggregate] = []
    for at, day in enumerate(days):
        shares: dict[str, Any] = {
            name: None if value is None else share(value, len(days), at)
            for name, value in figures.items()
        }
        found.append(Aggregate(**msgspec.structs.asdict(day), **common, **shares))
    return tuple(found)
