"""Rate rows → Rate: from a day on, one unit of one currency is worth so much of another."""

from collections.abc import Iterator
from typing import Any

from touchline.collect import money
from touchline.collect.importers.cells import BadRow, Import, each
from touchline.collect.importers.mapping import Mapped, Plan
from touchline.collect.importers.moments import day
from touchline.collect.importers.rows import Table
from touchline.errors import BadInput
from touchline.model import Rate, Reject

__all__ = ["read_rates"]


def read_rates(table: Table, plan: Plan, about: Import) -> Iterator[Rate | Reject]:
    """The rate stays the decimal that was written, so that money is converted exactly."""

    def build(row: Mapped) -> Rate:
        date = day(row.fields.get("date"), about.site.time_zone, about.layout.date_order)
        if date is None:
            raise BadRow("bad_date")
        return Rate(
            day=date,
            base=_currency(row.fields.get("from")),
            quote=_currency(row.fields.get("to")),
            rate=_rate(row.fields.get("rate")),
        )

    return each(table, plan, about, build)


def _currency(value: Any) -> str:
    if value is None:
        raise BadRow("missing_currency")
    try:
        return money.currency_code(value)
    except BadInput as error:
        raise BadRow(error.code) from None


def _rate(value: Any) -> str:
    try:
        rate = money.amount(value)
    except BadInput:
        raise BadRow("bad_rate") from None
    if rate <= 0 or rate.adjusted() > 12:
        raise BadRow("bad_rate")
    return format(rate.normalize(), "f")
