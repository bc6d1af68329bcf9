"""A value that goes against the plan → what may be shown of it, so that nobody is named.

A number of a few digits, true, false and what is nearly a value of the plan's own list are shown
as they are. Of any other text only its shape is: `138 0013` → `999 9999`, `张三` → `字字`. Of a
property whose name says that it names somebody nothing is.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from touchline.collect.redact import is_telling

__all__ = ["example_of"]

MAX_SHOWN = 40
FEW_DIGITS = 6
MOST = 1e6
NEAR = 0.7
CJK = 0x2E80  # where Chinese, Japanese and Korean begin
_WORDS = frozenset(("true", "false", "yes", "no", "null", "none", "nan", "undefined"))


def example_of(
    path: str, value: Any, allowed: Sequence[Any] | None = None, is_personal: bool = False
) -> str | None:
    """What stands beside a count for people to see; None when nothing may."""
    if is_personal or any(is_telling(name) for name in path.replace("[]", "").split(".")):
        return None
    if value is None or type(value) is bool:
        return str(value).lower().replace("none", "null")
    if type(value) is int or type(value) is float:
        is_small = -MOST < value < MOST and _has_few_digits(repr(value))
        return repr(value) if is_small else "999…"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    return f'"{_text(str(value), allowed)}"'


def _text(text: str, allowed: Sequence[Any] | None) -> str:
    if len(text) <= MAX_SHOWN and text.isprintable() and _has_few_digits(text):
        folded = text.strip().lower()
        known = [str(one).lower() for one in allowed or () if isinstance(one, str)]
        is_number = folded.lstrip("+-").replace(".", "", 1).replace(",", "").isdecimal()
        if is_number or folded in _WORDS or not folded:
            return text
        if folded in known or get_close_matches(folded, known, 1, NEAR):
            return text
    return shape(text)


def _has_few_digits(text: str) -> bool:
    return sum(letter.isdigit() for letter in text) < FEW_DIGITS


def shape(text: str) -> str:
    """Letters and digits as what kind they are; a long text is cut."""
    cut = text[:MAX_SHOWN]
    return "".join(map(_kind, cut)) + ("…" if len(text) > MAX_SHOWN else "")


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "9"
    if letter.isalpha():
        return "字" if ord(letter) >= CJK else "A" if letter.isupper() else "a"
    return letter if letter.isprintable() else "?"
