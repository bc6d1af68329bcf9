"""Evidence + Rules → People: which identifiers are one person. The heart of the stage.

    hold back shared values → components of the rest → where a limit breaks, the credible edges only

Nothing is ever merged into anything: people are computed anew from the set of evidence, so they do
not depend on the order it came in, and taking a piece away undoes all it caused. A value that is
held back joins nobody; it is a cluster of its own, so that the events which have nothing better
stay together and are still counted.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from touchline.identity.evidence import NO_APP, Bytes, Evidence, Ints, Longs, Mask
from touchline.identity.kruskal import OPENID, credible_order, grow
from touchline.identity.quarantine import Quarantine, quarantine
from touchline.identity.rules import DEFAULT, Rules
from touchline.identity.window import breaking

__all__ = ["VERSION", "Clusters", "People", "components", "resolve"]

# Of what is computed here. What was stored under another number is not read: raise it with every
# change that gives other people for some evidence.
VERSION = 2
ROUNDS = 8  # nearly all is settled after four


@dataclass(frozen=True, eq=False)
class Clusters:
    """`person` of each node, `anchor` node of each person, why nodes are held back.

    Persons are numbered by their anchors' place among the ids; a person is named by its anchor.
    """

    person: Ints
    anchor: Ints
    quarantine: Quarantine

    def __len__(self) -> int:
        return len(self.anchor)


@dataclass(frozen=True, eq=False)
class People(Clusters):
    """With the edges that were refused (indices into the evidence) and the type rank, or APART,
    that forbade them.
    """

    refused: Ints
    limit: Bytes


def resolve(evidence: Evidence, rules: Rules = DEFAULT, shared: Quarantine | None = None) -> People:
    """People of this evidence under these rules: a pure function of both. `shared`: for a part of
    the evidence, what is held back in the whole.
    """
    shared = shared or quarantine(evidence, rules)
    held = shared.held
    held[evidence.unlinked] = True  # joins nobody, and is somebody all the same
    edges = np.flatnonzero(~(held[evidence.a] | held[evidence.b]))
    cluster = components(evidence, edges)
    broken = _broken(evidence, rules, cluster, ~held)
    nodes = np.flatnonzero(broken[cluster])
    doubtful = edges[broken[cluster[evidence.a[edges]]]]
    doubtful = credible_order(evidence, doubtful, rules)
    forest = grow(evidence, rules, nodes, doubtful)
    cluster[nodes] = len(broken) + forest.root
    person, anchor = _numbered(evidence, cluster)
    return People(person, anchor, shared, doubtful[forest.refused].astype(np.int32), forest.limit)


def components(evidence: Evidence, edges: Longs) -> Ints:
    """Number of the component of each node, by these edges alone. An end that has no other edge is
    in the component of its neighbour: that is half of all, which need not be searched.
    """
    a, b = evidence.a[edges], evidence.b[edges]
    size = len(evidence)
    degree = np.bincount(a, minlength=size) + np.bincount(b, minlength=size)
    ends_a = degree[a] == 1
    ends_b = (degree[b] == 1) & ~ends_a
    with_whom = np.arange(size, dtype=np.int32)
    with_whom[a[ends_a]], with_whom[b[ends_b]] = b[ends_a], a[ends_b]
    is_inner = degree > 1
    place = np.cumsum(is_inner, dtype=np.int32) - 1
    joining = ~(ends_a | ends_b)
    count, found = _searched(place[a[joining]], place[b[joining]], int(is_inner.sum()))
    number = np.empty(size, np.int32)
    number[is_inner] = found
    alone = np.flatnonzero(~is_inner & (with_whom == np.arange(size, dtype=np.int32)))
    number[alone] = count + np.arange(len(alone), dtype=np.int32)
    return number[with_whom]


def _searched(a: Ints, b: Ints, size: int) -> tuple[int, Ints]:
    graph = coo_array((np.ones(len(a), np.float64), (a, b)), shape=(size, size))
    return connected_components(graph.tocsr(), directed=False) if size else (0, a)


def _broken(evidence: Evidence, rules: Rules, cluster: Ints, free: Mask) -> Mask:
    """Per component: does it break a limit or a decision?

    The parts of a legal whole are legal, so all others are final as they are.
    """
    count = int(cluster.max()) + 1 if len(cluster) else 0
    broken = np.zeros(count, np.bool_)
    for rank, (limit, window_us) in enumerate(zip(rules.limits, rules.windows_us, strict=True)):
        if limit is None:
            continue
        members = np.flatnonzero(free & (evidence.rank == rank))
        if window_us is not None:
            seen_us = evidence.first_seen_us[members]
            broken[breaking(cluster[members], seen_us, limit, window_us)] = True
        elif rank == OPENID:
            # The same test, on (component, app): an unnamed app is an app of its own.
            apps = int(evidence.app.max(initial=NO_APP)) + 2
            key = cluster[members].astype(np.int64) * apps + (evidence.app[members] + 1)
            keys, held = np.unique(key, return_counts=True)
            broken[keys[held > limit] // apps] = True
        else:
            broken |= np.bincount(cluster[members], minlength=count) > limit
    together = cluster[evidence.apart[:, 0]] == cluster[evidence.apart[:, 1]]
    broken[cluster[evidence.apart[together, 0]]] = True
    return broken


def _numbered(evidence: Evidence, cluster: Ints) -> tuple[Ints, Ints]:
    """Person per node and anchor per person. The anchor is the least (first seen, type, id)."""
    age = evidence.first_seen_us * 16 + evidence.rank
    least = _least(age, cluster)
    equals = np.flatnonzero(age == least[cluster])
    anchor_of = np.zeros(len(least), np.int32)
    anchor_of[cluster[equals[::-1]]] = equals[::-1]  # the last write is that of the least id
    node_anchor = anchor_of[cluster]
    is_anchor = node_anchor == np.arange(len(cluster), dtype=np.int32)
    number = np.cumsum(is_anchor, dtype=np.int32) - 1
    return number[node_anchor], np.flatnonzero(is_anchor).astype(np.int32)


def _least(age: Longs, cluster: Ints) -> Longs:
    """The least age of each cluster: whoever is older than the last one written writes again."""
    least = np.full(int(cluster.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    older = np.arange(len(age))
    for _ in range(ROUNDS):
        if not len(older):
            return least
        least[cluster[older]] = age[older]
        older = older[age[older] < least[cluster[older]]]
    np.minimum.at(least, cluster[older], age[older])  # does all of it, four times as slowly
    return least
