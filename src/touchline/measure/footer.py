"""Rows of a report → its footer: for each model, how rows and unattributed make up the totals.

    credited + direct + baseline + partner + unattributed = conversions and money

Baseline (who would have bought without marketing) and partner (what is a dealer's own) are there
only where a model or a deal has some. The surprise: it is added up from the rows as they are
printed, not from the arrays behind them, so `adds_up` tells of what the reader holds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from touchline.attribution.journeys import DIRECT
from touchline.measure.reserved import BASELINE, PARTNER

__all__ = ["footer", "part_of", "plain_count"]

PARTS = {BASELINE: "baseline", PARTNER: "partner"}
ALWAYS = ("credited", "direct")
CLOSE = 1e-9  # of the total: what sums of floats may be off by

Figures = Mapping[str, Any]


def footer(
    models: Sequence[str],
    rows: Sequence[Figures],
    unattributed: Mapping[str, Figures],
    totals: Figures,
) -> list[dict[str, Any]]:
    """One line for each model; each part and the total is {"conversions", "revenue"}."""
    apart = _sum(unattributed.values())
    return [_line(model, rows, apart, totals) for model in models]


def part_of(channel: str | None) -> str:
    """Which part of the footer a row of this channel is of."""
    name = (channel or "").strip().lower()
    return PARTS.get(name) or ("direct" if name in DIRECT else "credited")


def _line(
    model: str, rows: Sequence[Figures], apart: dict[str, Any], totals: Figures
) -> dict[str, Any]:
    parts: dict[str, list[Figures]] = {name: [] for name in ALWAYS}
    for row in rows:
        if row["model"] == model:
            parts.setdefault(part_of(row["channel"]), []).append(row)
    sums = {name: _sum(found) for name, found in parts.items()} | {"unattributed": apart}
    total = _sum(sums.values())
    return {"model": model, **sums, "total": total, "adds_up": _is_equal(total, totals)}


def _sum(parts: Iterable[Figures]) -> dict[str, Any]:
    found = list(parts)
    return {
        "conversions": plain_count(math.fsum(one["conversions"] for one in found)),
        "revenue": _added([one["revenue"] for one in found]),
    }


def _added(amounts: Sequence[int | float]) -> int | float:
    """Minor units stay whole numbers; a path file's money is what it is."""
    return sum(amounts) if all(type(one) is int for one in amounts) else math.fsum(amounts)


def plain_count(count: float) -> float:
    """Whole counts without a decimal point."""
    return int(count) if count == int(count) else count


def _is_equal(total: Figures, asked: Figures) -> bool:
    return all(
        math.isclose(total[name], asked[name], rel_tol=CLOSE, abs_tol=CLOSE)
        if type(total[name]) is float or type(asked[name]) is float
        else total[name] == asked[name]
        for name in ("conversions", "revenue")
    )
