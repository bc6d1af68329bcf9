"""Cells → times and days: all that `collect.time` reads, and what only spreadsheets write.

2026/3/1 · 2026年3月1日 下午3:05 · Mar 1, 2026 · 19970101 · 20260301123000 · Excel serials (46082.5)
· 3/1/2026 when the map says in which order. Without an offset a time is the workspace's own.
"""

import datetime as dt
import re
from typing import Any

from touchline.clock import DAY_US
from touchline.collect.time import local_day, parse

__all__ = ["day", "day_range", "moment"]

_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  # a serial is wall-clock time
_SERIALS = range(20_000, 110_000)  # 1954 to 2201
_FARTHEST = 1e19  # nanoseconds of 2286
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}

_CLOCK = (
    r"(?:[\sT日,]*(?P<noon>上午|下午|晚上|中午|凌晨|AM|PM)?\s*"
    r"(?P<h>\d{1,2})[:时点](?P<mi>\d{1,2})?(?:[:分](?P<s>\d{1,2})(?:\.\d+)?)?[分秒]?"
    r"\s*(?P<late>AM|PM)?)?"
)
_BIG_ENDIAN = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?" + _CLOCK,
    re.ASCII | re.IGNORECASE,
)
_OTHER = re.compile(
    r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4})" + _CLOCK, re.ASCII | re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPELT = re.compile(
    r"(?:(?P<d>\d{1,2})[ .-]+)?"
    r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
    r"(?:[ .]+(?P<day>\d{1,2})(?=[ ,]))?[ .,-]+(?P<y>\d{4})",
    re.ASCII | re.IGNORECASE,
)
# The end of a day is the start of the next, and the last moment of a range.
_END = re.compile(r"(?:\D24|晚上\s*12)[:时点]", re.ASCII)
_END_ELSEWHERE = re.compile(
    r"(\d{4}-\d\d-\d\d[T ])24:00(?::00(?:\.0+)?)?\s*(Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE
)
_MONTH = re.compile(r"(\d{4})\s*(?:[-/.年]\s*(\d{1,2})\s*(?:月份?)?|(\d{2}))", re.ASCII)
_RANGE = re.compile(r"\s*(?:~|～|至|到|—|–|\bto\b|\s-\s|(?<=日)-)\s*")
_SLASHED_RANGE = re.compile(r"(\d{4}[/.]\d{1,2}[/.]\d{1,2})\s*-\s*(\d{4}[/.]\d{1,2}[/.]\d{1,2})")


def moment(value: Any, zone: str, order: str | None = None) -> int | None:
    """Epoch microseconds of a cell; None when it is no time, or one that reads two ways."""
    kind = type(value)
    if kind is str:
        # ISO, by far the most common, starts like 2026- and takes the shortest way.
        if value[4:5] == "-" and (us := parse(value, zone)) is not None:
            return us
        return _text(value.strip(), zone, order)
    if kind is int or kind is float:
        return _number(value, zone)
    return None


def day(value: Any, zone: str, order: str | None = None, *, is_last: bool = False) -> int | None:
    """Days since 1970-01-01 of a cell, on the workspace's calendar. `is_last`: a range ends there,
    which at 24:00 is the day that ends.
    """
    us = moment(value, zone, order)
    is_end = is_last and type(value) is str and _END.search(value) is not None
    return None if us is None else local_day(us - is_end, zone)


def day_range(
    value: Any, zone: str, order: str | None = None, *, is_last: bool = False
) -> tuple[int, int] | None:
    """First and last day of a cell that holds a date, a month or two dates (2026/3/1-2026/3/28).
    `is_last`: the cell says where a range ends.
    """
    month = _MONTH.fullmatch(str(value).strip()) if type(value) in (str, int) else None
    if month is not None and (whole := _month(int(month[1]), int(month[2] or month[3]))):
        return whole
    spelt = _SPELT.fullmatch(value.strip()) if type(value) is str else None
    if spelt is not None and not (spelt["d"] or spelt["day"]):
        return _month(int(spelt["y"]), _numbered(spelt))
    single = day(value, zone, order, is_last=is_last)
    if single is not None:
        return single, single
    if type(value) is not str:
        return None
    slashed = _SLASHED_RANGE.fullmatch(value.strip())
    parts = list(slashed.groups()) if slashed else _RANGE.split(value.strip())
    if len(parts) != 2:
        return None
    first, last = day(parts[0], zone, order), day(parts[1], zone, order, is_last=True)
    return None if first is None or last is None else (first, last)


def _month(year: int, month: int) -> tuple[int, int] | None:
    if not (1970 <= year < 2200 and 1 <= month <= 12):
        return None
    first = dt.date(year, month, 1).toordinal()
    next_first = dt.date(year + month // 12, month % 12 + 1, 1).toordinal()
    epoch = dt.date(1970, 1, 1).toordinal()
    return first - epoch, next_first - epoch - 1


def _text(text: str, zone: str, order: str | None) -> int | None:
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _number(float(text) if "." in text else int(text), zone) if len(text) < 24 else None
    found = _BIG_ENDIAN.fullmatch(text) or _BIG_ENDIAN.fullmatch(_in_numbers(text))
    if found is not None:
        return _parts(found, int(found["y"]), int(found["m"]), int(found["d"]), zone)
    found = _OTHER.fullmatch(text)
    if found is None:
        return _stamp(text, zone)
    first, second = int(found["a"]), int(found["b"])
    if order == "mdy":
        return _parts(found, int(found["y"]), first, second, zone)
    if order == "dmy":
        return _parts(found, int(found["y"]), second, first, zone)
    return None


def _stamp(text: str, zone: str) -> int | None:
    end = _END_ELSEWHERE.fullmatch(text)
    if end is None:
        return parse(text, zone)
    start = parse(f"{end[1]}00:00{end[2]}", zone)
    return None if start is None else start + DAY_US


def _in_numbers(text: str) -> str:
    """Mar 1, 2026 3:05 PM → 2026-3-1 3:05 PM; what is none of this, as it is."""
    spelt = _SPELT.match(text)
    if spelt is None or bool(spelt["d"]) == bool(spelt["day"]):
        return text
    return f"{spelt['y']}-{_numbered(spelt)}-{spelt['d'] or spelt['day']}{text[spelt.end() :]}"


def _numbered(spelt: re.Match[str]) -> int:
    return _MONTHS.index(spelt["m"][:3].lower()) + 1


def _parts(found: re.Match[str], year: int, month: int, date: int, zone: str) -> int | None:
    hour, minute, second = (int(found[name] or 0) for name in ("h", "mi", "s"))
    noon = (found["noon"] or found["late"] or "").upper()
    if hour > 24 or (hour == 24 and (minute or second or noon not in {"", "晚上"})):
        return None
    if (
        noon in {"下午", "晚上", "PM", "中午"}
        and 0 < hour < 12
        and not (noon == "中午" and hour > 2)
    ):
        hour += 12
    elif noon in {"上午", "凌晨", "AM"} and hour == 12:
        hour = 0
    elif noon == "晚上" and hour == 12:  # the night that follows the day
        hour = 24
    try:
        time = dt.datetime(year, month, date, hour % 24, minute, second)  # noqa: DTZ001  # read in `zone`
        return parse(time + dt.timedelta(days=hour // 24), zone)
    except (ValueError, OverflowError):
        return None


def _number(number: float, zone: str) -> int | None:
    if not -_FARTHEST < number < _FARTHEST:  # nor is NaN
        return None
    if int(number) in _SERIALS:
        seconds = dt.timedelta(seconds=round(number * 86_400))
        return parse(_EXCEL_EPOCH + seconds, zone)
    digits = str(number)
    pattern = _COMPACT.get(len(digits)) if type(number) is int else None
    if pattern is not None and "1900" <= digits[:4] < "2200":
        try:
            return parse(dt.datetime.strptime(digits, pattern), zone)  # noqa: DTZ007  # read in `zone`
        except ValueError:
            pass
    return parse(number, zone)
