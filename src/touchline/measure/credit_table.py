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
from touchline.attribution.credit import Credit
from touchline.attribution.remainder import touch_money
from touchline.identity.people import PersonMap
from touchline.measure.answers import answers
from touchline.measure.apart import missing_rates
from touchline.measure.basis import Basis, Question
from touchline.measure.footer import footer, part_of
from touchline.measure.notes import left_out
from touchline.measure.reserved import BASELINE, PARTNER
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import View

__all__ = ["credit_table"]


Row = dict[str, Any]


def credit_table(
    view: View,
    people: PersonMap,
    question: Question,
    models: str,
    aside: Row | None = None,
) -> Iterator[Row]:
    """Rows of the credit table; `question.by` must be all LABELS. Money in minor units. `aside` is
    given what rows do not tell: models left out, missing rates, and in `footer` a line a model,
    when its last row is through.
    """
    told = answers(view, people, question, models)
    footers: list[Row] = []
    if aside is not None:
        aside |= {"footer": footers, **left_out(told.left_out)}
        aside |= missing_rates(told.found.missing_rates)
    for one in told.credits.values():
        parts: dict[str, Row] = {}
        for row in _touch_rows(one, told.found, people):
            part = parts.setdefault(
                part_of(row["channel"]),
                {**row, "conversions": 0.0, "revenue": 0},
            )
            part["conversions"] += row["credit"]
            part["revenue"] += row["revenue"]
            yield row
        sums = list(parts.values())
        footers += footer([one.model], sums, told.unattributed, told.totals)


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
    for code in np.flatnonzero((one.leftover_conversions != 0) | (left != 0)):
        name = found.journeys.labels.channels[code]
        yield _of_no_touch(one.model, name, one.leftover_conversions[code], left[code])
    if one.baseline_conversions or one.baseline_revenue:
        journeys = found.journeys
        rest = journeys.value[journeys.is_touched].sum() - money.sum() - left.sum()
        yield _of_no_touch(one.model, BASELINE, one.baseline_conversions, rest)
    if found.partners is not None:
        for name, part in found.partners.totals(found.conversions).items():
            yield {**_of_no_touch(one.model, PARTNER, *part), "campaign": name}


def _of_no_touch(model: str, channel: str, credit: float, revenue: float) -> dict[str, Any]:
    """What no touch of a converting journey can take."""
    return {
        **dict.fromkeys(("conversion_id", "person_id")),
        "model": model,
        **dict.fromkeys(("message_id", "touched_at")),
        **_named((channel, *([None] * (len(LABELS) - 1)))),
        "credit": float(credit),
        "revenue": int(revenue),
    }


def _named(label: tuple[str | None, ...]) -> dict[str, str | None]:
    return dict(zip(LABEL_FIELDS, label, strict=True))
