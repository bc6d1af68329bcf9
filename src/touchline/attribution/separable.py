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
from scipy import sparse, stats

from touchline.attribution.arrays import Floats, tally
from touchline.attribution.journeys import Journeys
from touchline.attribution.replicate import distinct_sets

__all__ = ["Doubt", "contrast", "doubts"]

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


@dataclass(frozen=True, eq=False)
class _Sets:
    """Distinct sets of channels: which they are (sets × channels), and how often they occur."""

    has: Any  # scipy.sparse.csr_array
    weight: Floats
    conversions: Floats

    @classmethod
    def of(cls, journeys: Journeys) -> "_Sets":
        code, members = distinct_sets(journeys)
        ends = np.concatenate([[0], np.cumsum([len(one) for one in members])]).astype(np.int64)
        index = np.concatenate([*members, np.zeros(0, np.int64)]).astype(np.int64)
        shape = (len(members), len(journeys.labels.channels))
        touched = journeys.lengths > 0
        won = code[: journeys.converting]
        return cls(
            has=sparse.csr_array((np.ones(len(index)), index, ends), shape=shape),
            weight=tally(code, journeys.weight * touched, len(members)),
            conversions=tally(won, journeys.conversions * journeys.is_touched, len(members)),
        )


def doubts(journeys: Journeys) -> list[Doubt]:
    """What to say before anybody compares channels; the gravest first."""
    sets = _Sets.of(journeys)
    won, all_of = float(sets.conversions.sum()), float(sets.weight.sum())
    if not won:
        return []
    found: list[Doubt] = []
    if won < FEW_CONVERSIONS:
        found.append(Doubt("few_conversions", {"count": _plain(won), "least": FEW_CONVERSIONS}))
    names = journeys.labels.channels
    by_channel = sets.has.T @ sets.conversions
    present = sets.has.T @ sets.weight
    if np.count_nonzero(present) == 1:
        only = names[int(np.argmax(present))]
        return [*found, Doubt("one_channel", {"channel": only})]
    if all_of <= won:
        found.append(Doubt("no_failures"))
    elif won >= FEW_CONVERSIONS and len(names) <= WIDE and (chance := _chance(sets)) > CHANCE:
        found.append(Doubt("no_contrast", {"chance": f"{chance:.0%}"}))
    found += [
        Doubt("channels_together", {"a": names[a], "b": names[b], "share": f"{share:.0%}"})
        for share, a, b in _pairs(sets, present)[:SHOWN]
    ]
    rare = np.flatnonzero((present > 0) & (by_channel < FEW_TOUCHED))
    if won >= FEW_CONVERSIONS and len(rare):
        rare = rare[np.argsort(by_channel[rare], kind="stable")]
        told = [f"{names[i]} ({_plain(float(by_channel[i]))})" for i in rare]
        more = f" +{len(told) - SHOWN}" if len(told) > SHOWN else ""
        params = {"channels": ", ".join(told[:SHOWN]) + more, "least": FEW_TOUCHED}
        found.append(Doubt("channels_rare", params))
    return found


def contrast(journeys: Journeys) -> float:
    """The chance of rates as different as these if no channel mattered; 1 if none differ at all."""
    return _chance(_Sets.of(journeys))


def _chance(sets: _Sets) -> float:
    total = sets.weight.sum()
    rate = sets.conversions.sum() / total if total else 0.0
    if not 0 < rate < 1:
        return 1.0
    mean = sets.has.T @ sets.weight / total
    gradient = sets.has.T @ (sets.conversions - rate * sets.weight)
    squares = (sets.has.T @ (sets.has * sets.weight[:, None])).toarray()
    variance = rate * (1 - rate) * (squares - total * np.outer(mean, mean))
    values, vectors = np.linalg.eigh(variance)
    is_direction = values > RANK * max(float(values[-1]), 1e-300)
    score = (vectors.T @ gradient)[is_direction] ** 2 / values[is_direction]
    return float(stats.chi2.sf(score.sum(), max(int(is_direction.sum()), 1)))


def _pairs(sets: _Sets, present: Floats) -> list[tuple[float, int, int]]:
    """Channels that are nearly always in a journey together; the closest first."""
    both = sparse.triu(sets.has.T @ (sets.has * sets.weight[:, None]), k=1).tocoo()
    either = present[both.row] + present[both.col] - both.data
    share = np.divide(both.data, either, out=np.zeros(len(either)), where=either > 0)
    close = np.flatnonzero(share >= TOGETHER)
    found = [(float(share[i]), int(both.row[i]), int(both.col[i])) for i in close]
    return sorted(found, key=lambda one: (-one[0], one[1], one[2]))


def _plain(count: float) -> float:
    return int(count) if count == int(count) else round(count, 1)
