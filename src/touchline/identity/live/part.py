"""Rows of the live store + new facts → the people of that part, and the rows it becomes.

The part is whole components and what has newly been said of them, so its people are those of the
whole. Two things stand outside: a value that joins nobody brings the number of what it touches in
place of all that touches it, and where it is only touched itself it is known by its type alone. So
it goes on joining nobody until a part has all that it touches (`freed`), whatever rules say.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from touchline.identity.evidence import (
    MANUAL,
    NEVER_US,
    NO_APP,
    Bytes,
    Evidence,
    Halves,
    Ints,
    Longs,
    Mask,
    Nodes,
    NodeSet,
    Pairs,
    gather,
)
from touchline.identity.kruskal import OPENID
from touchline.identity.live.rows import DAY, EDGE, NODE, RANKS, Rows, node_ids, packed_apps, split
from touchline.identity.person_map import PersonMap
from touchline.identity.quarantine import FREE, Quarantine, judged, touching
from touchline.identity.resolve import Clusters, components, resolve
from touchline.identity.ruled import Ruled

__all__ = ["NOTHING", "NO_DAY", "Facts", "Part"]

NO_DAY = np.iinfo(np.int32).min
UNSAID = np.iinfo(np.int8).max  # the class of a pair that only an operator made


class Facts(NamedTuple):
    """What rows say: identifiers, and pairs of them (places in `nodes`) with class and local day
    (NO_DAY: undated). Repeated at will. `apps` are in the order of their names.
    """

    nodes: Nodes
    apps: tuple[str, ...]
    a: Ints
    b: Ints
    kind: Bytes
    day: Ints

    def node_ids(self) -> set[bytes]:
        return split(np.column_stack([self.nodes.hi, self.nodes.lo]).astype(">u8").tobytes())


def _nothing() -> Facts:
    none = np.empty(0, np.int32)
    return Facts(Nodes.of((), (), (), ()), (), none, none, none.astype(np.int8), none)


NOTHING = _nothing()


@dataclass(frozen=True, eq=False)
class Part:
    """`freed`: values that joined nobody, all of whose neighbours are here."""

    rows: Rows
    facts: Facts
    ruled: Ruled
    freed: frozenset[bytes] = frozenset()

    @cached_property
    def given(self) -> Nodes:
        """Nodes of the rows, both ends of the rows' pairs, nodes of the facts: in this order."""
        rows, facts = self.rows, self.facts.nodes
        ends = [
            (rows.edges[f"{x}_hi"], rows.edges[f"{x}_lo"], rows.edges[f"{x}_rank"]) for x in "ab"
        ]
        unknown = np.full(2 * len(rows.edges), NO_APP, np.int32)
        return Nodes(
            np.concatenate([rows.nodes["hi"], ends[0][0], ends[1][0], facts.hi]),
            np.concatenate([rows.nodes["lo"], ends[0][1], ends[1][1], facts.lo]),
            np.concatenate([rows.nodes["rank"], ends[0][2], ends[1][2], facts.rank]),
            np.concatenate([self._codes[0], unknown, self._codes[1]]),
            np.concatenate(
                [
                    rows.nodes["seen_us"],
                    np.full(len(unknown), NEVER_US, np.int64),
                    facts.first_seen_us,
                ]
            ),
        )

    @cached_property
    def apps(self) -> list[str]:
        return sorted({*self.facts.apps, *self.rows.apps.values()})

    @cached_property
    def _codes(self) -> tuple[Ints, Ints]:
        """Codes of the apps of the rows' nodes, and of the facts'."""
        code = {name: number for number, name in enumerate(self.apps)}
        mine = np.full(len(self.rows.nodes), NO_APP, np.int32)
        if self.rows.apps:
            openids = np.flatnonzero(self.rows.nodes["rank"] == OPENID)
            records = self.rows.nodes[openids]
            ids = np.column_stack([records["hi"], records["lo"]]).astype(">u8").tobytes()
            for place, at in enumerate(openids.tolist()):
                name = self.rows.apps.get(ids[16 * place : 16 * place + 16])
                mine[at] = NO_APP if name is None else code[name]
        told = np.array([*(code[name] for name in self.facts.apps), NO_APP], np.int32)
        return mine, told[self.facts.nodes.app]  # NO_APP, -1, is the last

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """Both ends of the rows' pairs and of the facts', as places among the given."""
        nodes, edges = len(self.rows.nodes), len(self.rows.edges)
        first = nodes + np.arange(edges)
        base = nodes + 2 * edges
        a = np.concatenate([first, base + self.facts.a]).astype(np.int32)
        return a, np.concatenate([first + edges, base + self.facts.b]).astype(np.int32)

    @cached_property
    def kinds(self) -> Bytes:
        return np.concatenate([self.rows.edges["kind"], self.facts.kind]).astype(np.int8)

    @cached_property
    def _set(self) -> Evidence:
        a, b = self.ends
        pairs = Pairs(a, b, self.kinds, np.zeros(len(a), np.int32))
        return gather(self.given, pairs, self.ruled.part(self._named))

    @cached_property
    def _named(self) -> set[bytes]:
        return node_ids(self.rows.nodes) | self.facts.node_ids()

    @cached_property
    def index(self) -> Ints:
        """Of each given node, which of the set it is."""
        return places(self._set, self.given.hi, self.given.lo)

    @cached_property
    def edge(self) -> Longs:
        """Of each given pair, which of the set it is; -1 for a value beside itself."""
        a, b = self.index[self.ends[0]], self.index[self.ends[1]]
        known = self._set.a.astype(np.int64) << 32 | self._set.b
        found = np.searchsorted(known, np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
        return np.where(a == b, -1, found)

    @cached_property
    def said(self) -> Bytes:
        """Class of each pair as rows have it; UNSAID for one that an operator made."""
        found = np.full(len(self._set.a), UNSAID, np.int8)
        np.minimum.at(found, self.edge[self.edge >= 0], self.kinds[self.edge >= 0])
        return found

    @cached_property
    def seen(self) -> tuple[Longs, Ints]:
        """(pair, day), each once and in order."""
        known = len(self.rows.edges)
        edge = np.concatenate(
            [np.repeat(self.edge[:known], self.rows.edges["days"]), self.edge[known:]]
        )
        day = np.concatenate([self.rows.days, self.facts.day])
        is_day = (edge >= 0) & (day != NO_DAY)
        both = np.unique((edge[is_day] << 32) + (day[is_day].astype(np.int64) - NO_DAY))
        return both >> 32, ((both & 0xFFFFFFFF) + NO_DAY).astype(np.int32)

    @cached_property
    def evidence(self) -> Evidence:
        days = np.bincount(self.seen[0], minlength=len(self._set.a)).astype(np.int32)
        joins_nobody = ~self.is_here
        joins_nobody[self._set.unlinked] = True
        joins_nobody[self._kept_alone] = True
        alone = np.flatnonzero(joins_nobody).astype(np.int32)
        return replace(self._set, days=np.maximum(self._set.days, days), unlinked=alone)

    @cached_property
    def is_here(self) -> Mask:
        """Not only touched by what is."""
        found = np.zeros(len(self._set), np.bool_)
        first, last = len(self.rows.nodes), len(self.rows.nodes) + 2 * len(self.rows.edges)
        found[self.index[:first]] = True
        found[self.index[last:]] = True
        return found

    @cached_property
    def people(self) -> Clusters:
        return resolve(self.evidence, self.ruled.rules, self._shared)

    @cached_property
    def _shared(self) -> Quarantine:
        evidence, was, counts = self.evidence, self._was_alone, self.touches
        count = touching(evidence, self.ruled.rules)
        by_hand = np.flatnonzero((evidence.kind == MANUAL) & (self.said != UNSAID))
        joined = _degrees(evidence, by_hand)

        def touches(rank: int) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
            nodes, found = count(rank)
            is_seen = ~np.isin(nodes, was)
            told = counts[was, rank] - joined[was, rank]
            return np.concatenate([nodes[is_seen], was]), np.concatenate([found[is_seen], told])

        return judged(evidence, self.ruled.rules, touches)

    @cached_property
    def _was_alone(self) -> Longs:
        """Nodes whose row says how much they touch."""
        places = (np.cumsum(self.rows.sizes) - 1)[self.rows.is_alone]
        return self.index[places].astype(np.int64)

    @cached_property
    def _kept_alone(self) -> Longs:
        """Those of them that stay so, for not all that they touch is here."""
        was = self._was_alone
        is_freed = [node in self.freed for node in self._ids(was)] if self.freed else False
        return was[~np.broadcast_to(np.asarray(is_freed, np.bool_), len(was))]

    @cached_property
    def joining(self) -> dict[bytes, int]:
        """Those of them that nothing holds back any more, and how many values each touches."""
        is_free = ~self._shared.held
        is_free[self._set.unlinked] = False
        nodes = self._kept_alone[is_free[self._kept_alone]]
        counts = self.touches[nodes].sum(axis=1).tolist()
        return dict(zip(self._ids(nodes), counts, strict=True))

    def _ids(self, nodes: npt.NDArray[np.integer]) -> list[bytes]:
        ids = self._set.node_ids(nodes)
        return [ids[at : at + 16] for at in range(0, len(ids), 16)]

    @cached_property
    def is_new(self) -> Mask:
        """Per pair: do facts say it, and did no row?"""
        found = self.said != UNSAID
        old = self.edge[: len(self.rows.edges)]
        found[old[old >= 0]] = False
        return found

    @cached_property
    def touches(self) -> npt.NDArray[np.int32]:
        """How many of each type a node touches, for those that join nobody."""
        evidence = self._set
        found = _degrees(evidence, np.flatnonzero(self.said != UNSAID))
        if len(self._was_alone):
            more = _degrees(evidence, np.flatnonzero(self.is_new))[self._was_alone]
            found[self._was_alone] = self.rows.touches[self.rows.is_alone] + more
        return found

    @cached_property
    def alone(self) -> Mask:
        found = self.people.quarantine.held.copy()
        found[self.evidence.unlinked] = True
        return found

    def beside(self) -> Iterator[dict[str, bytes]]:
        """What values that join nobody were seen beside, as far as it has not been kept."""
        evidence, was = self.evidence, np.zeros(len(self.evidence), np.bool_)
        was[self._was_alone] = True
        is_said = self.said != UNSAID
        for one, other in ((evidence.a, evidence.b), (evidence.b, evidence.a)):
            kept = is_said & self.alone[one] & self.is_here[one] & (self.is_new | ~was[one])
            alone, others = self._ids(one[kept]), self._ids(other[kept])
            for node, neighbour in zip(alone, others, strict=True):
                yield {"alone": node, "other": neighbour}

    def joined(self) -> list[bytes]:
        """Values that joined nobody, and join people now."""
        return self._ids(self._was_alone[~self.alone[self._was_alone]])

    @cached_property
    def label(self) -> Ints:
        """Number of the component of each node that is here, from 0 on; -1 for others."""
        evidence, alone = self.evidence, self.alone
        edges = np.flatnonzero(~(alone[evidence.a] | alone[evidence.b]))
        found = components(evidence, edges)
        here = np.flatnonzero(self.is_here)
        label = np.full(len(evidence), -1, np.int32)
        label[here] = np.unique(found[here], return_inverse=True)[1]
        return label

    def before(self) -> PersonMap:
        """What the rows say, of their nodes."""
        rows = self.rows
        index = self.index[: len(rows.nodes)]
        order = np.argsort(index)
        start = np.repeat(np.cumsum(rows.sizes) - rows.sizes, rows.sizes)
        anchor = index[start + rows.nodes["anchor"]]
        return person_map(
            self._nodes(index[order]),
            np.searchsorted(index[order], anchor[order]).astype(np.int32),
            Quarantine(rows.cause[rows.row_of_node][order], rows.most[rows.row_of_node][order]),
        )

    def after(self) -> PersonMap:
        here = np.flatnonzero(self.is_here)
        anchor = self.people.anchor[self.people.person[here]]
        shared = self.people.quarantine
        return person_map(
            self._nodes(here),
            np.searchsorted(here, anchor).astype(np.int32),
            Quarantine(shared.cause[here], shared.count[here]),
        )

    def _nodes(self, at: npt.NDArray[np.integer]) -> NodeSet:
        e = self.evidence
        return NodeSet(e.hi[at], e.lo[at], e.rank[at], e.first_seen_us[at])

    def made(self) -> Iterator[dict[str, Any]]:
        """The row of each label, without number and version."""
        here = np.flatnonzero(self.is_here)
        here = here[np.argsort(self.label[here], kind="stable")]
        bounds = _bounds(self.label[here])
        nodes = self._node_records(here, bounds).tobytes()
        edges, edge_bounds, days, day_bounds = self._edge_records(len(bounds) - 1)
        apps = self._apps_of(here)
        shared, touches = self.people.quarantine, self.touches.astype("<i4")
        alone = self.alone
        for label in range(len(bounds) - 1):
            first = here[bounds[label]]
            yield {
                "nodes": nodes[NODE.itemsize * bounds[label] : NODE.itemsize * bounds[label + 1]],
                "edges": edges[
                    EDGE.itemsize * edge_bounds[label] : EDGE.itemsize * edge_bounds[label + 1]
                ],
                "days": days[
                    DAY.itemsize * day_bounds[label] : DAY.itemsize * day_bounds[label + 1]
                ],
                "apps": packed_apps(apps.get(label, {})),
                "cause": int(shared.cause[first]) if alone[first] else FREE,
                "most": int(shared.count[first]) if alone[first] else 0,
                "touches": touches[first].tobytes() if alone[first] else None,
            }

    def _node_records(self, here: Longs, bounds: list[int]) -> npt.NDArray[np.void]:
        evidence = self.evidence
        place = np.zeros(len(evidence), np.int64)
        place[here] = np.arange(len(here))
        found = np.empty(len(here), NODE)
        found["hi"], found["lo"] = evidence.hi[here], evidence.lo[here]
        found["seen_us"], found["rank"] = evidence.first_seen_us[here], evidence.rank[here]
        anchor = self.people.anchor[self.people.person[here]]
        found["anchor"] = place[anchor] - np.asarray(bounds)[self.label[here]]
        return found

    def _edge_records(self, count: int) -> tuple[bytes, list[int], bytes, list[int]]:
        """Pairs by the row they stand in, then in order; and their days."""
        evidence, label, alone = self.evidence, self.label, self.alone
        a, b = evidence.a, evidence.b
        # That of an end that joins people; else of the lesser one that is here.
        in_a = self.is_here[a] & (~alone[a] | alone[b] | ~self.is_here[b])
        owner = np.where(in_a, label[a], label[b])
        kept = np.flatnonzero(self.said != UNSAID)
        kept = kept[np.argsort(owner[kept], kind="stable")]
        edge, day = self.seen
        rank = np.empty(len(a), np.int64)
        rank[kept] = np.arange(len(kept))
        order = np.argsort(rank[edge], kind="stable")
        found = np.empty(len(kept), EDGE)
        for name, end in (("a", a[kept]), ("b", b[kept])):
            found[f"{name}_hi"], found[f"{name}_lo"] = evidence.hi[end], evidence.lo[end]
            found[f"{name}_rank"] = evidence.rank[end]
        found["kind"] = self.said[kept]
        found["days"] = np.bincount(edge, minlength=len(a))[kept]
        bounds = np.searchsorted(owner[kept], np.arange(count + 1))
        ends = np.concatenate([[0], np.cumsum(found["days"], dtype=np.int64)])
        days = day[order].astype(DAY).tobytes()
        return found.tobytes(), bounds.tolist(), days, ends[bounds].tolist()

    def _apps_of(self, here: Longs) -> dict[int, dict[bytes, str]]:
        evidence, found = self.evidence, dict[int, dict[bytes, str]]()
        named = here[(evidence.rank[here] == OPENID) & (evidence.app[here] != NO_APP)]
        for node in named.tolist():
            apps = found.setdefault(int(self.label[node]), {})
            apps[evidence.node_id(node)] = self.apps[evidence.app[node]]
        return found


def person_map(nodes: NodeSet, anchor: Ints, shared: Quarantine) -> PersonMap:
    """By the place of each node's anchor. Persons are numbered in the order of theirs."""
    is_anchor = anchor == np.arange(len(anchor), dtype=np.int32)
    number = np.cumsum(is_anchor, dtype=np.int32) - 1
    anchors = np.flatnonzero(is_anchor).astype(np.int32)
    return PersonMap(nodes, Clusters(number[anchor], anchors, shared))


def places(nodes: NodeSet, hi: Halves, lo: Halves) -> Ints:
    """Index of each of these ids, all of which are there."""
    at = np.searchsorted(nodes.hi, hi)
    while True:  # equal first halves of different ids are rare: a step or none
        is_other = nodes.lo[at] != lo
        if not is_other.any():
            return at.astype(np.int32)
        at = at + is_other


def _degrees(evidence: Evidence, edges: Longs) -> npt.NDArray[np.int32]:
    """By node and type: how many nodes of it these edges lead to."""
    found = np.zeros((len(evidence), RANKS), np.int32)
    a, b = evidence.a[edges], evidence.b[edges]
    np.add.at(found, (a, evidence.rank[b]), 1)
    np.add.at(found, (b, evidence.rank[a]), 1)
    return found


def _bounds(labels: Ints) -> list[int]:
    """Where each label begins, and the end."""
    count = int(labels[-1]) + 1 if len(labels) else 0
    return np.searchsorted(labels, np.arange(count + 1)).tolist()
