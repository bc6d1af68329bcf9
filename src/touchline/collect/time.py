"""Times as clients and files write them → epoch microseconds; epoch microseconds → local day.

The surprise: a local day is never asked of a calendar library per event. Zones change their offset
only on quarter hours of UTC, so the offset of a quarter hour is looked up once and remembered.
"""

import datetime as dt
import email.utils
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from touchline.clock import DAY_US, US, from_us, to_us

__all__ = ["EARLIEST_US", "LATEST_US", "local_day", "parse"]

MAX_TEXT = 64
QUARTER_US = 900 * US

# Outside these years a time is a broken clock or a broken unit, not a fact.
EARLIEST_US = to_us(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
LATEST_US = to_us(dt.datetime(2200, 1, 1, tzinfo=dt.UTC))


def parse(value: Any, zone: str | None = None) -> int | None:
    """Epoch microseconds of a text or number; None when it is no time.

    A text without an offset is read in `zone` (UTC when None). Numbers are seconds, milliseconds,
    microseconds or nanoseconds by their size.
    """
    if type(value) is str:
        us = _text(value, zone) if len(value) <= MAX_TEXT else None
    elif type(value) is int or type(value) is float:
        us = _number(value)
    elif isinstance(value, dt.datetime):
        us = _moment(value, zone)
    else:
        return None
    return us if us is not None and EARLIEST_US <= us < LATEST_US else None


def _text(text: str, zone: str | None) -> int | None:
    try:
        return _moment(dt.datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        pass
    text = text.strip()
    for read in (_iso, _digits, _mail):
        try:
            return read(text, zone)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
    return None


def _iso(text: str, zone: str | None) -> int | None:
    return _moment(dt.datetime.fromisoformat(text.replace("/", "-")), zone)


def _digits(text: str, _zone: str | None) -> int | None:
    if len(text) > 24 or not text.isascii():
        raise ValueError
    return _number(int(text) if text.isdigit() else float(text))


def _mail(text: str, zone: str | None) -> int | None:
    return _moment(email.utils.parsedate_to_datetime(text), zone)


def _moment(moment: dt.datetime, zone: str | None) -> int:
    if moment.tzinfo is not None:
        return to_us(moment)
    if zone is None:
        return to_us(moment.replace(tzinfo=dt.UTC))
    return to_us(moment.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC))


# Smallest number read in a unit → how to get microseconds from it. 1e8 s is 1973, 1e11 s is 5138.
UNITS: tuple[tuple[float, Callable[[Any], int]], ...] = (
    (1e17, lambda n: int(n) // 1000),
    (1e14, int),
    (1e11, lambda n: round(n * 1000)),
    (1e8, lambda n: round(n * US)),
)


def _number(number: float) -> int | None:
    for least, convert in UNITS:
        if least <= number < 1e20:
            return convert(number)
    return None


@lru_cache(maxsize=1 << 17)
def _offset_of_quarter(quarter: int, zone: str) -> int:
    offset = from_us(quarter * QUARTER_US).astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else offset // dt.timedelta(microseconds=1)


def local_day(ts_us: int, zone: str) -> int:
    """Days since 1970-01-01 on the zone's calendar."""
    return (ts_us + _offset_of_quarter(ts_us // QUARTER_US, zone)) // DAY_US
