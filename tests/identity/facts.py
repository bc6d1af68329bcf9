"""A row is written as the identifiers it carries: `"u1 c1"` is a user with a cookie."""

import hashlib
import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from touchline.identity.evidence import (
    NO_APP,
    NO_DECISIONS,
    OBSERVED,
    Decisions,
    Evidence,
    Nodes,
    Pairs,
    gather,
)
from touchline.identity.live.part import Facts
from touchline.identity.person import PersonIds
from touchline.identity.resolve import People, resolve
from touchline.identity.rules import DEFAULT, Rules
from touchline.model import TYPE_RANK

LETTERS = {
    "u": "user_id",
    "w": "unionid",
    "m": "member_code",
    "k": "crm_id",
    "e": "email",
    "p": "phone",
    "x": "external_userid",
    "o": "openid",
    "c": "anonymous_id",
    "d": "device",
}


class Row(NamedTuple):
    names: tuple[str, ...]
    day: int = 0
    kind: int = OBSERVED


class Solved(NamedTuple):
    evidence: Evidence
    people: People
    names: dict[int, str]  # node -> name

    def groups(self) -> set[frozenset[str]]:
        found: dict[int, set[str]] = {}
        for node, person in enumerate(self.people.person.tolist()):
            found.setdefault(person, set()).add(self.names[node])
        return {frozenset(group) for group in found.values()}

    def ids(self) -> dict[str, str]:
        named = PersonIds(self.evidence, self.people)
        return {self.names[n]: named[p] for n, p in enumerate(self.people.person.tolist())}

    def held(self) -> set[str]:
        return {self.names[n] for n in np.flatnonzero(self.people.quarantine.held).tolist()}

    def bytes(self) -> bytes:
        """Everything that was computed: equal people are equal to the bit."""
        e, p = self.evidence, self.people
        arrays = [e.hi, e.lo, e.rank, e.app, e.first_seen_us, e.a, e.b, e.kind, e.days]
        arrays += [p.person, p.anchor, p.quarantine.cause, p.quarantine.count, p.refused, p.limit]
        return b"|".join(array.tobytes() for array in arrays)


def node_id(name: str) -> bytes:
    return hashlib.blake2b(name.partition("@")[0].encode(), digest_size=16).digest()


def node(solved: Solved, name: str) -> int:
    return int(solved.evidence.find([node_id(name)])[0])


def rows(*texts: str) -> list[Row]:
    """`"u1 c1 *3"` stands for three rows on three days."""
    found: list[Row] = []
    for text in texts:
        names = text.split()
        times = int(names.pop()[1:]) if names[-1].startswith("*") else 1
        found += [Row(tuple(names), day) for day in range(times)]
    return found


def gathered(
    given: Iterable[Row],
    decisions: Decisions = NO_DECISIONS,
    node_id: Callable[[str], bytes] = node_id,
) -> Evidence:
    ids: list[bytes] = []
    rank: list[int] = []
    app: list[int] = []
    seen: list[int] = []
    days: dict[tuple[int, int], set[int]] = {}
    kinds: dict[tuple[int, int], int] = {}
    first: dict[bytes, int] = {}
    for row in given:
        start = len(ids)
        for name in row.names:
            ids.append(node_id(name))
            rank.append(TYPE_RANK[LETTERS[name[0]]])
            app.append(ord(name[-1]) if "@" in name else NO_APP)
            seen.append(row.day)
        here = [first.setdefault(ids[n], n) for n in range(start, len(ids))]
        for pair in itertools.combinations(sorted(here), 2):
            days.setdefault(pair, set()).add(row.day)
            kinds[pair] = min(row.kind, kinds.get(pair, row.kind))
    a, b = np.array(list(days), np.int32).reshape(-1, 2).T
    counts = np.array([len(seen_on) for seen_on in days.values()], np.int32)
    pairs = Pairs(a, b, np.array(list(kinds.values()), np.int8), counts)
    return gather(Nodes.of(ids, rank, app, seen), pairs, decisions)


def solve(
    given: Sequence[Row],
    *,
    rules: Rules = DEFAULT,
    decisions: Decisions = NO_DECISIONS,
) -> Solved:
    evidence = gathered(given, decisions)
    by_id = {node_id(name): name for row in given for name in row.names}
    names = {n: by_id[evidence.node_id(n)] for n in range(len(evidence))}
    return Solved(evidence, resolve(evidence, rules), names)


def told(given: Sequence[Row]) -> Facts:
    """What the live store takes: every row as it is, repetitions and all."""
    ids: list[bytes] = []
    rank: list[int] = []
    app: list[int] = []
    seen: list[int] = []
    pairs: list[tuple[int, int, int, int]] = []
    apps = sorted({name[-1] for row in given for name in row.names if "@" in name})
    for row in given:
        places = range(len(ids), len(ids) + len(row.names))
        pairs += [(x, y, row.kind, row.day) for x, y in itertools.combinations(places, 2)]
        for name in row.names:
            ids.append(node_id(name))
            rank.append(TYPE_RANK[LETTERS[name[0]]])
            app.append(apps.index(name[-1]) if "@" in name else NO_APP)
            seen.append(row.day)
    a, b, kind, day = np.array(pairs, np.int32).reshape(-1, 4).T
    return Facts(Nodes.of(ids, rank, app, seen), tuple(apps), a, b, kind.astype(np.int8), day)


def dirty_rows(dice: random.Random) -> list[Row]:
    """Persons who lend and share, beside values that all touch: mostly components of their own."""
    size = dice.choice([6, 20, 60])
    found: list[Row] = []
    for _ in range(dice.randint(20, 150)):
        who = dice.randrange(size)
        own = [f"{letter}{who}" for letter in "uemcp" if dice.random() < 0.4]
        shared = [dice.choice(["e_null", "c_kiosk", "p_shop"])] * (dice.random() < 0.3)
        stray = [f"c{dice.randrange(size)}"] * (dice.random() < 0.05)
        if names := tuple(dict.fromkeys(own + shared + stray)):
            found.append(Row(names, dice.randrange(30)))
    return found
