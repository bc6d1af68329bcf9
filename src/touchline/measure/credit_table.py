"""Credit at its finest: one row per conversion, touch and model, from which every report rolls up.

What an aggregate model gives to a channel that touched no converting journey stays in one row
without conversion, person or touch, so that the rows of a model add up like its report.

The surprise: money is exact per conversion (under an aggregate model, per channel) and in all; in
a report it is exact per channel and in all, so between the two a label may differ by minor units.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from touchline import clock
from touchline.attribution.credit import Credit, choose, credit
from touchline.attribution.remainder import touch_money
from touchline.identity.people import PersonMap
from touchline.measure.basis import Basis, Question, basis_of
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import View

__all__ = ["credit_table"]


def credit_table(
    view: View, people: PersonMap, question: Question, models: str
) -> Iterator[dict[str, Any]]:
    """Rows of the credit table; `question.by` must be all LABELS. Money in minor units."""
    found = basis_of(view, people, question)
    chosen, _ = choose(models, found.journeys)
    for one in credit(found.journeys, chosen).values():
        yield from _touch_rows(one, found, people)


def _touch_rows(one: Credit, found: Basis, people: PersonMap) -> Iterator[dict[str, Any]]:
    money, left = touch_money(one)
    touches = found.touches.select(["journey", "person_ix", "message_id", "ts_us"])
    labels = found.journeys.label
    ids = found.conversions.column("conversion_id")
    for start in range(0, len(touches), 50_000):
        chunk = touches.slice(start, 50_000).to_pylist()
        for place, touch in enumerate(chunk, start):
            share = float(one.touch_conversions[place])
            if share == 0 and money[place] == 0:
                continue
            yield {
                "conversion_id": ids[touch["journey"]].as_py(),
                "person_id": people.person_ids[touch["person_ix"]]
                if touch["person_ix"] >= 0
                else None,
                "model": one.model,
                "message_id": touch["message_id"],
                "touched_at": clock.iso(touch["ts_us"]),
                **_named(found.labels[labels[place]]),
                "credit": share,
                "revenue": int(money[place]),
            }
    nothing = dict.fromkeys(("message_id", "touched_at"))
    for code in np.flatnonzero((one.leftover_conversions != 0) | (left != 0)):
        label = (found.journeys.labels.channels[code], *([None] * (len(LABELS) - 1)))
        yield {
            "conversion_id": None,
            "person_id": None,
            "model": one.model,
            **nothing,
            **_named(label),
            "credit": float(one.leftover_conversions[code]),
            "revenue": int(left[code]),
        }


def _named(label: tuple[str | None, ...]) -> dict[str, str | None]:
    return dict(zip(LABEL_FIELDS, label, strict=True))
