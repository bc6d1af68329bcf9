"""What went back lowers the money and never the count."""

import datetime as dt

import pytest

import build
from build import DAY, T0
from touchline.journey.conversion import conversions
from touchline.journey.goal import DEFAULT, Goal
from touchline.journey.rate import Rates

ANN = "user_id:ann"
MARCH = dt.date(2026, 3, 1)


def worth(rows, goal=DEFAULT):
    """[(conversion_id, count, revenue, is_unrated)], ordered."""
    rows.commit()
    with rows.workspace.view() as view:
        got = conversions(view, build.speakers(view, ANN), goal, Rates.of(view, "CNY"))
    names = ("conversion_id", "count", "revenue", "is_unrated")
    return sorted(tuple(row[n] for n in names) for row in got.rows.to_pylist())


def test_an_event_without_an_amount_gives_the_whole_order_back(rows):
    rows.order(ANN, T0, "a", revenue=100)
    rows.order(ANN, T0, "b", revenue=100)
    rows.refund("a", T0 + DAY)
    assert worth(rows) == [("a", 1, 0, False), ("b", 1, 100, False)]


def test_amounts_lower_the_order_by_their_sum_whatever_their_sign(rows):
    rows.order(ANN, T0, "a", revenue=100)
    rows.refund("a", T0 + 1, revenue=30, currency="CNY")
    rows.refund("a", T0 + 2, revenue=-20, currency="CNY")
    rows.conversion("a", ANN, T0 + 3, amount=-5, currency="CNY")
    assert worth(rows) == [("a", 1, 45, False)]


def test_a_whole_refund_beside_parts_leaves_nothing(rows):
    rows.order(ANN, T0, "a", revenue=100)
    rows.refund("a", T0 + 1, revenue=30, currency="CNY")
    rows.refund("a", T0 + 2)
    assert worth(rows) == [("a", 1, 0, False)]


def test_a_negative_row_lowers_its_conversion_whatever_its_stage(rows):
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("a", ANN, T0 + DAY, amount=-40, currency="CNY", stage="refunded")
    assert worth(rows) == [("a", 1, 60, False)]


def test_a_negative_row_of_its_own_lowers_money_alone(rows):
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("r", ANN, T0 + DAY, amount=-40, currency="CNY")
    rows.conversion("x", ANN, T0 + DAY, amount=-40, currency="CNY", stage="lost")
    assert worth(rows) == [("a", 1, 100, False), ("r", 0, -40, False)]


def test_a_negative_order_event_of_its_own_lowers_money_alone(rows):
    rows.order(ANN, T0, None, revenue=-40)
    assert [row[1:] for row in worth(rows)] == [(0, -40, False)]


def test_what_is_told_twice_in_the_same_words_went_back_once(rows):
    back = {"amount": -40, "currency": "CNY", "content_hash": b"x" * 16}
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("a", ANN, T0 + DAY, **back)
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("a", ANN, T0 + DAY, **back)
    rows.conversion("a", ANN, T0 + DAY, **(back | {"content_hash": b"y" * 16}))
    assert worth(rows) == [("a", 1, 20, False)]


def test_a_refund_of_an_order_that_does_not_count_changes_nothing(rows):
    rows.conversion("a", ANN, T0, amount=100, currency="CNY", stage="lost")
    rows.conversion("a", ANN, T0, amount=-40, currency="CNY", stage="won")
    rows.refund("a", T0)
    rows.refund("nowhere", T0, revenue=5, currency="CNY")
    assert worth(rows) == []


def test_refunds_by_bots_and_without_an_order_are_none(rows):
    rows.order(ANN, T0, "a", revenue=100)
    rows.refund("a", T0, bot=True)
    rows.refund(None, T0, revenue=5, currency="CNY")
    assert worth(rows) == [("a", 1, 100, False)]


def test_a_refund_of_foreign_money_is_taken_off_before_the_rate(rows):
    rows.rate(MARCH, "USD", "CNY", "7.005")
    rows.order(ANN, T0, "a", revenue=300, currency="USD")
    rows.refund("a", T0, revenue=100, currency="USD")
    assert worth(rows) == [("a", 1, 1401, False)]


def test_money_that_goes_back_in_another_currency_is_converted_by_its_own_day(rows):
    rows.rate(MARCH, "USD", "CNY", "7")
    rows.rate(MARCH + dt.timedelta(days=1), "USD", "CNY", "8")
    rows.order(ANN, T0, "a", revenue=300, currency="USD")
    rows.refund("a", T0 + DAY, revenue=100, currency="CNY")
    rows.order(ANN, T0, "b", revenue=900, currency="CNY")
    rows.refund("b", T0 + DAY, revenue=100, currency="USD")
    rows.refund("b", T0 + DAY, revenue=5, currency="CNY")
    assert worth(rows) == [("a", 1, 2000, False), ("b", 1, 95, False)]


def test_what_has_no_rate_takes_nothing_off_and_is_named(rows):
    rows.order(ANN, T0, "a", revenue=900, currency="CNY")
    rows.refund("a", T0 + DAY, revenue=10, currency="EUR")
    rows.order(ANN, T0, "b", revenue=900, currency="USD")
    rows.refund("b", T0 + DAY, revenue=10, currency="CNY")
    assert worth(rows) == [("a", 1, 900, False), ("b", 1, 0, True)]
    with rows.workspace.view() as view:
        rates = Rates.of(view, "CNY")
        conversions(view, build.speakers(view, ANN), DEFAULT, rates)
    assert rates.missing == {("EUR", MARCH + dt.timedelta(days=1)), ("USD", MARCH)}


def test_a_whole_refund_needs_no_rate(rows):
    rows.order(ANN, T0, "a", revenue=300, currency="USD")
    rows.refund("a", T0, revenue=100, currency="EUR")
    rows.refund("a", T0)
    assert worth(rows) == [("a", 1, 0, False)]


@pytest.mark.parametrize(
    ("refund", "left"),
    [
        ({"properties": '{"margin": 2}'}, 800),
        ({"properties": '{"margin": 2}', "revenue": 99, "currency": "CNY"}, 800),
        ({"revenue": 300, "currency": "CNY"}, 700),
        ({}, 0),
    ],
)
def test_a_goal_of_a_property_gives_back_that_property(rows, refund, left):
    rows.order(ANN, T0, "a", revenue=9900, properties='{"margin": 10}')
    rows.refund("a", T0 + 1, **refund)
    goal = Goal("margin", event="Order Completed", value="margin")
    assert worth(rows, goal) == [("a", 1, left, False)]
