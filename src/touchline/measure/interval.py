"""Rows of a report → how sure each figure is: its ends, its rank, and what data cannot tell.

    "interval": {"conversions": {"low", "high"}, "revenue": …, "roas": …, "rank": …, "first": 0.93}

Costs are facts, so the ends of ROI and ROAS are those of revenue, and those of CAC are those of
conversions, the other way round. Ranks are by revenue among the channels (or finer rows) of one
model, by conversions where no money is known; "first" is the chance to be the largest.

The surprise: a stored report asks for replicates and draws whole customers; without that number
the quick twin is drawn, which is enough to look around. See attribution/interval.py.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.interval import Bounds, Draws, bounds, draws, standing
from touchline.attribution.journeys import Journeys
from touchline.attribution.replicate import whole
from touchline.attribution.resample import REPLICATES, Method, Sample
from touchline.attribution.separable import Doubt, doubts
from touchline.measure.customer import Int64s
from touchline.measure.reserved import BASELINE, PARTNER

__all__ = ["Interval", "Spread", "Spreads", "spreads"]

Key = tuple[str | None, ...]
End = float | int | None


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: how much of the replicates lies between the ends, and how many are drawn."""

    level: float = 0.95
    replicates: int | None = None
    seed: int = 0

    @property
    def method(self) -> Method:
        return "dirichlet" if self.replicates is None else "poisson"

    def sample(self, journeys: Journeys, customer: Int64s | None) -> Sample:
        return Sample(journeys, customer, self.replicates or REPLICATES, self.method, self.seed)


class Spread(msgspec.Struct, frozen=True):
    """Of one row; a rank has one only where it stands among others."""

    conversions: tuple[float, float]
    revenue: tuple[float, float]
    rank: tuple[int, int] | None = None
    first: float | None = None
    removal_effect: tuple[float, float] | None = None

    def as_json(self, cost: int | None, *, is_whole: bool) -> dict[str, Any]:
        """`is_whole`: money in minor units, not in the unit of a path file."""
        low, high = (round(end) if is_whole else end for end in self.revenue)
        fewest, most = self.conversions
        return {
            "conversions": _ends(fewest, most),
            "revenue": _ends(low, high),
            "roi": _of_cost(cost, (low - cost) / cost, (high - cost) / cost) if cost else None,
            "cac": None
            if cost is None or most <= 0
            else _of_cost(cost, cost / most, _each(cost, fewest)),
            "roas": _of_cost(cost, low / cost, high / cost) if cost else None,
            "removal_effect": None if self.removal_effect is None else _ends(*self.removal_effect),
            "rank": None if self.rank is None else _ends(*self.rank),
            "first": self.first,
        }


NOTHING = Spread((0.0, 0.0), (0.0, 0.0))  # a channel with costs and no touch


class Spreads(msgspec.Struct, frozen=True):
    """All of a report: by model and row, of the totals, and what the data cannot tell."""

    asked: Interval
    customers: int | None
    rows: dict[str, dict[Key, Spread]]
    total: Spread
    no_touch: Spread
    partners: dict[str | None, Spread]
    doubts: list[Doubt]

    @property
    def notes(self) -> list[tuple[str, dict[str, Any]]]:
        """The doubts as notes, for a person to read."""
        return [(one.code, one.params) for one in self.doubts]

    def of(self, model: str, key: Key) -> Spread | None:
        """Of one row; a partner's has its name for campaign where those are asked for."""
        if key[0] == PARTNER:
            return self.partners.get(next(filter(None, key[1:]), None))
        return self.rows[model].get(key, NOTHING)

    def as_json(self, *, is_whole: bool) -> dict[str, Any]:
        ends = [one.as_json(None, is_whole=is_whole) for one in (self.total, self.no_touch)]
        return {
            "level": self.asked.level,
            "method": self.asked.method,
            "replicates": self.asked.replicates or REPLICATES,
            "customers": self.customers,
            "conversions": ends[0]["conversions"],
            "revenue": ends[0]["revenue"],
            "no_touch": {name: ends[1][name] for name in ("conversions", "revenue")},
            "warnings": [{"code": one.code, **one.params} for one in self.doubts],
        }


def spreads(
    asked: Interval,
    answers: dict[str, Credit],
    labels: list[Key],
    journeys: Journeys,
    customer: Int64s | None = None,
    theirs: Mapping[str | None, tuple[Floats, Ints]] | None = None,
) -> Spreads:
    """Draws every model's answer anew; `labels` name the label codes of the journeys.

    `theirs` are the conversions and money of each converting journey that are a partner's, and so
    in no journey: by name, and of all as None.
    """
    sample = asked.sample(journeys, customer)
    found = {
        model: _of_model(draws(one, sample), labels, asked.level) for model, one in answers.items()
    }
    apart = theirs or {}
    own = (journeys.conversions, journeys.value)
    drawn = whole(sample, [*own, *itertools.chain.from_iterable(apart.values())])
    sums = drawn.sum(axis=2).reshape(len(drawn), -1, 2)
    place = {name: at for at, name in enumerate(apart, 1)}
    everything = bounds(sums[:, [0, *([place[None]] if apart else [])]].sum(axis=1), asked.level)
    untouched = bounds(drawn[:, :2, 1], asked.level)
    partners = {name: bounds(sums[:, at], asked.level) for name, at in place.items()}
    return Spreads(
        asked,
        None if customer is None else len(np.unique(customer)),
        found,
        Spread(_at(everything, 0), _at(everything, 1)),
        Spread(_at(untouched, 0), _at(untouched, 1)),
        {name: Spread(_at(ends, 0), _at(ends, 1)) for name, ends in partners.items()},
        doubts(journeys),
    )


def _of_model(drawn: Draws, labels: list[Key], level: float) -> dict[Key, Spread]:
    """Spreads of the rows that `report` makes of the same answer."""
    keys, conversions, revenue = _columns(drawn, labels)
    if not keys:
        return {}
    ranked = [i for i, key in enumerate(keys) if key[0] != BASELINE]
    by = revenue if revenue.any() else conversions
    place = standing(by[:, ranked], level)
    counted, paid = bounds(conversions, level), bounds(revenue, level)
    lost = None if drawn.removal_effect is None else bounds(drawn.removal_effect, level)
    effect_of = (
        {}
        if lost is None or any(len(key) > 1 for key in keys)
        else {name: _at(lost, code) for code, name in enumerate(drawn.labels.channels)}
    )
    rank_of = {
        i: ((int(place.low[at]), int(place.high[at])), float(place.first[at]))
        for at, i in enumerate(ranked)
    }
    return {
        key: Spread(
            _at(counted, i),
            _at(paid, i),
            *rank_of.get(i, (None, None)),
            removal_effect=effect_of.get(str(key[0])),
        )
        for i, key in enumerate(keys)
    }


def _columns(drawn: Draws, labels: list[Key]) -> tuple[list[Key], Floats, Floats]:
    """Replicates × rows: labels, what no label of a channel can take, and the baseline."""
    rest: Key = (None,) * (len(labels[0]) - 1) if labels else ()
    keys, place = list(labels), {key: i for i, key in enumerate(labels)}
    conversions = [*drawn.label_conversions.T]
    revenue = [*drawn.label_revenue.T]
    left = drawn.leftover_conversions.any(axis=0) | drawn.leftover_revenue.any(axis=0)
    for code in np.flatnonzero(left):
        key = (drawn.labels.channels[code], *rest)
        if key not in place:
            place[key] = len(keys)
            keys.append(key)
            conversions.append(np.zeros(len(drawn.label_conversions)))
            revenue.append(np.zeros(len(drawn.label_conversions)))
        conversions[place[key]] = conversions[place[key]] + drawn.leftover_conversions[:, code]
        revenue[place[key]] = revenue[place[key]] + drawn.leftover_revenue[:, code]
    if drawn.baseline_conversions is not None and drawn.baseline_revenue is not None:
        keys.append((BASELINE, *rest))
        conversions.append(drawn.baseline_conversions)
        revenue.append(drawn.baseline_revenue)
    if not keys:
        return [], np.zeros((0, 0)), np.zeros((0, 0))
    return keys, np.stack(conversions, axis=1), np.stack(revenue, axis=1)


def _at(ends: Bounds, column: int) -> tuple[float, float]:
    return float(ends.low[column]), float(ends.high[column])


def _each(cost: int, conversions: float) -> float | None:
    """What each of them cost; without bound where there may be none."""
    return cost / conversions if conversions > 0 else None


def _of_cost(cost: int, low: End, high: End) -> dict[str, End]:
    """Ends of what is told for each unit of cost: where rebates exceed the spend they change
    places.
    """
    return _ends(low, high) if cost >= 0 else _ends(high, low)


def _ends(low: End, high: End) -> dict[str, End]:
    return {"low": low, "high": high}
