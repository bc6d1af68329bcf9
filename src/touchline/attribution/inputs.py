"""Everything a model may be given: the journeys, and what some models need beside them.

Each model takes what it needs and ignores the rest, so one value serves all models of a question.
The surprise: what several Markov orders share is computed once, for all `markov_orders` together.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

from touchline.attribution import markov
from touchline.attribution.arrays import Floats
from touchline.attribution.journeys import Journeys
from touchline.attribution.rules import POSITIONS, Weights
from touchline.attribution.stages import Stages

__all__ = ["HALF_LIFE_DAYS", "Inputs", "Options"]

HALF_LIFE_DAYS = 7.0


class Options(TypedDict, total=False):
    """What a caller may give beside journeys: the fields of `Inputs` by name."""

    half_life_days: float
    stages: Stages | None
    observed: Any
    lift: Any
    seed: int
    positions: Weights
    weights: Weights | None


@dataclass(frozen=True, eq=False)
class Inputs:
    """`observed` is an `observed.Observed`, `lift` the lift tests of `calibrate`; both may be None.

    `positions` are the weights of `position_based`, `weights` those of `custom`. `seed` fixes what
    a model samples: the same data and seed give the same bits.
    """

    journeys: Journeys
    half_life_days: float = HALF_LIFE_DAYS
    stages: Stages | None = None
    observed: Any = None
    lift: Any = None
    seed: int = 0
    positions: Weights = POSITIONS
    weights: Weights | None = None
    markov_orders: tuple[int, ...] = ()

    @cached_property
    def _losses(self) -> dict[int, Floats]:
        return markov.losses(self.journeys, self.markov_orders)

    def losses(self, order: int) -> Floats:
        """What a chain of this order would lose without each channel: see `markov.losses`."""
        if order in self.markov_orders:
            return self._losses[order]
        return markov.losses(self.journeys, (order,))[order]
