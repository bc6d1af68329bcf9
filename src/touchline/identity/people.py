"""One view of the lake → PersonMap: who everybody is at that moment.

Identifiers and pairs are counted by the engine, so that memory holds one row a pair and not one a
sighting. What surprises: a map is a function of the evidence, and is computed again when that has
changed. `Registry` keeps the latest, and takes the one that stands in the lake (`mirror`) if it is
of the very same evidence.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from touchline.collect.blocked import blocked_nodes
from touchline.collect.consent_rules import LINKING
from touchline.collect.outdated import readable
from touchline.identity.decisions import decided, in_force, newest
from touchline.identity.evidence import (
    NEVER_US,
    NO_APP,
    NO_DECISIONS,
    OBSERVED,
    RECORD,
    Bytes,
    Decisions,
    Evidence,
    Ints,
    Nodes,
    Pairs,
    gather,
    halves,
)
from touchline.identity.match import queue
from touchline.identity.mirror import TABLES, Mark, read_map
from touchline.identity.person import Names
from touchline.identity.person_map import PersonMap, node_bytes
from touchline.identity.resolve import People, resolve
from touchline.identity.rules import DEFAULT, Rules
from touchline.model import IDENTIFIER_TYPES
from touchline.storage import consent, definition
from touchline.storage.consent import Refusals
from touchline.storage.engine import Expression, View
from touchline.storage.lake import SEQ
from touchline.storage.principal import ADMIN
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = [
    "SOURCES",
    "PersonMap",
    "Registry",
    "Ruling",
    "app_names",
    "daily_pairs",
    "evidence_of",
    "identifier_sets",
    "is_whole",
    "node_arrays",
    "nodes_of",
    "person_map",
    "positions",
    "ruled_by",
    "staff_nodes",
]

# Where evidence comes from: table, its event time, how far it is believed.
SOURCES = (
    ("events", "ts_us", OBSERVED),
    ("conversions", "occurred_us", OBSERVED),
    ("people", "occurred_us", RECORD),
)
# What customers are registered with, or under: her phone, her own WeChat, her WeCom user id.
OF_STAFF = ("user_id", "unionid", "email", "phone", "external_userid", "openid")
Ruling = tuple[Rules, Decisions]
KEPT = 2  # maps a registry holds: the present one, and one for reports as of a day


class Registry:
    """Person maps of one workspace under its own `[identity]` rules; the latest stay in memory."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._maps: OrderedDict[tuple[object, ...], PersonMap] = OrderedDict()
        self._names = Names()
        self._refusals = Refusals(workspace.state, LINKING)

    def at(self, view: View, ruled: Ruling | None = None) -> PersonMap:
        """The map of a view, by the rules in force at its moment, or by those."""
        return self.marked(view, ruled)[1]

    def marked(self, view: View, ruled: Ruling | None = None) -> tuple[Mark, PersonMap]:
        """The same, and what it was made of."""
        rules, decisions = ruled or self._ruled(view.as_of_us)
        mark = Mark.of(view.files, rules, decisions)
        key = (mark, view.as_of_us, view.principal)
        if key not in self._maps:
            stored = read_map(self._workspace.lake, mark) if is_whole(view) else None
            found = stored or self.computed(view, rules, decisions)
            if is_whole(view) and stored is None:
                self.on_computed(found, mark)
            self._hold(key, found)
        self._maps.move_to_end(key)
        return mark, self._maps[key]

    def supposed(
        self,
        view: View,
        *,
        rules: Rules | None = None,
        decisions: Decisions | None = None,
        has_suggestions: bool = True,
    ) -> tuple[Evidence, People]:
        """What people would be of a view under other rules, or had this been decided; or
        without what only likeness joins.
        """
        now, standing = self._ruled(None)
        rules, decisions = rules or now, decisions or standing
        if rules.blocked != now.blocked:
            blocked = blocked_nodes(self._workspace, rules.blocked)
            decisions = replace(decisions, blocked=blocked)
        if not has_suggestions:
            decisions = replace(decisions, suggested=())
        evidence = evidence_of(view, replace(decisions, staff=staff_nodes(view, rules)))
        return evidence, resolve(evidence, rules)

    def keep(self, view: View, found: PersonMap, ruled: Ruling) -> None:
        """The map of a view by these rules and decisions: what was supposed has come to be so."""
        mark = Mark.of(view.files, *ruled)
        if is_whole(view):
            self.on_computed(found, mark)
        self._hold((mark, view.as_of_us, view.principal), found)

    def _hold(self, key: tuple[object, ...], found: PersonMap) -> None:
        self._maps[key] = replace(found, names=self._names)
        while len(self._maps) > KEPT:
            self._maps.popitem(last=False)

    def forget(self) -> None:
        """Drops from memory what somebody stands in who was erased."""
        self._maps.clear()
        self._names.forget()
        self._workspace.lake.forget()

    def mark(self) -> Mark:
        """Of what a map would be made now."""
        return Mark.of(self._workspace.lake.files(*TABLES), *self._ruled(None))

    def ruled(self, view: View) -> Ruling:
        """The rules and decisions in force at the moment of a view."""
        return self._ruled(view.as_of_us)

    def rules(self) -> Rules:
        """Those in force now."""
        return self._ruled(None)[0]

    def _ruled(self, as_of_us: int | None) -> Ruling:
        """The rules and decisions in force at a moment, or now."""
        state = self._workspace.state
        rules = Rules.from_document(readable(definition.current(state, as_of_us))[0])
        blocked = blocked_nodes(self._workspace, rules.blocked, as_of_us)
        # Who refuses to be linked now is not linked in a report as of an earlier day, either.
        unlinked = tuple(sorted(self._refusals.now()[LINKING]))
        made = in_force(decided(state, as_of_us))
        likely = queue.sure(state, as_of_us)
        return rules, replace(made, blocked=blocked, unlinked=unlinked, suggested=likely)

    def computed(self, view: View, rules: Rules, decisions: Decisions) -> PersonMap:
        """A map that is not at hand. Who has followed the lake has a shorter way."""
        return person_map(view, rules, decisions)

    def on_computed(self, found: PersonMap, mark: Mark) -> None:
        """Called with each present map that was not found in the lake."""


def ruled_by(state: State) -> tuple[int, ...]:
    """Numbers of which one grows when anything that people are judged by may have changed, beside
    the evidence.
    """
    made = newest(state), queue.newest(state)
    return definition.newest(state), *made, consent.version(state)


def is_whole(view: View) -> bool:
    """Whether its map is the one that the mirror has."""
    return view.as_of_us is None and view.principal == ADMIN


def person_map(
    view: View, rules: Rules = DEFAULT, decisions: Decisions = NO_DECISIONS
) -> PersonMap:
    """Resolves all evidence of a view."""
    evidence = evidence_of(view, replace(decisions, staff=staff_nodes(view, rules)))
    return PersonMap.of(evidence, resolve(evidence, rules))


def evidence_of(view: View, decisions: Decisions = NO_DECISIONS) -> Evidence:
    """All identifiers and pairs of a view, and what was decided of them."""
    sets = identifier_sets(view)
    nodes = view.fetch(nodes_of(sets))
    pairs = view.fetch(_pairs(sets))
    return gather(node_arrays(nodes), _pair_arrays(nodes, pairs), decisions)


def staff_nodes(view: View, rules: Rules) -> tuple[bytes, ...]:
    """What those who work here register customers with, by people files of such sources."""
    rows = view.table("people", "source", "node_ids")
    rows = rows.filter(rows.source.isin(rules.staff_sources))
    opened = rows.select(node=rows.node_ids.unnest())
    opened = opened.select(node_id=opened.node["id"], type=opened.node["type"])
    own = opened.filter(opened.type.isin(OF_STAFF)).select("node_id").distinct()
    return tuple(sorted(view.fetch(own)["node_id"].to_pylist())) if rules.staff_sources else ()


def _rows(view: View, name: str, *columns: str) -> Expression:
    read = view.events if name == "events" else partial(view.table, name)
    return read(*columns)


def identifier_sets(view: View, between: Mapping[str, tuple[int, int]] | None = None) -> Expression:
    """(node_ids, local_day, kind, seen_us, rows): a set of identifiers once a day, however often
    seen. `between`: of each source those rows alone whose arrival number is beyond one and up to
    the other.
    """
    found: Expression = None
    for name, time, kind in SOURCES:
        rows = _rows(view, name, "node_ids", "local_day", time, SEQ)
        if between is not None:
            after, upto = between[name]
            rows = rows.filter((rows[SEQ] > after) & (rows[SEQ] <= upto))
        rows = rows.select(
            "node_ids", "local_day", kind=ibis.literal(kind, "int8"), seen_us=rows[time]
        )
        found = rows if found is None else found.union(rows)
    grouped = found.group_by("node_ids", "local_day", "kind")
    return grouped.agg(seen_us=found.seen_us.min(), rows=found.count())


def nodes_of(sets: Expression) -> Expression:
    """(node_id, rank, app, seen_us), one row an identifier."""
    opened = sets.select("seen_us", node=sets.node_ids.unnest())
    names = [(name, rank) for rank, name in enumerate(IDENTIFIER_TYPES)]
    opened = opened.select(
        "seen_us",
        node_id=opened.node["id"],
        app=opened.node["app"],
        rank=opened.node["type"].cases(*names, else_=len(names)).cast("int8"),
    )
    return opened.group_by("node_id").agg(
        rank=opened["rank"].min(), app=opened.app.min(), seen_us=opened.seen_us.min()
    )


def _pairs(sets: Expression) -> Expression:
    """(a, b, kind, days), one row a pair."""
    daily = daily_pairs(sets)
    return daily.group_by("a", "b").agg(
        kind=daily.kind.min(), days=daily.local_day.count().cast("int32")
    )


def daily_pairs(sets: Expression) -> Expression:
    """(a, b, local_day, kind), one row a pair and day: every two identifiers of a set are one."""
    several = sets.filter(sets.node_ids.length() > 1)
    one = several.select("node_ids", "local_day", "kind", first=several.node_ids.unnest())
    two = one.select("local_day", "kind", "first", second=one.node_ids.unnest())
    both = two.select("local_day", "kind", a=two.first["id"], b=two.second["id"])
    both = both.filter(both.a < both.b)
    return both.group_by("a", "b", "local_day").agg(kind=both.kind.min())


def node_arrays(nodes: pa.Table) -> Nodes:
    hi, lo = halves(node_bytes(nodes["node_id"]))
    rank: Bytes = nodes["rank"].to_numpy()
    # A row that is not dated (a customer list) shows that identifiers belong together, not when.
    seen = pc.fill_null(nodes["seen_us"], NEVER_US).to_numpy()
    return Nodes(hi, lo, rank, _app_codes(nodes), seen)


def app_names(nodes: pa.Table) -> pa.Array:
    """Apps by their codes."""
    return nodes["app"].unique().drop_null().sort()


def _app_codes(nodes: pa.Table) -> Ints:
    """Codes in the order of the apps' names, -1 for none."""
    return (
        pc.fill_null(_index_in(nodes["app"], app_names(nodes)), NO_APP).to_numpy().astype(np.int32)
    )


def _pair_arrays(nodes: pa.Table, pairs: pa.Table) -> Pairs:
    a = positions(pairs["a"], nodes["node_id"])
    b = positions(pairs["b"], nodes["node_id"])
    return Pairs(a, b, pairs["kind"].to_numpy(), pairs["days"].to_numpy())


def positions(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> Ints:
    return _index_in(wanted, among.combine_chunks()).to_numpy().astype(np.int32)


def _index_in(wanted: pa.ChunkedArray, among: pa.Array) -> pa.ChunkedArray:
    return pc.call_function("index_in", [wanted], pc.SetLookupOptions(value_set=among))
