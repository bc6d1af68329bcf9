"""Cost rows → what each label cost, in minor units of the workspace currency.

In force are the rows of the newest import that named a (source, day, channel, source_name). A
rebate lowers the cost, whichever sign it was written with.
"""

import datetime as dt

import ibis

from touchline.collect.alias import renamed
from touchline.journey.rate import Rates
from touchline.model import LABELS
from touchline.storage.engine import Expression, View

__all__ = ["Key", "costs", "in_force"]

Key = tuple[str | None, ...]
IN_FORCE = ("source", "day", "channel", "source_name")
COLUMNS = (*LABELS[2:], "cost", "currency", "kind", "batch")


def costs(
    view: View,
    labels: tuple[str, ...],
    rates: Rates,
    *,
    days: tuple[dt.date | None, dt.date | None] = (None, None),
) -> dict[Key, int]:
    """Label values (in the order of `labels`) → what they cost.

    `days` are local days, both inclusive, None meaning open. Foreign money is converted by finest
    label and day, so that fine sums add up to coarse ones.
    """
    rows = view.table("costs", *IN_FORCE, *COLUMNS)
    if days[0] is not None:
        rows = rows.filter(rows.day >= days[0])
    if days[1] is not None:
        rows = rows.filter(rows.day <= days[1])
    rows = in_force(renamed(view, rows))
    is_foreign = rows.currency != rates.currency
    rows = rows.mutate(
        signed=(rows.kind == "rebate").ifelse(-rows.cost.abs(), rows.cost),
        rated_day=is_foreign.ifelse(rows.day, ibis.null("date")),
    )
    sums = rows.group_by([*LABELS, "rated_day", "currency"]).agg(cost=rows.signed.sum())
    found: dict[Key, int] = {}
    for row in view.fetch(sums).to_pylist():
        key = tuple(row[label] for label in labels)
        cost = rates.convert(row["cost"], row["currency"], row["rated_day"]) or 0
        found[key] = found.get(key, 0) + cost
    return found


def in_force(rows: Expression) -> Expression:
    """The rows of the newest batch of each placement's day; a row without a cost ends one."""
    newest = rows.group_by(list(IN_FORCE)).agg(newest=rows.batch.max())
    same = [rows[name].identical_to(newest[name]) for name in IN_FORCE]
    rows = rows.semi_join(newest, [*same, rows.batch == newest.newest])
    return rows.filter(rows.cost.notnull())
