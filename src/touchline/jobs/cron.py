"""A cron line → the moments it names, in the time zone of the workspace.

    minute hour day-of-month month day-of-week      "15 6 * * mon-fri", "*/10 * * * *", "@daily"

Where clocks are put forward, a moment that does not exist comes as much later; where they are put
back, a fixed hour comes once and "every hour" comes every hour.
"""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import NamedTuple

from touchline import clock
from touchline.errors import BadInput

__all__ = ["Cron", "parse"]

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# name, least, greatest, names of the values from the least on
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
LOOKED_AHEAD = 366 * 9  # 29 February may be eight years away


class Cron(NamedTuple):
    """A line that was read. With days of the month and of the week, either may fit."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_every_hour: bool
    is_every_day: bool
    is_every_weekday: bool

    def after(self, us: int, zone: str) -> int | None:
        """The first moment after `us`; None when there is none."""
        here = zoneinfo.ZoneInfo(zone)
        day = clock.from_us(us).astimezone(here).date() - dt.timedelta(days=1)
        for _ in range(LOOKED_AHEAD):
            if self._fits(day):
                for moment in self._moments(day, here):
                    if moment > us:
                        return moment
            day += dt.timedelta(days=1)
        return None

    def _fits(self, day: dt.date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.is_every_day or self.is_every_weekday:
            return by_date and by_week
        return by_date or by_week

    def _moments(self, day: dt.date, here: zoneinfo.ZoneInfo) -> list[int]:
        folds = (0, 1) if self.is_every_hour else (0,)
        found = {
            clock.to_us(dt.datetime.combine(day, dt.time(hour, minute, fold=fold), here))
            for hour in self.hours
            for minute in self.minutes
            for fold in folds
        }
        return sorted(found)


def parse(line: str) -> Cron:
    """Raises BadInput that names the field at fault."""
    fields = _ALIASES.get(line.strip().lower(), line).lower().split()
    if len(fields) != len(_FIELDS):
        raise _bad(line, "needs five fields: minute hour day month weekday")
    minutes, hours, days, months, weekdays = (
        _values(line, text, *about) for text, about in zip(fields, _FIELDS, strict=True)
    )
    if 7 in weekdays:
        weekdays = weekdays | {0}
    found = Cron(
        minutes,
        hours,
        days,
        months,
        weekdays,
        is_every_hour=len(hours) == 24,
        is_every_day=fields[2].startswith("*"),
        is_every_weekday=fields[4].startswith("*"),
    )
    if found.after(0, "UTC") is None:
        raise _bad(line, "names a day that never comes")
    return found


def _values(
    line: str, text: str, name: str, least: int, greatest: int, names: Sequence[str]
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, (), 0) if slash else 1
        if span == "*":
            first, last = least, min(greatest, 6) if names is _DAYS else greatest
        else:
            start, dash, end = span.partition("-")
            first = _number(start, names, least)
            last = _number(end, names, least) if dash else greatest if slash else first
        if first is None or last is None or not step or not least <= first <= last <= greatest:
            raise _bad(line, f"{name}: {part!r} is not within {least}-{greatest}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, names: Sequence[str], least: int) -> int | None:
    if text in names:
        return names.index(text) + least
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else None


def _bad(line: str, why: str) -> BadInput:
    return BadInput("bad_schedule", line=line[:80], why=why)
