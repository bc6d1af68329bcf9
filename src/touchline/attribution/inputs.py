"""Everything a model may be given: the journeys, and what some models need beside them.

Each model takes what it needs and ignores the rest, so one value serves all models of a question.
The surprise: what several Markov orders share is computed once, for all `markov_orders` together.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

from touchline.attribution import markov
from touchline.attribution.arrays import Floats
from touchline.attribution.calibrated import Lift
from touchline.attribution.decay import fitted_half_life
from touchline.attribution.journeys import Journeys
from touchline.attribution.memory import Memory, chosen_order
from touchline.attribution.rules import POSITIONS, Weights
from touchline.attribution.stages import Stages

__all__ = ["HALF_LIFE_DAYS", "Inputs", "Options"]

HALF_LIFE_DAYS = 7.0


class Options(TypedDict, total=False):
    """What a caller may give beside journeys: the fields of `Inputs` by name."""

    half_life_days: float | None
    window_days: float | Floats | None
    stages: Stages | None
    observed: Any
    lift: Lift | None
    seed: int
    positions: Weights
    weights: Weights | None


@dataclass(frozen=True, eq=False)
class Inputs:
    """`observed` is an `observed.Observed`, `lift` lift tests (`calibrated.Lift`); or None.

    Without `half_life_days` it is fitted, over ages cut off at the window if that is given: one for
    all, or that of each touch of converting journeys.
    `positions` are the weights of `position_based`, `weights` those of `custom`. `seed` fixes what
    a model samples: the same data and seed give the same bits.
    """

    journeys: Journeys
    half_life_days: float | None = HALF_LIFE_DAYS
    window_days: float | Floats | None = None
    stages: Stages | None = None
    observed: Any = None
    lift: Lift | None = None
    seed: int = 0
    positions: Weights = POSITIONS
    weights: Weights | None = None
    markov_orders: tuple[int, ...] = ()

    @cached_property
    def half_life(self) -> float:
        """Days of the half-life: the given or the fitted; the usual where nothing can be fitted."""
        if self.half_life_days is not None:
            return self.half_life_days
        return fitted_half_life(self.journeys, self.window_days) or HALF_LIFE_DAYS

    @cached_property
    def memory(self) -> Memory:
        """The order of the chain that tells journeys apart best."""
        return chosen_order(self.journeys, self.seed)

    @cached_property
    def _losses(self) -> dict[int, Floats]:
        return markov.losses(self.journeys, self.markov_orders)

    def losses(self, order: int) -> Floats:
        """What a chain of this order would lose without each channel: see `markov.losses`."""
        if order in self.markov_orders:
            return self._losses[order]
        return markov.losses(self.journeys, (order,))[order]
