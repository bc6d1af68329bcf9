"""Edges of components that break a limit → which of them to believe.

The edges are walked from the most to the least credible; one joins two clusters unless the whole
would break a limit or bring together what an operator set apart. What surprises: the order holds no
time and no position. It is (class, tier, days seen in powers of two, types, hash of the two ids),
all of them properties of the pair under the rules, so that any machine and any arrival order walks
the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from touchline.identity.evidence import Bytes, Evidence, Halves, Ints, Longs
from touchline.identity.rules import DEFAULT, Rules
from touchline.identity.window import crowded
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK

__all__ = ["APART", "Forest", "credible_order", "grow", "spanning"]

APART = len(IDENTIFIER_TYPES)  # what blocked an edge: a decision, not the limit of a type
OPENID = TYPE_RANK["openid"]
DEVICE_TIER = TYPE_RANK["anonymous_id"]  # from this rank on a type names a thing, not a person

BITS = 16  # of one counter; limits are below 2**14, so that two legal sums never reach the flag
FLAG = 1 << (BITS - 1)


@dataclass(frozen=True, eq=False)
class Forest:
    """`root` per given node; the refused edges, as places in the given order, and why each was."""

    root: Ints
    refused: Ints
    limit: Bytes


def credible_order(evidence: Evidence, edges: Longs, rules: Rules = DEFAULT) -> Longs:
    """These edges, the most credible first: a total order that depends on the pairs alone."""
    a, b = evidence.a[edges], evidence.b[edges]
    rank_a, rank_b = evidence.rank[a], evidence.rank[b]
    places = np.array([*rules.places, APART], np.int8)  # a type that is not known comes last
    place_a, place_b = places[rank_a], places[rank_b]
    weaker, stronger = np.maximum(place_a, place_b), np.minimum(place_a, place_b)
    bucket = -np.frexp(evidence.days[edges].astype(np.float64))[1]
    tier = np.maximum(rank_a, rank_b) >= DEVICE_TIER
    tie = _pair_hash(evidence, a, b)
    by = np.lexsort((b, a, tie, stronger, weaker, bucket, tier, evidence.kind[edges]))
    return edges[by]


def grow(evidence: Evidence, rules: Rules, nodes: Longs, edges: Longs) -> Forest:
    """Join `nodes` along `edges` (in credible order) as far as limits and decisions allow."""
    local = np.full(len(evidence), -1, np.int32)
    local[nodes] = np.arange(len(nodes), dtype=np.int32)
    clusters = _Clusters(evidence, rules, nodes, local)
    joins = zip(local[evidence.a[edges]].tolist(), local[evidence.b[edges]].tolist(), strict=True)
    refused, limit = clusters.join_all(joins)
    root = np.array(clusters.parent, np.int32)
    while not np.array_equal(up := root[root], root):
        root = up
    return Forest(root, np.array(refused, np.int32), np.array(limit, np.int8))


def spanning(evidence: Evidence, edges: Longs) -> list[int]:
    """Those of these edges (in credible order) that join something, limits aside: within a person
    the edges that made it, since nothing within a legal whole is ever refused.
    """
    parent: dict[int, int] = {}

    def find(x: int) -> int:
        while (up := parent.get(x, x)) != x:
            parent[x] = x = parent.get(up, up)
        return x

    joined: list[int] = []
    for edge in edges.tolist():
        x, y = find(int(evidence.a[edge])), find(int(evidence.b[edge]))
        if x != y:
            parent[y] = x
            joined.append(edge)
    return joined


class _Clusters:
    """Union-find whose clusters carry what limits look at.

    That is one packed number with a counter per type, the openids' apps where there are any, the
    times of what is counted within a window, and the nodes they must stay apart from.
    """

    def __init__(self, evidence: Evidence, rules: Rules, nodes: Longs, local: Ints) -> None:
        self.parent = list(range(len(nodes)))
        ranks = evidence.rank[nodes].tolist()
        # An openid is counted per app; a type without a limit must not run over into its neighbour.
        counted = {
            rank: limit
            for rank, limit in enumerate(rules.limits)
            if limit is not None and rank != OPENID and rules.windows_us[rank] is None
        }
        self.windows = {
            rank: (limit, window_us)
            for rank, (limit, window_us) in enumerate(
                zip(rules.limits, rules.windows_us, strict=True)
            )
            if limit is not None and window_us is not None
        }
        one = [1 << (BITS * rank) if rank in counted else 0 for rank in range(APART)]
        self.load = [one[rank] for rank in ranks]
        self.slack = sum((FLAG - 1 - limit) << (BITS * rank) for rank, limit in counted.items())
        self.flags = sum(FLAG << (BITS * rank) for rank in counted)
        self.per_app = rules.limits[OPENID]
        app = evidence.app[nodes].tolist()
        self.apps = {x: {app[x]: 1} for x, rank in enumerate(ranks) if rank == OPENID}
        seen = evidence.first_seen_us[nodes].tolist() if self.windows else []
        windowed = enumerate(ranks) if self.windows else ()
        self.seen = {x: {r: [seen[x]]} for x, r in windowed if r in self.windows}
        self.foes: dict[int, set[int]] = {}
        for u, v in local[evidence.apart].tolist():
            if u >= 0 and v >= 0:
                self.foes.setdefault(u, set()).add(v)
                self.foes.setdefault(v, set()).add(u)

    def join_all(self, joins: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Walk the edges; the positions that were refused, and by what."""
        refused: list[int] = []
        limit: list[int] = []
        parent, find = self.parent, self.find
        for position, (u, v) in enumerate(joins):
            x, y = parent[u], parent[v]  # most are a step from their root at most
            if parent[x] != x:
                x = find(x)
            if parent[y] != y:
                y = find(y)
            if x == y:
                continue
            barrier = self.barrier(x, y)
            if barrier is None:
                self.unite(x, y)
            else:
                refused.append(position)
                limit.append(barrier)
        return refused, limit

    def find(self, x: int) -> int:
        parent = self.parent
        while parent[x] != x:
            parent[x] = x = parent[parent[x]]
        return x

    def barrier(self, x: int, y: int) -> int | None:
        """What forbids x and y to be one: APART, a type over its limit, or nothing."""
        if x in self.foes and any(self.find(foe) == y for foe in self.foes[x]):
            return APART
        over = (self.load[x] + self.load[y] + self.slack) & self.flags
        if over:
            return ((over & -over).bit_length() - 1) // BITS
        if self.per_app is not None and x in self.apps and y in self.apps:
            mine, theirs = self.apps[x], self.apps[y]
            if any(theirs.get(app, 0) + n > self.per_app for app, n in mine.items()):
                return OPENID
        if x in self.seen and y in self.seen:
            mine, theirs = self.seen[x], self.seen[y]
            for rank in sorted(mine.keys() & theirs.keys()):
                if crowded(sorted(mine[rank] + theirs[rank]), *self.windows[rank]):
                    return rank
        return None

    def unite(self, x: int, y: int) -> None:
        self.parent[y] = x
        self.load[x] += self.load[y]
        if y in self.apps:
            mine = self.apps.setdefault(x, {})
            for app, n in self.apps.pop(y).items():
                mine[app] = mine.get(app, 0) + n
        if y in self.seen:
            here = self.seen.setdefault(x, {})
            for rank, times in self.seen.pop(y).items():
                here[rank] = sorted(here.get(rank, []) + times)
        if y in self.foes:
            self.foes.setdefault(x, set()).update(self.foes.pop(y))


def _pair_hash(evidence: Evidence, a: Ints, b: Ints) -> Halves:
    """A number that depends on the two ids alone: splitmix64, chained over their four halves."""
    h = np.zeros(len(a), np.uint64)
    for half in (evidence.hi[a], evidence.lo[a], evidence.hi[b], evidence.lo[b]):
        h = h + half + np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h ^= h >> np.uint64(31)
    return h
