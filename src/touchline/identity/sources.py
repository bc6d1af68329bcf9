"""Rows of a view → identifiers and pairs, which are the evidence of who is one person.

They are counted by the engine, so that memory holds one row a pair and not one a sighting; of very
many rows a share of the identifiers at a time. What surprises: the engine has to be told so. What
it groups it writes to disk when memory runs out, as a rule; now and then it gives up instead.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, Self

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
from touchline.identity.person_map import node_bytes
from touchline.identity.rules import Rules
from touchline.model import IDENTIFIER_TYPES
from touchline.storage.engine import Expression, View
from touchline.storage.lake import ERASED, SEQ, LakeFiles

__all__ = [
    "SOURCES",
    "TABLES",
    "Extent",
    "app_names",
    "daily_pairs",
    "evidence_of",
    "identifier_sets",
    "node_arrays",
    "nodes_of",
    "positions",
    "staff_nodes",
]

# Where evidence comes from: table, its event time, how far it is believed.
SOURCES = (
    ("events", "ts_us", OBSERVED),
    ("conversions", "occurred_us", OBSERVED),
    ("people", "occurred_us", RECORD),
)
TABLES = ("fresh", *(name for name, _, _ in SOURCES))  # in which it stands
ROWS_AT_ONCE = 8_000_000  # are grouped within half a gigabyte
# What customers are registered with, or under: her phone, her own WeChat, her WeCom user id.
OF_STAFF = ("user_id", "unionid", "email", "phone", "external_userid", "openid")

Share = Callable[[Expression], Expression]  # of an identifier's column: whether it is in the share


class Extent(NamedTuple):
    """How much evidence there is: rows, the last arrival number of each source, and when rows were
    last taken out, of all tables together.

    It is only ever added to, each row under an arrival number of its own; so of one extent there
    are the same rows. Moving rows to day files does not change it.
    """

    rows: int
    last: dict[str, int]
    erased: int

    @classmethod
    def of(cls, files: LakeFiles) -> Self:
        tables, fresh = files.tables, files.tables["fresh"]
        beyond = [f for f in fresh.files if (fresh.last_seq.get(f) or 0) > files.settled_seq]
        rows = sum(fresh.rows_of[path] for path in beyond)
        rows += sum(tables[name].rows for name, _, _ in SOURCES)
        newest = {name: tables[name].last_seq.values() for name, _, _ in SOURCES}
        last = {name: max((seq or 0 for seq in seqs), default=0) for name, seqs in newest.items()}
        erased = sum(tables[name].offset(ERASED) for name in TABLES)
        return cls(rows, last | {"events": files.last_seq}, erased)


def evidence_of(view: View, decisions: Decisions = NO_DECISIONS) -> Evidence:
    """All identifiers and pairs of a view, and what was decided of them."""
    seen, shares = _sightings(view), _shares(Extent.of(view.files).rows)
    nodes = pa.concat_tables([view.fetch(nodes_of(seen, share)) for share in shares])
    pairs = pa.concat_tables([view.fetch(_pairs(seen, share)) for share in shares])
    return gather(node_arrays(nodes), _pair_arrays(nodes, pairs), decisions)


def _shares(rows: int) -> list[Share]:
    """Which identifiers are grouped at a time."""
    count = 1 << (rows // ROWS_AT_ONCE).bit_length()  # a power of two
    return [partial(_is_in, number, count) for number in range(count)]


def _is_in(number: int, count: int, node_id: Expression) -> Expression:
    return (node_id.hash() & (count - 1)) == number


def _all(_node_id: Expression) -> Expression:
    return ibis.literal(value=True)


def staff_nodes(view: View, rules: Rules) -> tuple[bytes, ...]:
    """What those who work here register customers with, by people files of such sources."""
    if not rules.staff_sources:  # as a rule; to put a query together takes a while
        return ()
    rows = view.table("people", "source", "node_ids")
    rows = rows.filter(rows.source.isin(rules.staff_sources))
    opened = rows.select(node=rows.node_ids.unnest())
    opened = opened.select(node_id=opened.node["id"], type=opened.node["type"])
    own = opened.filter(opened.type.isin(OF_STAFF)).select("node_id").distinct()
    return tuple(sorted(view.fetch(own)["node_id"].to_pylist()))


def _rows(view: View, name: str, *columns: str) -> Expression:
    read = view.events if name == "events" else partial(view.table, name)
    return read(*columns)


def identifier_sets(view: View, between: Mapping[str, tuple[int, int]]) -> Expression:
    """(node_ids, local_day, kind, seen_us, rows): a set of identifiers once a day, however often
    seen. `between`: of each source those rows alone whose arrival number is beyond one and up to
    the other.
    """
    found = _sightings(view, between)
    grouped = found.group_by("node_ids", "local_day", "kind")
    return grouped.agg(seen_us=found.seen_us.min(), rows=found.count())


def _sightings(view: View, between: Mapping[str, tuple[int, int]] | None = None) -> Expression:
    """(node_ids, local_day, kind, seen_us), one row a row."""
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
    return found


def nodes_of(sets: Expression, share: Share = _all) -> Expression:
    """(node_id, rank, app, seen_us), one row an identifier."""
    opened = sets.select("seen_us", node=sets.node_ids.unnest())
    names = [(name, rank) for rank, name in enumerate(IDENTIFIER_TYPES)]
    opened = opened.select(
        "seen_us",
        node_id=opened.node["id"],
        app=opened.node["app"],
        rank=opened.node["type"].cases(*names, else_=len(names)).cast("int8"),
    )
    opened = opened.filter(share(opened.node_id))
    return opened.group_by("node_id").agg(
        rank=opened["rank"].min(), app=opened.app.min(), seen_us=opened.seen_us.min()
    )


def _pairs(sets: Expression, share: Share) -> Expression:
    """(a, b, kind, days), one row a pair."""
    daily = daily_pairs(sets, share)
    return daily.group_by("a", "b").agg(
        kind=daily.kind.min(), days=daily.local_day.count().cast("int32")
    )


def daily_pairs(sets: Expression, share: Share = _all) -> Expression:
    """(a, b, local_day, kind), one row a pair and day: every two identifiers of a set are one."""
    several = sets.filter(sets.node_ids.length() > 1)
    one = several.select("node_ids", "local_day", "kind", first=several.node_ids.unnest())
    two = one.select("local_day", "kind", "first", second=one.node_ids.unnest())
    both = two.select("local_day", "kind", a=two.first["id"], b=two.second["id"])
    both = both.filter((both.a < both.b) & share(both.a))
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
