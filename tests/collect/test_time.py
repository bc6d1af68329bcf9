import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.clock import to_us
from touchline.collect.time import EARLIEST_US, LATEST_US, local_day, parse

NOON = to_us(dt.datetime(2026, 11, 21, 12, 0, 0, 857_000, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00.857Z",
        "2026-11-21T12:00:00.857+00:00",
        "2026-11-21T12:00:00.857000Z",
        "2026-11-21T20:00:00.857+08:00",
        "2026-11-21T20:00:00.857+0800",
        "2026-11-21 12:00:00.857",
        " 2026-11-21T12:00:00.857Z ",
        "2026/11/21 12:00:00.857",
        "2026-11-21T12:00:00.857000123Z",
        "20261121T120000.857Z",
        "1795262400857",
        1_795_262_400_857,
        1_795_262_400_857_000,
        1_795_262_400_857_000_000,
        1_795_262_400.857,
    ],
)
def test_every_recorded_form_of_a_time_is_read(text):
    assert parse(text) == NOON


def test_seconds_and_mail_dates_are_read():
    assert parse(1_795_262_400) == NOON - 857_000
    assert parse("1795262400") == NOON - 857_000
    assert parse("Sat, 21 Nov 2026 12:00:00 GMT") == NOON - 857_000
    assert parse("2026-11-21") == NOON - 857_000 - 12 * 3600 * 1_000_000


def test_a_time_without_offset_is_read_in_the_zone_asked_for():
    assert parse("2026-11-21 20:00:00.857", "Asia/Shanghai") == NOON
    assert parse("2026-11-21T12:00:00.857Z", "Asia/Shanghai") == NOON
    assert parse(dt.datetime(2026, 11, 21, 20, 0, 0, 857_000), "Asia/Shanghai") == NOON  # noqa: DTZ001  a naive time is the case


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "yesterday", "2026-13-01", "2026-11-21T25:00:00Z", "0000-00-00", {}, []),
        *("1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 0, -5, 12345, 1e30, 10**300, "1e99"),
        *(float("nan"), float("inf"), "nan", "9" * 400, "\ud800", "21" * 50, "٢٠٢٦-١١-٢١"),
    ],
)
def test_what_is_no_time_is_none(value):
    assert parse(value) is None


@given(st.text(max_size=40) | st.integers() | st.floats())
def test_nothing_raises_and_all_results_are_in_range(value):
    us = parse(value)
    assert us is None or EARLIEST_US <= us < LATEST_US


@given(
    st.integers(EARLIEST_US, LATEST_US - 1),
    st.sampled_from(
        ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
)
def test_local_day_is_the_calendar_s(us, zone):
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=us)
    there = moment.astimezone(ZoneInfo(zone))
    assert local_day(us, zone) == there.date().toordinal() - 719_163
