"""Records → the groups within which they are compared: who shares no group is not compared.

Each rule makes a key out of a record; a record without all its parts has none. What surprises: a
group above a limit is no group. That a thousand records share a name says little, and would cost a
million comparisons; they still meet in the groups of the other rules.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["RULES", "keyed"]

LARGEST = 120
INITIALS = 3
# Columns that make a key together; `:n` takes the first letters of one, `|` sorts two.
RULES: tuple[tuple[str, ...], ...] = (
    ("phone",),
    ("email",),
    ("national_id",),
    ("names",),
    ("birthday",),
    ("names", "year"),
    ("names", "city"),
    ("surname_sound", "birthday"),
    ("given_sound", "birthday"),
    ("gender", "birthday", "city"),
    ("surname_sound", "given:", "postcode"),
    ("surname_sound", "given:", "city"),
    ("surname:", "given:", "year"),
    ("street", "door", "city"),
    ("street", "door", "given_sound"),
    ("street", "door", "surname_sound"),
    ("surname_sound", "street"),
    ("surname_sound", "postcode"),
    ("given_sound", "postcode"),
    ("postcode", "door", "surname_sound"),
    ("mailbox",),
)
Row = Mapping[str, str | None]


def keyed(rows: Sequence[Row]) -> dict[str, list[str | None]]:
    """Rule's column → its key per row; rules under which nobody meets are left out."""
    parts = [_parts(row) for row in rows]
    found: dict[str, list[str | None]] = {}
    for number, rule in enumerate(RULES):
        keys = [_key(part, rule) for part in parts]
        sizes = Counter(key for key in keys if key is not None)
        kept = [key if key is not None and 1 < sizes[key] <= LARGEST else None for key in keys]
        if any(kept):
            found[f"block_{number}"] = kept
    return found


def _key(parts: Row, rule: Sequence[str]) -> str | None:
    said = [parts.get(name) for name in rule]
    return "\x1f".join(part for part in said if part) if all(said) else None


def _parts(row: Row) -> dict[str, str | None]:
    surname, given = row["surname_sound"], row["given_sound"]
    both = sorted((surname, given)) if surname and given else None
    return {
        **row,
        "names": " ".join(both) if both else None,
        "surname:": surname and surname[:INITIALS],
        "given:": given and given[:INITIALS],
        "year": (row["birthday"] or "")[:4] or None,
        "mailbox": _mailbox(row["email"]),
    }


def _mailbox(email: str | None) -> str | None:
    own = (email or "").partition("@")[0]
    return own if len(own) >= 5 else None
