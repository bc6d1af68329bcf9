"""Exchange rates by day: amounts in any currency → minor units of the workspace currency.

The rate in force on a day is the newest one dated on or before it. A pair known only the other
way round is inverted. What has no rate is reported, never guessed.
"""

import bisect
import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal

from touchline.collect.money import exponent
from touchline.storage.engine import View

__all__ = ["Rates"]

_EXACT = Context(prec=60)


class Rates:
    """Looks up and applies dated rates into one currency; `missing` collects what had none."""

    def __init__(self, currency: str, rows: Iterable[tuple[dt.date, str, str, str]]) -> None:
        self.currency = currency
        self.missing: set[tuple[str, dt.date]] = set()
        self._found: dict[tuple[str, dt.date], Decimal | None] = {}
        by_base: dict[str, dict[dt.date, Decimal]] = {}
        inverse: dict[str, dict[dt.date, Decimal]] = {}
        for day, base, quote, rate in rows:
            if quote == currency:
                by_base.setdefault(base, {})[day] = Decimal(rate)
            elif base == currency:
                inverse.setdefault(quote, {})[day] = _EXACT.divide(Decimal(1), Decimal(rate))
        self._dated = {base: sorted(days.items()) for base, days in {**inverse, **by_base}.items()}

    @classmethod
    def of(cls, view: View, currency: str) -> "Rates":
        table = view.table("rates")
        rows = view.fetch(table.order_by("seq").select("day", "base", "quote", "rate"))
        return cls(currency, [tuple(row.values()) for row in rows.to_pylist()])

    def convert(self, amount: int, currency: str | None, day: dt.date) -> int | None:
        """Minor units to minor units, half-even; None (noted in `missing`) without a rate."""
        if amount == 0 or currency is None or currency == self.currency:
            return amount
        rate = self._rate(currency, day)
        if rate is None:
            self.missing.add((currency, day))
            return None
        shift = exponent(self.currency) - exponent(currency)
        exact = _EXACT.multiply(Decimal(amount), rate).scaleb(shift, _EXACT)
        return int(exact.to_integral_value(ROUND_HALF_EVEN, _EXACT))

    def _rate(self, currency: str, day: dt.date) -> Decimal | None:
        if (currency, day) not in self._found:
            dated = self._dated.get(currency, [])
            place = bisect.bisect_right(dated, day, key=lambda pair: pair[0])
            self._found[currency, day] = dated[place - 1][1] if place else None
        return self._found[currency, day]
