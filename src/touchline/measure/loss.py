"""Journeys that lead nowhere, and deals that were lost → what came before that.

Where people were last who did not convert is counted beside what the same label closed: a label
that is last in many lost journeys may just be last in many. The surprise: a lost deal is found by
asking the report's own question of another goal, that of the stages of loss.
"""

from typing import Any

import msgspec
import numpy as np

from touchline import clock
from touchline.attribution.arrays import Floats
from touchline.attribution.roles import Roles, ended, roles
from touchline.attribution.sequences import Sequence, sequences
from touchline.identity.people import PersonMap
from touchline.measure.basis import Basis, Question, basis_of
from touchline.measure.crediting import Crediting
from touchline.measure.spread import DAYS, spread
from touchline.storage.engine import View

__all__ = ["before_loss", "path_row"]

Shown = dict[str, Any]
Key = tuple[str | None, ...]


def before_loss(
    view: View, people: PersonMap, question: Question, found: Basis, *, told: Roles, top: int
) -> Shown:
    """Where people were last who did not convert, and before deals that were lost."""
    journeys = found.journeys
    lost = ended(journeys)
    rows: list[Shown] = []
    for code in np.flatnonzero(lost.present).tolist():
        left, closed = float(lost.last[code]), float(told.closer.conversions[code])
        rows.append(
            {
                **dict(zip(question.by, found.labels[code], strict=True)),
                "last_of_others": left,
                "closed": closed,
                "lost_rate": left / (left + closed) if left + closed else 0.0,
            }
        )
    rows.sort(key=lambda row: (-row["last_of_others"], *(row[n] or "" for n in question.by)))
    whole: Shown = {"rows": rows}
    whole["paths"] = [path_row(one, found) for one in sequences(journeys, top, by_nulls=True)]
    closed = dict(zip(found.labels, told.closer.conversions.tolist(), strict=True))
    whole["deals"] = _lost_deals(view, people, question, closed)
    return whole


def _lost_deals(
    view: View, people: PersonMap, question: Question, closed: dict[Key, float]
) -> Shown | None:
    """Deals in a stage of loss: who touched them last, beside how much of what was won the same
    label closed, and for how many days nothing had happened.
    """
    goal = Crediting.of(view.documents).lost_deals(view, question.goal)
    if goal is None:
        return None
    found = basis_of(view, people, msgspec.structs.replace(question, goal=goal))
    journeys = found.journeys
    last = np.zeros(0) if journeys.ts_us is None else journeys.ts_us[journeys.last]
    lost = found.conversions.column("converted_us").to_numpy()[journeys.is_touched]
    counts = roles(journeys).closer.conversions
    return {
        "deals": found.counted,
        "last_touch": _beside(found, question.by, counts, closed),
        "days_of_silence": spread((lost - last) / clock.DAY_US, np.ones(len(last)), DAYS),
    }


def _beside(
    found: Basis, by: tuple[str, ...], counts: Floats, closed: dict[Key, float]
) -> list[Shown]:
    total, won = float(counts.sum()), sum(closed.values())
    rows = [
        {
            **dict(zip(by, found.labels[code], strict=True)),
            "deals": float(counts[code]),
            "share": float(counts[code]) / total,
            "share_of_won": closed.get(found.labels[code], 0.0) / won if won else 0.0,
        }
        for code in np.flatnonzero(counts).tolist()
    ]
    return sorted(rows, key=lambda row: (-row["deals"], *(row[name] or "" for name in by)))


def path_row(one: Sequence, found: Basis) -> Shown:
    journeys = one.conversions + one.nulls
    return {
        "path": [_name(found.labels[step]) for step in one.steps],
        "conversions": one.conversions,
        "revenue": round(one.value),
        "others": one.nulls,
        "rate": one.conversions / journeys if journeys else 0.0,
    }


def _name(label: tuple[str | None, ...]) -> str:
    return " · ".join(part or "–" for part in label)
