"""Stage 4, journeys → credit: exact rules, Markov chains and Shapley values on arrays.

Why did this channel get 12 %? `rules.py`, `markov.py` and `shapley.py` hold one model each way of
thinking; `models.py` is their table; `credit.py` puts them behind one call; `remainder.py` turns
shares into whole cents.
"""

from touchline.attribution.calibrate import Findings, Fitted, Posterior, Scope, calibrate
from touchline.attribution.calibrated import Lift
from touchline.attribution.combination import Combinations, combinations
from touchline.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit, choose, credit, obstacle
from touchline.attribution.decay import fitted_half_life
from touchline.attribution.hazard import Rates, rates
from touchline.attribution.incremental import Effects, effects
from touchline.attribution.journeys import Journeys, Labels, Touches
from touchline.attribution.memory import Memory, chosen_order
from touchline.attribution.observed import Observed
from touchline.attribution.remainder import (
    apportion,
    apportion_nested,
    apportion_within,
    touch_money,
)
from touchline.attribution.rules import Weights
from touchline.attribution.shapley import by_position
from touchline.attribution.stages import Stages
from touchline.attribution.synergy import Synergy, synergy
from touchline.attribution.transition import Transitions, transitions

__all__ = [
    "HALF_LIFE_DAYS",
    "MODELS",
    "Combinations",
    "Credit",
    "Effects",
    "Findings",
    "Fitted",
    "Journeys",
    "Labels",
    "Lift",
    "Memory",
    "Observed",
    "Posterior",
    "Rates",
    "Scope",
    "Stages",
    "Synergy",
    "Touches",
    "Transitions",
    "Weights",
    "apportion",
    "apportion_nested",
    "apportion_within",
    "by_position",
    "calibrate",
    "choose",
    "chosen_order",
    "combinations",
    "credit",
    "effects",
    "fitted_half_life",
    "obstacle",
    "rates",
    "synergy",
    "touch_money",
    "transitions",
]
