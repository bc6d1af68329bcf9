"""Text from a command line or a URL → the values a question needs, or BadInput that says how.

Days are local days of the workspace; a moment without a zone is in the workspace's zone.
"""

import datetime as dt
import math
import re
import zoneinfo
from collections.abc import Mapping
from typing import Any

from touchline import clock
from touchline.errors import BadInput
from touchline.measure.interval import Interval
from touchline.model import GRAINS

__all__ = [
    "as_of",
    "cursor",
    "day",
    "days",
    "interval",
    "labels",
    "limit",
    "moment",
    "number",
    "period",
    "window",
]

LAST_DAY = dt.date(9998, 12, 31)  # the day after it, in any zone, is a moment too
MOST_DAYS = 3660
LEAST_PART, MOST_PART = 0.5, 0.99
LEAST_REPLICATES, MOST_REPLICATES = 20, 10_000
_NUMBER = re.compile("[0-9]{1,18}")


def labels(text: str) -> tuple[str, ...]:
    """Label columns, channel first and coarse before fine, whatever order they were asked in."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    for name in asked:
        if name not in GRAINS:
            why = f"is not one of {', '.join(GRAINS)}."
            raise BadInput("bad_argument", name="by", value=name, why=why)
    return ("channel", *(name for name in GRAINS[1:] if name in asked))


def window(text: str) -> float:
    """Days of a window such as "90d"."""
    try:
        days = float(text.removesuffix("d"))
    except ValueError:
        days = 0.0
    if not 0 < days <= 3660:
        why = "is not a number of days such as 90d."
        raise BadInput("bad_argument", name="window", value=text, why=why)
    return days


def interval(args: Mapping[str, Any]) -> Interval | None:
    """`interval`, such as 0.95, and `replicates`; None when neither is asked for."""
    level, replicates = args.get("interval"), args.get("replicates")
    if level in (None, "") and replicates is None:
        return None
    try:
        part = Interval().level if level in (None, "") else float(str(level))
    except ValueError:
        part = 0.0
    if not LEAST_PART <= part <= MOST_PART:
        why = f"is not a part of all replicates from {LEAST_PART} to {MOST_PART}, such as 0.95."
        raise BadInput("bad_argument", name="interval", value=level, why=why)
    if replicates is None:
        return Interval(level=part)
    text = str(replicates)
    count = int(text) if _NUMBER.fullmatch(text) else 0
    # So few would leave the ends of the interval outside all of them.
    least = max(LEAST_REPLICATES, math.ceil(2 / (1 - part)))
    if not least <= count <= MOST_REPLICATES:
        why = f"is not a whole number from {least} to {MOST_REPLICATES}."
        raise BadInput("bad_argument", name="replicates", value=text, why=why)
    return Interval(level=part, replicates=count)


def day(text: str | None, name: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        why = "is not a day such as 2026-03-31."
        raise BadInput("bad_argument", name=name, value=text, why=why) from error


def period(args: Mapping[str, Any]) -> tuple[dt.date | None, dt.date | None]:
    """Days `from` and `to`, either of which may be open."""
    first, last = day(args.get("from"), "from"), day(args.get("to"), "to")
    if first and last and last < first:
        raise BadInput("bad_argument", name="to", value=args["to"], why=f"is before {first}.")
    return first, min(last, LAST_DAY) if last else None


def days(value: Any, default: int) -> int:
    """How many days back, today included."""
    text = str(default if value is None else value)
    found = int(text) if _NUMBER.fullmatch(text) else 0
    if not 1 <= found <= MOST_DAYS:
        why = f"is not a whole number from 1 to {MOST_DAYS}."
        raise BadInput("bad_argument", name="days", value=value, why=why)
    return found


def as_of(text: str | None, zone: str, name: str = "as_of") -> int | None:
    """The last microsecond of a local day, or a moment as it is."""
    if not text or "T" in text:
        return moment(text, name, zone) if text else None
    found = day(text, name) or dt.date.min
    following = dt.datetime.combine(min(found, LAST_DAY) + dt.timedelta(days=1), dt.time())
    return clock.to_us(following.replace(tzinfo=zoneinfo.ZoneInfo(zone))) - 1


def moment(text: str, name: str, zone: str) -> int:
    """A day (its local start) or an ISO moment, as epoch microseconds."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        why = "is not a day or an ISO 8601 moment such as 2026-03-31T08:00:00Z."
        raise BadInput("bad_argument", name=name, value=text, why=why) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return clock.to_us(found)


def cursor(text: str) -> tuple[int, int]:
    received, _, seq = text.partition(":")
    if not (_NUMBER.fullmatch(received) and _NUMBER.fullmatch(seq)):
        why = "is not a cursor that an earlier answer gave."
        raise BadInput("bad_argument", name="cursor", value=text, why=why)
    return int(received), int(seq)


def limit(value: Any) -> int:
    return number(value, "limit")


def number(value: Any, name: str) -> int:
    """One from 1 on."""
    found = int(value) if _NUMBER.fullmatch(str(value)) else 0
    if found < 1:
        raise BadInput("bad_argument", name=name, value=value, why="is not a number above 0.")
    return found
