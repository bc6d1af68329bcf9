"""Cron lines: the moments they name, also where clocks are put forward and back."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline import clock
from touchline.errors import BadInput
from touchline.jobs.cron import parse

CHINA = "Asia/Shanghai"


def moments(line, start, zone=CHINA, count=3):
    here = ZoneInfo(zone)
    at = clock.to_us(dt.datetime.fromisoformat(start).replace(tzinfo=here))
    found = []
    for _ in range(count):
        at = parse(line).after(at, zone)
        found.append(clock.from_us(at).astimezone(here).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("line", "then"),
    [
        ("15 6 * * *", ["2026-03-04 06:15", "2026-03-05 06:15", "2026-03-06 06:15"]),
        ("*/20 * * * *", ["2026-03-04 00:20", "2026-03-04 00:40", "2026-03-04 01:00"]),
        ("0 9-10,18 * * mon-fri", ["2026-03-04 09:00", "2026-03-04 10:00", "2026-03-04 18:00"]),
        ("0 0 31 * *", ["2026-03-31 00:00", "2026-05-31 00:00", "2026-07-31 00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        # Of the days of month and of week, either will do; 7 is Sunday, too.
        ("0 0 5 * 7", ["2026-03-05 00:00", "2026-03-08 00:00", "2026-03-15 00:00"]),
        ("30 5/6 * jan,DEC sun", ["2026-12-06 05:30", "2026-12-06 11:30", "2026-12-06 17:30"]),
        ("@monthly", ["2026-04-01 00:00", "2026-05-01 00:00", "2026-06-01 00:00"]),
    ],
)
def test_lines_name_moments_in_the_time_of_the_workspace(line, then):
    assert moments(line, "2026-03-04T00:00") == then


def test_where_clocks_change_a_fixed_hour_comes_once_and_every_hour_every_hour():
    berlin = "Europe/Berlin"
    assert moments("30 2 * * *", "2026-03-28T12:00", berlin, 2) == [
        "2026-03-29 03:30",
        "2026-03-30 02:30",
    ]
    assert moments("30 2 * * *", "2026-10-24T12:00", berlin, 2) == [
        "2026-10-25 02:30",
        "2026-10-26 02:30",
    ]
    hourly = moments("0 * * * *", "2026-10-25T00:30", berlin, 5)
    assert hourly == [f"2026-10-25 0{hour}:00" for hour in (1, 2, 2, 3, 4)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of week"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("a * * * *", "minute"),
        ("1, * * * *", "minute"),
        ("٣ * * * *", "minute"),
        ("0 0 30 2 *", "never comes"),
        ("@reboot", "five fields"),
    ],
)
def test_what_is_no_line_is_told_by_its_field(line, why):
    with pytest.raises(BadInput, match=why):
        parse(line)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["*/7 * * * *", "5 4 * * *", "0 0 1 * mon", "59 23 31 12 *"]),
    st.integers(0, 2_000_000_000),
    st.sampled_from([CHINA, "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_each_moment_lies_after_the_one_before(line, seconds, zone):
    cron = parse(line)
    first = cron.after(seconds * clock.US, zone)
    assert first > seconds * clock.US
    assert cron.after(first - 1, zone) == first
    assert cron.after(first, zone) > first
