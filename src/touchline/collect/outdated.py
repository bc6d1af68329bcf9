"""Definitions as stored → as they can be used today, and what of them cannot.

An expression that was taken once may be refused by a later version. What hangs on it must not stop
everything else: a channel rule with such an expression holds for nothing, a property of the plan
loses that one check, values that it blocked join people again. New definitions are refused instead,
where they are written.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from touchline.collect.pattern import search

__all__ = ["Outdated", "readable", "unblocked"]

_NOTHING = {"matches": r"[^\x{0}-\x{10FFFF}]"}


class Outdated(NamedTuple):
    """An expression that is not matched. `where`: `channel_rule 2`, `Signed up.email`."""

    where: str
    pattern: str


def readable(documents: Mapping[str, Any]) -> tuple[dict[str, Any], list[Outdated]]:
    """Kinds as before; what is wrong in any other way is left for whoever reads it to say."""
    found: list[Outdated] = []
    usable = dict(documents)
    for kind, read in (("channel_rule", _rule), ("event", _event)):
        if isinstance(tables := usable.get(kind), list):
            usable[kind] = [read(table, number, found) for number, table in enumerate(tables, 1)]
    if isinstance(identity := usable.get("identity"), dict):
        usable["identity"] = unblocked(identity, found)
    return usable, found


def unblocked(identity: Mapping[str, Any], found: list[Outdated]) -> Mapping[str, Any]:
    """`[identity]` without the patterns of `blocked` that are refused."""
    blocked = identity.get("blocked")
    if not isinstance(blocked, dict):
        return identity
    kept = {
        key: [text for text in listed if not _is_refused(text, f"identity.blocked.{key}", found)]
        if isinstance(listed, list)
        else listed
        for key, listed in blocked.items()
    }
    return {**identity, "blocked": kept}


def _rule(table: Any, number: int, found: list[Outdated]) -> Any:
    if not isinstance(table, dict):
        return table
    where = f"channel_rule {number}"
    return {
        field: _NOTHING
        if isinstance(condition, dict) and _is_refused(condition.get("matches"), where, found)
        else condition
        for field, condition in table.items()
    }


def _event(table: Any, number: int, found: list[Outdated]) -> Any:
    name = table.get("name", f"event {number}") if isinstance(table, dict) else ""
    return _checked(table, str(name), found)


def _checked(spec: Any, where: str, found: list[Outdated]) -> Any:
    """Without the patterns that are refused, at any depth."""
    if not isinstance(spec, dict):
        return spec
    kept = dict(spec)
    if _is_refused(kept.get("pattern"), where, found):
        del kept["pattern"]
    if "items" in kept:
        kept["items"] = _checked(kept["items"], f"{where}[]", found)
    if isinstance(own := kept.get("properties"), dict):
        kept["properties"] = {
            name: _checked(of, f"{where}.{name}", found) for name, of in own.items()
        }
    return kept


def _is_refused(pattern: Any, where: str, found: list[Outdated]) -> bool:
    if not isinstance(pattern, str):
        return False
    try:
        search(pattern)
    except ValueError:
        found.append(Outdated(where, pattern))
        return True
    return False
