"""Answers of models → what they found out for themselves, and how far off they may be.

fitted           {"markov_auto": {"order": 2, "auc": 0.71}, "time_decay": {"half_life_days": 12.5}}
standard_error   of each channel of a model that samples, is fitted or rests on tests:
                 {"conversions": 1.2, "revenue": 340.0}
"""

import math
from collections.abc import Iterable
from typing import Any

from touchline.attribution.answer import Credit
from touchline.attribution.models import known

__all__ = ["Errors", "errors_of", "fitted_of", "sampled"]

Errors = dict[str, dict[str, float]]


def fitted_of(answers: Iterable[Credit]) -> dict[str, dict[str, float | None]]:
    """By model; a half-life that is endless is null, as JSON has no infinity."""
    return {
        one.model: {
            name: value if math.isfinite(value) else None for name, value in one.fitted.items()
        }
        for one in answers
        if one.fitted
    }


def errors_of(one: Credit) -> Errors:
    """By channel; empty for a model that is exact."""
    if one.channel_error is None:
        return {}
    columns = {"conversions": one.channel_error.tolist()}
    if one.channel_error_revenue is not None:
        columns["revenue"] = one.channel_error_revenue.tolist()
    return {
        channel: {name: column[code] for name, column in columns.items()}
        for code, channel in enumerate(one.journeys.labels.channels)
    }


def sampled(answers: Iterable[Credit]) -> list[tuple[str, dict[str, Any]]]:
    """A note for each model that samples; errors of a fit or of tests are no sampling's."""
    return [
        ("model_sampled", {"model": one.model})
        for one in answers
        if known(one.model).kind == "sets" and errors_of(one)
    ]
