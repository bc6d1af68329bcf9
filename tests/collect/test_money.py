import contextlib
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.money import amount, currency_code, exponent, minor
from touchline.errors import BadInput


@pytest.mark.parametrize(
    ("raw", "currency", "expected"),
    [
        (199, "CNY", 19900),
        (199.9, "CNY", 19990),
        ("199.00", "CNY", 19900),
        ("1,234.50", "CNY", 123450),
        ("¥38,000", "CNY", 3_800_000),
        ("￥38，000", "CNY", 3_800_000),
        ("１２３．４５", "CNY", 12345),
        ("38,000元", "CNY", 3_800_000),
        ("CNY 12.5", "CNY", 1250),
        ("12.5 RMB", "CNY", 1250),
        ("US$59", "USD", 5900),
        ("3.8万", "CNY", 3_800_000),
        ("1.2亿", "CNY", 12_000_000_000),
        ("1.234,50", "EUR", 123450),
        ("12,5", "EUR", 1250),
        ("12,34,567.00", "INR", 123_456_700),
        ("-45.10", "CNY", -4510),
        ("(45.10)", "CNY", -4510),
        ("−45.10", "CNY", -4510),
        ("+5", "CNY", 500),
        (".5", "CNY", 50),
        ("1e3", "CNY", 100_000),
        (" 7 ", "CNY", 700),
        (1000, "JPY", 1000),
        ("1000.5", "JPY", 1000),
        ("1001.5", "JPY", 1002),
        (1.234, "KWD", 1234),
        (0.00005, "CLF", 0),
        ("0.125", "USD", 12),
        ("0.135", "USD", 14),
        (0.285, "USD", 28),
        (1.005, "USD", 100),
        (Decimal("2.675"), "USD", 268),
        (0, "CNY", 0),
        (-0.0, "CNY", 0),
    ],
)
def test_amounts_become_minor_units_half_even(raw, currency, expected):
    assert minor(raw, currency) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *("", "abc", "1.2.3", "1,2,3", "12,3456", "--5", "1e400", "1 2 x", "0x10", "nan", "inf"),
        *("-Infinity", "٣", "9" * 65, None, True, [], {}, float("nan"), float("inf"), 10**20),
        *("99999999999999999999", 1e300, Decimal("NaN"), 10**400),
    ],
)
def test_what_is_no_amount_is_refused(raw):
    with pytest.raises(BadInput) as caught:
        minor(raw, "CNY")
    assert caught.value.code == "bad_amount"


def test_exponents_follow_iso_4217():
    assert [exponent(code) for code in ("CNY", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]


def test_currencies_are_read_leniently_but_must_exist():
    assert currency_code(" cny ") == "CNY"
    assert currency_code("RMB") == "CNY"
    assert currency_code("人民币") == "CNY"
    assert currency_code("ｕｓｄ") == "USD"
    for raw in ("XXX", "ZZZ", "", "CN", "CNYY", None, 5, ["CNY"], "\ud800"):
        with pytest.raises(BadInput) as caught:
            currency_code(raw)
        assert caught.value.code == "unknown_currency"


@given(st.decimals(-(10**12), 10**12, places=4))
def test_a_decimal_text_is_rounded_as_decimals_are(value):
    exact = value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    assert minor(str(value), "CNY") == int(exact * 100)
    assert minor(f"{value:,}", "CNY") == int(exact * 100)


@given(st.floats(-1e12, 1e12), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_a_float_is_read_as_it_is_written(value, currency):
    assert minor(value, currency) == minor(repr(value), currency)


@given(st.text(max_size=70) | st.integers() | st.floats() | st.binary())
def test_any_value_is_an_amount_or_bad_input(raw):
    with contextlib.suppress(BadInput):
        assert amount(raw).is_finite()
        assert isinstance(minor(raw, "CNY"), int)
