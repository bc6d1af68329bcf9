"""Journeys → what they look like: transitions, pairs, combinations and positions of channels.

    transitions   from one channel to the next: how often, how likely (Markov chain)
    synergy       pairs of channels that convert more, or less, than each does without the other
    combinations  sets of channels: people, conversion rate, revenue, cost
    positions     Shapley credit by place in the journey

Combinations and positions add up: rows, the rest beyond the limit and what is unattributed or a
partner's are all conversions and all money. The surprise: from a workspace money is whole minor
units, rounded as in reports; a file of paths keeps its own unit, unrounded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.combination import Combinations, combinations
from touchline.attribution.inputs import Inputs
from touchline.attribution.journeys import Journeys
from touchline.attribution.models import find
from touchline.attribution.remainder import apportion
from touchline.attribution.shapley import by_position, equal_set
from touchline.attribution.synergy import synergy
from touchline.attribution.transition import transitions
from touchline.errors import BadInput
from touchline.identity.people import PersonMap
from touchline.journey.rate import Rates
from touchline.measure.apart import missing_rates, totals, with_partner
from touchline.measure.basis import Question, basis_of
from touchline.measure.cost import costs
from touchline.measure.customer import customers
from touchline.measure.path_file import read_paths
from touchline.storage.engine import View

__all__ = ["KINDS", "LIMIT", "paths_patterns", "patterns"]

KINDS = ("transitions", "synergy", "combinations", "positions")
LIMIT = 100
POSITIONS = 10
Row = dict[str, Any]


def patterns(
    view: View,
    people: PersonMap,
    question: Question,
    show: str,
    *,
    order: int = 1,
    limit: int = LIMIT,
) -> Row:
    """Of the journeys of a workspace; `question.by` is the channel alone."""
    found = basis_of(view, people, question)
    names = found.journeys.labels.channels
    rates = Rates.of(view, question.currency)
    spent = costs(view, ("channel",), rates, days=question.days)
    cost = np.array([spent.get((name,), 0) for name in names], dtype=np.float64)
    elsewhere = sum(spent.values()) - int(cost.sum())
    whose = None if found.bonds is None else customers(found.bonds, found.journeys.converting)
    told = _Told(found.journeys, cost, whose, is_whole=True, limit=limit, order=order)
    answer = told.answer(show)
    if show == "combinations":
        answer["cost_elsewhere"] += elsewhere
    return {
        "goal": question.goal.name,
        "currency": question.currency,
        **totals(found),
        **answer,
        "unattributed": with_partner(found),
        **missing_rates((*found.missing_rates, *((c, d.isoformat()) for c, d in rates.missing))),
    }


def paths_patterns(path: Path, show: str, *, order: int = 1, limit: int = LIMIT) -> Row:
    """Of a file of paths, which knows neither people nor costs."""
    journeys = read_paths(path)
    told = _Told(journeys, None, None, is_whole=False, limit=limit, order=order)
    conversions, revenue = journeys.no_touch
    return {
        "goal": "default",
        "currency": None,
        "conversions": float(journeys.conversions.sum()),
        "revenue": float(journeys.value.sum()),
        **told.answer(show),
        "unattributed": {"no_touch": {"conversions": conversions, "revenue": revenue}},
    }


class _Told:
    """One question about the shape of journeys; each kind is a method of its name."""

    def __init__(
        self,
        journeys: Journeys,
        cost: Floats | None,
        whose: Ints | None,
        *,
        is_whole: bool,
        limit: int,
        order: int,
    ) -> None:
        self.journeys, self.cost, self.whose = journeys, cost, whose
        self.is_whole, self.limit, self.order = is_whole, limit, order
        self.names = journeys.labels.channels

    def answer(self, show: str) -> Row:
        kinds: dict[str, Callable[[], Row]] = {name: getattr(self, name) for name in KINDS}
        if show not in kinds:
            raise BadInput(
                "bad_argument", name="show", value=show, why=f"is none of {', '.join(KINDS)}."
            )
        return {"show": show, **kinds[show]()}

    def transitions(self) -> Row:
        """By source, the likeliest first."""
        self._demand_order()
        found = transitions(self.journeys, self.order)
        names = [" > ".join(state) for state in found.states]
        columns = (found.source, found.target, found.counts, found.probability)
        rows = [
            {"from": names[a], "to": names[b], "count": float(count), "probability": float(chance)}
            for a, b, count, chance in zip(*columns, strict=True)
        ]
        rows.sort(key=lambda row: (row["from"] != names[0], row["from"], -row["count"], row["to"]))
        return {"order": self.order, "rows": rows}

    def synergy(self) -> Row:
        """The most extra conversions first, what cannot be told last."""
        found = synergy(self.journeys)
        rows = [
            {
                "first": self.names[found.first[i]],
                "second": self.names[found.second[i]],
                "journeys": float(found.journeys[i]),
                "conversions": float(found.conversions[i]),
                "conversion_rate": _known(found.rate[i]),
                "expected_rate": _known(found.expected_rate[i]),
                "extra_conversions": _known(found.extra_conversions[i]),
                "standard_error": _known(found.error[i]),
                "extra_revenue": _known(found.extra_revenue[i]),
            }
            for i in range(len(found.first))
        ]
        rows.sort(
            key=lambda row: (row["extra_conversions"] is None, -(row["extra_conversions"] or 0))
        )
        return {"rows": rows}

    def combinations(self) -> Row:
        """The most conversions first; beyond the limit all together, as a row without channels."""
        found = combinations(self.journeys, self.cost, self.whose)
        cost = self._apportioned(np.append(found.cost, found.unspent.sum()))
        has_any = (found.journeys + found.cost > 0) | (found.revenue != 0)
        filled = np.flatnonzero((found.sets.sizes > 0) & has_any)
        keys = (filled, -found.revenue[filled], -found.journeys[filled], -found.conversions[filled])
        ranked = filled[np.lexsort(keys)]
        rows = [self._combination(found, cost, np.array([one])) for one in ranked[: self.limit]]
        for row, one in zip(rows, ranked, strict=False):
            low, high = found.sets.offsets[one : one + 2]
            row["channels"] = [self.names[code] for code in found.sets.members[low:high]]
        answer: Row = {
            "rows": rows,
            "cost_elsewhere": cost[-1].item(),
        }
        if len(ranked) > self.limit:
            answer["rest"] = {
                "combinations": len(ranked) - self.limit,
                **self._combination(found, cost, ranked[self.limit :]),
            }
            del answer["rest"]["channels"], answer["rest"]["people"]
        return answer

    def positions(self) -> Row:
        """By channel and place; the last place is that and all behind it."""
        counted, money = by_position(self.journeys, equal_set(self.journeys), POSITIONS)
        whole = self._apportioned(money.ravel()).reshape(money.shape)
        rows = [
            {
                "channel": self.names[code],
                "position": place + 1,
                "conversions": float(counted[code, place]),
                "revenue": whole[code, place].item(),
            }
            for code, place in np.argwhere((counted != 0) | (money != 0)).tolist()
        ]
        return {"model": "shapley", "rows": rows}

    def _combination(self, found: Combinations, cost: Any, which: Ints) -> Row:
        journeys, conversions = (
            float(column[which].sum()) for column in (found.journeys, found.conversions)
        )
        revenue, paid = self._money(found.revenue[which].sum()), cost[which].sum().item()
        return {
            "channels": [],
            "people": None if found.people is None else int(found.people[which].sum()),
            "journeys": journeys,
            "conversions": conversions,
            "conversion_rate": conversions / journeys if journeys else None,
            "revenue": revenue,
            "cost": None if self.cost is None else paid,
            "roas": revenue / paid if paid else None,
        }

    def _money(self, amount: float) -> float:
        return round(amount) if self.is_whole else float(amount)

    def _apportioned(self, money: Floats) -> Any:
        return apportion(money, round(float(money.sum()))) if self.is_whole else money

    def _demand_order(self) -> None:
        model = find(f"markov_{self.order}")
        if model is None:
            raise BadInput("bad_argument", name="order", value=self.order, why="is not 1 to 99.")
        why = model.obstacle(Inputs(self.journeys))
        if why is not None:
            raise why


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else float(figure)
