"""Identifiers → the rows that carried them, each with what it is known by: what is quoted as proof.

Rows of one set of identifiers on one day are one here, quoted by the earliest of them. What
surprises: days before both of two identifiers were ever seen are not read.
"""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import ibis
import pyarrow as pa

from touchline import clock
from touchline.identity.people import SOURCES
from touchline.storage.engine import Expression, View

__all__ = ["Carried", "Sightings", "carried", "sightings"]

NAMED = 200  # identifiers that are written into a query; more of them are joined
LAST_US = 253_370_764_800_000_000  # 9999: no day is later
MOST = 200_000  # sets that are read: whoever has more of them is explained by a part
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
    last: list[int] = []
    accounts: set[str] = set()
    for table, time, _ in SOURCES:
        read = view.events if table == "events" else partial(view.table, table)
        rows = _with_any(view, read("node_ids", "seq", "account_id", time), wanted)
        found = view.fetch(rows.group_by("account_id").agg(last_us=rows[time].max()))
        for row in found.to_pylist():
            accounts |= {row["account_id"]} - {None}
            last += [row["last_us"]] if row["last_us"] is not None else []
    return Sightings(max(last, default=None), tuple(sorted(accounts)))


def carried(
    view: View, wanted: Sequence[bytes], *, beside: Sequence[bytes] = (), since_us: int | None
) -> list[Carried]:
    """All that carried any of these (and, if named, one of those `beside` it), in an order that
    depends on the rows alone.
    """
    found: list[Carried] = []
    for table, time, kind in SOURCES:
        if table != "events" and not view.files.tables[table].files:
            continue  # to compile a query costs more than it would find
        rows = _rows(view, table, time)
        if table == "events" and since_us is not None:
            # A day of the site may begin up to a day before the one of UTC.
            day = clock.from_us(min(max(since_us, 0), LAST_US)).date() - dt.timedelta(1)
            rows = rows.filter(rows.local_day >= day)
        rows = _with_any(view, rows, wanted)
        found += _read(view, _with_any(view, rows, beside) if beside else rows, table, kind)
    return sorted(found, key=_order)


def _rows(view: View, table: str, time: str) -> Expression:
    names = _NAMES[table]
    read = view.events if table == "events" else partial(view.table, table)
    rows = read("node_ids", "local_day", time, "source", "seq", *filter(None, names))
    said = {
        as_: rows[name] if name else ibis.null("string")
        for as_, name in zip(("message_id", "type", "name"), names, strict=True)
    }
    return rows.select("node_ids", "local_day", "source", "seq", seen_us=rows[time], **said)


def _with_any(view: View, rows: Expression, wanted: Sequence[bytes]) -> Expression:
    if len(wanted) <= NAMED:
        ids = [ibis.literal(node, "binary") for node in wanted]
        return rows.filter(rows.node_ids.filter(lambda node: node["id"].isin(ids)).length() > 0)
    opened = rows.select("seq", node=rows.node_ids.unnest())
    opened = opened.select("seq", node_id=opened.node["id"])
    those = view.given(pa.table({"node_id": pa.array(wanted, pa.binary())}))
    return rows.semi_join(opened.semi_join(those, "node_id"), "seq")


def _read(view: View, rows: Expression, table: str, kind: int) -> list[Carried]:
    by = ("node_ids", "local_day", "source", "type", "name")
    sets = rows.group_by(*by).agg(
        seen_us=rows.seen_us.min(),
        # The earliest, and of one moment the least: which arrived first says nothing.
        message_id=rows.message_id.argmin(
            ibis.struct({"at": rows.seen_us.fill_null(0), "id": rows.message_id})
        ),
    )
    return [
        Carried(
            table,
            kind,
            tuple((node["id"], node["type"], node["app"]) for node in row.pop("node_ids")),
            **row,
        )
        for row in view.fetch(sets.limit(MOST)).to_pylist()
    ]


def _order(row: Carried) -> tuple[object, ...]:
    """The most credible first, then the earliest; what has no date comes last."""
    when = (row.seen_us is None, row.seen_us or 0)
    text = (row.source or "", row.message_id or "", row.type or "", row.name or "")
    return (row.kind, *when, *text, [node for node, _, _ in row.nodes])
