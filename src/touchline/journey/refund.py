"""Orders + what went back → what conversions are still worth, in the workspace currency.

Money goes back in two ways: an `Order Refunded` event (without an amount it is the whole order) or
a row of negative amount. Either lowers the conversion of its id and leaves the count alone. What
surprises: money whose order nobody told of is a row of its own with a count of 0.
"""

import datetime as dt
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from touchline.journey.rate import Rates
from touchline.model import REFUND
from touchline.storage.engine import Expression, View

__all__ = ["NOTHING", "MissingRate", "less_refunds", "refund_events", "returned"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
# A currency, a day it has no rate on, and the day of the conversion that lacks it.
MissingRate = tuple[str, dt.date, dt.date]
NOTHING = pa.schema(
    [
        ("conversion_id", pa.string()),
        ("back", pa.int64()),
        ("currency", pa.string()),
        ("is_whole", pa.bool_()),
        ("is_alone", pa.bool_()),
        ("ts_us", pa.int64()),
        ("local_day", pa.date32()),
        ("person_ix", pa.int64()),
        ("account_id", pa.string()),
    ]
).empty_table()
BACK = tuple(NOTHING.column_names)
ROWS = (
    *("conversion_id", "converted_us", "local_day", "person_ix", "account_id"),
    "own_event",
)


def refund_events(view: View) -> Expression:
    """Events that say an order was given back."""
    columns = ("name", "order_id", "revenue", "currency", "properties", "ts_us", "local_day", "bot")
    events = view.events(*columns)
    events = events.filter(events.name.lower() == REFUND, events.order_id.notnull(), ~events.bot)
    events = events.mutate(conversion_id=events.order_id, amount=events.revenue)
    return events.select("conversion_id", "amount", "currency", "properties", "ts_us", "local_day")


def returned(versions: Expression, refunds: Expression, *, is_alone_counted: bool) -> Expression:
    """One row for each time money went back: the columns of NOTHING, ordered.

    A row of negative amount that is told twice in the same words happened once.
    """
    orders = versions.filter(~versions.is_refund).select("conversion_id").distinct()
    rows = versions.filter(versions.is_refund)
    place = ibis.row_number().over(
        group_by=[rows.conversion_id, rows.content_hash], order_by=rows.arrival
    )
    rows = rows.mutate(place=place, back=-rows.amount, is_whole=ibis.literal(False))
    rows = rows.filter((rows.place == 0) | rows.content_hash.isnull())
    known = rows.semi_join(orders, "conversion_id").mutate(is_alone=ibis.literal(False))
    found = known.select(*BACK)
    if is_alone_counted:
        alone = rows.filter(rows.is_listed).anti_join(orders, "conversion_id")
        alone = alone.mutate(is_alone=ibis.literal(True))
        found = found.union(alone.select(*BACK))
    events = refunds.mutate(
        back=refunds.amount.abs().fill_null(0),
        is_whole=refunds.amount.isnull(),
        is_alone=ibis.literal(False),
        person_ix=ibis.null("int64"),
        account_id=ibis.null("string"),
    )
    return found.union(events.select(*BACK)).order_by("ts_us", "conversion_id", "back")


def less_refunds(
    orders: pa.Table, back: pa.Table, rates: Rates
) -> tuple[pa.Table, set[MissingRate]]:
    """Orders with count, revenue and is_unrated, and behind them what went back alone; and the
    rates that they, or what went back of them, lack.
    """
    at = _positions(back.column("conversion_id"), orders.column("conversion_id"))
    minus, is_whole = (back.column(name).to_numpy() for name in ("back", "is_whole"))
    gone = np.unique(at[is_whole & (at >= 0)])
    is_part = (at >= 0) & ~np.isin(at, gone)
    is_same = _is_same(orders.column("currency"), at, back.column("currency"), rates.currency)
    amount = orders.column("amount").fill_null(0).to_numpy().astype(np.int64)
    amount[gone] = 0
    np.subtract.at(amount, at[is_part & is_same], minus[is_part & is_same])
    alone = back.filter(back.column("is_alone"))
    rows = pa.concat_tables([_counted(orders, 1), _counted(_as_orders(alone), 0)])
    currency = [*orders.column("currency").chunks, *alone.column("currency").chunks]
    amounts = np.concatenate([amount, -alone.column("back").to_numpy()])
    own = pa.chunked_array(currency, pa.string()), rows.column("local_day")
    revenue, is_unrated = _worth(amounts, *own, rates)
    # What went back in another currency than its order is taken off when both are converted.
    other = np.flatnonzero(is_part & ~is_same)
    foreign = back.take(pa.array(other))
    theirs = foreign.column("currency"), foreign.column("local_day")
    worth, lacks_rate = _worth(minus[other], *theirs, rates)
    np.subtract.at(revenue, at[other], np.where(is_unrated[at[other]], 0, worth))
    of_orders = rows.column("local_day").take(pa.array(at[other]))
    missing = _missing(is_unrated, *own, own[1]) | _missing(lacks_rate, *theirs, of_orders)
    rows = rows.append_column("revenue", pa.array(revenue))
    return rows.append_column("is_unrated", pa.array(is_unrated)), missing


def _missing(lacks_rate: npt.NDArray[np.bool_], *columns: pa.ChunkedArray) -> set[MissingRate]:
    at = pa.array(np.flatnonzero(lacks_rate))
    return set(zip(*(column.take(at).to_pylist() for column in columns), strict=True))


def _positions(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where each value is, -1 for nowhere."""
    found = pc.call_function("index_in", [wanted], pc.SetLookupOptions(value_set=among))
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def _is_same(
    orders: pa.ChunkedArray, at: npt.NDArray[np.int64], back: pa.ChunkedArray, home: str
) -> npt.NDArray[np.bool_]:
    """Whether money went back in its order's currency; none written is the workspace's."""
    of_order = orders.take(pa.array(at, mask=at < 0))
    return pc.equal(of_order.fill_null(home), back.fill_null(home)).to_numpy()


def _counted(rows: pa.Table, count: int) -> pa.Table:
    counts = pa.array(np.full(len(rows), count, np.int64))
    return rows.select(ROWS).append_column("count", counts)


def _as_orders(back: pa.Table) -> pa.Table:
    rows = back.rename_columns({"ts_us": "converted_us"})
    return rows.append_column("own_event", pa.nulls(len(back), pa.binary()))


def _worth(
    amount: npt.NDArray[np.int64], currency: pa.ChunkedArray, day: pa.ChunkedArray, rates: Rates
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Amounts in the workspace currency, and which have no rate: those are worth 0."""
    found, is_unrated = amount.copy(), np.zeros(len(amount), np.bool_)
    is_foreign = pc.fill_null(pc.not_equal(currency, rates.currency), False).to_numpy()
    at = np.flatnonzero(is_foreign & (amount != 0))
    codes, days = (column.take(pa.array(at)).to_pylist() for column in (currency, day))
    converted = list(map(rates.convert, amount[at].tolist(), codes, days))
    found[at] = [worth or 0 for worth in converted]
    is_unrated[at] = [worth is None for worth in converted]
    return found, is_unrated
