"""One conversion → its journey → what each model gives each touch of it.

    explained(…, "order-17", "all")             touch by touch, under every model

It asks the very question of the report. Money is exact per conversion (under an aggregate model,
per channel) and in all; in a report it is exact per channel, so between the two a part may differ
by a minor unit: `behind` has the report's.

The surprise: under an aggregate model (Markov, rate Shapley …) a touch has what touches of its
channel have on average, so one conversion's touches need not add up to one conversion there; under
a rule they do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from touchline import clock
from touchline.attribution.credit import Credit
from touchline.attribution.models import known
from touchline.attribution.remainder import touch_money
from touchline.errors import BadInput, NotFound
from touchline.identity.people import PersonMap
from touchline.measure.answers import answers
from touchline.measure.apart import missing_rates
from touchline.measure.basis import Basis, Question
from touchline.measure.crediting import Crediting
from touchline.measure.notes import left_out, note_of
from touchline.measure.stages import milestones
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import View

__all__ = ["EXPLAINED", "FIELDS", "STAGE", "explained"]

EXPLAINED = (*LABELS, "landing_page", "content_id")
STAGE = "stage"
FIELDS = (*LABEL_FIELDS, *EXPLAINED[len(LABELS) :], STAGE)
Shown = dict[str, Any]
Money = npt.NDArray[np.int64]


def explained(
    view: View, people: PersonMap, question: Question, conversion_id: str, models: str = "all"
) -> Shown:
    """One conversion of the question's goal; `question.by` must be EXPLAINED.

    Raises NotFound("conversion_unknown") or BadInput("conversion_uncounted").
    """
    stage = _newest_stage(view, conversion_id)
    told = answers(view, people, question, models)
    found = told.found
    at = _places(found.conversions, conversion_id)
    rows = found.conversions.take(at).to_pylist()
    if not rows and found.unrated_rows is not None:
        rows = found.unrated_rows.take(_places(found.unrated_rows, conversion_id)).to_pylist()
    if not rows:
        goal = question.goal.name
        raise BadInput("conversion_uncounted", name=conversion_id, goal=goal, stage=stage)
    parts = [(one, touch_money(one)[0]) for one in told.credits.values()]
    stages = _stages(view, people, found, at)
    touches = [
        {
            **_touch(found, people, int(place), rows[number], parts),
            STAGE: stages(number, int(place)),
        }
        for number, journey in enumerate(at.tolist())
        for place in range(*found.journeys.offsets[journey : journey + 2].tolist())
    ]
    person = rows[0]["person_ix"]
    return {
        "conversion_id": conversion_id,
        "goal": question.goal.name,
        "window_days": question.window,
        "currency": question.currency,
        "converted_at": clock.iso(rows[0]["converted_us"]),
        "conversions": sum(row["count"] for row in rows),
        "revenue": sum(row["revenue"] for row in rows),
        "person_id": None if person is None else people.person_ids[person],
        "account_id": rows[0]["account_id"],
        "status": "credited" if touches else "no_touch" if len(at) else "no_rate",
        **_partner(found, at),
        "touches": touches,
        "models": [_model(one, money, found, at) for one, money in parts],
        **left_out(told.left_out),
        **missing_rates(found.missing_rates),
    }


def _places(rows: pa.Table, conversion_id: str) -> npt.NDArray[np.int64]:
    """Rows of a conversion: one, or more where money went back alone more than once."""
    ids = rows.column("conversion_id").to_numpy()
    return np.flatnonzero(ids == conversion_id)


def _newest_stage(view: View, conversion_id: str) -> str:
    """Of the rows that tell of it. Raises NotFound at once where there are none."""
    rows = view.table("conversions", "conversion_id", "stage", "seq")
    rows = rows.filter(rows.conversion_id == conversion_id).order_by("seq")
    stages = view.fetch(rows).column("stage").to_pylist()
    events = view.events("order_id")
    if not stages and not view.count(events.filter(events.order_id == conversion_id)):
        raise NotFound("conversion_unknown", name=conversion_id)
    return (stages[-1] if stages else None) or "–"


def _touch(
    found: Basis,
    people: PersonMap,
    place: int,
    conversion: Shown,
    parts: list[tuple[Credit, Money]],
) -> Shown:
    touch = found.touches.slice(place, 1).to_pylist()[0]
    journey = touch["journey"]
    person = touch["person_ix"]
    return {
        "message_id": touch["message_id"],
        "touched_at": clock.iso(touch["ts_us"]),
        "person_id": people.person_ids[person] if person >= 0 else None,
        "days_before": (conversion["converted_us"] - touch["ts_us"]) / clock.DAY_US,
        "role": _role(place, found.journeys.offsets[journey : journey + 2]),
        **dict(zip(FIELDS, found.labels[found.journeys.label[place]], strict=False)),
        "credit": {
            one.model: {
                "conversions": float(one.touch_conversions[place]),
                "revenue": int(money[place]),
            }
            for one, money in parts
        },
    }


def _stages(
    view: View, people: PersonMap, found: Basis, at: npt.NDArray[np.int64]
) -> Callable[[int, int], str | None]:
    """What the buyer of the n-th of these conversions was at a touch; None where no CRM tells."""
    rows, ts_us = found.conversions.take(at), found.journeys.ts_us
    told = milestones(view, people.speakers(view), rows, Crediting.of(view.documents))
    if told is None or ts_us is None:
        return lambda *_: None
    return lambda number, place: told.of_touches(
        np.array([number]), ts_us[place : place + 1].astype(np.int64)
    )[0].as_py()


def _role(place: int, ends: npt.NDArray[np.integer[Any]]) -> str:
    """What the touch was to its journey; a single touch is opener and closer."""
    is_first, is_last = place == ends[0], place == ends[1] - 1
    if is_first and is_last:
        return "only"
    return "opener" if is_first else "closer" if is_last else "assist"


def _model(one: Credit, money: Money, found: Basis, at: npt.NDArray[np.int64]) -> Shown:
    """A model's sums over the touches of one conversion, and how to read them."""
    is_mine = np.isin(found.journeys.journey_of, at)
    return {
        "model": one.model,
        "kind": "aggregate" if one.share is None else known(one.model).kind,
        "conversions": float(one.touch_conversions[is_mine].sum()),
        "revenue": int(money[is_mine].sum()),
        "note": note_of(one.model),
    }


def _partner(found: Basis, at: npt.NDArray[np.int64]) -> Shown:
    if found.partners is None or not found.partners.share[at].any():
        return {}
    place = int(at[np.argmax(found.partners.share[at])])
    return {
        "partner": {
            "name": found.partners.names[place],
            "share": float(found.partners.share[place]),
            "revenue": int(found.partners.revenue[at].sum()),
        }
    }
