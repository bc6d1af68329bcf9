"""Decimal major units as people and programs write them → integer minor units of an ISO currency.

Halves go to the even cent. A text may carry signs of a currency, thousands groups, full-width
digits or 万, 千; what could be read in two ways is refused rather than guessed.
"""

import decimal
import re
import unicodedata
from decimal import Decimal
from typing import Any

from touchline.errors import BadInput

__all__ = ["EXPONENTS", "amount", "currency_code", "exponent", "minor"]

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD
TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
"""
_ZERO = "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

EXPONENTS: dict[str, int] = {
    code: digits
    for digits, codes in ((2, _TWO), (0, _ZERO), (3, _THREE), (4, _FOUR))
    for code in codes.split()
}
_SPOKEN = {"RMB": "CNY", "人民币": "CNY", "元": "CNY"}
_CONTEXT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN)
_LIMIT = 2**63 - 1
_POWERS = {"百万": 6, "千万": 7, "万": 4, "千": 3, "亿": 8}

_AROUND = re.compile(r"[A-Z]{3}|RMB|元|圆|[¥$€£₩₹₽฿₫]|HK\$|US\$|NT\$|\s|'")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d{1,3})?", re.ASCII)
_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+,\d+|\d+,\d{1,2})", re.ASCII)


def currency_code(raw: Any) -> str:
    """The ISO 4217 code meant by `raw`; BadInput("unknown_currency") when there is none."""
    if type(raw) is str:
        if raw in EXPONENTS:
            return raw
        code = unicodedata.normalize("NFKC", raw[:16]).strip().upper()
        code = _SPOKEN.get(code, code)
        if code in EXPONENTS:
            return code
    raise BadInput("unknown_currency", value=str(raw)[:40])


def exponent(currency: str) -> int:
    """Digits after the point of a currency: 2 for CNY, 0 for JPY, 3 for KWD."""
    return EXPONENTS[currency_code(currency)]


def amount(raw: Any) -> Decimal:
    """The exact decimal meant by a number or text; BadInput("bad_amount") when it is none."""
    value: Decimal | None = None
    if type(raw) is int:
        value = Decimal(raw)
    elif type(raw) is float:
        value = Decimal(repr(raw))
    elif isinstance(raw, Decimal):
        value = raw
    elif type(raw) is str:
        value = _read(raw)
    if value is None or not value.is_finite():
        raise BadInput("bad_amount", value=str(raw)[:40])
    return value


def minor(raw: Any, currency: str) -> int:
    """Integer minor units: "1,234.50" CNY is 123450."""
    digits = exponent(currency)
    if type(raw) is int and -10_000_000_000 < raw < 10_000_000_000:
        return raw * 10**digits
    value = amount(raw)
    if value.adjusted() + digits > 19:
        raise BadInput("bad_amount", value=str(raw)[:40])
    scaled = int(value.scaleb(digits, _CONTEXT).to_integral_value(context=_CONTEXT))
    if not -_LIMIT <= scaled <= _LIMIT:
        raise BadInput("bad_amount", value=str(raw)[:40])
    return scaled


def _read(text: str) -> Decimal | None:
    if len(text) > 64:
        return None
    text = unicodedata.normalize("NFKC", text).strip().upper().replace("−", "-")
    is_negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1] if is_negative else text
    if not _PLAIN.fullmatch(text):
        text = _AROUND.sub("", text)
    unit = next((unit for unit in _POWERS if text.endswith(unit)), "")
    power = _POWERS.get(unit, 0)
    text = text.removesuffix(unit)
    if _COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPS.fullmatch(text):
        text = text.replace(",", "")
    if not _PLAIN.fullmatch(text):
        return None
    value = Decimal(text).scaleb(power, _CONTEXT)
    return -value if is_negative else value
