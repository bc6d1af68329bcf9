"""Two identifiers → why they are one person, or what keeps them apart.

    one person      the path between them in the forest of edges that made the person
    two persons     the evidence that would join them, and the first thing on it that forbids it:
                    a limit, a decision, a value that is held back, a refusal to be linked

Only rows of the two persons are read, and of those who stand between them, whatever else there is.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from touchline import clock
from touchline.collect.nodes import clear_values
from touchline.identity.around.carried import Carried, carried
from touchline.identity.around.proof import Hop, Proof
from touchline.identity.around.reach import reached
from touchline.identity.around.telling import blocked_text, rule_text
from touchline.identity.decisions import Decision, decided, holding
from touchline.identity.evidence import MANUAL
from touchline.identity.people import Registry
from touchline.identity.profile import find_node
from touchline.identity.quarantine import BY_HAND
from touchline.model import IDENTIFIER_TYPES
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["why"]

FORMS = ("Form Submitted", "Form Viewed")
FURTHER = 3  # how many times those next to what is known are looked at
MOST = 2_000  # identifiers whose rows are read for it


def why(
    workspace: Workspace, registry: Registry, view: View, ends: Sequence[str], language: str = "en"
) -> dict[str, Any]:
    """`{"same_person", "path", "blocked_by"}` of two identifiers or person_ids.

    Raises NotFound("person_unknown") or Ambiguous("person_ambiguous").
    """
    asked = _Asked(workspace, registry, view, language)
    first, second = (find_node(workspace, asked.people, name) for name in ends)
    if asked.person(first) == asked.person(second):
        path = asked.told(asked.path(first, second))
        return {"same_person": True, "path": path, "blocked_by": None}
    return {"same_person": False, "path": [], "blocked_by": asked.blocked(first, second)}


class _Asked:
    """One question: a map, what rules and operators say of it, and the rows read so far."""

    def __init__(self, workspace: Workspace, registry: Registry, view: View, language: str) -> None:
        self.workspace, self.view, self.language = workspace, view, language
        self.people = registry.at(view)
        self.rules, self.decisions = registry.ruled(view)
        self.known, self.clusters = self.people.known, self.people.people
        self.unlinked = set(self.decisions.unlinked)

    def person(self, node: int) -> int:
        return int(self.clusters.person[node])

    def is_free(self, node: int) -> bool:
        """Whether it may join people at all."""
        is_held = bool(self.clusters.quarantine.held[node])
        return not is_held and self.known.node_id(node) not in self.unlinked

    def path(self, first: int, second: int) -> list[Hop]:
        """Within a person."""
        if first == second:
            return []
        nodes = self.people.members(self.person(first))
        proof = self._proof(nodes)
        ids = [self.known.node_id(node) for node in nodes]
        return proof.chain(self.known.node_id(first), self.known.node_id(second), ids)

    def blocked(self, first: int, second: int) -> dict[str, Any]:
        """What keeps two persons apart, with the evidence that would join them."""
        ends = self.known.node_id(first), self.known.node_id(second)
        sides = [self.people.members(self.person(node)) for node in (first, second)]
        ways = (proof.chain(*ends, among) for proof, among in self._widening(*sides))
        hops = next(filter(None, ways), [])
        found = self._apart(*sides) or self._first_block(hops)
        found["evidence"] = self.told(hops)
        found["text"] = blocked_text(found, self.language)
        return found

    def _widening(
        self, first: list[int], second: list[int]
    ) -> Iterator[tuple[Proof, Collection[bytes]]]:
        """The evidence about both sides, and what of it may be walked: first what may join people,
        then also what is held back; after that the same of those next to it.
        """
        inside = {*first, *second}
        nodes = {node for node in inside if self.is_free(node)}
        if not nodes:  # each is a value that joins nobody, and may stand in very many rows
            yield self._proof(first, beside=self._ids(second)), self._ids(inside)
            return
        for reach in islice(
            reached(self.view, self.people, self.unlinked, nodes, most=MOST), FURTHER
        ):
            if reach is None:
                return
            proof = self._proved(*reach)
            near = self.known.find(proof.ids()).tolist()
            free = [node for node in near if node in inside or self.is_free(node)]
            yield proof, self._ids(inside)
            yield proof, self._ids(free)
            yield proof, self._ids(near)

    def _first_block(self, hops: Sequence[Hop]) -> dict[str, Any]:
        """The first thing on the way that forbids to go on."""
        ids = [hop.start for hop in hops] + [hop.end for hop in hops[-1:]]
        path = self.known.find(ids).tolist()
        for node, other in zip(path, [*path[1:], *path[-1:]], strict=True):
            if not self.is_free(node):
                return self._held(node)
            if self.is_free(other) and self.person(node) != self.person(other):
                mine, theirs = (self.people.members(self.person(one)) for one in (node, other))
                return self._apart(mine, theirs) or self._over([*mine, *theirs], (node, other))
        return {"kind": "no_evidence"}

    def _apart(self, first: Sequence[int], second: Sequence[int]) -> dict[str, Any] | None:
        """The decision that two persons are two."""
        mine, theirs = set(self._ids(first)), set(self._ids(second))
        for a, b in self.decisions.apart:
            if (a in mine and b in theirs) or (b in mine and a in theirs):
                said = self._decision(a, b)
                return {"kind": "decision", "values": self._clear([a, b]), "decision": said}
        return None

    def _over(self, both: Sequence[int], ends: tuple[int, int]) -> dict[str, Any]:
        """The limit that refused what would have made one person of both."""
        proof, ids = self._proof(both), self._ids(both)
        a, b = self._ids(ends)
        rank = proof.barrier((a, b), ids)
        if rank is None:
            return {"kind": "no_evidence"}
        window_us = self.rules.windows_us[rank]
        return {
            "kind": "limit",
            "type": IDENTIFIER_TYPES[rank],
            "limit": self.rules.limits[rank],
            "window_days": window_us and window_us // clock.DAY_US,
            "values": sorted(self._clear(proof.too_many(rank, ids))),
        }

    def _held(self, node: int) -> dict[str, Any]:
        node_id = self.known.node_id(node)
        (value,) = self._clear([node_id])
        quarantine = self.clusters.quarantine
        if not quarantine.held[node]:
            return {"kind": "refusal", "value": value}
        cause = int(quarantine.cause[node])
        return {
            "kind": "quarantine",
            "value": value,
            "reason": quarantine.reason(node),
            "touches": int(quarantine.count[node]),
            "touched_type": IDENTIFIER_TYPES[cause] if cause >= 0 else None,
            "limit": self.rules.quarantine_above,
            "decision": self._decision(node_id) if cause == BY_HAND else None,
        }

    def _decision(self, *about: bytes) -> dict[str, Any] | None:
        """The decision that holds of these."""
        made = decided(self.workspace.state, self.view.as_of_us)
        held = holding(made)
        found = next((one for one in made if one.id in held and _is_about(one, about)), None)
        return found and _decision(found)

    def _proof(self, nodes: Sequence[int], *, beside: Sequence[bytes] = ()) -> Proof:
        return self._proved(nodes, carried(self.view, self._ids(nodes), beside=beside))

    def _proved(self, nodes: Sequence[int], rows: Sequence[Carried]) -> Proof:
        return Proof.of(self.known, nodes, rows, rules=self.rules, decisions=self.decisions)

    def _ids(self, nodes: Iterable[int]) -> list[bytes]:
        return [self.known.node_id(node) for node in nodes]

    def _clear(self, nodes: Sequence[bytes]) -> list[str]:
        """`type:value` of each; of an erased one only the type."""
        clear = clear_values(self.workspace, nodes)
        types = [IDENTIFIER_TYPES[rank] for rank in self.known.rank[self.known.find(nodes)]]
        values = [clear[node].value if node in clear else "***" for node in nodes]
        return [f"{kind}:{value}" for kind, value in zip(types, values, strict=True)]

    def told(self, hops: Sequence[Hop]) -> list[dict[str, Any]]:
        """Hops as they are shown."""
        ends = list(dict.fromkeys(node for hop in hops for node in (hop.start, hop.end)))
        clear = dict(zip(ends, self._clear(ends), strict=True))
        forms = {*FORMS, *(form.get("event") for form in self.view.documents.get("form", ()))}
        return [
            {
                "from": clear[hop.start],
                "to": clear[hop.end],
                "class": hop.named([clear[end].partition(":")[0] for end in hop[:2]], forms),
                **self._quoted(hop),
            }
            for hop in hops
        ]

    def _quoted(self, hop: Hop) -> dict[str, Any]:
        """`event` (the row, or the decision, that says so), the `rule` it is believed by, `at`."""
        rule = rule_text(hop.kind, hop.days, self.language)
        row = hop.row
        if row is None:
            decision = self._decision(hop.start, hop.end) if hop.kind == MANUAL else None
            return {"event": decision, "rule": rule, "at": decision and decision["at"]}
        id_name = "conversion_id" if row.table == "conversions" else "message_id"
        said = {id_name: row.message_id, "source": row.source, "type": row.type, "name": row.name}
        at = None if row.seen_us is None else clock.iso(row.seen_us)
        return {"event": {"table": row.table, **said}, "rule": rule, "at": at}


def _is_about(one: Decision, about: Sequence[bytes]) -> bool:
    return {one.a, one.b} - {None} == set(about)


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "decision": one.id,
        "kind": one.kind,
        "author": one.author,
        "reason": one.reason,
        "at": clock.iso(one.known_at_us),
    }
