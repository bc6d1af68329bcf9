"""Aggregate touchpoints → rows beside the credit: what was shown where, when, and what it cost.

They reached people that nobody can name. So they get no credit, and none of theirs is taken from
touches of people: they stand beside it, for a person to weigh.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import ibis
import msgspec

from touchline.collect.alias import renamed
from touchline.journey.rate import Rates
from touchline.measure.cost import Days, has_aggregates, in_force
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import Expression, View

__all__ = ["FIGURES", "aggregate_lines", "aggregate_rows"]

FIGURES = ("impressions", "clicks", "engagements", "visits")
_encoder = msgspec.json.Encoder()


def aggregate_rows(
    view: View, by: tuple[str, ...], rates: Rates, days: Days
) -> list[dict[str, Any]]:
    """One row for each label and place, the dearest first: figures of the asked days, and which."""
    if not has_aggregates(view):
        return []
    rows = _rows(view, days)
    is_foreign = rows.currency != rates.currency
    rows = rows.mutate(rated_day=is_foreign.ifelse(rows.day, ibis.null("date")))
    sums = rows.group_by([*by, "place", "rated_day", "currency"]).agg(
        cost=rows.signed.sum(),
        first=rows.day.min(),
        last=rows.day.max(),
        **{name: rows[name].sum() for name in FIGURES},
    )
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in view.fetch(sums).to_pylist():
        row["cost"] = rates.convert(row["cost"], row["currency"], row["rated_day"]) or 0
        key = tuple(row[name] for name in (*by, "place"))
        found[key] = _added(found[key], row) if key in found else row
    told = [_told(row, by) for row in found.values()]
    return sorted(told, key=lambda row: (-row["cost"], *(str(row[n] or "") for n in row)))


def aggregate_lines(view: View) -> Iterator[bytes]:
    """JSON lines of all that is in force, a row a period, as it was imported."""
    if not has_aggregates(view):
        return
    keys = [*LABELS, "place", "first_day", "last_day", "kind", "currency", "source", "properties"]
    rows = _rows(view, (None, None))
    sums = rows.group_by(keys).agg(
        cost=rows.cost.sum(),
        days=rows.day.nunique(),
        **{name: rows[name].sum() for name in FIGURES},
    )
    for row in view.fetch(sums.order_by("first_day", *LABELS, "place")).to_pylist():
        yield _encoder.encode(_line(row)) + b"\n"


def _rows(view: View, days: Days) -> Expression:
    rows = view.table("aggregates")
    if days[0] is not None:
        rows = rows.filter(rows.day >= days[0])
    if days[1] is not None:
        rows = rows.filter(rows.day <= days[1])
    rows = renamed(view, in_force(rows, "aggregates"))
    return rows.mutate(signed=(rows.kind == "rebate").ifelse(-rows.cost.abs(), rows.cost))


def _added(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    sums = {
        name: None if a[name] is None and b[name] is None else (a[name] or 0) + (b[name] or 0)
        for name in (*FIGURES, "cost")
    }
    return {**a, **sums, "first": min(a["first"], b["first"]), "last": max(a["last"], b["last"])}


def _told(row: dict[str, Any], by: tuple[str, ...]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in by},
        "place": row["place"],
        "from": _day(row["first"]),
        "to": _day(row["last"]),
        "cost": row["cost"],
        **{name: row[name] for name in FIGURES},
    }


def _line(row: dict[str, Any]) -> dict[str, Any]:
    names = dict(zip(LABELS, LABEL_FIELDS, strict=True))
    return {
        "from": _day(row["first_day"]),
        "to": _day(row["last_day"]),
        "days": row["days"],
        "place": row["place"],
        **{names[label]: row[label] for label in LABELS},
        **{name: row[name] for name in ("cost", "currency", "kind", *FIGURES)},
        "import": row["source"],
        "properties": msgspec.Raw((row["properties"] or "{}").encode()),
    }


def _day(day: dt.date) -> str:
    return day.isoformat()
