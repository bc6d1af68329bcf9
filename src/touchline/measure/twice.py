"""Spend in force → what of it is likely to be counted twice.

One file never counts twice: importing it again replaces it. But the same export under two names
(`--source`) does, and doubles what every channel seems to cost. Such rows have one day, all labels
and the very amount in common. They are told of and not left out: two invoices may well be equal.
"""

import datetime as dt

import ibis
from msgspec import Struct

from touchline.collect.money import exponent
from touchline.journey.rate import Rates
from touchline.measure.cost import spending
from touchline.model import LABELS
from touchline.storage.engine import View

__all__ = ["Twice", "twice"]

SHOWN = 5


class Twice(Struct, frozen=True):
    """`cost`: what would be left out if each of these were one."""

    cost: int
    sources: tuple[str, ...]
    channels: tuple[str, ...]

    def in_words(self, currency: str) -> dict[str, str]:
        """Parameters of a message about it."""
        digits = exponent(currency)
        return {
            "cost": f"{self.cost / 10**digits:,.{digits}f} {currency}",
            "sources": ", ".join(self.sources),
            "channels": ", ".join(self.channels[:SHOWN]),
        }


def twice(
    view: View, rates: Rates, days: tuple[dt.date | None, dt.date | None] = (None, None)
) -> Twice | None:
    """None where no two imports say the same."""
    rows = spending(view, days)
    one = [*LABELS, "day", "currency", "kind"]
    by_source = rows.group_by([*one, "source"]).agg(cost=rows.signed.sum())
    by_source = by_source.filter(by_source.cost != 0)
    same = by_source.group_by([*one, "cost"]).agg(
        told=by_source.count(),
        first=by_source.source.min(),
        last=by_source.source.max(),
    )
    same = same.filter(same.told > 1)
    sums = same.group_by(["channel", "day", "currency", "first", "last"]).agg(
        cost=(same.cost * (same.told - ibis.literal(1))).sum()
    )
    found = view.fetch(sums).to_pylist()
    if not found:
        return None
    worth = [rates.convert(row["cost"], row["currency"], row["day"]) or 0 for row in found]
    sources = {row[name] for row in found for name in ("first", "last")}
    channels = {str(row["channel"]) for row in found}
    return Twice(sum(worth), tuple(sorted(sources)), tuple(sorted(channels)))
