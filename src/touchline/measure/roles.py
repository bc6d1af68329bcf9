"""One question about credit → how journeys go: who opens, helps and closes, how long that takes,
which paths win, and what comes before a loss.

    openers + unattributed = closers + unattributed = conversions and money

Openers, assists and closers are three views of the same conversions: each adds up by itself
(assists to conversions of three touches and more), together they count most conversions twice.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from touchline import clock
from touchline.attribution.arrays import Floats
from touchline.attribution.journeys import Journeys
from touchline.attribution.remainder import apportion
from touchline.attribution.roles import Role, Roles, ended, roles
from touchline.attribution.sequences import sequences
from touchline.attribution.stages import UNKNOWN_US
from touchline.identity.people import PersonMap
from touchline.measure.apart import missing_rates, totals, with_partner
from touchline.measure.basis import Basis, Question, basis_of
from touchline.measure.crediting import Crediting
from touchline.measure.loss import before_loss, path_row
from touchline.measure.spread import DAYS, TOUCHES, spread
from touchline.measure.stages import milestones
from touchline.storage.engine import View

__all__ = ["ROLES", "TOP", "roles_report", "waits"]

ROLES = ("opener", "assist", "closer")
TOP = 20
Shown = dict[str, Any]


def roles_report(view: View, people: PersonMap, question: Question, *, top: int = TOP) -> Shown:
    """Everything about the journeys of a goal. `top`: how many paths are told."""
    found = basis_of(view, people, question)
    crediting = Crediting.of(view.documents)
    journeys = found.journeys
    told = roles(journeys)
    whole: Shown = {
        "goal": question.goal.name,
        "window_days": question.window,
        "currency": question.currency,
        **totals(found),
        "rows": _rows(found, question.by, told),
        "unattributed": with_partner(found),
    }
    whole["footer"] = _footer(whole)
    whole["touches_to_convert"] = spread(*_lengths(journeys), TOUCHES)
    whole["days_to_convert"] = spread(*waits(found), DAYS)
    whole["between_stages"] = _between(view, people, found, crediting)
    whole["paths"] = [path_row(one, found) for one in sequences(journeys, top)]
    whole["loss"] = before_loss(view, people, question, found, told=told, top=top)
    return whole | missing_rates(found.missing_rates)


def _rows(found: Basis, by: tuple[str, ...], told: Roles) -> list[Shown]:
    """A row a label that any journey holds, the most opened first."""
    journeys = found.journeys
    lost = ended(journeys)
    counted = float(journeys.conversions[journeys.is_touched].sum())
    parts = {name: _money(getattr(told, name)) for name in ROLES}
    rows: list[Shown] = []
    for code, label in enumerate(found.labels):
        if not told.present[code] and not lost.present[code]:
            continue
        rows.append(
            {
                **dict(zip(by, label, strict=True)),
                **{name: _part(getattr(told, name), parts[name], code) for name in ROLES},
                **_of_paths(told, code, counted),
                **{name: float(getattr(told, name)[code]) for name in ("early", "mid", "late")},
                "alone": float(told.alone[code]),
            }
        )
    return sorted(
        rows, key=lambda row: (-row["opener"]["conversions"], *(row[n] or "" for n in by))
    )


def _part(role: Role, money: npt.NDArray[np.int64], code: int) -> Shown:
    """`share`: of all conversions that anybody has in this role."""
    total = float(role.conversions.sum())
    conversions = float(role.conversions[code])
    return {
        "conversions": conversions,
        "share": conversions / total if total else 0.0,
        "revenue": int(money[code]),
    }


def _of_paths(told: Roles, code: int, counted: float) -> Shown:
    """Of touched conversions, the share this label began, helped and closed."""
    parts = {
        "begun": told.opener.conversions,
        "helped": told.helped,
        "closed": told.closer.conversions,
    }
    return {name: float(one[code]) / counted if counted else 0.0 for name, one in parts.items()}


def _money(role: Role) -> npt.NDArray[np.int64]:
    return apportion(role.value, round(float(role.value.sum())))


def _footer(whole: Shown) -> list[Shown]:
    """Openers and closers, each with what stands apart, against the totals."""
    apart = whole["unattributed"].values()
    lines: list[Shown] = []
    for name in ("opener", "closer"):
        parts = [*(row[name] for row in whole["rows"]), *apart]
        total = {key: sum(part[key] for part in parts) for key in ("conversions", "revenue")}
        close = abs(total["conversions"] - whole["conversions"]) <= 1e-9 * max(
            whole["conversions"], 1
        )
        adds_up = close and total["revenue"] == whole["revenue"]
        lines.append({"role": name, "total": total, "adds_up": adds_up})
    return lines


def _lengths(journeys: Journeys) -> tuple[Floats, Floats]:
    is_asked = journeys.is_modelled
    lengths = journeys.lengths[: journeys.converting][is_asked]
    return lengths.astype(np.float64), journeys.conversions[is_asked]


def waits(found: Basis) -> tuple[Floats, Floats]:
    """Days from the first touch to the conversion."""
    journeys = found.journeys
    is_asked = journeys.is_modelled
    converted = found.conversions.column("converted_us").to_numpy()[is_asked]
    if journeys.ts_us is None or not is_asked.any():
        return np.zeros(0), np.zeros(0)
    first = journeys.ts_us[journeys.offsets[: journeys.converting][is_asked]]
    return (converted - first) / clock.DAY_US, journeys.conversions[is_asked]


def _between(view: View, people: PersonMap, found: Basis, crediting: Crediting) -> list[Shown]:
    """Days from the first touch to lead, to opportunity, to conversion, where a CRM tells."""
    told = milestones(view, people.speakers(view), found.conversions, crediting)
    journeys = found.journeys
    if told is None or journeys.ts_us is None:
        return []
    first = np.full(journeys.converting, UNKNOWN_US)
    first[journeys.is_touched] = journeys.ts_us[journeys.first]
    converted = found.conversions.column("converted_us").to_numpy().astype(np.int64)
    steps = {
        "first_touch": first,
        "lead": told.lead_us,
        "opportunity": told.opportunity_us,
        "conversion": converted,
    }
    names = list(steps)
    pairs = [*itertools.pairwise(names), ("lead", "conversion")]
    return [_wait(a, b, steps[a], steps[b], journeys.conversions) for a, b in pairs]


def _wait(
    a: str, b: str, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], weight: Floats
) -> Shown:
    is_told = (start != UNKNOWN_US) & (end != UNKNOWN_US) & (end >= start) & (weight > 0)
    days = (end[is_told] - start[is_told]) / clock.DAY_US
    found = spread(days, weight[is_told], DAYS)
    return {
        "from": a,
        "to": b,
        **{key: found[key] for key in ("conversions", "mean", "median", "p90")},
    }
