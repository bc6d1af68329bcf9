"""The table of models: by name, what each needs beside journeys and the function that computes it.

A model is a pure function `Inputs → Credit`. To add one: write the function in a module of its own,
add a line to TABLE. `markov_4` and above are no lines of the table but of a family (`find`).

The surprise: "all" asks every model of the table whose needs are given. Needs that come with the
data (times) are named when they are missing; those a caller chooses to give (stages, observed,
lift, weights) are not, as nobody who gave none expects them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchline.attribution import hazard, incremental, markov, rules, shapley
from touchline.attribution.answer import Credit, by_channel, from_share
from touchline.attribution.arrays import Floats
from touchline.attribution.calibrated import calibrated
from touchline.attribution.inputs import HALF_LIFE_DAYS, Inputs, Options
from touchline.attribution.journeys import Journeys
from touchline.errors import BadInput

__all__ = [
    "HALF_LIFE_DAYS",
    "TABLE",
    "Inputs",
    "Kind",
    "Model",
    "Options",
    "base_of",
    "find",
    "is_given",
    "known",
    "markov_order",
]

FAMILY = re.compile(r"markov_([1-9]\d?)")
Kind = Literal["rule", "chain", "sets", "fitted"]


@dataclass(frozen=True)
class Model:
    """`kind` is what the answer is made of, and so how it is drawn again and added up: a rule
    divides each conversion by itself, a chain counts what follows what, "sets" which channels are
    together; what is fitted reads more than journeys, and knows its own standard error.

    `needs` are of {"times", "stages", "observed", "lift", "weights"}; `obstacle` says why these
    inputs are still not enough (too many channels …), or None.
    """

    name: str
    kind: Kind
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


def known(name: str) -> Model:
    """The same, where there must be one."""
    model = find(name)
    if model is None:
        raise BadInput("unknown_model", model=name, known=", ".join(TABLE))
    return model


def markov_order(name: str) -> int | None:
    """The order in the name of a Markov model: 3 for markov_3."""
    found = FAMILY.fullmatch(name)
    return int(found[1]) if found else None


def _rule(
    name: str, share: Callable[[Inputs], Floats], needs: frozenset[str] = frozenset()
) -> Model:
    return Model(name, "rule", needs, lambda given: from_share(name, given.journeys, share(given)))


def _time_decay(given: Inputs) -> Credit:
    share = rules.time_decay(given.journeys, given.half_life)
    found = {"half_life_days": given.half_life} if given.half_life_days is None else {}
    return from_share("time_decay", given.journeys, share, found)


def _custom(given: Inputs) -> Credit:
    if given.weights is None:
        raise ValueError("a rule of one's own needs its weights")
    share = rules.weighted(given.journeys, given.weights, given.stages)
    return from_share("custom", given.journeys, share)


def _stageless(given: Inputs) -> BadInput | None:
    """Weights of stages that nobody gave."""
    weights = given.weights
    if weights is None or given.stages is not None or not (weights.lead or weights.opportunity):
        return None
    return BadInput("model_needs_stages", model="custom")


def _markov(order: int) -> Model:
    name = f"markov_{order}"

    def compute(given: Inputs) -> Credit:
        return _from_losses(name, given.journeys, given.losses(order))

    needs: frozenset[str] = frozenset()
    return Model(
        name, "chain", needs, compute, lambda given: _too_long(name, order, given.journeys)
    )


def _too_long(name: str, order: int, journeys: Journeys) -> BadInput | None:
    """Chains that memory, or the 63 bits in which runs of channels are written, cannot hold."""
    channels = len(journeys.labels.channels)
    limit = min(markov.MARKOV_CHANNELS, markov.most_channels(order))
    if channels <= limit:
        return None
    return BadInput("too_many_channels", model=name, limit=limit, found=channels)


def _markov_auto(given: Inputs) -> Credit:
    """The chain whose order the data choose: see `memory`."""
    order, auc, _ = given.memory
    found = {"order": float(order)}
    if len(auc):
        found["auc"] = float(auc[order - 1])
    return _from_losses("markov_auto", given.journeys, given.losses(order), found)


def _too_long_at_all(given: Inputs) -> BadInput | None:
    return _too_long("markov_auto", 1, given.journeys)


def _from_losses(
    model: str, journeys: Journeys, lost: Floats, fitted: Mapping[str, float] | None = None
) -> Credit:
    """Totals shared out in proportion to what would be lost; earned and returned money apart."""
    value = journeys.value[journeys.is_modelled]
    totals = np.array(
        [
            journeys.conversions[journeys.is_modelled].sum(),
            value[value > 0].sum(),
            value[value < 0].sum(),
        ]
    )
    shared = markov.normalised(lost, totals)
    return Credit(
        model,
        journeys,
        channel_conversions=shared.conversions,
        channel_revenue=shared.revenue + _went_back(journeys),
        removal_effect=shared.effect,
        removal_effect_revenue=shared.effect_revenue,
        fitted=fitted or {},
    )


def _shapley_rate(given: Inputs) -> Credit:
    """Exact where all sets of channels can be visited; beyond that sampled, with its error."""
    name, journeys = "shapley_rate", given.journeys
    back = _went_back(journeys)
    values, errors = shapley.rate(journeys, given.seed)
    conversions, revenue = values.T
    counted, money = (None, None) if errors is None else errors.T
    return Credit(
        name,
        journeys,
        conversions,
        revenue + back,
        channel_error=counted,
        channel_error_revenue=money,
    )


def _went_back(journeys: Journeys) -> Floats:
    """Money without an order, in equal parts on the channels of its touches."""
    value = np.where(journeys.conversions == 0, journeys.value, 0)
    if not value.any():
        return np.zeros(len(journeys.labels.channels))
    return by_channel(journeys, shapley.equal_set(journeys), value)


def base_of(given: Inputs) -> Credit:
    """What lift tests are weighed against: the model that comes nearest to cause and effect."""
    done = _weighed_before(given)
    if done is not None:
        return done
    model = TABLE["incremental"]
    if given.observed is None or model.obstacle(given) is not None:
        model = TABLE["shapley"]
    return model.compute(given)


def _weighed_before(given: Inputs) -> Credit | None:
    """What lift tests of these very journeys were weighed against: it is not fitted twice."""
    done = None if given.lift is None else given.lift.base
    return done if done is not None and done.journeys is given.journeys else None


def _incremental(given: Inputs) -> Credit:
    done = _weighed_before(given)
    if done is not None and done.model == "incremental":
        return done
    return incremental.incremental(given)


def _calibrated(given: Inputs) -> Credit:
    if given.lift is None:
        raise ValueError("lift tests are what is calibrated by")
    return calibrated(base_of(given), given.lift)


TIMES, STAGES = frozenset({"times"}), frozenset({"stages"})
WATCHED = frozenset({"times", "observed"})
TABLE: dict[str, Model] = {
    model.name: model
    for model in (
        _rule("first_touch", lambda given: rules.first_touch(given.journeys)),
        _rule("last_touch", lambda given: rules.last_touch(given.journeys)),
        _rule("last_non_direct", lambda given: rules.last_non_direct(given.journeys)),
        _rule("linear", lambda given: rules.linear(given.journeys)),
        Model("time_decay", "rule", TIMES, _time_decay),
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
        Model("custom", "rule", frozenset({"weights"}), _custom, _stageless),
        _markov(1),
        _markov(2),
        _markov(3),
        Model("markov_auto", "chain", frozenset(), _markov_auto, _too_long_at_all),
        _rule("shapley", lambda given: shapley.equal_set(given.journeys)),
        Model("shapley_rate", "sets", frozenset(), _shapley_rate),
        Model("hazard", "fitted", WATCHED, hazard.hazard, hazard.cannot),
        Model("incremental", "fitted", WATCHED, _incremental, incremental.too_little),
        Model("calibrated", "fitted", frozenset({"lift"}), _calibrated),
    )
}
