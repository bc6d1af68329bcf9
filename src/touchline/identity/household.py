"""People with what is known of them → households: who shares an address and a family name.

Off unless the site says so. A second graph over people, of which nothing goes back into who is one
person. What surprises: all addresses are opened for it, so it is made once for a map; and whoever
may not see addresses in full is not told who shares one.
"""

from collections.abc import Mapping
from typing import Any

from touchline.collect.consent_rules import LINKING
from touchline.collect.nodes import TRAITS
from touchline.identity.account_rules import AccountRules
from touchline.identity.match.clean import cleaned
from touchline.identity.match.columns import kind_of
from touchline.identity.people import PersonMap
from touchline.identity.profile import export_people
from touchline.storage.consent import refusing
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["Households", "household_of", "households", "shared_home"]

Households = dict[str, list[str]]  # household_id → person_ids, sorted


def households(workspace: Workspace, view: View, people: PersonMap) -> Households:
    """Those of at least two persons, and no more than the site says; none where they are off."""
    return _held(workspace, view, people)[0]


def household_of(
    workspace: Workspace, view: View, people: PersonMap, person_ix: int
) -> dict[str, Any] | None:
    """`{"household_id", "people"}` of one person."""
    homes, of_person = _held(workspace, view, people)
    home = of_person.get(people.person_ids[person_ix])
    return None if home is None else {"household_id": home, "people": homes[home]}


def _held(workspace: Workspace, view: View, people: PersonMap) -> tuple[Households, dict[str, str]]:
    """Households, and the one of each person who is in one."""
    rules = AccountRules.of(view.documents)
    if rules.most is None or workspace.principal.masks is not None:
        return {}, {}
    made_of = (rules, workspace.state.mark(TRAITS), view.documents.get("profile"))
    return people.kept("households", repr(made_of), lambda: _made(workspace, people, rules))


def _made(
    workspace: Workspace, people: PersonMap, rules: AccountRules
) -> tuple[Households, dict[str, str]]:
    refused = refusing(workspace.state, LINKING)
    left_out = {one for one in people.person_of(sorted(refused)) if one is not None}
    alone = {people.person_ids[one] for one in left_out}
    homes: dict[str, list[str]] = {}
    for person in export_people(workspace, people):
        home = shared_home(person["traits"], workspace.region, is_by_name=rules.is_by_name)
        if home is not None and person["person_id"] not in alone:
            homes.setdefault(home, []).append(person["person_id"])
    most = rules.most or 0
    found = {
        f"h{workspace.vault.node_id('household', home).hex()}": sorted(held)
        for home, held in homes.items()
        if 2 <= len(held) <= most
    }
    return found, {person: home for home, held in found.items() for person in held}


def shared_home(traits: Mapping[str, Any], region: str, *, is_by_name: bool) -> str | None:
    """What those of one household have in common; None where the address names no door."""
    said = dict(_flat(traits))
    kinds = {name: kind for name in said if (kind := kind_of(name))}
    found = cleaned(said, kinds, region)
    where = [found["street"], found["place"]]
    if not found["door"] or not any(where) or (is_by_name and not found["surname"]):
        return None
    city = found["city"] or found["region"]
    name = found["surname"] if is_by_name else None
    return "|".join(part or "" for part in (city, *where, found["door"], name))


def _flat(traits: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """With the parts of an address that is a table of them."""
    parts = [one for value in traits.values() if isinstance(value, dict) for one in value.items()]
    return [*traits.items(), *((str(name), value) for name, value in parts)]
