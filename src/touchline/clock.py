"""The only clock: tests and the simulator replace `now_us`, nothing else asks for the time."""

import datetime as dt
import time

US = 1_000_000
DAY_US = 86_400 * US
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def to_us(moment: dt.datetime) -> int:
    """Epoch microseconds of an aware datetime, exact."""
    since = moment - EPOCH  # by its parts: a division by a timedelta takes four times as long
    return since.days * DAY_US + since.seconds * US + since.microseconds


def from_us(us: int) -> dt.datetime:
    """Aware UTC datetime of epoch microseconds."""
    return EPOCH + dt.timedelta(microseconds=us)


def to_day(date: dt.date) -> int:
    """Days from 1970-01-01 to a date: how dates are stored."""
    return date.toordinal() - EPOCH.toordinal()


def from_day(day: int) -> dt.date:
    """The date so many days after 1970-01-01."""
    return dt.date.fromordinal(EPOCH.toordinal() + day)


def iso(us: int) -> str:
    """`2026-11-21T08:30:00.000Z`; microseconds are written only when there are any."""
    moment = from_us(us)
    spec = "microseconds" if us % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=spec) + "Z"
