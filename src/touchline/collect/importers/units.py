"""What a column's header says of its figures: 消耗(万元) is in ten thousands, Cost (USD) dollars.

A cell that has a unit of its own (3.8万) is left to speak for itself.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from touchline.collect import money
from touchline.errors import BadInput

__all__ = [
    "bare",
    "currency_of",
    "is_counted",
    "is_price",
    "is_rate",
    "power_of",
    "power_under",
    "scaled",
]

_WORDS = {
    "CNY": "人民币",
    "USD": "美元 美金 $",
    "EUR": "欧元 €",
    "GBP": "英镑",
    "JPY": "日元",
    "HKD": "港元 港币",
    "TWD": "新台币",
    "SGD": "新加坡元",
}
_SPOKEN = {word: code for code, words in _WORDS.items() for word in words.split()}

_POWERS = {"千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "k": 3}
_POWER = "千万|百万|十万|亿|万|千|k"
_CURRENCY = "|".join(("rmb", *(c.lower() for c in money.EXPONENTS), *map(re.escape, _SPOKEN)))
_MONEY = rf"(?:元(?:{_CURRENCY})?|{_CURRENCY})"
_COUNTED = "人次|人(?!民币)|[次个条件]"
_UNIT = re.compile(rf"({_POWER})\s*(?:{_MONEY}|({_COUNTED}))?")
_SCALED = re.compile(rf"^(?:{_POWER})\s*")
_INSIDE = re.compile(r"[(\[【]([^()\[\]【】]{1,16})[)\]】]")
_ENGLISH = ((re.compile(r"'?000s?|thousands?"), "k"), (re.compile(r"millions?|mln|mn"), "百万"))
_TURNED = re.compile(rf"({_MONEY})[\s,]*({_POWER}|m)")  # USD k, $m
_BEHIND = re.compile(r"[/,_]\s*([^/,_()\[\]]{1,8})$")
# 消耗万元, 消耗 万, 消耗-千元; neither 每万次, which is a rate, nor what only ends in 千.
_JOINED = re.compile(
    r"(?<![十百千])(?P<unit>(?:千万|百万|十万|亿|万|千)"
    rf"(?:{_MONEY}|{_COUNTED})|千万|百万|十万|亿|万)$"
)
_EACH = re.compile(r"每\s*\d*\s*$")
_THINGS = rf"\s*\d*\s*(?:{_POWER}|百)?\s*(?:{_COUNTED})"
_RATE = re.compile(rf"每{_THINGS}")
_PRICE = re.compile(rf"[每/]{_THINGS}|/\s*(?:{_POWER})\s*(?:$|[(\[【])")
_UNDER = re.compile(r"(?:金额|货币)?单位\s*[::]\s*(?:人民币)?\s*(\S{1,8}).*")
_OWN = re.compile(r"[千万亿百]")


@lru_cache(maxsize=8192)
def power_of(column: str) -> int:
    """Of ten, what the figures of a column are to be multiplied with."""
    return next((power for unit in _units(column) if (power := _power(unit))), 0)


@lru_cache(maxsize=8192)
def currency_of(column: str) -> str | None:
    """The currency a header names; 元 alone is whichever the workspace counts in."""
    for unit in _units(column):
        for text in (unit, _SCALED.sub("", unit)):  # KRW, then k USD
            name = text.removeprefix("元")
            code = _SPOKEN.get(name, name.upper())
            if code in money.EXPONENTS or code == "RMB":
                return money.currency_code(code)
    return None


def bare(column: str) -> str:
    """A column's name without a unit that is joined to it: 消耗万元 → 消耗."""
    name = _name(column)
    found = _joined(name)
    return name if found is None else name[: found.start()]


@lru_cache(maxsize=8192)
def is_rate(column: str) -> bool:
    """Whether the figures are of so many each: 费用(每万次), 点击(每千次)."""
    return _RATE.search(_plain(column)) is not None


@lru_cache(maxsize=8192)
def is_price(column: str) -> bool:
    """Whether money is of so many each: 消耗/千次. In 展现/千次 that is the unit."""
    return _PRICE.search(_plain(column)) is not None


@lru_cache(maxsize=8192)
def is_counted(column: str) -> bool:
    """Whether the unit is one of things, not of money: 展现(万次)."""
    return any((found := _UNIT.fullmatch(unit)) and found[2] for unit in _units(column))


def power_under(texts: Iterable[str]) -> int:
    """The same from what stands above a table: 单位:万元."""
    for text in texts:
        found = _UNDER.search(unicodedata.normalize("NFKC", text[:200]))
        if found is not None and (power := _power(found[1].lower().rstrip(")】]"))):
            return power
    return 0


def scaled(value: Any, power: int) -> Any:
    """A figure multiplied; what is none, or has a unit of its own, as it is."""
    if type(value) is str and _OWN.search(value):
        return value
    try:
        return format(money.amount(value).scaleb(power), "f")
    except BadInput:
        return value


def _plain(column: str) -> str:
    return unicodedata.normalize("NFKC", column[:200]).lower()


def _name(column: str) -> str:
    return _INSIDE.sub("", _plain(column)).strip()


def _units(column: str) -> list[str]:
    inside = _INSIDE.findall(_plain(column))
    found = [_power_first(unit.strip().removeprefix("单位:").strip()) for unit in inside]
    name = _name(column)
    behind, joined = _BEHIND.search(name), _joined(name)
    found += [behind[1].strip()] if behind else []
    return [*found, joined["unit"]] if joined else found


def _power_first(unit: str) -> str:
    """A unit as `_UNIT` has it: USD k, $ thousands and kUSD are one."""
    for words, power in _ENGLISH:
        unit = words.sub(power, unit)
    turned = _TURNED.fullmatch(unit)
    return unit if turned is None else turned[2].replace("m", "百万") + turned[1]


def _joined(name: str) -> re.Match[str] | None:
    found = _JOINED.search(name)
    return None if found is None or _EACH.search(name[: found.start()]) else found


def _power(unit: str) -> int:
    found = _UNIT.fullmatch(unit)
    return _POWERS[found[1]] if found else 0
