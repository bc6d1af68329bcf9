"""Imported rows + events → conversions of one goal, one row each.

`order_id` and `conversion_id` are one namespace: an order that came from the tracker and again from
a file is one conversion, the newest arrival giving stage and amount. Refunds lower the amount and
leave the count alone.
"""

import ibis
import msgspec
import pyarrow as pa

from touchline.collect.money import EXPONENTS, minor
from touchline.identity.speaker import with_person
from touchline.journey.goal import Goal
from touchline.journey.rate import Rates
from touchline.storage.engine import Expression, View

__all__ = ["Conversions", "conversions"]

COLUMNS = (
    "conversion_id",
    "ts_us",
    "local_day",
    "stage",
    "amount",
    "currency",
    "person_ix",
    "account_id",
    "known_at_us",
    "seq",
    "event_id",
)


class Conversions(msgspec.Struct, frozen=True):
    """`rows`: conversion_id, converted_us, local_day, person_ix, account_id, own_event, count (0
    for a refund without its order), revenue (workspace currency, minor units), is_unrated.
    """

    rows: pa.Table
    missing_rates: tuple[tuple[str, str], ...]


def conversions(
    view: View, nodes: Expression, goal: Goal, rates: Rates, *, as_of_us: int | None = None
) -> Conversions:
    """All conversions of a goal as known at `as_of_us`, ordered by time then id."""
    versions = view.keep(_versions(view, nodes, goal, rates.currency, as_of_us))
    found = _one_each(versions, goal)
    found = _less_refunds(found, versions, _refunds(view, as_of_us), goal)
    if goal.count == "once":
        owner = ibis.coalesce(found.account_id, found.person_ix.cast("string"))
        place = ibis.row_number().over(
            group_by=owner, order_by=[found.converted_us, found.conversion_id]
        )
        found = found.mutate(place=place, owner=owner)
        found = found.filter((found.place == 0) | found.owner.isnull()).drop("place", "owner")
    rows = view.fetch(found.order_by("converted_us", "conversion_id"))
    return _in_one_currency(rows, rates)


def _versions(
    view: View, nodes: Expression, goal: Goal, currency: str, as_of_us: int | None
) -> Expression:
    """Every row that speaks of a possible conversion, numbered in order of arrival."""
    imported = view.table("conversions")
    imported = imported.mutate(
        ts_us=imported.occurred_us,
        stage=imported.stage.fill_null(""),
        event_id=ibis.null("binary"),
        amount=_amount(imported, imported.amount, goal, currency),
    )
    found = with_person(imported, nodes).select(*COLUMNS)
    if goal.event is not None:
        events = view.events()
        events = events.filter(events.name == goal.event, events.type == "track", ~events.bot)
        own = events.source.concat("/", events.message_id)
        events = events.mutate(
            conversion_id=events.order_id.coalesce(own),
            stage=ibis.literal(""),
            amount=_amount(events, events.revenue, goal, currency),
        )
        found = found.union(with_person(events, nodes).select(*COLUMNS))
    if goal.stages is None:
        # Of files, only rows about an order that the event spoke of.
        found = found.semi_join(found.filter(found.event_id.notnull()), "conversion_id")
    if as_of_us is not None:
        found = found.filter(found.known_at_us <= as_of_us)
    if isinstance(goal.value, int | float):
        # A constant is in the workspace currency, and nothing can be refunded from it.
        found = found.mutate(currency=ibis.null("string"))
    return found.mutate(
        arrival=ibis.row_number().over(order_by=[found.known_at_us, found.seq]),
        is_event=found.event_id.notnull(),
        is_refund=(found.amount < 0).fill_null(False),
    )


def _one_each(versions: Expression, goal: Goal) -> Expression:
    """Newest stage and amount, the time the goal's rule says, the owner last named."""
    orders = versions.filter(~versions.is_refund)
    newest = orders.group_by("conversion_id").agg(last=orders.arrival.max())
    newest = newest.join(orders, newest.last == orders.arrival).select(
        newest.conversion_id, orders.stage, orders.amount, orders.currency
    )
    if goal.stages is not None:
        newest = newest.filter(newest.stage.isin(goal.stages))
    timed = _timed(orders, goal)
    first = timed.group_by("conversion_id").agg(
        converted_us=timed.ts_us.min(), local_day=timed.local_day.argmin(timed.ts_us)
    )
    owner = versions.group_by("conversion_id").agg(
        person_ix=versions.person_ix.argmax(versions.arrival, where=versions.person_ix.notnull()),
        account_id=versions.account_id.argmax(
            versions.arrival, where=versions.account_id.notnull()
        ),
        own_event=versions.event_id.argmin(versions.ts_us, where=versions.is_event),
    )
    found = newest.drop("stage").join(first, "conversion_id").join(owner, "conversion_id")
    return found.mutate(count=ibis.literal(1, "int64"))


def _timed(orders: Expression, goal: Goal) -> Expression:
    """Rows whose time may be the conversion's: events of the goal, and each stage's newest row."""
    if goal.stages is None:
        return orders.filter(orders.is_event)
    listed = orders.filter(orders.stage.isin(goal.stages))
    place = ibis.row_number().over(
        group_by=[listed.conversion_id, listed.stage, listed.is_event],
        order_by=listed.arrival.desc(),
    )
    listed = listed.mutate(place=place)
    return listed.filter(listed.is_event | (listed.place == 0))


def _refunds(view: View, as_of_us: int | None) -> Expression:
    events = view.events()
    events = events.filter(events.name == "Order Refunded", events.order_id.notnull(), ~events.bot)
    if as_of_us is not None:
        events = events.filter(events.known_at_us <= as_of_us)
    return events.group_by(refund_of=events.order_id).agg(
        refunded=events.revenue.abs().sum().fill_null(0), is_whole=events.revenue.isnull().any()
    )


def _less_refunds(
    found: Expression, versions: Expression, refunds: Expression, goal: Goal
) -> Expression:
    rows = versions.filter(versions.is_refund)
    if goal.stages is not None:
        rows = rows.filter(rows.stage.isin(goal.stages))
    negative = rows.group_by(negative_of=rows.conversion_id).agg(
        lowered=rows.amount.sum(),
        refund_us=rows.ts_us.min(),
        refund_day=rows.local_day.argmin(rows.ts_us),
        refund_currency=rows.currency.max(),
        refund_person=rows.person_ix.max(),
        refund_account=rows.account_id.max(),
    )
    alone = negative.anti_join(
        versions.filter(~versions.is_refund), negative.negative_of == versions.conversion_id
    )
    alone = alone.select(
        conversion_id=alone.negative_of,
        amount=alone.lowered,
        currency=alone.refund_currency,
        converted_us=alone.refund_us,
        local_day=alone.refund_day,
        person_ix=alone.refund_person,
        account_id=alone.refund_account,
        own_event=ibis.null("binary"),
        count=ibis.literal(0, "int64"),
    )
    both = found.left_join(negative, found.conversion_id == negative.negative_of)
    both = both.left_join(refunds, both.conversion_id == refunds.refund_of)
    amount = both.amount.fill_null(0) + both.lowered.fill_null(0)
    amount = both.is_whole.fill_null(False).ifelse(0, amount - both.refunded.fill_null(0))
    return both.mutate(amount=amount).select(*alone.columns).union(alone)


def _amount(rows: Expression, own: Expression, goal: Goal, currency: str) -> Expression:
    """What a row is worth, in minor units of its currency: `own`, a constant or a property."""
    if goal.value is None or goal.value in {"revenue", "total", "amount"}:
        return own
    if not isinstance(goal.value, str):
        return ibis.literal(minor(goal.value, currency), "int64")
    text = rows.properties.cast("json")[goal.value].cast("string").replace('"', "")
    units: Expression = ibis.literal(100.0)
    for code, digits in EXPONENTS.items():
        if digits != 2:
            units = (rows.currency == code).ifelse(10.0**digits, units)
    return (text.try_cast("float64") * units).round().cast("int64")


def _in_one_currency(rows: pa.Table, rates: Rates) -> Conversions:
    revenue: list[int] = []
    unrated: list[bool] = []
    columns = (rows.column(name).to_pylist() for name in ("amount", "currency", "local_day"))
    for amount, currency, day in zip(*columns, strict=True):
        converted = rates.convert(amount or 0, currency, day)
        revenue.append(converted or 0)
        unrated.append(converted is None)
    rows = rows.drop_columns(["amount", "currency"])
    rows = rows.append_column("revenue", pa.array(revenue, pa.int64()))
    rows = rows.append_column("is_unrated", pa.array(unrated, pa.bool_()))
    missing = tuple(sorted((c, day.isoformat()) for c, day in rates.missing))
    return Conversions(rows, missing)
