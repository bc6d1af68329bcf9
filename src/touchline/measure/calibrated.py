"""A report's lift tests → what `calibrated` is computed from, and its numbers beside the model's.

    weigh      carries the tests to the report's days and weighs them against the model
    as_json    model, test and calibrated number of each channel, side by side
    next_tests which test to make next: what is known of all channels after each, expected

Campaigns are weighed whenever one was tested, also for a report that shows channels alone, so that
a channel has one number at every grain.

The surprise: a test of what stands on no journey (posters, radio) calibrates nothing, as there is
no model's number. It is carried by cost, or by days, and stands beside the credit as what it is.
"""

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from touchline.attribution.answer import Credit
from touchline.attribution.calibrate import Findings, Fitted, Posterior, Scope, expected_sd
from touchline.attribution.calibrated import Lift, findings, posteriors
from touchline.attribution.inputs import Inputs, Options
from touchline.attribution.models import base_of
from touchline.identity.people import PersonMap
from touchline.journey.rate import Rates
from touchline.measure.aggregate import aggregate_rows
from touchline.measure.basis import Basis, Question, basis_of
from touchline.measure.lift import Days, Presence, Shares, Told, named_of, presence_of, tells, told
from touchline.measure.lift_test import Named
from touchline.storage.engine import View

__all__ = ["Weighed", "next_tests", "weigh", "weighed_with"]

MOST_CAMPAIGNS = 50  # that a test is thought through for, those known least
NORMAL_95 = 1.959963984540054
OPEN: Days = (None, None)
CHANNELS, CAMPAIGNS = ("channel",), ("channel", "campaign")


@dataclass(frozen=True, eq=False)
class Weighed:
    """`lift` is for the journeys of the report; the rest is at the grain the tests are weighed."""

    lift: Lift | None
    tests: list[Told]
    weighed: Lift | None = None
    named: tuple[Named, ...] = ()
    beside: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The `calibration` of a report's JSON."""
        found: dict[str, Any] = {"base_model": None, "rows": []}
        if self.weighed is not None and self.weighed.base and self.weighed.known:
            conversions = self.weighed.known[0]
            found |= {
                "base_model": self.weighed.base.model,
                "kept": conversions.ratio,
                "kept_error": conversions.ratio_sd,
                "width": conversions.width,
                "rows": self._rows(self.weighed, self.weighed.base),
            }
        beside = {row["name"] for row in self.beside}
        found["unused"] = [
            {"name": one.test.name, "reason": "not_on_journeys"}
            for one in self.tests
            if one.effect is None and one.test.name not in beside
        ]
        found["aggregates"] = list(self.beside)
        return found

    def _rows(self, lift: Lift, base: Credit) -> list[dict[str, Any]]:
        fitted, seen = findings(base, lift)
        conversions, revenue = posteriors(base, lift)
        rows: list[dict[str, Any]] = []
        for key, scope in _scopes(self, base, fitted, campaigns=True):
            mean, sd = _known(conversions, scope)
            money, money_sd = _known(revenue, scope)
            tested, tested_error = _pooled(seen, scope)
            rows.append(
                {
                    "channel": key[0],
                    "campaign": key[1],
                    "modelled": fitted.of(scope),
                    "tested": tested,
                    "tested_error": tested_error,
                    "calibrated": mean,
                    "error": sd,
                    "low": mean - NORMAL_95 * sd,
                    "high": mean + NORMAL_95 * sd,
                    "revenue": round(money),
                    "revenue_error": round(money_sd),
                    "tests": [
                        one.test.name
                        for one in self.tests
                        if one.test.named == key and one.effect is not None
                    ],
                }
            )
        return rows


def weigh(
    view: View, people: PersonMap, question: Question, found: Basis, given: Options
) -> Weighed | None:
    """What the question's lift tests say of its days; None where it has none."""
    return weighed_with(view, people, question, found, given) if question.lift else None


def weighed_with(
    view: View,
    people: PersonMap,
    question: Question,
    found: Basis,
    given: Options,
    *,
    least: int = 1,
) -> Weighed:
    """The same with as few tests as that: what is known before the first."""
    by = question.by
    has_campaigns = any(test.campaign is not None for test in question.lift)
    basis = found
    if has_campaigns and "campaign" not in by:
        by = CAMPAIGNS
        basis = basis_of(view, people, msgspec.structs.replace(question, by=by))

    @functools.cache
    def tested() -> Presence:
        """On any days of the tests, all found at once."""
        other = CAMPAIGNS if has_campaigns else CHANNELS
        spans = [test.days for test in question.lift]
        days = min(first for first, _ in spans), max(last for _, last in spans)
        asked = msgspec.structs.replace(question, days=days, by=other)
        return presence_of(basis_of(view, people, asked), other)

    def then(days: Days) -> Shares:
        return tested()(days)

    tests = told(question.lift, question.days, presence_of(basis, by)(OPEN), then)
    beside = tuple(_beside(view, question, tests))
    lift = tells(tests, basis, by)
    if all(scope.unit is None for scope in lift.scopes):  # what cannot be used changes nothing
        basis, by = found, question.by
        lift = tells(tests, basis, by)
    if len(lift.scopes) < least:
        return Weighed(None, tests, beside=beside)
    lift = _weighed(basis, lift, given)
    named = tuple(dict.fromkeys(named_of(basis, by)))
    own = lift if basis is found else _of_channels(lift, base_of(Inputs(found.journeys, **given)))
    return Weighed(own, tests, lift, named, beside)


def next_tests(weighed: Weighed, error: float, *, campaigns: bool) -> list[dict[str, Any]]:
    """Each test that could be made, what brings most first. `error`: its standard error, as a part
    of what is tested, or of the mean channel where that is more.
    """
    lift = weighed.weighed
    if lift is None or lift.base is None or lift.known is None:
        return []
    fitted, seen = findings(lift.base, lift)
    known = lift.known[0]
    now = float(known.channel_sd.sum())
    # The noise of a test is that of all conversions: no small channel is tested ever so exactly.
    usual = float(np.abs(known.channel_mean).mean()) if len(known.channel_mean) else 0.0
    rows: list[dict[str, Any]] = []
    found = _scopes(weighed, lift.base, fitted, campaigns=campaigns)
    vaguest = sorted(found, key=lambda one: (one[1].unit is not None, -_known(known, one[1])[1]))
    for (channel, campaign), scope in vaguest[: fitted.channels + MOST_CAMPAIGNS]:
        (mean, sd), size = _known(known, scope), fitted.of(scope)
        planned = error * max(abs(mean), abs(size), usual)
        if planned <= 0:
            continue
        after = expected_sd(fitted, seen, scope, planned)
        rows.append(
            {
                "channel": channel,
                "campaign": campaign,
                "modelled": size,
                "calibrated": mean,
                "error": sd,
                "planned_error": planned,
                "channel_error_after": float(after[scope.channel]),
                "reduction": 1 - float(after.sum()) / now if now else 0.0,
            }
        )
    return sorted(rows, key=lambda row: (-row["reduction"], row["channel"], row["campaign"] or ""))


def _scopes(
    weighed: Weighed, base: Credit, fitted: Fitted, *, campaigns: bool
) -> Iterable[tuple[Named, Scope]]:
    for code, name in enumerate(base.journeys.labels.channels):
        yield (name, None), Scope(code)
    if campaigns:
        for unit, key in enumerate(weighed.named):
            if key[1] is not None:
                yield key, Scope(int(fitted.channel_of[unit]), unit)


def _known(known: Posterior, scope: Scope) -> tuple[float, float]:
    """Mean and standard deviation of what is known of a scope."""
    if scope.unit is not None:
        return float(known.mean[scope.unit]), float(known.sd[scope.unit])
    return float(known.channel_mean[scope.channel]), float(known.channel_sd[scope.channel])


def _pooled(seen: Findings, scope: Scope) -> tuple[float | None, float | None]:
    """What tests of the same found, each counting by its precision."""
    mine = [place for place, one in enumerate(seen.scopes) if one == scope]
    if not mine:
        return None, None
    weight = 1 / np.square(seen.error[mine])
    return float(weight @ seen.effect[mine] / weight.sum()), float(weight.sum() ** -0.5)


def _weighed(basis: Basis, lift: Lift, given: Options) -> Lift:
    base = base_of(Inputs(basis.journeys, **given))
    return replace(lift, base=base, known=posteriors(base, lift))


def _of_channels(lift: Lift, base: Credit) -> Lift:
    """What is known of channels, for journeys whose labels do not tell campaigns."""
    assert lift.known is not None  # noqa: S101  # `_weighed` came before
    known = tuple(replace(one, mean=one.channel_mean, sd=one.channel_sd) for one in lift.known)
    channel_of = base.journeys.labels.channel_of
    return replace(lift, base=base, known=(known[0], known[1]), unit_of=channel_of)


def _beside(view: View, question: Question, tests: list[Told]) -> Iterable[dict[str, Any]]:
    """Tests of touches that name nobody, carried to the report's days: by cost, else by days."""
    apart = [one.test for one in tests if one.effect is None]
    if not apart:
        return
    rates = Rates.of(view, question.currency)
    here = aggregate_rows(view, CAMPAIGNS, rates, question.days)
    for test in apart:
        there = aggregate_rows(view, CAMPAIGNS, rates, test.days)
        now, then = _cost(here, test.named), _cost(there, test.named)
        if now is None or then is None:
            continue
        factor = now / then if now and then else _overlap(question.days, test.days)
        effect, error = test.effect * factor, test.error * factor
        yield {
            "name": test.name,
            "channel": test.channel,
            "campaign": test.campaign,
            "metric": test.metric,
            "effect": effect,
            "error": error,
            "low": effect - NORMAL_95 * error,
            "high": effect + NORMAL_95 * error,
            "cost": now,
            "carried_by": "cost" if now and then else "days",
        }


def _cost(rows: list[dict[str, Any]], named: Named) -> int | None:
    """What it cost, or None where it is not there."""
    mine = [
        row["cost"]
        for row in rows
        if row["channel"] == named[0] and named[1] in (None, row["campaign"])
    ]
    return sum(mine) if mine else None


def _overlap(days: Days, of: tuple[dt.date, dt.date]) -> float:
    """Which part of a test's days are the report's too."""
    first, last = max(days[0] or of[0], of[0]), min(days[1] or of[1], of[1])
    return max((last - first).days + 1, 0) / ((of[1] - of[0]).days + 1)
