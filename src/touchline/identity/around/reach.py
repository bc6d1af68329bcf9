"""Identifiers → all that hangs together with them, step by step: whom their rows name, and so on.

What may join nobody (a value held back, a refusal) is named by rows, and nothing is reached by it.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from touchline.identity.around.carried import Carried, carried, in_order
from touchline.identity.person_map import PersonMap
from touchline.storage.engine import View

__all__ = ["Reach", "reached"]


class Reach(NamedTuple):
    """Nodes so far, and all rows that carry any of them."""

    nodes: list[int]
    rows: list[Carried]


def reached(
    view: View,
    people: PersonMap,
    unlinked: Collection[bytes],
    start: Collection[int],
    *,
    couples: Collection[tuple[bytes, bytes]] = (),
    most: int,
) -> Iterator[Reach | None]:
    """First the start, and the whole persons of it; then with those whom rows or these couples lead
    to, till nothing is left. None, and no more, where that would be more than so many nodes.
    """
    known, clusters = people.known, people.people
    nodes: set[int] = set()
    rows: dict[Carried, None] = {}

    def whole(some: Iterable[int]) -> set[int]:
        """All nodes of the persons of those that may join any."""
        free = [n for n in some if n >= 0 and not clusters.quarantine.held[n]]
        persons = {int(clusters.person[n]) for n in free if known.node_id(n) not in unlinked}
        return {member for person in persons for member in people.members(person)}

    coming = {*start, *whole(start)}
    while coming:
        nodes |= coming
        ids = {known.node_id(node) for node in coming}
        new = carried(view, sorted(ids))
        rows |= dict.fromkeys(new)
        yield Reach(sorted(nodes), sorted(rows, key=in_order))
        near = {node for row in new for node, _, _ in row.nodes}
        near |= {node for couple in couples if ids.intersection(couple) for node in couple}
        coming = whole(known.find(sorted(near)).tolist()) - nodes
        if len(nodes) + len(coming) > most:
            yield None
            return
