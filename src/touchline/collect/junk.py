r"""Patterns of values that name nobody in particular → which of them an identifier matches.

What is no identifier at all (`null`, zeros, test words, noreply@) never gets here: `normalise`
drops it as it comes in. A pattern is a site's own word on values that look real. They are stored
like any other, and hold back from joining people as long as the pattern is in force.

A type's pattern is a regular expression of RE2, or the name of a set that stands ready here.
"""

from collections.abc import Mapping
from typing import Any

from touchline.collect import pattern
from touchline.model import IDENTIFIER_TYPES, Identifier

__all__ = ["ANY", "SETS", "Junk", "Patterns", "patterns"]

ANY = "any"  # instead of a type: every type
Patterns = tuple[tuple[str, str], ...]  # (type or ANY, expression)

_ROLES = """
info contact sales support service services help hello admin administrator office mail email
webmaster hostmaster marketing market hr jobs press media billing accounts orders order shop store
team enquiry enquiries kefu xiaoshou shichang caigou bangongshi
"""
# Name → (type, expression). Written against the normal form: phones as E.164, mail in lower case.
SETS: dict[str, tuple[tuple[str, str], ...]] = {
    "role_mailboxes": (
        (
            "email",
            f"^({'|'.join(_ROLES.split())})[0-9]*@",
        ),
    ),
    "made_up_phones": (
        ("phone", r"^\+861[0-9](0{9}|1{9}|2{9}|3{9}|4{9}|5{9}|6{9}|7{9}|8{9}|9{9})$"),
        ("phone", r"^\+861[0-9]{2}(12345678|87654321)$"),
        ("phone", r"^\+8613800138000$"),
    ),
    "example_domains": (
        ("email", r"[@.](example\.(com|net|org)|test\.com|(test|example|invalid|localhost))$"),
    ),
}
MAX_PATTERNS = 200


class Junk:
    """Patterns made ready. Raises ValueError that says which one cannot be matched."""

    def __init__(self, patterns: Patterns) -> None:
        self._ready = [(kind, text, pattern.search(text)) for kind, text in patterns]
        kinds = {kind for kind, _ in patterns}
        self.types = tuple(IDENTIFIER_TYPES) if ANY in kinds else tuple(sorted(kinds))

    def matched(self, identifier: Identifier) -> str | None:
        """The first expression that this value matches."""
        for kind, text, matches in self._ready:
            if kind in (identifier.type, ANY) and matches(identifier.value):
                return text
        return None


def patterns(table: Mapping[str, Any]) -> Patterns:
    """`{"sets": [...], type: [expressions]}` as pairs, each checked.

    Raises ValueError(key, why).
    """
    found: list[tuple[str, str]] = []
    for key, listed in table.items():
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise ValueError(key, 'must be a list of texts, such as ["^400"]')
        for text in listed:
            found += _patterns(key, text)
    if len(found) > MAX_PATTERNS:
        raise ValueError("", f"has {len(found)} patterns, at most {MAX_PATTERNS}")
    return tuple(dict.fromkeys(found))


def _patterns(key: str, text: str) -> tuple[tuple[str, str], ...]:
    if key == "sets":
        if text not in SETS:
            raise ValueError(key, f"has {text[:40]!r}, but sets are {', '.join(SETS)}")
        return SETS[text]
    try:
        pattern.search(text)
    except ValueError as error:
        raise ValueError(key, str(error)) from None
    return ((key, text),)
