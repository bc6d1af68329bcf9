"""Stage 4, journeys → credit: exact rules, Markov chains and Shapley values on arrays.

Why did this channel get 12 %? `rules.py`, `markov.py` and `shapley.py` hold one model each way of
thinking; `models.py` is their table; `credit.py` puts them behind one call; `remainder.py` turns
shares into whole cents.
"""

from touchline.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit, choose, credit, obstacle
from touchline.attribution.journeys import Journeys, Labels, Touches
from touchline.attribution.remainder import (
    apportion,
    apportion_nested,
    apportion_within,
    touch_money,
)

__all__ = [
    "HALF_LIFE_DAYS",
    "MODELS",
    "Credit",
    "Journeys",
    "Labels",
    "Touches",
    "apportion",
    "apportion_nested",
    "apportion_within",
    "choose",
    "credit",
    "obstacle",
    "touch_money",
]
