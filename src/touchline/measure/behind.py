"""A number of a report → the conversions behind it, and how much of it each is.

    behind(…, "linear", {"channel": "Email"})   conversions of which Email has a part, and how much

What stands apart is a number, too: what no touch preceded, what has no exchange rate, what is a
partner's, what would have come without marketing. The surprise: money is rounded so that it adds up
to the report's row, and therefore row by row; `explained` rounds conversion by conversion.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from touchline import clock
from touchline.attribution.arrays import Bools, Floats, Int64s, Ints, tally
from touchline.attribution.credit import Credit
from touchline.attribution.remainder import apportion_within
from touchline.identity.people import PersonMap
from touchline.measure.answers import answers
from touchline.measure.apart import missing_rates
from touchline.measure.basis import Basis, Question
from touchline.measure.explain import FIELDS
from touchline.measure.notes import note_of
from touchline.measure.report import whole_money
from touchline.measure.reserved import BASELINE, NO_RATE, NO_TOUCH, PARTNER
from touchline.model import GRAINS
from touchline.storage.engine import View

__all__ = ["MOST", "behind"]

MOST = 1000  # conversions behind a number that are told
# Labels in the order in which a report rounds them.
ORDER = (*GRAINS, *(name for name in FIELDS if name not in GRAINS))
Shown = dict[str, Any]
Key = tuple[str | None, ...]


class Part(NamedTuple):
    """Of each of `rows`: credit, money and how many touches have it; and what is elsewhere."""

    rows: pa.Table
    credit: Floats
    revenue: Int64s
    touches: Ints
    elsewhere: float = 0.0
    elsewhere_revenue: int = 0


class Lines(NamedTuple):
    """Rows that a report by the asked labels has, the baseline last: which are meant, their money
    in whole minor units, and conversions and money of each that no conversion is told for.
    """

    is_meant: Bools
    money: Int64s
    left: Floats
    of_label: Ints


class Cells(NamedTuple):
    """What is told for a conversion, a touch or the rest of it each: conversion and line."""

    journey: Ints
    line: Ints
    credit: Floats
    revenue: Floats


def behind(
    view: View,
    people: PersonMap,
    question: Question,
    model: str,
    labels: Mapping[str, str | None],
    *,
    limit: int = MOST,
) -> Shown:
    """The conversions of which touches with these labels have a part under one model, the largest
    part first. `labels` are by FIELDS; `elsewhere` is what no touch before a conversion can take.
    `question.by` must be EXPLAINED, and a stage behind it if that is asked for. The channels of
    NO_TOUCH, NO_RATE, PARTNER and BASELINE stand apart: partners by their campaign, as in a report.
    """
    told = answers(view, people, question, model)
    found = told.found
    (one,) = told.credits.values()
    part = _apart(found, labels) or _credited(one, found, labels)
    has_part = np.flatnonzero((part.credit != 0) | (part.revenue != 0))
    order = has_part[np.lexsort((has_part, -part.credit[has_part], -part.revenue[has_part]))]
    return {
        "goal": question.goal.name,
        "window_days": question.window,
        "currency": question.currency,
        "model": one.model,
        "labels": dict(labels),
        "credit": float(part.credit.sum()),
        "revenue": int(part.revenue.sum()),
        "elsewhere": part.elsewhere,
        "elsewhere_revenue": part.elsewhere_revenue,
        "conversions": len(order),
        "rows": [
            {
                **_told(part.rows, people, at),
                "touches": int(part.touches[at]),
                "credit": float(part.credit[at]),
                "credited_revenue": int(part.revenue[at]),
            }
            for at in order[:limit].tolist()
        ],
        "note": note_of(one.model),
        **missing_rates(found.missing_rates),
    }


def _apart(found: Basis, labels: Mapping[str, str | None]) -> Part | None:
    """What no model is asked about, by the channel that names it; it has no finer label."""
    finer = {name: value for name, value in labels.items() if value and name != "channel"}
    rows, journeys = found.conversions, found.journeys
    channel = labels.get("channel")
    if channel == PARTNER:
        nobody = (np.zeros(len(rows)), np.zeros(len(rows)))
        theirs = {} if found.partners is None else found.partners.drawn(rows)
        credit, money = theirs.get(finer.pop("campaign", None), nobody)
    elif channel == NO_TOUCH:
        is_meant = ~journeys.is_touched
        credit, money = journeys.conversions * is_meant, journeys.value * is_meant
    elif channel == NO_RATE:
        rows = rows.slice(0, 0) if found.unrated_rows is None else found.unrated_rows
        credit, money = rows.column("count").to_numpy(), np.zeros(len(rows))
    else:
        return None
    is_there = not finer
    nothing = np.zeros(len(rows), dtype=np.int64)
    return Part(rows, credit * float(is_there), money.astype(np.int64) * is_there, nothing)


def _credited(one: Credit, found: Basis, labels: Mapping[str, str | None]) -> Part:
    """What a model gives touches with these labels, or the baseline, rounded line by line of the
    report together with what is elsewhere.
    """
    size = found.journeys.converting
    lines = _lines(one, found, labels)
    cells = _cells(one, lines)
    meant = np.flatnonzero(lines.is_meant)
    pair, place = np.unique(cells.line * size + cells.journey, return_inverse=True)
    shares = np.concatenate([tally(place, cells.revenue, len(pair)), lines.left[meant, 1]])
    line = np.concatenate([pair // max(size, 1), meant])
    whole = apportion_within(shares, np.searchsorted(meant, line), lines.money[meant])
    is_touch = lines.is_meant[lines.of_label][one.journeys.label[: one.journeys.converting_touches]]
    return Part(
        found.conversions,
        tally(cells.journey, cells.credit, size),
        tally(pair % max(size, 1), whole[: len(pair)], size).astype(np.int64),
        np.bincount(one.journeys.journey_of[is_touch], minlength=size),
        float(lines.left[meant, 0].sum()),
        int(whole[len(pair) :].sum()),
    )


def _lines(one: Credit, found: Basis, labels: Mapping[str, str | None]) -> Lines:
    names = ("channel", *(name for name in ORDER if name in labels and name != "channel"))
    places = [FIELDS.index(name) for name in names]
    coarse: list[Key] = [tuple(label[place] for place in places) for label in found.labels]
    rest: Key = (None,) * (len(names) - 1)
    channels: list[Key] = [(name, *rest) for name in one.journeys.labels.channels]
    keys = sorted({*coarse, *channels}, key=lambda key: [(part is not None, part) for part in key])
    place = {key: number for number, key in enumerate(keys)}
    keys.append((BASELINE, *rest))
    left = np.zeros((len(keys), 2))
    at = [place[key] for key in channels]
    left[at] = np.stack([one.leftover_conversions, one.leftover_revenue], axis=1)
    left[-1] = one.baseline_conversions, one.baseline_revenue
    of_label = np.array([place[key] for key in coarse], dtype=np.int64)
    revenue = tally(of_label, one.label_revenue, len(keys)) + left[:, 1]
    total = int(one.journeys.value[one.journeys.is_touched].sum())
    if one.share is not None:
        left[-1] = 0, 0  # told conversion by conversion
    wanted = [labels.get(name, ...) for name in names]
    is_meant = [
        all(want in (..., part) for want, part in zip(wanted, key, strict=True)) for key in keys
    ]
    return Lines(np.array(is_meant), whole_money(keys, revenue, total), left, of_label)


def _cells(one: Credit, lines: Lines) -> Cells:
    """Of each touch with a meant label, and of each conversion what is left where the baseline is
    meant, too.
    """
    journeys, size = one.journeys, one.journeys.converting
    whose, line = journeys.journey_of, lines.of_label[journeys.label[: journeys.converting_touches]]
    counts, money = one.touch_conversions, one.touch_revenue
    is_meant = lines.is_meant[line]
    found = Cells(whose[is_meant], line[is_meant], counts[is_meant], money[is_meant])
    has_baseline = one.share is not None and bool(one.baseline_conversions or one.baseline_revenue)
    if not (has_baseline and lines.is_meant[-1]):
        return found
    rest = [
        whole * journeys.is_touched - tally(whose, part, size)
        for whole, part in ((journeys.conversions, counts), (journeys.value, money))
    ]
    baseline = np.full(size, len(lines.money) - 1)
    return Cells(
        np.concatenate([found.journey, np.arange(size)]),
        np.concatenate([found.line, baseline]),
        np.concatenate([found.credit, rest[0]]),
        np.concatenate([found.revenue, rest[1]]),
    )


def _told(rows: pa.Table, people: PersonMap, at: int) -> Shown:
    row = rows.slice(at, 1).to_pylist()[0]
    person = row["person_ix"]
    return {
        "conversion_id": row["conversion_id"],
        "converted_at": clock.iso(row["converted_us"]),
        "person_id": None if person is None else people.person_ids[person],
        "account_id": row["account_id"],
        "revenue": row["revenue"],
    }
