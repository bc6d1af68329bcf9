import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import build
from touchline.journey.rate import Rates

MARCH = dt.date(2026, 3, 1)
DAY = dt.timedelta(days=1)


def test_home_money_and_money_without_a_currency_stay_as_they_are():
    rates = Rates("CNY", [])
    assert rates.convert(123, "CNY", MARCH) == 123
    assert rates.convert(123, None, MARCH) == 123
    assert not rates.missing


def test_the_newest_rate_on_or_before_the_day_is_in_force():
    rates = Rates("CNY", [(MARCH, "USD", "CNY", "7"), (MARCH + 2 * DAY, "USD", "CNY", "8")])
    days = [MARCH + n * DAY for n in (-1, 0, 1, 2, 99)]
    assert [rates.convert(100, "USD", day) for day in days] == [None, 700, 700, 800, 800]
    assert rates.missing == {("USD", MARCH - DAY)}


def test_of_one_day_the_last_row_counts():
    rates = Rates("CNY", [(MARCH, "USD", "CNY", "7"), (MARCH, "USD", "CNY", "6")])
    assert rates.convert(100, "USD", MARCH) == 600


def test_a_pair_known_the_other_way_round_is_inverted_exactly():
    rates = Rates("CNY", [(MARCH, "CNY", "USD", "0.3")])
    assert rates.convert(30, "USD", MARCH) == 100
    assert rates.convert(10**18 * 3, "USD", MARCH) == 10**19


def test_a_pair_given_directly_wins_over_its_inverse():
    rates = Rates("CNY", [(MARCH, "CNY", "USD", "0.5"), (MARCH, "USD", "CNY", "7")])
    assert rates.convert(1, "USD", MARCH) == 7


def test_rates_between_other_currencies_do_not_matter():
    rates = Rates("CNY", [(MARCH, "USD", "EUR", "1")])
    assert rates.convert(1, "USD", MARCH) is None


def test_nothing_needs_no_rate():
    rates = Rates("CNY", [])
    assert rates.convert(0, "USD", MARCH) == 0
    assert not rates.missing


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "home", "minor"),
    [
        (1000, "JPY", "0.05", "CNY", 5000),  # 1000 yen are 50.00
        (123, "CNY", "20", "JPY", 25),  # 1.23 × 20 = 24.6
        (1, "KWD", "23.5", "CNY", 2),  # 0.001 × 23.5 = 0.0235
        (5, "USD", "0.5", "CNY", 2),  # 2.5 cents: to the even one
        (7, "USD", "0.5", "CNY", 4),
        (-5, "USD", "0.5", "CNY", -2),
    ],
)
def test_minor_units_follow_both_currencies_and_halves_go_to_the_even(
    amount, currency, rate, home, minor
):
    assert Rates(home, [(MARCH, currency, home, rate)]).convert(amount, currency, MARCH) == minor


@given(st.integers(-(2**62), 2**62), st.decimals("0.0001", "9999", places=4))
def test_any_amount_is_exact_to_the_cent(amount, rate):
    wanted = (Decimal(amount) * rate) if abs(amount) < 10**9 else None
    found = Rates("CNY", [(MARCH, "USD", "CNY", str(rate))]).convert(amount, "USD", MARCH)
    if wanted is not None:
        assert found == int(wanted.to_integral_value(ROUND_HALF_EVEN))
    scaled = int(rate * 10_000)
    assert abs(found * 10_000 - amount * scaled) * 2 <= 10_000


def test_rates_are_read_in_the_order_they_arrived_and_as_of_a_day(rows):
    rows.rate(MARCH, "USD", "CNY", "7")
    rows.rate(MARCH, "USD", "CNY", "8")
    rows.commit()
    with rows.workspace.view() as view:
        assert Rates.of(view, "CNY").convert(1, "USD", MARCH) == 8
    for as_of_us, worth in ((build.T0 + 1, 7), (build.T0, None)):
        with rows.workspace.view(as_of_us=as_of_us) as view:
            assert Rates.of(view, "CNY").convert(1, "USD", MARCH) == worth
