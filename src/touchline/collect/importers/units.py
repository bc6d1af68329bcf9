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

__all__ = ["bare", "currency_of", "power_of", "power_under", "scaled"]

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
_OF = "|".join(("[元次人个条件]", "人次", "rmb", *map(re.escape, _SPOKEN)))
_UNIT = re.compile(rf"(千万|百万|十万|亿|万|千|k)\s*(?:{_OF}|[a-z]{{3}})?")
_INSIDE = re.compile(r"[(\[【]([^()\[\]【】]{1,12})[)\]】]")
_BEHIND = re.compile(r"[/,_]\s*([^/,_()\[\]]{1,8})$")
# 消耗万元, 消耗 万, 消耗-千元; neither 每万次, which is a rate, nor what only ends in 千.
_JOINED = re.compile(
    rf"(?<![每十百千])((?:千万|百万|十万|亿|万|千)(?:{_OF})|千万|百万|十万|亿|万)$"
)
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
        code = _SPOKEN.get(unit.lstrip("千万百亿"), unit.upper())
        if code in money.EXPONENTS or code == "RMB":
            return money.currency_code(code)
    return None


def bare(column: str) -> str:
    """A column's name without a unit that is joined to it: 消耗万元 → 消耗."""
    return _JOINED.sub("", _name(column))


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


def _name(column: str) -> str:
    return _INSIDE.sub("", unicodedata.normalize("NFKC", column[:200]).lower()).strip()


def _units(column: str) -> list[str]:
    text = unicodedata.normalize("NFKC", column[:200]).lower()
    found = [unit.strip().removeprefix("单位:").strip() for unit in _INSIDE.findall(text)]
    name = _name(column)
    ends = (_BEHIND.search(name), _JOINED.search(name))
    return [*found, *(end[1].strip() for end in ends if end)]


def _power(unit: str) -> int:
    found = _UNIT.fullmatch(unit)
    return _POWERS[found[1]] if found else 0
