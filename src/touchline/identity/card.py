"""One person → what is known of them on one page: identifiers, traits, accounts, decisions.

What surprises: `other_ids` are all that lead here, whether or not they were ever given out. Each is
made of an identifier of this person, and each finds them, so none needs to be written down.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from touchline import clock
from touchline.collect.nodes import Trait, clear_values
from touchline.identity.around.carried import sightings
from touchline.identity.companies import companies_of
from touchline.identity.decisions import Decision, decided
from touchline.identity.evidence import NEVER_US
from touchline.identity.household import household_of
from touchline.identity.person import person_id
from touchline.identity.person_map import PersonMap
from touchline.identity.profile import in_order
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["card"]

MOST_IDS = 1_000  # identifiers that are shown: a crawler may have made more


def card(
    workspace: Workspace,
    people: PersonMap,
    view: View,
    person_ix: int,
    *,
    traits: Mapping[str, Trait],
) -> dict[str, Any]:
    """All of the page that is not computed or noted; `traits` are those in force."""
    known, members = people.known, people.members(person_ix)
    anchor = int(people.people.anchor[person_ix])
    ordered = sorted(members, key=lambda node: (known.rank[node], known.first_seen_us[node], node))
    first_us = min(int(us) for us in known.first_seen_us[members])
    # A value that joins nobody makes nobody a contact, and stands in rows beyond number.
    is_shared = people.is_quarantined(person_ix)
    ids = [known.node_id(node) for node in ordered]
    seen = sightings(view, ids) if not is_shared else None
    return {
        "person_id": people.person_ids[person_ix],
        "held_back": people.people.quarantine.reason(anchor) if is_shared else None,
        "identifiers": _identifiers(workspace, people, ordered[:MOST_IDS]),
        "identifiers_total": len(members),
        "traits": {name: one.value for name, one in traits.items()},
        "accounts": list(seen.accounts) if seen else [],
        "companies": companies_of(workspace, view, people, person_ix) if seen else [],
        "household": household_of(workspace, view, people, person_ix) if seen else None,
        "first_seen_at": _iso(first_us),
        "last_seen_at": _iso(seen.last_us) if seen else None,
        "other_ids": [person_id(known.node_id(n)) for n in ordered[:MOST_IDS] if n != anchor],
        "decisions": _decisions(workspace, set(ids), view.as_of_us),
    }


def _identifiers(workspace: Workspace, people: PersonMap, nodes: list[int]) -> list[dict[str, Any]]:
    """In clear; erased values are absent."""
    known = people.known
    first_us = {known.node_id(node): int(known.first_seen_us[node]) for node in nodes}
    return [
        {"type": found.type, "value": found.value, "first_seen_at": _iso(first_us[node])}
        for node, found in in_order(clear_values(workspace, first_us), first_us)
    ]


def _decisions(
    workspace: Workspace, nodes: AbstractSet[bytes], as_of_us: int | None
) -> list[dict[str, Any]]:
    """All that was ever decided of these, the oldest first, with what was taken back."""
    made = decided(workspace.state, as_of_us)
    about = {one.id for one in made if {one.a, one.b} & nodes}
    for one in made:
        if one.undoes in about:
            about.add(one.id)
    found = [one for one in made if one.id in about]
    clear = clear_values(workspace, {n for one in found for n in (one.a, one.b) if n})
    return [_told(one, clear) for one in found]


def _told(one: Decision, clear: dict[bytes, Any]) -> dict[str, Any]:
    values = [clear.get(node) for node in (one.a, one.b) if node]
    return {
        "decision": one.id,
        "kind": one.kind,
        "about": [f"{known.type}:{known.value}" if known else "***" for known in values],
        "undoes": one.undoes,
        "author": one.author,
        "reason": one.reason,
        "at": clock.iso(one.known_at_us),
    }


def _iso(us: int | None) -> str | None:
    return None if us is None or us >= NEVER_US else clock.iso(us)
