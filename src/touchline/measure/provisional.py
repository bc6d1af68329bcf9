"""Spend that may still change: what a platform says of yesterday it corrects for days.

    [spend_final_after]     days after which the spend of a day is final, by source
    baidu = 1
    tencent_ads = 3
    default = 0             of all that are not named

A row is provisional when its file says so, or when it was imported before its day was final. So it
stays provisional until it is imported again: that nobody looked later does not make it final. A
source is the `source` column of costs, else what the import was called (`--source`).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from touchline import clock
from touchline.collect.money import exponent
from touchline.collect.sources import Sources
from touchline.collect.time import local_day
from touchline.errors import BadInput
from touchline.journey.rate import Rates
from touchline.storage.engine import Expression, View

__all__ = ["Finality", "Provisional", "provisional"]

DEFAULT = "default"
MAX_DAYS = 366
COLUMNS = ("source", "source_name", "channel", "day", "currency", "is_provisional", "known_at_us")


class Finality(Struct, frozen=True):
    """The rule of a site. `days`: source → days, spelled as the table of sources has it."""

    days: dict[str, int] = {}
    time_zone: str = "Asia/Shanghai"

    @classmethod
    def of(cls, documents: Mapping[str, Any], time_zone: str) -> "Finality":
        table = documents.get("spend_final_after", {})
        try:
            found = msgspec.convert(table, dict[str, int])
        except msgspec.ValidationError as error:
            raise BadInput("bad_spend_final", name="spend_final_after", why=error) from error
        for name, days in found.items():
            if not 0 <= days <= MAX_DAYS:
                raise BadInput("bad_spend_final", name=name, why=f"{days} is not 0 to {MAX_DAYS}")
        sources = Sources() if found else None
        named = {sources.named(name).name: days for name, days in found.items()} if sources else {}
        return cls({**found, **named}, time_zone)

    def after(self, source: str, source_name: str | None) -> int:
        """Days after which spend of this source is final."""
        if not self.days:
            return 0
        default = self.days.get(DEFAULT, 0)
        return self.days.get(source_name or "", self.days.get(source, default))

    def is_final(self, day: int, known_us: int, days: int) -> bool:
        """Whether what was known at a moment of a day's spend was final then."""
        return local_day(known_us, self.time_zone) >= day + days


class Provisional(Struct, frozen=True):
    """Spend that may still change: how much, of which days and channels."""

    cost: int
    first: dt.date
    last: dt.date
    channels: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "cost": self.cost,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "channels": list(self.channels),
        }

    def in_words(self, currency: str) -> dict[str, str]:
        """Parameters of a message about it."""
        digits = exponent(currency)
        return {
            "cost": f"{self.cost / 10**digits:,.{digits}f} {currency}",
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "channels": ", ".join(self.channels),
        }


def provisional(
    view: View,
    rows: Expression,
    rates: Rates,
    finality: Finality,
    *,
    due_us: int | None = None,
) -> Provisional | None:
    """What of these rows in force (with `signed` money) is provisional, as of the view.

    With `due_us` only what was provisional when it was imported, and is final by that moment.
    """
    if not finality.days:
        rows = rows.filter(rows.is_provisional.fill_null(False))
    sums = rows.group_by(list(COLUMNS)).agg(cost=rows.signed.sum())
    cost, days, channels = 0, set[dt.date](), set[str]()
    for row in view.fetch(sums).to_pylist():
        if not _is_open(row, finality, due_us):
            continue
        cost += rates.convert(row["cost"], row["currency"], row["day"]) or 0
        days.add(row["day"])
        channels.add(row["channel"])
    if not days:
        return None
    return Provisional(cost, min(days), max(days), tuple(sorted(channels)))


def _is_open(row: dict[str, Any], finality: Finality, due_us: int | None) -> bool:
    if row["is_provisional"] is False:
        return False
    day = clock.to_day(row["day"])
    days = finality.after(row["source"], row["source_name"])
    is_open = row["is_provisional"] or not finality.is_final(day, row["known_at_us"], days)
    return is_open and (due_us is None or (days > 0 and finality.is_final(day, due_us, days)))
