"""The calendar: eighteen months to any end, busy where the trade is busy."""

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.demo.dice import Dice, systematic
from touchline.demo.season import DAY_MS, Calendar

DATES = st.dates(dt.date(2023, 1, 1), dt.date(2033, 12, 31))


@given(DATES)
def test_a_window_is_eighteen_months(end):
    calendar = Calendar(end)
    assert calendar.dates[-1] == end
    assert 544 <= calendar.days <= 550
    assert 0.85 <= calendar.consumer.mean() <= 1.15


@given(st.lists(st.integers(0, 549 * DAY_MS - 1), min_size=2, max_size=50))
def test_wall_clocks_keep_the_order_and_the_day(offsets):
    calendar = Calendar(dt.date(2026, 11, 20))
    moments = np.sort(np.array(offsets)) + calendar.start_ms
    for shown in (calendar.wall(moments), calendar.office(moments)):
        assert (np.diff(shown) >= 0).all()
        days = (moments - calendar.start_ms) // DAY_MS
        assert ((shown - calendar.start_ms) // DAY_MS == days).all()


def test_sales_and_holidays_show():
    calendar = Calendar(dt.date(2026, 11, 20))
    on = dict(zip(calendar.dates, calendar.consumer, strict=True))
    assert on[dt.date(2025, 11, 11)] > 2 * on[dt.date(2025, 11, 20)] > 1
    assert on[dt.date(2026, 6, 18)] > 1.5 * on[dt.date(2026, 6, 10)]
    assert on[dt.date(2026, 2, 18)] < 0.5 * on[dt.date(2026, 2, 6)]
    abroad = dict(zip(calendar.dates, calendar.abroad, strict=True))
    assert abroad[dt.date(2025, 11, 28)] == 3.2
    pro = dict(zip(calendar.dates, calendar.pro, strict=True))
    assert pro[dt.date(2025, 10, 3)] < 0.3 < 1 < pro[dt.date(2026, 4, 14)]
    assert calendar.dear[calendar.dates.index(dt.date(2025, 10, 31))] == 1.6


@given(st.lists(st.floats(0, 0.9), min_size=1, max_size=200), st.integers(0, 99))
def test_an_even_draw_hits_its_expectation_within_one(chances, seed):
    chance = np.array(chances)
    happens, at = systematic(chance, Dice(seed).of("test"))
    assert abs(happens.sum() - chance.sum()) <= 1 + 1e-9
    assert (at[happens] <= chance[happens] + 1e-9).all()
    assert (at[happens] >= 0).all()
