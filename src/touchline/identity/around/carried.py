"""Identifiers → the rows that carried them, each with what it is known by: what is quoted as proof.

Rows of one set of identifiers on one day are one here, quoted by the earliest of them. What
surprises: as a rule no query is made. Events come from the copy by identifier, other rows from
where files are known to name somebody: to plan a query would cost more than to read a few rows.
Only while that copy is not whole, all events are searched.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline.identity.filed import events_naming
from touchline.identity.sources import SOURCES
from touchline.storage.engine import View
from touchline.storage.mentions import ids_in, naming

__all__ = ["MOST", "Carried", "Sightings", "accounts_beside", "carried", "in_order", "sightings"]

NAMED = 200  # identifiers that are written into a query; more of them are joined
SAID = ("message_id", "type", "name")
MOST = 200_000  # sets that are read: whoever has more of them is explained by a part
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
_NAMES = {
    "events": ("message_id", "type", "name"),
    "conversions": ("conversion_id", "kind", "stage"),
    "people": (None, None, None),
}


class Carried(NamedTuple):
    """A set of identifiers [(node id, type, app)] that came together on a day, and the first row
    that says so. Undated rows have no day and no time.
    """

    table: str
    kind: int
    nodes: tuple[tuple[bytes, str, str | None], ...]
    local_day: object
    seen_us: int | None
    source: str | None
    message_id: str | None
    type: str | None
    name: str | None


class Sightings(NamedTuple):
    """When one of some identifiers was last in a row, and the accounts it stood beside."""

    last_us: int | None
    accounts: tuple[str, ...]


def sightings(view: View, wanted: Sequence[bytes]) -> Sightings:
    """Of rows that carry any of these."""
    last: list[int] = []
    accounts: set[str] = set()
    for table, time, _ in SOURCES:
        rows = _rows(view, table, wanted, ["node_ids", "account_id", time])
        latest = pc.max(rows[time]).as_py()
        last += [] if latest is None else [latest]
        accounts |= set(pc.unique(rows["account_id"]).to_pylist()) - {None}
    return Sightings(max(last, default=None), tuple(sorted(accounts)))


def accounts_beside(view: View, wanted: Sequence[bytes]) -> pa.Table:
    """(account_id, node_id), each once: which accounts stood beside which of these."""
    parts = [
        pa.table({"account_id": pa.array([], pa.string()), "node_id": pa.array([], pa.binary())})
    ]
    for table, _, _ in SOURCES:
        rows = _rows(view, table, wanted, ["node_ids", "account_id"])
        rows = rows.filter(pc.is_valid(rows["account_id"])).combine_chunks()
        of = pc.list_parent_indices(rows["node_ids"].combine_chunks())
        told = {"account_id": rows["account_id"].take(of), "node_id": ids_in(rows)}
        parts.append(pa.table(told))
    found = pa.concat_tables(parts)
    found = found.filter(pc.is_in(found["node_id"], value_set=pa.array(wanted, pa.binary())))
    return found.group_by(["account_id", "node_id"]).aggregate([])


def carried(view: View, wanted: Sequence[bytes], *, beside: Sequence[bytes] = ()) -> list[Carried]:
    """All that carried any of these (and, if named, one of those `beside` it), in an order that
    depends on the rows alone.
    """
    found: list[Carried] = []
    for table, time, kind in SOURCES:
        names = _NAMES[table]
        columns = ["node_ids", "local_day", "source", time, *filter(None, names)]
        rows = _rows(view, table, wanted, columns)
        rows = naming(rows, beside) if beside else rows
        if len(rows):
            said = {as_: name for as_, name in zip(SAID, names, strict=True) if name}
            found += _sets(rows, said | {"seen_us": time}, table, kind)
    return sorted(found, key=in_order)[:MOST]


def _rows(view: View, table: str, wanted: Sequence[bytes], columns: list[str]) -> pa.Table:
    """Rows of a table that carry any of these."""
    asked = [*columns, "known_at_us"]
    rows = (
        events_naming(view, wanted, asked)
        if table == "events"
        else view.files.rows_naming(table, wanted, asked)
    )
    if rows is None:
        return _searched(view, wanted, columns)
    if view.as_of_us is not None:
        rows = rows.filter(pc.less_equal(rows["known_at_us"], view.as_of_us))
    return rows


def _searched(view: View, wanted: Sequence[bytes], columns: list[str]) -> pa.Table:
    """The same from all events: the copy by identifier is not whole."""
    rows = view.events("seq", *columns)
    if len(wanted) <= NAMED:
        ids = [ibis.literal(node, "binary") for node in wanted]
        rows = rows.filter(rows.node_ids.filter(lambda node: node["id"].isin(ids)).length() > 0)
        return view.fetch(rows)
    opened = rows.select("seq", node=rows.node_ids.unnest())
    opened = opened.select("seq", node_id=opened.node["id"])
    those = view.given(pa.table({"node_id": pa.array(wanted, pa.binary())}))
    return view.fetch(rows.semi_join(opened.semi_join(those, "node_id"), "seq"))


def _sets(rows: pa.Table, said: dict[str, str], table: str, kind: int) -> list[Carried]:
    """Rows of one set of identifiers, day, source, type and name are one: the earliest of them, and
    of one moment that of the least id. Which arrived first says nothing.
    """
    rows = rows.combine_chunks()
    names = {as_: rows[name] for as_, name in said.items()}
    told = {
        "set": _set_codes(rows),
        "day": rows["local_day"],
        "source": rows["source"],
        **{as_: names.get(as_, pa.nulls(len(rows), pa.string())) for as_ in SAID},
        "at": names["seen_us"].fill_null(0),
        "place": pa.array(range(len(rows))),
    }
    key = ["set", "day", "source", "type", "name"]
    order = [(name, "ascending") for name in (*key, "at", "message_id")]
    ordered = pa.table(told).sort_by(order)
    first = ordered.group_by(key, use_threads=False).aggregate([("place", "first")])
    rows = rows.take(first["place_first"])
    return [
        Carried(
            table,
            kind,
            tuple((node["id"], node["type"], node["app"]) for node in row["node_ids"]),
            row["local_day"],
            row[said["seen_us"]],
            row["source"],
            *(row[said[as_]] if as_ in said else None for as_ in SAID),
        )
        for row in rows.to_pylist()
    ]


def _set_codes(rows: pa.Table) -> pa.Array:
    """A number for each set of identifiers."""
    code = ids_in(rows).dictionary_encode().indices.to_numpy()
    ends = np.cumsum(pc.list_value_length(rows["node_ids"]).fill_null(0).to_numpy()).tolist()
    codes: dict[bytes, int] = {}
    sets = (code[a:b].tobytes() for a, b in pairwise([0, *ends]))
    return pa.array([codes.setdefault(one, len(codes)) for one in sets], pa.int64())


def in_order(row: Carried) -> tuple[object, ...]:
    """The most credible first, then the earliest; what has no date comes last."""
    when = (row.seen_us is None, row.seen_us or 0)
    text = (row.source or "", row.message_id or "", row.type or "", row.name or "")
    return (row.kind, *when, *text, [node for node, _, _ in row.nodes])
