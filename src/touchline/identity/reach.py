"""Identifiers → all that hangs together with them, step by step: whom their rows name, and so on.

What may join nobody (a value held back, a refusal) is named by rows, and nothing is reached by it.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from touchline.identity.carried import Carried, carried, in_order
from touchline.identity.person_map import PersonMap
from touchline.storage.engine import View

__all__ = ["Reach", "reached", "whole"]

Couple = tuple[bytes, bytes]


class Reach(NamedTuple):
    """Nodes so far, and all rows that carry any of them."""

    nodes: list[int]
    rows: list[Carried]


def reached(
    view: View,
    people: PersonMap,
    unlinked: Collection[bytes],
    start: Iterable[int],
    *,
    couples: Iterable[Couple] = (),
    most: int,
) -> Iterator[Reach | None]:
    """First the start alone, then with the persons that rows or these couples lead to, and so on
    till nothing is left. None, and no more, where that would be more than so many nodes.
    """
    known, held = people.known, people.people.quarantine.held
    couples = tuple(couples)
    nodes: set[int] = set()
    rows: dict[Carried, None] = {}
    coming = set(start)
    while coming:
        nodes |= coming
        ids = {known.node_id(node) for node in coming}
        new = carried(view, sorted(ids))
        rows |= dict.fromkeys(new)
        yield Reach(sorted(nodes), sorted(rows, key=in_order))
        near = {node for row in new for node, _, _ in row.nodes}
        near |= {node for couple in couples if ids.intersection(couple) for node in couple}
        there = known.find(sorted(near.difference(unlinked))).tolist()
        coming = whole(people, (node for node in there if node >= 0 and not held[node])) - nodes
        if len(nodes) + len(coming) > most:
            yield None
            return


def whole(people: PersonMap, nodes: Iterable[int]) -> set[int]:
    """All nodes of the persons of these."""
    persons = {int(people.people.person[node]) for node in nodes}
    return {member for person in persons for member in people.members(person)}
