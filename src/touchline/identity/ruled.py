"""Rules and decisions in force, by the identifiers they name: what of them concerns a part, and
which identifiers it concerns that they are others now.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import blake2b

from touchline.identity.evidence import NO_DECISIONS, Decisions
from touchline.identity.resolve import VERSION
from touchline.identity.rules import DEFAULT, Rules

__all__ = ["Ruled"]

JOINING = ("together", "suggested")
PAIRS = ("apart", *JOINING)
SINGLES = tuple(field.name for field in fields(Decisions) if field.name not in PAIRS)
LAYOUT = 2  # of the rows of the live store
Couple = tuple[bytes, bytes]


@dataclass(frozen=True)
class Ruled:
    rules: Rules = DEFAULT
    decisions: Decisions = NO_DECISIONS

    @cached_property
    def number(self) -> int:
        """A hash of what people are judged by, and of how."""
        made_of = repr((LAYOUT, VERSION, self.judging, self.decisions)).encode()
        return int.from_bytes(blake2b(made_of, digest_size=8).digest(), "big") >> 1

    def part(self, nodes: set[bytes]) -> Decisions:
        """What was decided of these."""
        if self.decisions == NO_DECISIONS:
            return self.decisions
        named = {name: tuple(sorted(held & nodes)) for name, held in self._singles.items()}
        couples = {name: _about(held, nodes) for name, held in self._couples.items()}
        return replace(self.decisions, **named, **couples)

    def with_partners(self, nodes: Iterable[bytes]) -> set[bytes]:
        """These, and all that no row joined to them, however far."""
        found = set(nodes)
        joined = [self._couples[name] for name in JOINING if self._couples[name]]
        waiting = list(found) if joined else []
        while waiting:
            node = waiting.pop()
            told = (couple for held in joined for couple in held.get(node, ()))
            new = {one for couple in told for one in couple} - found
            found |= new
            waiting += new
        return found

    def differing(self, other: "Ruled") -> set[bytes]:
        """Nodes of which something else holds."""
        found: set[bytes] = set()
        for name in SINGLES:
            mine, theirs = getattr(self.decisions, name), getattr(other.decisions, name)
            if mine != theirs:
                found |= set(mine) ^ set(theirs)
        for name in PAIRS:
            mine, theirs = getattr(self.decisions, name), getattr(other.decisions, name)
            if mine != theirs:
                found.update(node for couple in set(mine) ^ set(theirs) for node in couple)
        return found

    def is_same_rule(self, other: "Ruled") -> bool:
        """Whether both judge alike."""
        return self.judging == other.judging

    @property
    def is_joining(self) -> bool:
        """Whether it brings together what no row did."""
        return any(self._couples[name] for name in JOINING)

    @property
    def judging(self) -> Rules:
        """The rules, less what works through the decisions."""
        return replace(self.rules, blocked=(), staff_sources=())

    @cached_property
    def _singles(self) -> dict[str, frozenset[bytes]]:
        return {name: frozenset(getattr(self.decisions, name)) for name in SINGLES}

    @cached_property
    def _couples(self) -> dict[str, dict[bytes, list[Couple]]]:
        found: dict[str, dict[bytes, list[Couple]]] = {}
        for name in PAIRS:
            by_node = found.setdefault(name, {})
            for couple in getattr(self.decisions, name):
                for node in couple:
                    by_node.setdefault(node, []).append(couple)
        return found


def _about(couples: dict[bytes, list[Couple]], nodes: set[bytes]) -> tuple[Couple, ...]:
    named = couples.keys() & nodes
    return tuple(sorted({couple for node in named for couple in couples[node]}))
