"""Journeys → doubts: what these data cannot tell apart, whichever model is asked.

An interval is narrow when there are many customers. It cannot see that two channels always come
together, so that how they share their credit is the model's habit and no finding. Four doubts:

    few           fewer than 30 conversions in all, or fewer than 20 that a channel was before
    together      two channels in nearly the same journeys: |both| ÷ |either| of at least 0.95
    no_failures   no journey without a conversion is known, so nothing can be compared
    no_contrast   which channels a journey has does not tell whether it converts: a score test of a
                  logistic regression on them all (Rao 1948) stays under its 95 % point

The surprise: the test needs no fit. At "nothing matters" the gradient is X'(y - p) and its
variance p (1 - p) X'X around the means, both sums over distinct sets of channels.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse, special

from touchline.attribution.arrays import Floats
from touchline.attribution.journeys import Journeys
from touchline.attribution.sets import channel_sets

__all__ = ["Doubt", "doubts"]

FEW_CONVERSIONS = 30
FEW_TOUCHED = 20
TOGETHER = 0.95
CHANCE = 0.05
SHOWN = 5
WIDE = 1_000  # channels; more take too long for a test
RANK = 1e-9  # of the largest eigenvalue: what is below it is no direction


@dataclass(frozen=True)
class Doubt:
    """`code` names a text of errors.MESSAGES, `params` fill it in."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


def doubts(journeys: Journeys) -> list[Doubt]:
    """What to say before anybody compares channels; the gravest first."""
    sets = channel_sets(journeys)
    has, totals = sets.table, sets.totals(journeys)[:2] * (sets.sizes > 0)
    all_of, won = totals.sum(axis=1).tolist()
    if not won:
        return []
    found: list[Doubt] = []
    if won < FEW_CONVERSIONS:
        found.append(Doubt("few_conversions", {"count": _plain(won), "least": FEW_CONVERSIONS}))
    names = journeys.labels.channels
    present, by_channel = (has.T @ total for total in totals)
    if np.count_nonzero(present) == 1:
        only = names[int(np.argmax(present))]
        return [*found, Doubt("one_channel", {"channel": only})]
    if all_of <= won:
        found.append(Doubt("no_failures"))
    elif (
        won >= FEW_CONVERSIONS and len(names) <= WIDE and (chance := _chance(has, totals)) > CHANCE
    ):
        found.append(Doubt("no_contrast", {"chance": f"{chance:.0%}"}))
    found += [
        Doubt("channels_together", {"a": names[a], "b": names[b], "share": f"{share:.0%}"})
        for share, a, b in _pairs(has, totals[0], present)[:SHOWN]
    ]
    rare = np.flatnonzero((present > 0) & (by_channel < FEW_TOUCHED))
    if won >= FEW_CONVERSIONS and len(rare):
        rare = rare[np.argsort(by_channel[rare], kind="stable")]
        told = [f"{names[i]} ({_plain(float(by_channel[i]))})" for i in rare]
        more = f" +{len(told) - SHOWN}" if len(told) > SHOWN else ""
        params = {"channels": ", ".join(told[:SHOWN]) + more, "least": FEW_TOUCHED}
        found.append(Doubt("channels_rare", params))
    return found


def _chance(has: sparse.csr_array, totals: Floats) -> float:
    """The chance of rates as different as these if no channel mattered; 1 if none differ at all."""
    weight, conversions = totals
    total = weight.sum()
    rate = conversions.sum() / total if total else 0.0
    if not 0 < rate < 1:
        return 1.0
    mean = has.T @ weight / total
    gradient = has.T @ (conversions - rate * weight)
    squares = (has.T @ (has * weight[:, None])).toarray()
    variance = rate * (1 - rate) * (squares - total * np.outer(mean, mean))
    values, vectors = np.linalg.eigh(variance)
    is_direction = values > RANK * max(float(values[-1]), 1e-300)
    score = (vectors.T @ gradient)[is_direction] ** 2 / values[is_direction]
    return float(special.chdtrc(max(int(is_direction.sum()), 1), score.sum()))


def _pairs(has: sparse.csr_array, weight: Floats, present: Floats) -> list[tuple[float, int, int]]:
    """Channels that are nearly always in a journey together; the closest first."""
    both = sparse.triu(has.T @ (has * weight[:, None]), k=1).tocoo()
    either = present[both.row] + present[both.col] - both.data
    share = np.divide(both.data, either, out=np.zeros(len(either)), where=either > 0)
    close = np.flatnonzero(share >= TOGETHER)
    found = [(float(share[i]), int(both.row[i]), int(both.col[i])) for i in close]
    return sorted(found, key=lambda one: (-one[0], one[1], one[2]))


def _plain(count: float) -> float:
    return int(count) if count == int(count) else round(count, 1)
