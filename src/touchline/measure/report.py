"""Credit + costs → the attribution report: one row per model and label, exactly adding up.

    rows + unattributed = conversions (to 1e-9) and revenue (to the minor unit), for every model

Money is rounded by largest remainder from the channel down, so campaigns add up to their channel.
"""

from typing import Any

import msgspec
import numpy as np

from touchline.attribution.credit import Credit
from touchline.attribution.journeys import Floats
from touchline.attribution.remainder import apportion, apportion_nested
from touchline.identity.people import PersonMap
from touchline.journey.rate import Rates
from touchline.measure.aggregate import aggregate_rows
from touchline.measure.answers import Answers, answers
from touchline.measure.apart import missing_rates
from touchline.measure.basis import Basis, Question
from touchline.measure.calibrated import Weighed
from touchline.measure.cost import Key, costs
from touchline.measure.customer import customers
from touchline.measure.doubts import doubts_of
from touchline.measure.footer import footer
from touchline.measure.interval import Interval, Spread, Spreads, spreads
from touchline.measure.notes import noted
from touchline.measure.provisional import Provisional
from touchline.measure.reserved import BASELINE, PARTNER
from touchline.measure.told import errors_of, fitted_of, sampled
from touchline.model import GRAINS, LABELS
from touchline.storage.engine import View

__all__ = ["Report", "Row", "report", "whole_money"]

ALWAYS = ("channel", "campaign", "term")
ORDER = (*ALWAYS, *(name for name in GRAINS if name not in ALWAYS))


class Row(msgspec.Struct, frozen=True):
    """Money in minor units of the report's currency; null where a figure is not defined."""

    model: str
    labels: dict[str, str | None]
    conversions: float
    revenue: int
    cost: int
    removal_effect: float | None = None
    standard_error: dict[str, float] | None = None
    spread: Spread | None = None

    def as_json(self) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.standard_error is not None:
            more["standard_error"] = self.standard_error
        if self.spread is not None:
            more["interval"] = self.spread.as_json(self.cost, is_whole=True)
        return {
            "model": self.model,
            **dict.fromkeys(ALWAYS),
            **self.labels,
            "conversions": self.conversions,
            "revenue": self.revenue,
            "cost": self.cost,
            "roi": (self.revenue - self.cost) / self.cost + 0.0 if self.cost else None,
            "cac": self.cost / self.conversions if self.conversions > 0 else None,
            "roas": self.revenue / self.cost + 0.0 if self.cost else None,
            "removal_effect": self.removal_effect,
            **more,
        }


class Report(msgspec.Struct, frozen=True):
    """The answer; `notes` say what was left out and why, for a person to read."""

    question: Question
    conversions: int
    revenue: int
    rows: list[Row]
    unattributed: dict[str, dict[str, float]]
    notes: list[tuple[str, dict[str, Any]]]
    missing_rates: tuple[tuple[str, str], ...] = ()
    provisional: Provisional | None = None
    aggregates: list[dict[str, Any]] = []
    models: tuple[str, ...] = ()
    calibration: Weighed | None = None
    fitted: dict[str, dict[str, float | None]] = {}
    spreads: Spreads | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON of docs/reference/http.md. What is rare has a key only where there is some."""
        totals = {"conversions": self.conversions, "revenue": self.revenue}
        rows = [row.as_json() for row in self.rows]
        found: dict[str, Any] = {
            "goal": self.question.goal.name,
            "window_days": self.question.window,
            "currency": self.question.currency,
            **totals,
            "rows": rows,
            "unattributed": self.unattributed,
            "footer": footer(self.models, rows, self.unattributed, totals),
        }
        if rules := self.question.goal.touch_rules:
            found["rules"] = rules
        if self.fitted:
            found["fitted"] = self.fitted
        if self.aggregates:
            found["aggregates"] = self.aggregates
        if self.calibration is not None:
            found["calibration"] = self.calibration.as_json()
        if self.spreads is not None:
            found["interval"] = self.spreads.as_json(is_whole=True)
        if self.provisional is not None:
            found["provisional"] = self.provisional.as_json()
        return found | noted(self.notes) | missing_rates(self.missing_rates)


def report(
    view: View,
    people: PersonMap,
    question: Question,
    models: str = "all",
    interval: Interval | None = None,
) -> Report:
    """Credit of every model asked for ("all" or "a,b"), joined with costs."""
    told = answers(view, people, question, models)
    found = told.found
    rates = Rates.of(view, question.currency)
    spent = costs(view, question.by, rates, days=question.days)
    drawn = None if interval is None else _spreads(interval, told)
    rows = [
        _with_spread(row, drawn, question.by)
        for one in told.credits.values()
        for row in _rows(one, found, spent, question.by)
    ]
    open_spend, doubts = doubts_of(view, question, found, rates)
    aggregates = aggregate_rows(
        view, tuple(name for name in question.by if name in LABELS), rates, question.days
    )
    missing = {*found.missing_rates, *((c, day.isoformat()) for c, day in rates.missing)}
    return Report(
        question=question,
        conversions=found.counted + found.unrated,
        revenue=found.revenue,
        rows=rows,
        unattributed=told.unattributed,
        notes=[
            *((why.code, why.params) for why in told.left_out),
            *sampled(told.credits.values()),
            *doubts,
            *([] if drawn is None else drawn.notes),
        ],
        missing_rates=tuple(sorted(missing)),
        provisional=open_spend,
        aggregates=aggregates,
        models=tuple(told.credits),
        calibration=told.weighed,
        fitted=fitted_of(told.credits.values()),
        spreads=drawn,
    )


def _spreads(interval: Interval, told: Answers) -> Spreads:
    """How sure each figure is, customers being drawn again."""
    found = told.found
    if found.bonds is None:
        raise ValueError("nobody said whose the journeys are")
    return spreads(
        interval,
        told.credits,
        found.labels,
        found.journeys,
        customers(found.bonds, len(found.conversions)),
        None if found.partners is None else found.partners.drawn(found.conversions),
    )


def _with_spread(row: Row, drawn: Spreads | None, by: tuple[str, ...]) -> Row:
    if drawn is None:
        return row
    key = tuple(row.labels[name] for name in by)
    return msgspec.structs.replace(row, spread=drawn.of(row.model, key))


def _rows(one: Credit, found: Basis, spent: dict[Key, int], by: tuple[str, ...]) -> list[Row]:
    keys, conversions, revenue = _totals(one, found, by)
    money = whole_money(keys, revenue, int(found.journeys.value[found.journeys.is_touched].sum()))
    effects: dict[str, float] = {}
    if one.removal_effect is not None and by == ("channel",):
        lost = one.removal_effect.tolist()
        effects = dict(zip(found.journeys.labels.channels, lost, strict=True))
    errors = errors_of(one) if by == ("channel",) else {}
    credited_rows = {
        key: Row(
            one.model,
            dict(zip(by, key, strict=True)),
            float(conversions[i]),
            int(money[i]),
            spent.get(key, 0),
            effects.get(str(key[0])),
            errors.get(str(key[0])),
        )
        for i, key in enumerate(keys)
        if conversions[i] or money[i]
    }
    theirs = _partner_rows(one.model, found, by)
    unpaid = [
        Row(one.model, dict(zip(by, key, strict=True)), 0.0, 0, cost, effects.get(str(key[0])))
        for key, cost in spent.items()
        if key not in credited_rows
    ]
    return sorted([*credited_rows.values(), *theirs, *unpaid], key=_place)


def _partner_rows(model: str, found: Basis, by: tuple[str, ...]) -> list[Row]:
    """What is a partner's, the same under every model; by name where a campaign is asked for."""
    if found.partners is None:
        return []
    sums: dict[str | None, tuple[float, int]] = {}
    for name, (conversions, revenue) in found.partners.totals(found.conversions).items():
        key = name if "campaign" in by else None
        before = sums.get(key, (0.0, 0))
        sums[key] = before[0] + conversions, before[1] + revenue
    rest = dict.fromkeys(by[1:])
    return [
        Row(model, {"channel": PARTNER, **rest, **({"campaign": name} if name else {})}, *part, 0)
        for name, part in sums.items()
    ]


def _totals(one: Credit, found: Basis, by: tuple[str, ...]) -> tuple[list[Key], Floats, Floats]:
    """Label totals, behind them what channels hold that no finer label can take, and what would
    have come without marketing.
    """
    names = found.journeys.labels.channels
    rest: Key = (None,) * (len(by) - 1)
    place = {key: i for i, key in enumerate(found.labels)}
    keys = list(found.labels)
    conversions = [*one.label_conversions.tolist()]
    revenue = [*one.label_revenue.tolist()]
    for code, name in enumerate(names):
        left = (float(one.leftover_conversions[code]), float(one.leftover_revenue[code]))
        if left == (0.0, 0.0):
            continue
        key = (name, *rest)
        if key in place:
            conversions[place[key]] += left[0]
            revenue[place[key]] += left[1]
        else:
            keys.append(key)
            conversions.append(left[0])
            revenue.append(left[1])
    if one.baseline_conversions or one.baseline_revenue:
        keys.append((BASELINE, *rest))
        conversions.append(one.baseline_conversions)
        revenue.append(one.baseline_revenue)
    return keys, np.array(conversions), np.array(revenue)


def whole_money(keys: list[Key], revenue: Floats, total: int) -> np.ndarray[Any, Any]:
    """Rounded from the first label down, so that finer rows add up to coarser ones."""
    if not keys:
        return np.zeros(0, dtype=np.int64)
    depth = len(keys[0])
    if depth == 1:
        return apportion(revenue, total)
    levels = [
        np.unique([repr(key[:level]) for key in keys], return_inverse=True)[1]
        for level in range(1, depth)
    ]
    return apportion_nested(revenue, levels, total)


def _place(row: Row) -> tuple[Any, ...]:
    """Revenue descending, then labels; null labels first."""
    names = tuple((row.labels.get(name) or "") for name in ORDER)
    return (-row.revenue, *names)
