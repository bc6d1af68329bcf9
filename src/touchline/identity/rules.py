"""The `[identity]` document → Rules: how many identifiers of a type one person may hold.

Defaults are listed in docs/concepts/identity.md. Changing a rule changes the past as well: people
are computed from the evidence, so there is no "from now on". A limit of `"none"` lifts it.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Rules:
    """Limits by type rank (None: unlimited) and the quarantine threshold. Hashable: a cache key."""

    limits: tuple[int | None, ...] = tuple(LIMITS.get(name) for name in IDENTIFIER_TYPES)
    quarantine_above: int = 5
    strong: tuple[str, ...] = STRONG

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Rules":
        """Rules of a definitions document: its `[identity]` table, or the defaults without one.

        [identity]
        quarantine_above = 5

        [identity.limits]
        phone = 2
        crm_id = "none"
        """
        table = _table(document, "identity")
        for key in table:
            if key not in {"quarantine_above", "limits"}:
                raise _bad(key, f"is not known; known are quarantine_above and limits{_near(key)}")
        limits = [LIMITS.get(name) for name in IDENTIFIER_TYPES]
        for name, value in _table(table, "limits").items():
            if name not in TYPE_RANK:
                raise _bad(f"limits.{name}", f"is not an identifier type{_near(name)}")
            limits[TYPE_RANK[name]] = _limit(f"limits.{name}", value)
        above = _count("quarantine_above", table.get("quarantine_above", cls.quarantine_above))
        return cls(limits=tuple(limits), quarantine_above=above)


DEFAULT = Rules()


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise _bad(key, "must be a table")
    return value


def _limit(key: str, value: object) -> int | None:
    return None if value == "none" else _count(key, value)


def _count(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        hint = ' or "none"' if key.startswith("limits.") else ""
        raise _bad(key, f"is {value!r}, but must be a whole number from 1 to {LARGEST}{hint}")
    return value


def _near(word: str) -> str:
    known = (*IDENTIFIER_TYPES, "quarantine_above", "limits")
    close = difflib.get_close_matches(word, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _bad(key: str, why: str) -> BadInput:
    return BadInput("bad_identity_rule", key=key, why=why)
