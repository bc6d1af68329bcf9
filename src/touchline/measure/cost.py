"""Cost rows → what each label cost, in minor units of the workspace currency.

In force are the rows of the newest import that named a (source, day, channel, source_name). A
rebate lowers the cost, whichever sign it was written with. What aggregates cost (posters, creators)
counts where no cost row speaks of the same: the books go before the media plan, and nothing counts
twice.
"""

import datetime as dt

import ibis

from touchline.collect.alias import renamed
from touchline.journey.rate import Rates
from touchline.measure.reserved import spent_on
from touchline.model import LABELS
from touchline.storage.engine import Expression, View

__all__ = ["AT", "Key", "costs", "has_aggregates", "in_force", "overlapping", "spending"]

Key = tuple[str | None, ...]
Days = tuple[dt.date | None, dt.date | None]
# What one import says as a whole; rows of aggregates also by place.
AT = {
    "costs": ("source", "day", "channel", "source_name"),
    "aggregates": ("source", "day", "channel", "source_name", "place"),
}
MONEY = ("cost", "currency", "kind", "batch", "is_provisional", "known_at_us")


def costs(
    view: View, labels: tuple[str, ...], rates: Rates, *, days: Days = (None, None)
) -> dict[Key, int]:
    """Label values (in the order of `labels`) → what they cost.

    `days` are local days, both inclusive, None meaning open. Foreign money is converted by finest
    label and day, so that fine sums add up to coarse ones.
    """
    rows = spending(view, days)
    is_foreign = rows.currency != rates.currency
    rows = rows.mutate(rated_day=is_foreign.ifelse(rows.day, ibis.null("date")))
    sums = rows.group_by([*LABELS, "rated_day", "currency"]).agg(cost=rows.signed.sum())
    found: dict[Key, int] = {}
    for row in view.fetch(sums).to_pylist():
        key = tuple(row.get(label) for label in labels)  # no spend names a page or a stage
        cost = rates.convert(row["cost"], row["currency"], row["rated_day"]) or 0
        found[key] = found.get(key, 0) + cost
    return found


def spending(view: View, days: Days = (None, None)) -> Expression:
    """All that was spent: one row a placement's day, its money `signed`."""
    rows = _table(view, "costs", days)
    if has_aggregates(view):
        more = _table(view, "aggregates", days)
        more = more.anti_join(rows, _same(more, rows)).select(*rows.columns)
        rows = rows.union(more)
    return rows


def overlapping(view: View, days: Days = (None, None)) -> Expression:
    """Aggregates whose cost is left out, since cost rows speak of the same."""
    more, rows = _table(view, "aggregates", days), _table(view, "costs", days)
    return more.filter(more.cost != 0).semi_join(rows, _same(more, rows))


def has_aggregates(view: View) -> bool:
    held = view.files.tables.get("aggregates")
    return held is not None and bool(held.files)


def in_force(rows: Expression, name: str = "costs") -> Expression:
    """The rows of the newest batch of each placement's day; a row without a cost ends one. Asked
    of labels as they were written: an alias adds up what it joins.
    """
    newest = rows.group_by(list(AT[name])).agg(newest=rows.batch.max())
    same = [rows[column].identical_to(newest[column]) for column in AT[name]]
    rows = rows.semi_join(newest, [*same, rows.batch == newest.newest])
    return rows.filter(rows.cost.notnull())


def _table(view: View, name: str, days: Days) -> Expression:
    rows = view.table(name, *dict.fromkeys([*AT[name], *LABELS, *MONEY]))
    if days[0] is not None:
        rows = rows.filter(rows.day >= days[0])
    if days[1] is not None:
        rows = rows.filter(rows.day <= days[1])
    rows = renamed(view, in_force(rows, name))
    rows = rows.mutate(channel=spent_on(rows.channel))
    return rows.mutate(signed=(rows.kind == "rebate").ifelse(-rows.cost.abs(), rows.cost))


def _same(more: Expression, rows: Expression) -> list[Expression]:
    """Day and channel are equal, and so are source and campaign where both name one."""
    open_labels = ("source_name", "campaign")
    return [
        more.day == rows.day,
        more.channel == rows.channel,
        *(
            (more[name] == rows[name]) | more[name].isnull() | rows[name].isnull()
            for name in open_labels
        ),
    ]
