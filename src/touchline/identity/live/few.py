"""A few new rows of a view → what they say, as `identifier_sets` would have it, without a query.

A visitor's next event is one row, and to put a query together takes far longer than to read it.
"""

import datetime as dt
from collections.abc import Mapping
from itertools import permutations

import pyarrow as pa

from touchline.identity.sources import SOURCES
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK
from touchline.storage.engine import View

__all__ = ["Between", "few_told"]

MOST = 2_000  # rows; more are told quicker by a query
READ = 20_000  # rows of files that they stand in

Between = Mapping[str, tuple[int, int]]


def few_told(view: View, between: Between) -> tuple[pa.Table, pa.Table, int] | None:
    """Nodes, their pairs by day, and how many rows those were; None where it is for a query."""
    if view.as_of_us is not None or view.own_rows:
        return None
    ranks, apps, seen = dict[bytes, int](), dict[bytes, str](), dict[bytes, int]()
    kinds: dict[tuple[bytes, bytes, dt.date | None], int] = {}
    count = 0
    for name, time, kind in SOURCES:
        rows = view.files.between(name, ("node_ids", "local_day", time), between[name], READ)
        if rows is None or count + len(rows) > MOST:
            return None
        count += len(rows)
        for row in rows.to_pylist():
            nodes, day, at_us = row["node_ids"] or (), row["local_day"], row[time]
            for node in nodes:
                node_id = node["id"]
                rank = TYPE_RANK.get(node["type"], len(IDENTIFIER_TYPES))
                ranks[node_id] = min(rank, ranks.setdefault(node_id, rank))
                if (app := node["app"]) is not None:
                    apps[node_id] = min(app, apps.setdefault(node_id, app))
                if at_us is not None:
                    seen[node_id] = min(at_us, seen.setdefault(node_id, at_us))
            for a, b in permutations([node["id"] for node in nodes], 2):
                if a < b:
                    kinds[a, b, day] = min(kind, kinds.setdefault((a, b, day), kind))
    return _nodes(ranks, apps, seen), _pairs(kinds), count


def _nodes(ranks: dict[bytes, int], apps: dict[bytes, str], seen: dict[bytes, int]) -> pa.Table:
    columns = {
        "node_id": pa.array(ranks, pa.binary()),
        "rank": pa.array(ranks.values(), pa.int8()),
        "app": pa.array(map(apps.get, ranks), pa.string()),
        "seen_us": pa.array(map(seen.get, ranks), pa.int64()),
    }
    return pa.table(columns)


def _pairs(kinds: dict[tuple[bytes, bytes, dt.date | None], int]) -> pa.Table:
    columns = {
        "a": pa.array((a for a, _, _ in kinds), pa.binary()),
        "b": pa.array((b for _, b, _ in kinds), pa.binary()),
        "local_day": pa.array((day for _, _, day in kinds), pa.date32()),
        "kind": pa.array(kinds.values(), pa.int8()),
    }
    return pa.table(columns)
