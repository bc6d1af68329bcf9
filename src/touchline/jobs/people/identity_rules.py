"""The rules that make people: which are in force and whence, what another document would change,
and the values that they hold back.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from touchline import clock
from touchline.collect.blocked import patterns_matched
from touchline.collect.junk import SETS
from touchline.collect.outdated import readable
from touchline.errors import BadInput
from touchline.identity.change import Differences
from touchline.identity.people import PersonMap, Registry
from touchline.identity.quarantine import SHARED
from touchline.identity.rules import DEFAULT, Rules
from touchline.jobs import arguments
from touchline.jobs.audited import seen
from touchline.jobs.people.identity import changed, shown_nodes
from touchline.model import IDENTIFIER_TYPES
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["dry_run", "quarantine", "rules"]

KIND = "identity"
MOST_CHANGES = 20
MOST_VALUES = 100
LIMIT = 1000
AT_ONCE = 500
Shown = dict[str, Any]


def rules(workspace: Workspace, _registry: object, _args: dict[str, Any]) -> Shown:
    """Rules in force, each with where it is from: `default`, or the `[identity]` document."""
    held = readable(definition.current(workspace.state))[0].get(KIND, {})
    now = Rules.from_document({KIND: held})
    limits = held.get("limits", {})
    return {
        "document": _document(workspace),
        "quarantine_above": _told(now.quarantine_above, "quarantine_above", held),
        "strong": _told(now.strong, "strong", held),
        "priority": _told(_order(now), "priority", held),
        "staff_sources": _told(now.staff_sources, "staff_sources", held),
        "limits": {
            name: {"most": most, "window_days": _days(window_us), "from": _whence(name, limits)}
            for name, most, window_us in zip(
                IDENTIFIER_TYPES, now.limits, now.windows_us, strict=True
            )
        },
        "blocked": [{"type": kind, "pattern": text} for kind, text in now.blocked],
        "sets": sorted(SETS),
    }


def dry_run(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Shown:
    """What people would be under the `[identity]` of these documents, beside what they are."""
    if KIND not in args:
        raise BadInput("bad_identity_rule", key=KIND, why="is missing: write [identity]")
    wanted = Rules.from_document(args)
    seen(workspace, "quarantine")
    with workspace.view() as view:
        before = registry.at(view)
        evidence, people = registry.supposed(view, rules=wanted)
    found = Differences(before, PersonMap.of(evidence, people))
    return {
        "is_default": wanted == DEFAULT,
        **changed(found, MOST_CHANGES),
        "held": _values(workspace, found.after, found.held_back()[:MOST_VALUES]),
        "freed": _values(workspace, found.after, found.released()[:MOST_VALUES]),
    }


def quarantine(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of the values that are held back, those first that touch the most.

    `reason`: shared, by_hand, staff or pattern; `limit`.
    """
    limit = arguments.limit(args["limit"]) if args.get("limit") else LIMIT
    seen(workspace, "quarantine")
    with workspace.view() as view:
        people = registry.at(view)
    now = readable(definition.current(workspace.state))[0]
    above = Rules.from_document(now).quarantine_above
    held = people.people.quarantine
    nodes = np.flatnonzero(held.held)
    if wanted := args.get("reason"):
        nodes = nodes[[held.reason(int(node)) == wanted for node in nodes]]
    nodes = nodes[np.argsort(-held.count[nodes], kind="stable")][:limit]
    for start in range(0, len(nodes), AT_ONCE):
        for shown in _values(workspace, people, nodes[start : start + AT_ONCE]):
            above_now = above if shown["reason"] == SHARED else None
            yield msgspec.json.encode({**shown, "above": above_now}) + b"\n"


def _values(workspace: Workspace, people: PersonMap, nodes: Any) -> list[Shown]:
    """Values in clear, each with why it is held back (nothing when it is not)."""
    held = people.people.quarantine
    ids = [people.known.node_id(node) for node in nodes.tolist()]
    matched = patterns_matched(workspace, ids)
    found: list[Shown] = []
    for node, node_id, shown in zip(
        nodes.tolist(), ids, shown_nodes(workspace, people, ids), strict=True
    ):
        cause = int(held.cause[node])
        shown["type"] = IDENTIFIER_TYPES[people.known.rank[node]]
        shown["reason"] = held.reason(node) if held.held[node] else None
        shown["touched_type"] = IDENTIFIER_TYPES[cause] if cause >= 0 else None
        shown["touches"] = int(held.count[node]) if cause >= 0 else None
        shown["pattern"] = matched.get(node_id) if shown["reason"] == "pattern" else None
        found.append(shown)
    return found


def _document(workspace: Workspace) -> Shown | None:
    """Version, author and time of the document in force."""
    found = definition.about(workspace.state, KIND)
    if found is None:
        return None
    version, author, known_at_us = found
    return {"version": version, "author": author, "at": clock.iso(known_at_us)}


def _told(value: Any, key: str, held: Mapping[str, Any]) -> Shown:
    return {"value": value, "from": _whence(key, held)}


def _whence(key: str, held: Mapping[str, Any]) -> str:
    return "document" if key in held else "default"


def _order(now: Rules) -> list[str]:
    """Types, the one that is believed first first."""
    return [IDENTIFIER_TYPES[now.places.index(place)] for place in range(len(now.places))]


def _days(window_us: int | None) -> int | None:
    return None if window_us is None else window_us // clock.DAY_US
