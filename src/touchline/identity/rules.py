"""The `[identity]` document → Rules: which identifiers make a person, and how far.

Defaults are listed in docs/concepts/identity.md. Changing a rule changes the past as well: people
are computed from the evidence, so there is no "from now on". A limit of `"none"` lifts it; one of
`"5 a year"` counts values first seen within a year of each other.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from touchline.clock import DAY_US
from touchline.collect.junk import ANY, Patterns, patterns
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK

__all__ = ["DEFAULT", "STRONG", "Rules"]

# A value that touches many distinct values of one of these is not one person's: a kiosk's cookie,
# a shop's phone. Cookies and devices do not count: one person may own a thousand of them.
STRONG = ("user_id", "unionid", "member_code", "crm_id", "email", "phone")

# Per person; for an openid per app. A type that is not named here is unlimited.
LIMITS: dict[str, int] = {
    "user_id": 1,
    "unionid": 1,
    "member_code": 1,
    "crm_id": 3,
    "email": 5,
    "phone": 3,
    "external_userid": 3,
    "openid": 1,
}
LARGEST = 1000  # the solver's counters hold 15 bits; nobody has a thousand phones
KEYS = ("quarantine_above", "strong", "priority", "staff_sources", "limits", "blocked")
UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_WINDOW = re.compile(r"([0-9]{1,4}) (?:a|per) (?:(day|week|month|year)|([0-9]{1,5})d)")


class Limit(NamedTuple):
    """At most so many values; with a window, of those first seen within it of each other."""

    most: int | None
    window_us: int | None = None


def _limits() -> tuple[int | None, ...]:
    return tuple(LIMITS.get(name) for name in IDENTIFIER_TYPES)


@dataclass(frozen=True)
class Rules:
    """By type rank: `limits` (None: unlimited), `windows_us` in which they count (None: ever), and
    `places`, the order in which types are believed. Hashable: a cache key.
    """

    limits: tuple[int | None, ...] = _limits()
    quarantine_above: int = 5
    strong: tuple[str, ...] = STRONG
    windows_us: tuple[int | None, ...] = (None,) * len(IDENTIFIER_TYPES)
    places: tuple[int, ...] = tuple(range(len(IDENTIFIER_TYPES)))
    blocked: Patterns = ()
    staff_sources: tuple[str, ...] = ("staff",)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Rules":
        r"""Rules of a definitions document: its `[identity]` table, or the defaults without one.

        [identity]
        quarantine_above = 5
        strong = ["user_id", "member_code", "phone"]
        priority = ["member_code", "phone"]
        staff_sources = ["staff"]

        [identity.limits]
        phone = 2
        email = "5 a year"
        crm_id = "none"

        [identity.blocked]
        sets = ["role_mailboxes"]
        phone = ["^\\+86400"]
        """
        table = _table(document, "identity")
        for key in table:
            if key not in KEYS:
                raise _bad(key, f"is not known; known are {', '.join(KEYS)}{_near(key)}")
        limits = [Limit(most) for most in cls.limits]
        for name, value in _table(table, "limits").items():
            limits[_rank(f"limits.{name}", name)] = _limit(f"limits.{name}", value)
        if limits[TYPE_RANK["openid"]].window_us is not None:
            raise _bad("limits.openid", "is per app, and takes no window")
        first = [TYPE_RANK[name] for name in _types(table, "priority", ())]
        rest = [rank for rank in range(len(IDENTIFIER_TYPES)) if rank not in first]
        order = [*first, *rest]
        above = _count("quarantine_above", table.get("quarantine_above", cls.quarantine_above))
        return cls(
            limits=tuple(limit.most for limit in limits),
            windows_us=tuple(limit.window_us for limit in limits),
            quarantine_above=above,
            strong=_types(table, "strong", STRONG),
            places=tuple(order.index(rank) for rank in range(len(order))),
            blocked=_patterns(_table(table, "blocked")),
            staff_sources=tuple(_texts(table, "staff_sources", cls.staff_sources)),
        )


DEFAULT = Rules()


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise _bad(key, "must be a table")
    return value


def _texts(table: Mapping[str, Any], key: str, default: Sequence[str]) -> Sequence[str]:
    value = table.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _bad(key, "must be a list of names")
    return value


def _types(table: Mapping[str, Any], key: str, default: Sequence[str]) -> tuple[str, ...]:
    """Types that are named, each once."""
    named = _texts(table, key, default)
    for name in named:
        _rank(key, name)
    return tuple(dict.fromkeys(named))


def _rank(key: str, name: str) -> int:
    if name not in TYPE_RANK:
        said = "is" if key.endswith(f".{name}") else f"has {name!r}, which is"
        raise _bad(key, f"{said} not an identifier type{_near(name)}")
    return TYPE_RANK[name]


def _limit(key: str, value: object) -> Limit:
    if value == "none":
        return Limit(None)
    if isinstance(value, str) and (said := _WINDOW.fullmatch(value)):
        days = UNITS[said[2]] if said[2] else int(said[3])
        if days:
            return Limit(_count(key, int(said[1])), days * DAY_US)
    return Limit(_count(key, value))


def _count(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        hint = ', or "none", or a text such as "5 a year"' if key.startswith("limits.") else ""
        raise _bad(key, f"is {value!r}, but must be a whole number from 1 to {LARGEST}{hint}")
    return value


def _patterns(table: Mapping[str, Any]) -> Patterns:
    for name in table:
        if name not in ("sets", ANY):
            _rank(f"blocked.{name}", name)
    try:
        return patterns(table)
    except ValueError as error:
        key, why = error.args
        raise _bad(f"blocked.{key}".rstrip("."), why) from None


def _near(word: str) -> str:
    close = difflib.get_close_matches(word, (*IDENTIFIER_TYPES, *KEYS), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _bad(key: str, why: str) -> BadInput:
    return BadInput("bad_identity_rule", key=key, why=why)
