"""Journeys + names of models → credit: one call for all models of `models.TABLE`.

    credit(journeys, ["linear", "markov_2"])["markov_2"].channel_conversions

MODELS are those that need nothing but journeys from touches; TABLE has them all.
What a model needs beside journeys is given by name: see `inputs.Options`. What models share is
computed once.
"""

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from touchline.attribution.answer import Credit
from touchline.attribution.inputs import HALF_LIFE_DAYS, Inputs, Options
from touchline.attribution.journeys import Journeys
from touchline.attribution.models import TABLE, Model, is_given, known, markov_order
from touchline.errors import BadInput

__all__ = [
    "HALF_LIFE_DAYS",
    "MODELS",
    "NO_TIMES",
    "Credit",
    "check",
    "choose",
    "credit",
    "obstacle",
]

ALL = "all"
NO_TIMES = "model_needs_times"
MODELS = tuple(name for name, model in TABLE.items() if model.needs <= {"times"})
MISSING = {
    "times": NO_TIMES,
    "stages": "model_needs_stages",
    "observed": "model_needs_observed",
    "lift": "model_needs_lift",
    "weights": "model_needs_weights",
}


def check(asked: str) -> list[str]:
    """The names in "a,b", each once. Raises BadInput for one that no model has, and for none."""
    models = list(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    if not models:
        raise BadInput("unknown_model", model=asked, known=", ".join(TABLE))
    for name in models:
        if name.lower() != ALL:
            known(name)
    return models


def choose(
    asked: str, journeys: Journeys, **options: Unpack[Options]
) -> tuple[list[str], list[BadInput]]:
    """The models of "all" or "a,b", and why any of "all" is left out; by name they are refused."""
    inputs = Inputs(journeys, **options)
    if asked.strip().lower() == ALL:
        expected = [model for model in TABLE.values() if _is_expected(model, inputs)]
        found = {model.name: _obstacle(model, inputs) for model in expected}
        usable = [name for name, why in found.items() if why is None]
        return usable, [why for why in found.values() if why is not None]
    models = check(asked)
    for name in models:
        _demand(name, inputs)
    return models, []


def obstacle(model: str, journeys: Journeys, **options: Unpack[Options]) -> BadInput | None:
    """Why this model cannot be computed on these journeys, or None."""
    return _obstacle(known(model), Inputs(journeys, **options))


def credit(
    journeys: Journeys, models: Sequence[str], **options: Unpack[Options]
) -> dict[str, Credit]:
    """The credit of each model asked for, in that order. What models share is computed once."""
    orders = (markov_order(name) for name in models)
    shared = tuple(order for order in orders if order is not None)
    inputs = Inputs(journeys, **options, markov_orders=shared)
    days = inputs.half_life_days
    if days is not None and not 0 < days < np.inf:
        raise BadInput("bad_half_life", days=days)
    chosen = [_demand(name, inputs) for name in models]
    return {model.name: model.compute(inputs) for model in chosen}


def _demand(name: str, inputs: Inputs) -> Model:
    model = known(name)
    why = _obstacle(model, inputs)
    if why is not None:
        raise why
    return model


def _obstacle(model: Model, inputs: Inputs) -> BadInput | None:
    for need in sorted(model.needs):
        if not is_given(need, inputs):
            return BadInput(MISSING[need], model=model.name)
    return model.obstacle(inputs)


def _is_expected(model: Model, inputs: Inputs) -> bool:
    """Whether "all" means this model too: nobody who gave no lift tests asks for them."""
    return all(need == "times" or is_given(need, inputs) for need in model.needs)
