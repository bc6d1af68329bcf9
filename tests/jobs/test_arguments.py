import datetime as dt

import pytest

from touchline import clock
from touchline.errors import BadInput
from touchline.jobs import arguments

SHANGHAI = "Asia/Shanghai"


def us(text):
    return clock.to_us(dt.datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("channel", ("channel",)),
        ("campaign", ("channel", "campaign")),
        (" term , campaign,channel ", ("channel", "campaign", "term")),
        ("channel,content,ad_group", ("channel", "ad_group", "content")),
    ],
)
def test_labels_come_channel_first_and_coarse_before_fine(text, by):
    assert arguments.labels(text) == by


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("7", 7), ("0.5d", 0.5)])
def test_a_window_is_a_number_of_days(text, days):
    assert arguments.window(text) == days


def test_as_of_a_day_means_its_local_end_and_a_moment_itself():
    assert arguments.as_of(None, SHANGHAI) is None
    end = us("2026-04-01T00:00:00+08:00") - 1
    assert arguments.as_of("2026-03-31", SHANGHAI) == end
    assert arguments.as_of("2026-03-31T08:00:00Z", SHANGHAI) == us("2026-03-31T08:00:00+00:00")


def test_as_of_the_last_day_there_is_knows_everything():
    assert arguments.as_of("9999-12-31", SHANGHAI) > us("9998-01-01T00:00:00+00:00")
    assert arguments.as_of("0001-01-01", SHANGHAI) < 0


def test_the_day_after_a_period_is_a_day_too():
    first, last = arguments.period({"from": "2026-01-01", "to": "9999-12-31"})
    assert first == dt.date(2026, 1, 1)
    assert last + dt.timedelta(days=1)


def test_a_moment_without_a_zone_is_local():
    assert arguments.moment("2026-03-31", "from", SHANGHAI) == us("2026-03-31T00:00:00+08:00")
    assert arguments.moment("2026-03-31T01:00:00", "from", "UTC") == us("2026-03-31T01:00:00+00:00")


def test_an_absent_day_is_open():
    assert arguments.day(None, "from") is None
    assert arguments.day("2026-03-31", "from") == dt.date(2026, 3, 31)


def test_a_period_may_be_open_and_one_day_long():
    day = dt.date(2026, 3, 31)
    assert arguments.period({}) == (None, None)
    assert arguments.period({"from": "2026-03-31", "to": "2026-03-31"}) == (day, day)


def test_a_cursor_is_what_an_answer_gave():
    assert arguments.cursor("12:3") == (12, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: arguments.labels("channel,source"),
        lambda: arguments.window("0d"),
        lambda: arguments.window("-5d"),
        lambda: arguments.window("nan"),
        lambda: arguments.window("3661d"),
        lambda: arguments.window("month"),
        lambda: arguments.day("31.03.2026", "from"),
        lambda: arguments.day("2026-02-30", "to"),
        lambda: arguments.period({"from": "2026-03-31", "to": "2026-03-30"}),
        lambda: arguments.as_of("yesterday", SHANGHAI),
        lambda: arguments.moment("2026-13-01", "from", SHANGHAI),
        lambda: arguments.cursor("12"),
        lambda: arguments.cursor("a:b"),
        lambda: arguments.cursor("²:1"),
        lambda: arguments.limit("0"),
        lambda: arguments.limit("x"),
        lambda: arguments.limit("9" * 30),
        lambda: arguments.cursor("9" * 5000 + ":1"),
        lambda: arguments.limit(None),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(wrong):
    with pytest.raises(BadInput) as caught:
        wrong()
    assert (caught.value.code, caught.value.exit_code) == ("bad_argument", 2)
