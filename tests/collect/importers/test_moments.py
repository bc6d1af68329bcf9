import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.clock import to_us
from touchline.collect.importers.moments import day, day_range, moment

ZONE = "Asia/Shanghai"


def at(*parts):
    return to_us(dt.datetime(*parts, tzinfo=ZoneInfo(ZONE)))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-03-01 12:00", at(2026, 3, 1, 12)),
        ("2026-03-01", at(2026, 3, 1)),
        ("2026/3/1", at(2026, 3, 1)),
        ("2026.3.1 9:05:07", at(2026, 3, 1, 9, 5, 7)),
        ("2026/03/01 12:00:30.250", at(2026, 3, 1, 12, 0, 30)),
        ("2026年3月1日", at(2026, 3, 1)),
        ("2026年3月1日 下午3点05分", at(2026, 3, 1, 15, 5)),
        ("2026年3月1日 上午12:10", at(2026, 3, 1, 0, 10)),
        ("2026年3月1日 晚上8点", at(2026, 3, 1, 20)),
        ("2026年3月1日 晚上12:30", at(2026, 3, 2, 0, 30)),
        ("2026年3月1日 中午12:30", at(2026, 3, 1, 12, 30)),
        ("2026-12-31 24:00", at(2027, 1, 1)),
        ("2026/3/1 24:00:00", at(2026, 3, 2)),
        ("2026年3月1日 晚上12点", at(2026, 3, 2)),
        ("2026年3月1日 晚上24点", at(2026, 3, 2)),
        ("2026-03-01T24:00:00Z", at(2026, 3, 2, 8)),
        ("2026-03-01T24:00:00.000+08:00", at(2026, 3, 2)),
        ("2026-03-01 24:00 +0800", at(2026, 3, 2)),
        ("2026-3-1 3:05 PM", at(2026, 3, 1, 15, 5)),
        ("2026-03-01T12:00:00+09:00", at(2026, 3, 1, 11)),
        ("2026-03-01T04:00:00Z", at(2026, 3, 1, 12)),
        ("Mar 1, 2026", at(2026, 3, 1)),
        ("1 March 2026", at(2026, 3, 1)),
        ("01-MAR-2026 3:05 PM", at(2026, 3, 1, 15, 5)),
        ("Sept. 30 2026", at(2026, 9, 30)),
        ("20260301", at(2026, 3, 1)),
        (20260301, at(2026, 3, 1)),
        ("202603011230", at(2026, 3, 1, 12, 30)),
        ("20260301123015", at(2026, 3, 1, 12, 30, 15)),
        (46082.5, at(2026, 3, 1, 12)),
        ("46082", at(2026, 3, 1)),
        (1772337600, at(2026, 3, 1, 12)),
        ("1772337600000", at(2026, 3, 1, 12)),
        (1772337600.5, at(2026, 3, 1, 12) + 500_000),
        (" 2026/3/1 12:00 ", at(2026, 3, 1, 12)),
    ],
)
def test_times_as_people_and_programs_write_them(cell, expected):
    assert moment(cell, ZONE) == expected


NO_TIMES = (
    *("Mar 2026", "1 Mar 1 2026", "31 Jun 2026", "Marx 1, 2026", "Mar 1, 26"),
    *("", "soon", "03/04/2026", "2026-13-01", "2026-02-30", "20261301", "2026/3/1 25:00"),
    *("2026/3/1 24:01", "2026/3/1 48:00", "2026/3/1 下午24:00:01"),
    *("2026/3/1 上午24:00", "2026/3/1 24:00 PM", "2026/3/1 晚上24:30", "2026-03-01T24:01:00Z"),
    *("0001-01-01", "1.2.3.4", "9" * 400, "١٢٣", True, None, [], 12, -5, float("inf")),
    *(10**309, -(10**400), 1e300, float("-inf"), float("nan")),
)


@pytest.mark.parametrize("cell", NO_TIMES)
def test_what_is_no_time_or_two_times_is_none(cell):
    assert moment(cell, ZONE) is None


def test_the_order_of_day_and_month_comes_from_the_map():
    assert moment("3/4/2026", ZONE, "mdy") == at(2026, 3, 4)
    assert moment("3/4/2026 13:00", ZONE, "dmy") == at(2026, 4, 3, 13)
    assert moment("13/4/2026", ZONE, "mdy") is None


def test_a_day_is_the_workspace_s_own():
    assert day("2026-02-28T20:00:00Z", ZONE) == day("2026-03-01", ZONE)
    assert day_range("2026/3/1-2026/3/2", ZONE) == (
        day("2026-03-01", ZONE),
        day("2026-03-02", ZONE),
    )
    assert day_range("2026/3/1-soon", ZONE) is None
    assert day_range(7, ZONE) is None


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-01 00:00 ~ 2026-03-31 24:00",
        "2026-02-28 24:00 ~ 2026-03-31 24:00",
        "2026年3月1日 至 2026年3月31日 晚上12点",
        "2026年3月1日 至 2026年3月31日 晚上12:00",
        "2026-03-01T00:00:00+08:00 ~ 2026-03-31T24:00:00+08:00",
    ],
)
def test_a_range_that_ends_at_24_ends_on_that_day(cell):
    assert day_range(cell, ZONE) == (day("2026-03-01", ZONE), day("2026-03-31", ZONE))


def test_a_day_at_24_is_the_next_unless_a_range_ends_there():
    cell = "2026-03-31 24:00"
    assert day_range(cell, ZONE) == (day("2026-04-01", ZONE),) * 2
    assert day_range(cell, ZONE, is_last=True) == (day("2026-03-31", ZONE),) * 2
    half_past = day_range("2026年3月31日 晚上12:30", ZONE, is_last=True)
    assert half_past == (day("2026-04-01", ZONE),) * 2


@given(
    st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.from_regex(r"[0-9/:. -]{1,30}"))
)
def test_any_cell_is_a_time_or_none(cell):
    found = moment(cell, ZONE)
    assert found is None or isinstance(found, int)
    day_range(cell, ZONE)
