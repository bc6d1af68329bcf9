"""Imported rows + events → conversions of one goal, one row each.

`order_id` and `conversion_id` are one namespace: an order that came from the tracker and again from
a file is one conversion, the newest arrival giving stage and amount. What went back lowers the
amount and leaves the count alone: see `journey.refund`.
"""

from typing import Any

import ibis
import msgspec
import pyarrow as pa

from touchline.collect.money import minor
from touchline.errors import BadInput
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.goal import Goal, as_compared, canonical
from touchline.journey.rate import Rates
from touchline.journey.refund import NOTHING, MissingRate, less_refunds, refund_events, returned
from touchline.journey.version import in_force
from touchline.storage.engine import Expression, View

__all__ = ["Conversions", "conversions", "stages_beside"]

# What one row says of a conversion; `refund.returned` and `_one_each` read it.
VERSION = (
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
    "content_hash",
    "properties",
)
OWN_AMOUNT = (None, "revenue", "amount")


class Conversions(msgspec.Struct, frozen=True):
    """`rows`: conversion_id, converted_us, local_day, person_ix, account_id, own_event, count (0
    for money that went back alone), revenue (workspace currency, minor units), is_unrated.
    `retold`: (conversion_id, event_id) of own events of one moment, of which `rows` names one.
    """

    rows: pa.Table
    retold: pa.Table
    missing_rates: set[MissingRate]


def conversions(view: View, speakers: Speakers, goal: Goal, rates: Rates) -> Conversions:
    """All conversions of a goal, ordered by time then id."""
    refunds = refund_events(view)
    versions = _versions(view, speakers, goal)
    if isinstance(goal.value, str) and goal.value not in OWN_AMOUNT:
        versions = _by_property(view, versions, goal.value, rates.currency)
        refunds = _by_property(view, refunds, goal.value, rates.currency)
    versions = view.keep(_arranged(versions, goal))
    found = _one_each(versions, goal)
    if goal.count != "every":
        found = _by_turn(found, is_first=goal.count == "once")
    orders = view.fetch(found.order_by("converted_us", "conversion_id"))
    if isinstance(goal.value, int | float):
        # A constant says what a conversion is worth, not what was paid: nothing goes back.
        constant = pa.scalar(minor(goal.value, rates.currency), pa.int64())
        orders = _replaced(orders, "amount", pa.repeat(constant, len(orders)))
        orders = _replaced(orders, "currency", pa.nulls(len(orders), pa.string()))
        back = NOTHING
    else:
        back = view.fetch(returned(versions, refunds, is_alone_counted=goal.count == "every"))
    rows, missing = less_refunds(orders, back, rates)
    return Conversions(rows, view.fetch(_retold(versions)), missing)


def stages_beside(view: View, goal: Goal) -> dict[str, int]:
    """Stages of imported rows → how many there are, if none of them is one that the goal counts."""
    rows = view.table("conversions", "stage")
    rows = rows.mutate(stage=rows.stage.fill_null("").strip())
    counts = rows.group_by("stage").agg(n=rows.count())
    found = {row["stage"]: row["n"] for row in view.fetch(counts.order_by("stage")).to_pylist()}
    counted = {canonical(stage) for stage in goal.stages or ()}
    return {} if any(canonical(stage) in counted for stage in found) else found


def _versions(view: View, speakers: Speakers, goal: Goal) -> Expression:
    """Every row that speaks of a possible conversion."""
    rows = view.table(
        "conversions",
        *("conversion_id", "occurred_us", "local_day", "stage", "amount", "currency"),
        *("node_ids", "account_id", "known_at_us", "seq", "content_hash", "properties"),
    )
    rows = rows.mutate(
        ts_us=rows.occurred_us,
        stage=as_compared(rows.stage),
        event_id=ibis.null("binary"),
    )
    if goal.event is None:
        return with_person(rows, speakers).select(*VERSION)
    events = view.events(
        *("event_id", "message_id", "source", "type", "name", "ts_us", "local_day", "seq"),
        *("node_ids", "account_id", "content_hash", "revenue", "currency", "order_id"),
        *("properties", "bot", "known_at_us"),
    )
    events = in_force(view, events)
    is_named = events.name.isin([goal.event, *goal.also])
    events = events.filter(is_named, events.type == "track", ~events.bot)
    events = events.mutate(
        conversion_id=events.order_id.coalesce(events.source.concat("/", events.message_id)),
        stage=ibis.literal(""),
        amount=events.revenue,
    )
    if goal.stages is None:
        # Of files, only rows about an order that the event spoke of.
        rows = rows.semi_join(events, "conversion_id")
    # Each by itself: arrival numbers are unique in a table only.
    told = (with_person(one, speakers).select(*VERSION) for one in (rows, events))
    return ibis.union(*told)


def _by_property(view: View, rows: Expression, name: str, currency: str) -> Expression:
    """The amount taken from a property, where it can be read; else the row's own.

    Read by the reader of amounts rather than by the engine: it knows "¥1,234.50" and half-even.
    """
    found = view.fetch(rows)
    amounts: list[int | None] = []
    columns = ("properties", "amount", "currency")
    for text, own, code in zip(*(found.column(c).to_pylist() for c in columns), strict=True):
        value = _property(text, name)
        try:
            amounts.append(own if value is None else minor(value, code or currency))
        except BadInput:
            amounts.append(None)
    return view.given(_replaced(found, "amount", pa.array(amounts, pa.int64())))


def _property(text: str | None, name: str) -> Any:
    return msgspec.json.decode(text).get(name) if text else None


def _arranged(versions: Expression, goal: Goal) -> Expression:
    """Versions numbered in order of arrival, with what they are to the goal."""
    is_event = versions.event_id.notnull()
    listed = ibis.literal(True)
    if goal.stages is not None:
        listed = versions.stage.isin([canonical(stage) for stage in goal.stages])
    found = versions.mutate(
        arrival=ibis.row_number().over(order_by=[versions.known_at_us, versions.seq]),
        is_event=is_event,
        is_listed=is_event | listed,
        is_refund=(versions.amount < 0).fill_null(False),
    )
    return found.drop("known_at_us", "seq", "properties")


def _one_each(versions: Expression, goal: Goal) -> Expression:
    """Newest stage and amount, the time the goal's rule says, the owner last named."""
    orders = versions.filter(~versions.is_refund)
    newest = orders.group_by("conversion_id").agg(last=orders.arrival.max())
    newest = newest.join(orders, newest.last == orders.arrival)
    newest = newest.filter(newest.is_listed).select("conversion_id", "amount", "currency")
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
    return newest.join(first, "conversion_id").join(owner, "conversion_id")


def _retold(versions: Expression) -> Expression:
    """Events of an order that another event told of at the same moment, as a till and a shop do."""
    events = versions.filter(versions.is_event)
    counts = events.group_by(["conversion_id", "ts_us"]).agg(told=events.count())
    again = counts.filter(counts.told > 1)
    return events.semi_join(again, ["conversion_id", "ts_us"]).select("conversion_id", "event_id")


def _timed(orders: Expression, goal: Goal) -> Expression:
    """Rows whose time may be the conversion's: events of the goal, and each stage's newest row."""
    if goal.stages is None:
        return orders.filter(orders.is_event)
    listed = orders.filter(orders.is_listed)
    place = ibis.row_number().over(
        group_by=[listed.conversion_id, listed.stage, listed.is_event],
        order_by=listed.arrival.desc(),
    )
    listed = listed.mutate(place=place)
    return listed.filter(listed.is_event | (listed.place == 0))


def _by_turn(found: Expression, *, is_first: bool) -> Expression:
    """The first conversion of each account or, without one, person, or all but the first. Those of
    nobody may all be a first one, and none is known to be a further one.
    """
    has_account = found.account_id.notnull()
    alone = has_account.ifelse(ibis.null("int64"), found.person_ix)
    place = ibis.row_number().over(
        group_by=[found.account_id, alone], order_by=[found.converted_us, found.conversion_id]
    )
    found = found.mutate(place=place, is_owned=has_account | found.person_ix.notnull())
    is_wanted = (found.place == 0) | ~found.is_owned
    return found.filter(is_wanted if is_first else ~is_wanted).drop("place", "is_owned")


def _replaced(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)
