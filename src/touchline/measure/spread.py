"""How long, how many: values with weights → mean, median, 90 % and how many lie in each band."""

from typing import Any

import numpy as np

from touchline.attribution.arrays import Floats

__all__ = ["DAYS", "TOUCHES", "Band", "spread"]

Band = tuple[int, int | None]
TOUCHES: tuple[Band, ...] = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, None))
DAYS: tuple[Band, ...] = ((0, 1), (1, 7), (7, 30), (30, 90), (90, 180), (180, None))


def spread(values: Floats, weight: Floats, bands: tuple[Band, ...]) -> dict[str, Any]:
    """How values are spread, each counted by its weight. Bands hold their first value; of whole
    numbers also their last.
    """
    total = float(weight.sum())
    is_whole = bands is TOUCHES
    counts: list[dict[str, Any]] = []
    for start, stop in bands:
        is_in = values >= start
        if stop is not None:
            is_in &= values <= stop if is_whole else values < stop
        counts.append({"from": start, "to": stop, "conversions": float(weight[is_in].sum())})
    return {
        "conversions": total,
        "mean": float((values * weight).sum() / total) if total else None,
        **{name: _quantile(values, weight, at) for name, at in (("median", 0.5), ("p90", 0.9))},
        "bands": counts,
    }


def _quantile(values: Floats, weight: Floats, at: float) -> float | None:
    """The least value that this share of the weight does not exceed."""
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, at * reached[-1] * (1 - 1e-12))])
