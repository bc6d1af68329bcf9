"""Identifiers of somebody → the words they are known by in texts, and what is cut out of a text.

A number stands in texts in several ways, and JSON and addresses write some letters in others. What
surprises: JSON is cut string by string, so that nothing chosen as an identifier can break it.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from touchline.collect.nodes import ERASED
from touchline.collect.normalise import national
from touchline.jobs.privacy.erase_map import Fate
from touchline.storage.search import Wanted

__all__ = ["Knife", "by_itself", "distinctive", "forms", "is_chosen"]

TEXT, DIGITS = 8, 10  # shorter values stand everywhere and say nothing
GIVEN = ("email", "phone")  # by others, in a form that nothing else has
DRESS = re.compile(r"\D+")
# A string, and what tells that it is a key; or a number.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?|-?\d[\d.eE+-]*')
_encode = msgspec.json.Encoder().encode


def distinctive(value: str) -> bool:
    """Whether a value that stands in some text can only be this one."""
    if not any(map(str.isalpha, value)):  # a number, a date
        return sum(map(str.isdigit, value)) >= DIGITS
    return len(value) >= TEXT and not value.isalpha()


def is_chosen(kind: str) -> bool:
    """Whether anybody may choose what an identifier of this type is."""
    return kind not in GIVEN


def forms(kind: str, value: str) -> list[str]:
    """How a value stands in texts; shortest ways of saying it that say nothing are left out."""
    plain = _numbers(value) if kind == "phone" else [value]
    found = {form for one in plain for form in _escaped(one) if distinctive(one)}
    return sorted(found)


def by_itself(value: str) -> str:
    """A pattern of a value where it is no part of a longer word."""
    return f"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])"


def _numbers(value: str) -> Iterable[str]:
    """A phone as people write it: +8613800138000, 13800138000, 138 0013 8000, 138-0013-8000."""
    import phonenumbers  # slow to load

    if ";" in value:  # a desk: the number before it is the whole company's
        return [value]
    number = phonenumbers.parse(value)
    local = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    spaced = [local, " ".join(DRESS.split(local)).strip()]
    dressed = [*spaced, "-".join(DRESS.split(local)).strip("-")]
    return {value, value[1:], national(value), DRESS.sub("", local), *dressed}


def _escaped(value: str) -> set[str]:
    """A value as it is, in JSON, in JSON of ASCII alone, and in an address."""
    ascii_only = json.dumps(value)[1:-1]
    return {value, _encode(value).decode()[1:-1], ascii_only, quote(value, safe=""), quote(value)}


class Knife:
    """Cuts the words of somebody out of texts, as the fate of their column says."""

    def __init__(self, wanted: Wanted) -> None:
        self._all = wanted.words()
        self._given = wanted.words(has_chosen=False)

    def cut(self, fate: Fate, text: str) -> str:
        if fate is Fate.JSON:
            return TOKEN.sub(self._token, text) if self._all.search(text) else text
        if fate in (Fate.TEXT, Fate.PASSING):
            return self._all.sub(ERASED, text)
        return self._given.sub(ERASED, text) if fate is Fate.LABEL else text

    def finds(self, text: str) -> bool:
        return self._all.search(text) is not None

    def _token(self, found: re.Match[str]) -> str:
        raw, key = found[0], found["key"]
        if not raw.startswith('"'):
            return f'"{ERASED}"' if self._all.search(raw) else raw
        content: Any = msgspec.json.decode(raw.removesuffix(key or ""))
        left = (self._given if key else self._all).sub(ERASED, content)
        return raw if left == content else _encode(left).decode() + (key or "")
