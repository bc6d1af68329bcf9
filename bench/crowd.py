"""A crowd with known persons → identity evidence, dirt included. Used by tests and benchmarks.

Each person owns some identifiers; rows pair them up. On top come things that many persons share: a
null e-mail, shop phones, kiosk cookies, and the cookie of a family member. Truth is the person a
value belongs to, -1 for what belongs to nobody.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from touchline.identity.evidence import (
    NO_APP,
    OBSERVED,
    Evidence,
    Nodes,
    Pairs,
    gather,
)
from touchline.model import TYPE_RANK

# How many people own a value of the type; of the cookies everybody has one to four.
OWNED = {
    "user_id": 0.65,
    "unionid": 0.2,
    "member_code": 0.3,
    "crm_id": 0.1,
    "email": 0.45,
    "phone": 0.55,
    "external_userid": 0.1,
    "openid": 0.2,
    "device": 0.15,
}
COOKIE = TYPE_RANK["anonymous_id"]
DAY0_US = 1_750_000_000_000_000


@dataclass(frozen=True, eq=False)
class Crowd:
    nodes: Nodes
    pairs: Pairs
    truth: npt.NDArray[np.int64]

    def evidence(self) -> Evidence:
        return gather(self.nodes, self.pairs)

    def provable(self) -> npt.NDArray[np.int64]:
        """Truth in the evidence's order, for values that honest pairs can connect; else -1."""
        size, owner = len(self.truth), self.truth
        honest = owner[self.pairs.a] == owner[self.pairs.b]
        ends = self.pairs.a[honest], self.pairs.b[honest]
        graph = coo_array((np.ones(len(ends[0])), ends), shape=(size, size))
        label = connected_components(graph.tocsr(), directed=False)[1]
        order = np.lexsort((self.nodes.lo, self.nodes.hi))
        return np.where(owner >= 0, label, -1)[order]


class _Maker:
    def __init__(self, persons: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.persons = persons
        self.rank: list[np.ndarray] = []
        self.truth: list[np.ndarray] = []
        self.a: list[np.ndarray] = []
        self.b: list[np.ndarray] = []
        self.days: list[np.ndarray] = []
        self.size = 0

    def own(self, rank: int, owner: np.ndarray) -> np.ndarray:
        """New values of a type; their node numbers."""
        self.rank.append(np.full(len(owner), rank))
        self.truth.append(owner)
        self.size += len(owner)
        return np.arange(self.size - len(owner), self.size)

    def pair(self, a: np.ndarray, b: np.ndarray, most_days: int) -> None:
        both = (a >= 0) & (b >= 0)
        self.a.append(a[both])
        self.b.append(b[both])
        self.days.append(self.rng.geometric(2 / (1 + most_days), int(both.sum())))

    def some(self, share: float) -> np.ndarray:
        return np.flatnonzero(self.rng.random(self.persons) < share)


def crowd(
    persons: int,
    *,
    seed: int = 1,
    shared: float = 0.01,
    family: float = 0.03,
    kiosks: int = 20,
) -> Crowd:
    """`shared`: share of persons who touch each kind of dirt; `family`: who borrow a cookie."""
    make = _Maker(persons, seed)
    main, mine = _own_values(make)
    cookie = _own_cookies(make, main, mine)
    null = make.own(TYPE_RANK["email"], np.full(1, -1))
    shop = make.own(TYPE_RANK["phone"], np.full(5, -1))
    kiosk = make.own(COOKIE, np.full(kiosks, -1))
    for things in (null, shop, kiosk):
        who = make.some(shared)
        thing = make.rng.choice(things, len(who))
        make.pair(thing, main[who], 1)
        make.pair(thing, mine[make.rng.integers(0, len(mine), len(who)), who], 1)
    who = make.some(family)
    make.pair(cookie[(who + 1) % persons], main[who], 2)
    return _crowd(make)


def _own_values(make: _Maker) -> tuple[np.ndarray, np.ndarray]:
    """One value per type for those who have it (-1: none), all paired with their main one."""
    mine = np.full((len(OWNED), make.persons), -1)
    for row, (name, share) in enumerate(OWNED.items()):
        who = make.some(share)
        mine[row, who] = make.own(TYPE_RANK[name], who)
    has = mine[:-1] >= 0
    main = np.where(has.any(axis=0), mine[has.argmax(axis=0), np.arange(make.persons)], -1)
    for row in range(1, len(mine)):
        other = mine[row] != main
        make.pair(np.where(other, mine[row], -1), main, 5)
    return main, mine


def _own_cookies(make: _Maker, main: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """One to four cookies each, seen beside the main value or another; returns everyone's first."""
    cookie = make.own(COOKIE, np.arange(make.persons))
    make.pair(cookie, main, 20)
    for share in (0.5, 0.25, 0.1):
        who = make.some(share)
        more = make.own(COOKIE, who)
        beside = mine[make.rng.integers(0, len(mine), len(who)), who]
        make.pair(more, np.where(beside >= 0, beside, main[who]), 5)
    return cookie


def _crowd(make: _Maker) -> Crowd:
    rng, size = make.rng, make.size
    rank = np.concatenate(make.rank).astype(np.int8)
    app = np.where(rank == TYPE_RANK["openid"], rng.integers(0, 3, size), NO_APP)
    words = rng.integers(0, 2**64, (2, size), dtype=np.uint64)
    seen = DAY0_US + rng.integers(0, 10**13, size)
    nodes = Nodes(words[0], words[1], rank, app.astype(np.int32), seen)
    a, b = np.concatenate(make.a).astype(np.int32), np.concatenate(make.b).astype(np.int32)
    days = np.concatenate(make.days).astype(np.int32)
    pairs = Pairs(a, b, np.full(len(a), OBSERVED, np.int8), days)
    return Crowd(nodes, pairs, np.concatenate(make.truth))


def pair_scores(
    found: npt.NDArray[np.integer], truth: npt.NDArray[np.integer]
) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of values that belong to somebody."""
    known = truth >= 0
    found, truth = found[known].astype(np.int64), truth[known].astype(np.int64)
    both = found * (int(truth.max(initial=0)) + 1) + truth
    hit, said, true = (_couples(labels) for labels in (both, found, truth))
    precision, recall = hit / max(said, 1), hit / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def _couples(labels: np.ndarray) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())
