"""The table of models: by name, what each needs beside journeys and the function that computes it.

A model is a pure function `Inputs → Credit`. To add one: write the function in a module of its own,
add a line to TABLE. `markov_4` and above are no lines of the table but of a family (`find`).

The surprise: "all" asks every model of the table whose needs are given. Needs that come with the
data (times) are named when they are missing; those a caller chooses to give (stages, observed,
lift, weights) are not, as nobody who gave none expects them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from touchline.attribution import markov, rules, shapley
from touchline.attribution.answer import Credit, by_channel, from_share
from touchline.attribution.arrays import Floats
from touchline.attribution.inputs import HALF_LIFE_DAYS, Inputs, Options
from touchline.attribution.journeys import Journeys
from touchline.errors import BadInput

__all__ = [
    "HALF_LIFE_DAYS",
    "TABLE",
    "Inputs",
    "Model",
    "Options",
    "find",
    "is_given",
    "markov_order",
]

FAMILY = re.compile(r"markov_([1-9]\d?)")


@dataclass(frozen=True)
class Model:
    """`needs` are of {"times", "stages", "observed", "lift", "weights"}; `obstacle` says why these
    inputs are still not enough (too many channels …), or None.
    """

    name: str
    needs: frozenset[str]
    compute: Callable[[Inputs], Credit]
    obstacle: Callable[[Inputs], BadInput | None] = lambda _: None


def is_given(need: str, inputs: Inputs) -> bool:
    """Whether the inputs hold what a model needs."""
    if need == "times":
        return inputs.journeys.ts_us is not None
    return getattr(inputs, need) is not None


def find(name: str) -> Model | None:
    """The model of this name, also a Markov model of any order."""
    order = markov_order(name)
    return TABLE.get(name) or (None if order is None else _markov(order))


def markov_order(name: str) -> int | None:
    """The order in the name of a Markov model: 3 for markov_3."""
    found = FAMILY.fullmatch(name)
    return int(found[1]) if found else None


def _rule(
    name: str, share: Callable[[Inputs], Floats], needs: frozenset[str] = frozenset()
) -> Model:
    return Model(name, needs, lambda given: from_share(name, given.journeys, share(given)))


def _markov(order: int) -> Model:
    name = f"markov_{order}"

    def compute(given: Inputs) -> Credit:
        return _from_losses(name, given.journeys, given.losses(order))

    return Model(name, frozenset(), compute, lambda given: _too_long(name, order, given.journeys))


def _too_long(name: str, order: int, journeys: Journeys) -> BadInput | None:
    """Chains that memory, or the 63 bits in which runs of channels are written, cannot hold."""
    channels = len(journeys.labels.channels)
    limit = min(markov.MARKOV_CHANNELS, markov.most_channels(order))
    if channels <= limit:
        return None
    return BadInput("too_many_channels", model=name, limit=limit, found=channels)


def _from_losses(model: str, journeys: Journeys, lost: Floats) -> Credit:
    """Totals shared out in proportion to what would be lost; earned and returned money apart."""
    value = journeys.value[journeys.is_modelled]
    totals = np.array(
        [
            journeys.conversions[journeys.is_modelled].sum(),
            value[value > 0].sum(),
            value[value < 0].sum(),
        ]
    )
    all_lost = lost.sum(axis=0)
    conversions, earned, returned = (
        lost * np.divide(totals, all_lost, out=np.zeros(3), where=all_lost != 0)
    ).T
    return Credit(
        model,
        journeys,
        channel_conversions=conversions,
        channel_revenue=earned + returned + _went_back(journeys),
        removal_effect=_ratio(lost[:, 0], totals[0]),
        removal_effect_revenue=_ratio(lost[:, 1] + lost[:, 2], totals[1] + totals[2]),
    )


def _shapley_rate(given: Inputs) -> Credit:
    conversions, revenue = shapley.rate(given.journeys).T
    return Credit("shapley_rate", given.journeys, conversions, revenue + _went_back(given.journeys))


def _too_wide(given: Inputs) -> BadInput | None:
    channels = len(given.journeys.labels.channels)
    if channels > shapley.RATE_CHANNELS:
        channels = int(np.count_nonzero(shapley.seen_channels(given.journeys)))
    if channels <= shapley.RATE_CHANNELS:
        return None
    limit = shapley.RATE_CHANNELS
    return BadInput("too_many_channels", model="shapley_rate", limit=limit, found=channels)


def _went_back(journeys: Journeys) -> Floats:
    """Money without an order, in equal parts on the channels of its touches."""
    value = np.where(journeys.conversions == 0, journeys.value, 0)
    if not value.any():
        return np.zeros(len(journeys.labels.channels))
    return by_channel(journeys, shapley.equal_set(journeys), value)


def _ratio(part: Floats, whole: float) -> Floats:
    return part / whole if whole else np.zeros(len(part))


TIMES, STAGES = frozenset({"times"}), frozenset({"stages"})
TABLE: dict[str, Model] = {
    model.name: model
    for model in (
        _rule("first_touch", lambda given: rules.first_touch(given.journeys)),
        _rule("last_touch", lambda given: rules.last_touch(given.journeys)),
        _rule("last_non_direct", lambda given: rules.last_non_direct(given.journeys)),
        _rule("linear", lambda given: rules.linear(given.journeys)),
        _rule(
            "time_decay",
            lambda given: rules.time_decay(given.journeys, given.half_life_days),
            TIMES,
        ),
        _rule(
            "position_based",
            lambda given: rules.weighted(given.journeys, given.positions, given.stages),
        ),
        _rule(
            "w_shaped",
            lambda given: rules.weighted(given.journeys, rules.W_SHAPE, given.stages),
            STAGES,
        ),
        _rule(
            "z_shaped",
            lambda given: rules.weighted(given.journeys, rules.Z_SHAPE, given.stages),
            STAGES,
        ),
        _markov(1),
        _markov(2),
        _markov(3),
        _rule("shapley", lambda given: shapley.equal_set(given.journeys)),
        Model("shapley_rate", frozenset(), _shapley_rate, _too_wide),
    )
}
