"""How far a source was pulled + its definition → the stretches to pull now, oldest first.

A cursor is a whole number: microseconds of a time, days since 1970 of a day, or the number itself.
Stretches are half open; the last one has no end. Of each, rows outside are passed over, whatever
the source sends, so that the slices of a backfill meet without gap or overlap.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from touchline import clock
from touchline.collect.connectors.definition import CursorType, Source
from touchline.collect.importers.moments import day, moment
from touchline.collect.time import local_day

__all__ = ["ALL", "Window", "cursor_value", "shown", "told", "windows"]

EPOCH = dt.date(1970, 1, 1)
_FAR = 1 << 62


class Window(NamedTuple):
    """`start` inclusive, `end` exclusive; None is without limit."""

    start: int | None = None
    end: int | None = None

    def holds(self, value: int) -> bool:
        start, end = self
        return (start is None or value >= start) and (end is None or value < end)


ALL = Window()


def cursor_value(value: Any, kind: CursorType, zone: str, order: str | None = None) -> int | None:
    """A cell of the cursor column as a whole number; None when it cannot be read."""
    if kind == "day":
        found = day(value, zone, order)
    elif kind == "time":
        found = moment(value, zone, order)
    else:
        found = _number(value)
    return found if found is not None and -_FAR < found < _FAR else None


def windows(
    source: Source, at: int | None, now_us: int, zone: str, asked_from: dt.date | None = None
) -> Iterator[Window]:
    """What to pull when everything before `at` was: the last days again, then what is new.

    `asked_from`: pulled again from that day on. Whole slices end at local midnights.
    """
    kind = source.type_of_cursor
    if source.cursor is None:
        yield ALL
        return
    start = _start(source, at, asked_from, zone)
    if kind == "number" or start is None:
        yield Window(start)
        return
    today = local_day(now_us, zone)
    edge = (start if kind == "day" else local_day(start, zone)) + source.slice_days
    while edge <= today:
        end = edge if kind == "day" else _midnight(edge, zone)
        yield Window(start, end)
        start, edge = end, edge + source.slice_days
    yield Window(start)


def reached(
    source: Source, window: Window, latest: int | None, now_us: int, zone: str
) -> int | None:
    """Up to where everything is known once a window was taken in; a date in the future is not
    believed, or nothing would be pulled until then.
    """
    if window.end is not None:
        return window.end
    kind = source.type_of_cursor
    limit = {"day": local_day(now_us, zone), "time": now_us, "number": _FAR}[kind]
    ends = [window.start, None if latest is None else min(latest, limit)]
    return max((end for end in ends if end is not None), default=None)


def told(value: int | None, kind: CursorType, zone: str, form: str | None) -> str:
    """A boundary as an API is told it."""
    if value is None:
        return ""
    if kind == "number":
        return str(value)
    if form is None:
        form = "date" if kind == "day" else "iso"
    here = zoneinfo.ZoneInfo(zone)
    local = (
        dt.datetime.combine(EPOCH + dt.timedelta(days=value), dt.time(), here)
        if kind == "day"
        else clock.from_us(value).astimezone(here)
    )
    if form in ("unix", "unix_ms"):
        us = clock.to_us(local)
        return str(us // (clock.US if form == "unix" else 1000))
    if form == "date":
        return local.date().isoformat()
    if form == "iso":
        return local.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return local.strftime(form)


def shown(value: int | None, kind: CursorType, zone: str) -> str | None:
    """A cursor for people: a day, a local time, a number."""
    if value is None:
        return None
    if kind == "time":
        return clock.from_us(value).astimezone(zoneinfo.ZoneInfo(zone)).isoformat()
    return told(value, kind, zone, None)


def _start(source: Source, at: int | None, asked: dt.date | None, zone: str) -> int | None:
    kind = source.type_of_cursor
    if kind == "number":
        return at
    starts: list[int] = []
    if at is not None:
        back = source.look_back_days
        starts.append(at - back if kind == "day" else at - back * clock.DAY_US)
    first = asked or (source.backfill_from if at is None else None)
    if first is not None:
        days = (first - EPOCH).days
        starts.append(days if kind == "day" else _midnight(days, zone))
    return min(starts, default=None)


def _midnight(days: int, zone: str) -> int:
    date = EPOCH + dt.timedelta(days=days)
    return clock.to_us(dt.datetime.combine(date, dt.time(), zoneinfo.ZoneInfo(zone)))


def _number(value: Any) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, float | Decimal):
        return int(value) if value == value.__floor__() else None  # NaN and infinity end up below
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else None
