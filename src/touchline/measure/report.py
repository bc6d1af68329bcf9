"""Credit + costs → the attribution report: one row per model and label, exactly adding up.

    rows + unattributed = conversions (to 1e-9) and revenue (to the minor unit), for every model

Money is rounded by largest remainder from the channel down, so campaigns add up to their channel.
"""

from typing import Any

import msgspec
import numpy as np

from touchline.attribution.credit import Credit, choose, credit
from touchline.attribution.inputs import Inputs, Options
from touchline.attribution.journeys import Floats
from touchline.attribution.remainder import apportion, apportion_nested
from touchline.identity.people import PersonMap
from touchline.journey.conversion import stages_beside
from touchline.journey.goal import Goal
from touchline.journey.rate import Rates
from touchline.measure.aggregate import aggregate_rows
from touchline.measure.basis import Basis, Question, basis_of
from touchline.measure.calibrated import Weighed, weigh
from touchline.measure.cost import Key, costs, has_aggregates, overlapping, spending
from touchline.measure.customer import customers
from touchline.measure.footer import BASELINE, PARTNER, footer
from touchline.measure.interval import Interval, Spread, Spreads, spreads
from touchline.measure.options import needs, options_of
from touchline.measure.provisional import Finality, Provisional, provisional
from touchline.measure.told import errors_of, fitted_of, sampled
from touchline.measure.twice import twice
from touchline.model import GRAINS, LABELS
from touchline.storage.engine import View

__all__ = ["Report", "Row", "report"]

ALWAYS = ("channel", "campaign", "term")
SHOWN = 10  # stages in a note
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
        window = self.question.window_days
        totals = {"conversions": self.conversions, "revenue": self.revenue}
        rows = [row.as_json() for row in self.rows]
        found: dict[str, Any] = {
            "goal": self.question.goal.name,
            "window_days": int(window) if window == int(window) else window,
            "currency": self.question.currency,
            **totals,
            "rows": rows,
            "unattributed": self.unattributed,
            "footer": footer(self.models, rows, self.unattributed, totals),
        }
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
        return found


def report(
    view: View,
    people: PersonMap,
    question: Question,
    models: str = "all",
    interval: Interval | None = None,
) -> Report:
    """Credit of every model asked for ("all" or "a,b"), joined with costs."""
    found = basis_of(view, people, question)
    journeys = found.journeys
    given = options_of(view, people, found, models)
    weighed = weigh(view, people, question, found, given) if needs("lift", models) else None
    if weighed is not None:
        given["lift"] = weighed.lift
    chosen, left_out = choose(models, journeys, **given)
    rates = Rates.of(view, question.currency)
    spent = costs(view, question.by, rates, days=question.days)
    rows: list[Row] = []
    answers = credit(journeys, chosen, **given)
    for one in answers.values():
        rows += _rows(one, found, spent, question.by)
    drawn = None if interval is None else _spreads(interval, found, answers, given)
    rows = [_with_spread(row, drawn, question.by) for row in rows]
    open_spend, notes = _doubts(view, question, rates)
    notes += [] if drawn is None else drawn.notes
    counted = found.counted + found.unrated
    if found.partners is not None and found.partners.unread:
        notes.append(("partner_unread", {"count": found.partners.unread}))
    if not counted:
        notes += _uncounted(view, question.goal)
    aggregates = aggregate_rows(
        view, tuple(name for name in question.by if name in LABELS), rates, question.days
    )
    untouched = ~journeys.is_touched
    missing = {*found.missing_rates, *((c, day.isoformat()) for c, day in rates.missing)}
    return Report(
        question=question,
        conversions=counted,
        revenue=found.revenue,
        rows=rows,
        unattributed={
            "no_touch": {
                "conversions": _plain(float(journeys.conversions[untouched].sum())),
                "revenue": int(journeys.value[untouched].sum()),
            },
            "no_rate": {"conversions": found.unrated, "revenue": 0},
        },
        notes=[*((why.code, why.params) for why in left_out), *sampled(answers.values()), *notes],
        missing_rates=tuple(sorted(missing)),
        provisional=open_spend,
        aggregates=aggregates,
        models=tuple(chosen),
        calibration=weighed,
        fitted=fitted_of(answers.values()),
        spreads=drawn,
    )


def _spreads(
    interval: Interval, found: Basis, answers: dict[str, Credit], given: Options
) -> Spreads:
    """How sure each figure is, customers being drawn again."""
    if found.bonds is None:
        raise ValueError("nobody said whose the journeys are")
    counted = tuple(found.conversions.column(name).to_numpy() for name in ("count", "revenue"))
    return spreads(
        interval,
        answers,
        found.labels,
        Inputs(found.journeys, **given),
        customers(found.bonds, len(found.conversions)),
        None if found.partners is None else (counted[0], counted[1]),
    )


def _with_spread(row: Row, drawn: Spreads | None, by: tuple[str, ...]) -> Row:
    if drawn is None:
        return row
    key = tuple(row.labels[name] for name in by)
    return msgspec.structs.replace(row, spread=drawn.of(row.model, key))


def _doubts(
    view: View, question: Question, rates: Rates
) -> tuple[Provisional | None, list[tuple[str, dict[str, Any]]]]:
    """Spend that may still change, and what is worth saying of spend."""
    notes: list[tuple[str, dict[str, Any]]] = []
    finality = Finality.of(view.documents, question.time_zone)
    found = provisional(view, spending(view, question.days), rates, finality)
    if found is not None:
        notes.append(("spend_provisional", found.in_words(question.currency)))
    again = twice(view, rates, question.days)
    if again is not None:
        notes.append(("spend_twice", again.in_words(question.currency)))
    if has_aggregates(view):
        rows = view.fetch(overlapping(view, question.days).select("channel").distinct())
        channels = sorted(rows.column("channel").to_pylist())
        if channels:
            notes.append(("aggregates_covered", {"channels": ", ".join(channels)}))
    return found, notes


def _uncounted(view: View, goal: Goal) -> list[tuple[str, dict[str, Any]]]:
    """Deals that are all in stages the goal does not know: 已签单 where it counts 赢单."""
    found = stages_beside(view, goal) if goal.stages else {}
    most = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
    stages = ", ".join(f"{stage or '–'} ({count:,})" for stage, count in most)
    return [("stages_uncounted", {"goal": goal.name, "stages": stages})] if most else []


def _rows(one: Credit, found: Basis, spent: dict[Key, int], by: tuple[str, ...]) -> list[Row]:
    keys, conversions, revenue = _totals(one, found, by)
    money = _whole(keys, revenue, int(found.journeys.value[found.journeys.is_touched].sum()))
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


def _plain(count: float) -> float:
    """Whole counts without a decimal point."""
    return int(count) if count == int(count) else count


def _whole(keys: list[Key], revenue: Floats, total: int) -> np.ndarray[Any, Any]:
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
