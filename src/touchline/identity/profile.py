"""Person map + State → who somebody is, in clear: found by what is known of them, and exported.

Clear values are opened here and nowhere in the maps. A bare value is tried as every type of
identifier; when it is several people's, the question is handed back rather than guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from touchline.collect.nodes import clear_traits, clear_values
from touchline.collect.normalise import identifier
from touchline.errors import Ambiguous, NotFound
from touchline.identity.person_map import PersonMap
from touchline.identity.profile_rules import ProfileRules
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK, Identifier
from touchline.storage.workspace import Workspace

__all__ = [
    "export_people",
    "find_node",
    "find_person",
    "identifiers_of",
    "in_order",
    "listed",
    "traits_of",
]

PERSONS_AT_ONCE = 2_000


class _Holder(NamedTuple):
    """A person's node, and what it says."""

    node: int
    known: Identifier


def find_person(workspace: Workspace, people: PersonMap, name: str) -> int:
    """person_ix of a person_id (also a retired one), `type:value` or a value.

    Raises NotFound("person_unknown") or Ambiguous("person_ambiguous").
    """
    return int(people.people.person[find_node(workspace, people, name)])


def find_node(workspace: Workspace, people: PersonMap, name: str) -> int:
    """The same, down to the identifier: for a person_id the one that it was made of, long ago
    perhaps, so that ids of before a merge still tell the two apart.
    """
    made_of = people.node_of_id(name)
    if made_of is not None:
        return made_of
    kind, colon, value = name.partition(":")
    if colon and kind in TYPE_RANK:
        found = _holders(workspace, people, value, [kind])
        if found:
            return next(iter(found.values())).node
    found = _holders(workspace, people, name, IDENTIFIER_TYPES)
    if not found:
        raise NotFound("person_unknown", name=name)
    if len(found) > 1:
        known = (holder.known for holder in found.values())
        choices = " · ".join(f"{one.type}:{one.value}" for one in known)
        raise Ambiguous("person_ambiguous", name=name, choices=choices)
    return next(iter(found.values())).node


def identifiers_of(workspace: Workspace, people: PersonMap, person_ix: int) -> list[dict[str, str]]:
    """`[{"type", "value"}]` of a person; erased values are absent."""
    nodes = people.node_ids(person_ix)
    return listed(clear_values(workspace, nodes), nodes)


def traits_of(workspace: Workspace, people: PersonMap, person_ix: int) -> dict[str, Any]:
    """All traits of a person; of one name the value in force."""
    nodes = people.node_ids(person_ix)
    found = ProfileRules.held(workspace).in_force(nodes, clear_traits(workspace, nodes))
    return {name: one.value for name, one in found.items()}


def export_people(workspace: Workspace, people: PersonMap) -> Iterator[dict[str, Any]]:
    """`person_id`, `identifiers`, `traits` of everybody. A shared value alone is not a person."""
    somebody, rules = people.somebody(), ProfileRules.held(workspace)
    for start in range(0, len(somebody), PERSONS_AT_ONCE):
        persons = somebody[start : start + PERSONS_AT_ONCE]
        nodes = {person: people.node_ids(person) for person in persons}
        wanted = [node for held in nodes.values() for node in held]
        clear = clear_values(workspace, wanted)
        traits = clear_traits(workspace, wanted)
        for person, held in nodes.items():
            yield {
                "person_id": people.person_ids[person],
                "identifiers": listed(clear, held),
                "traits": {n: one.value for n, one in rules.in_force(held, traits).items()},
            }


def _holders(
    workspace: Workspace, people: PersonMap, value: str, kinds: Iterable[str]
) -> dict[int, _Holder]:
    """Who holds this value as one of these types, and as which (the strongest)."""
    read = (identifier(kind, value, workspace.region) for kind in kinds)
    known = [found for found in read if found is not None]
    nodes = people.known.find([workspace.vault.node_id(k.type, k.value) for k in known])
    found: dict[int, _Holder] = {}
    for node, name in zip(nodes.tolist(), known, strict=True):
        if node >= 0:
            found.setdefault(int(people.people.person[node]), _Holder(node, name))
    return found


def in_order(
    clear: Mapping[bytes, Identifier], nodes: Iterable[bytes]
) -> list[tuple[bytes, Identifier]]:
    """Those of these that may be seen, in the order in which identifiers are shown everywhere: the
    strongest type first, then by value.
    """
    known = [(node, clear[node]) for node in nodes if node in clear]
    return sorted(known, key=lambda one: (TYPE_RANK[one[1].type], one[1].value))


def listed(clear: Mapping[bytes, Identifier], nodes: Iterable[bytes]) -> list[dict[str, str]]:
    """The same as answers have it."""
    return [{"type": one.type, "value": one.value} for _, one in in_order(clear, nodes)]
