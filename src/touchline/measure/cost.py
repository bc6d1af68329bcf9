"""Cost rows → what each label cost, in minor units of the workspace currency.

In force are the rows of the newest import that named a (source, day, channel, source_name), as
known at the asked moment. A rebate lowers the cost, whichever sign it was written with.
"""

import datetime as dt
from typing import Any

import msgspec

from touchline.journey.rate import Rates
from touchline.storage.engine import Expression, View

__all__ = ["Costs", "costs"]

Key = tuple[str | None, ...]
IN_FORCE = ("source", "day", "channel", "source_name")


class Costs(msgspec.Struct, frozen=True):
    """Cost by label values (in the order asked). `is_known` is False when no row was in range."""

    by_label: dict[Key, int]
    is_known: bool


def costs(
    view: View,
    labels: tuple[str, ...],
    rates: Rates,
    *,
    days: tuple[dt.date | None, dt.date | None] = (None, None),
    as_of_us: int | None = None,
) -> Costs:
    """Sums by `labels` over the local days given, both inclusive, None meaning open."""
    rows = _in_force(view.table("costs"), as_of_us)
    if days[0] is not None:
        rows = rows.filter(rows.day >= days[0])
    if days[1] is not None:
        rows = rows.filter(rows.day <= days[1])
    signed = (rows.kind == "rebate").ifelse(-rows.cost.abs(), rows.cost)
    rows = rows.mutate(signed=signed)
    sums = rows.group_by([*labels, "day", "currency"]).agg(cost=rows.signed.sum())
    found: dict[Key, int] = {}
    fetched: list[dict[str, Any]] = view.fetch(sums.order_by([*labels, "day"])).to_pylist()
    for row in fetched:
        key = tuple(row[label] for label in labels)
        cost = rates.convert(row["cost"], row["currency"], row["day"]) or 0
        found[key] = found.get(key, 0) + cost
    return Costs(found, bool(fetched))


def _in_force(rows: Expression, as_of_us: int | None) -> Expression:
    if as_of_us is not None:
        rows = rows.filter(rows.known_at_us <= as_of_us)
    newest = rows.group_by(list(IN_FORCE)).agg(newest=rows.batch.max())
    same = [rows[name].identical_to(newest[name]) for name in IN_FORCE]
    return rows.semi_join(newest, [*same, rows.batch == newest.newest])
