"""Rows about a few persons → Proof: their evidence, with the row that is quoted for each pair.

What surprises: limits are not asked for a path within a person. Nothing inside a legal whole is
ever refused, so the most credible edges there are the very ones that made the person.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple, Self

import numpy as np

from touchline.identity.around.carried import Carried
from touchline.identity.evidence import (
    MANUAL,
    NO_APP,
    SUGGESTED,
    Decisions,
    Evidence,
    Longs,
    Nodes,
    NodeSet,
    Pairs,
    gather,
)
from touchline.identity.kruskal import OPENID, credible_order, grow, spanning
from touchline.identity.rules import Rules
from touchline.identity.window import crowded

__all__ = ["CLASSES", "Hop", "Proof"]

# What a hop may be, read off the row that is quoted for it.
CLASSES = (
    "manual", "probabilistic", "crm_link", "import_row", "login", "form", "click_id", "wechat",
    "wecom", "member_code", "same_event",
)  # fmt: skip
LOGINS = ("identify", "alias")
CLICKS = ("Link Clicked", "Email Link Clicked")
OF_TYPE = {
    "crm_id": "crm_link",
    "unionid": "wechat",
    "openid": "wechat",
    "external_userid": "wecom",
    "member_code": "member_code",
}
Couple = tuple[bytes, bytes]


class Hop(NamedTuple):
    """One edge: how far it is believed, and the row that said it first (None: no row did)."""

    start: bytes
    end: bytes
    kind: int
    days: int
    row: Carried | None

    def named(self, types: Collection[str], forms: Collection[str]) -> str:
        """Its class, one of CLASSES, by the types of its two ends and the events of forms."""
        if self.kind in (MANUAL, SUGGESTED) or self.row is None:
            return "probabilistic" if self.kind == SUGGESTED else "manual"
        row = self.row
        special = next((name for kind, name in OF_TYPE.items() if kind in types), "")
        if row.table != "events":
            return "crm_link" if special == "crm_link" else "import_row"
        if row.type in LOGINS and "user_id" in types:
            return "login"
        if row.name in CLICKS:
            return "click_id"
        return "form" if row.name in forms else special or "same_event"


class Proof:
    """Evidence about these nodes of a map; everything is asked and told by node id."""

    def __init__(self, evidence: Evidence, quotes: Mapping[Couple, Carried], rules: Rules) -> None:
        self.evidence = evidence
        self.quotes = quotes
        self._rules = rules

    @classmethod
    def of(
        cls,
        known: NodeSet,
        nodes: Iterable[int],
        rows: Iterable[Carried],
        *,
        rules: Rules,
        decisions: Decisions,
    ) -> Self:
        """From the rows that carried `nodes`, in the order of `carried`."""
        apps: dict[bytes, str | None] = {known.node_id(node): None for node in nodes}
        quotes: dict[Couple, Carried] = {}
        days: dict[Couple, set[object]] = {}
        for row in rows:
            for node, _, app in row.nodes:
                apps[node] = min(filter(None, (apps.get(node), app)), default=None)
            for couple in combinations(sorted({node for node, _, _ in row.nodes}), 2):
                quotes.setdefault(couple, row)
                days.setdefault(couple, set()).update({row.local_day} - {None})
        ids = list(apps)
        pairs = _pairs(ids, quotes, [len(days[couple]) for couple in quotes])
        return cls(gather(_nodes(known, apps), pairs, decisions), quotes, rules)

    def ids(self) -> list[bytes]:
        """All nodes that the rows speak of."""
        return [self.evidence.node_id(node) for node in range(len(self.evidence))]

    def chain(self, start: bytes, end: bytes, among: Collection[bytes]) -> list[Hop]:
        """The hops between two nodes along the most credible edges, if they reach; limits aside."""
        _, edges = self._within(among)
        made = {self._ends(edge): edge for edge in spanning(self.evidence, edges)}
        path = _walk(made, start, end)
        return [self._hop(made, *step) for step in pairwise(path)]

    def barrier(self, ends: Couple, among: Collection[bytes]) -> int | None:
        """What an edge between two persons was refused by, `among` being all nodes of both: APART,
        the rank of a type, or nothing. They grew from each other's edges alone, as they do here.
        """
        nodes, edges = self._within(among)
        forest = grow(self.evidence, self._rules, nodes, edges)
        refused = (self._ends(edge) for edge in edges[forest.refused].tolist())
        found = dict(zip(refused, forest.limit.tolist(), strict=True))
        return found.get((min(ends), max(ends)))

    def too_many(self, rank: int, ids: Sequence[bytes]) -> list[bytes]:
        """The values of a type that break its limit, if one person has all these."""
        evidence = self.evidence
        limit, window_us = self._rules.limits[rank], self._rules.windows_us[rank]
        if limit is None:
            return []
        held = [node for node in evidence.find(ids).tolist() if evidence.rank[node] == rank]
        if window_us is not None:
            held.sort(key=lambda node: evidence.first_seen_us[node])
            seen_us = evidence.first_seen_us[held].tolist()
            held = [held[place] for place in crowded(seen_us, limit, window_us)]
        elif rank == OPENID:  # counted per app
            apps = Counter(evidence.app[held].tolist())
            held = [node for node in held if apps[int(evidence.app[node])] > limit]
        elif len(held) <= limit:
            return []
        return [evidence.node_id(node) for node in held]

    def _within(self, among: Collection[bytes]) -> tuple[Longs, Longs]:
        """These nodes, and the edges between them, the most credible first."""
        evidence = self.evidence
        places = evidence.find(list(among)).astype(np.int64)
        inside = np.zeros(len(evidence), np.bool_)
        inside[places[places >= 0]] = True
        edges = np.flatnonzero(inside[evidence.a] & inside[evidence.b])
        return np.flatnonzero(inside), credible_order(evidence, edges, self._rules)

    def _ends(self, edge: int) -> Couple:
        evidence = self.evidence
        return evidence.node_id(int(evidence.a[edge])), evidence.node_id(int(evidence.b[edge]))

    def _hop(self, made: Mapping[Couple, int], start: bytes, end: bytes) -> Hop:
        couple = (min(start, end), max(start, end))
        kind = int(self.evidence.kind[made[couple]])
        row = None if kind == MANUAL else self.quotes.get(couple)
        return Hop(start, end, kind, int(self.evidence.days[made[couple]]), row)


def _nodes(known: NodeSet, apps: Mapping[bytes, str | None]) -> Nodes:
    ids = list(apps)
    codes = {app: code for code, app in enumerate(sorted({app for app in apps.values() if app}))}
    at = known.find(ids)
    code = [codes[app] if app else NO_APP for app in apps.values()]
    return Nodes.of(ids, known.rank[at], code, known.first_seen_us[at])


def _pairs(ids: Sequence[bytes], quotes: Mapping[Couple, Carried], days: Sequence[int]) -> Pairs:
    place = {node: at for at, node in enumerate(ids)}
    ends = np.array([(place[a], place[b]) for a, b in quotes], np.int32).reshape(-1, 2)
    kinds = np.array([row.kind for row in quotes.values()], np.int8)
    return Pairs(ends[:, 0], ends[:, 1], kinds, np.array(days, np.int32))


def _walk(edges: Iterable[Couple], start: bytes, end: bytes) -> list[bytes]:
    """The nodes from start to end in a forest; none when it does not join them."""
    beside: dict[bytes, list[bytes]] = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    came: dict[bytes, bytes] = {start: start}
    waiting = deque([start])
    while waiting and end not in came:
        node = waiting.popleft()
        for other in beside.get(node, ()):
            if other not in came:
                came[other] = node
                waiting.append(other)
    if end not in came:
        return []
    path = [end]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]
