"""Journeys → the half-life that their touches themselves show, for time decay without a guess.

The ages of touches (how long before the journey's last touch) are taken for exponential, cut off at
the window W, behind which nobody looks. The rate λ of greatest likelihood solves

    mean age = 1/λ - W / (exp(λW) - 1)          half-life = ln 2 / λ

(Deemer and Votaw 1955: the truncated exponential). Without a window it is ln 2 × mean age.

The surprise: ages spread evenly over the window, or thicker at its far end, show no decay at all:
the half-life is then infinite, and time decay is linear. The last touch has age 0 by definition and
says nothing, so journeys of one touch say nothing either.
"""

import numpy as np
from scipy import optimize

from touchline.attribution.arrays import Floats
from touchline.attribution.journeys import Journeys

__all__ = ["fitted_half_life"]

DAY_US = 86_400_000_000
SHORTEST_DAYS = 1 / 86_400  # a second: where all ages are 0, so is the half-life of best fit
LEVEL = 0.5 - 1e-6  # of the window: the mean of ages that show no decay
FAR = 0.01  # of the window: what lies behind it is less than float64 tells from nothing


def fitted_half_life(journeys: Journeys, window_days: float | None = None) -> float | None:
    """Days, perhaps infinite; None where no touch precedes another, so that nothing can be said."""
    age, weight = _ages(journeys)
    if not weight.sum():
        return None
    mean = float(np.average(age, weights=weight))
    if window_days is None:
        return max(np.log(2) * mean, SHORTEST_DAYS)
    share = mean / window_days
    if share >= LEVEL:
        return np.inf
    if share < FAR:
        return max(np.log(2) * mean, SHORTEST_DAYS)
    rate = optimize.brentq(lambda x: 1 / x - 1 / np.expm1(x) - share, 1e-9, 2 / share)
    return float(np.log(2) / rate * window_days)


def _ages(journeys: Journeys) -> tuple[Floats, Floats]:
    """Days before the last touch of each touch but that, and how many conversions it counts for."""
    if journeys.ts_us is None:
        raise ValueError("a half-life is fitted to the times of touches")
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    age = (np.repeat(journeys.ts_us[journeys.last], lengths) - journeys.ts_us) / DAY_US
    weight = journeys.conversions[journeys.journey_of].copy()
    weight[journeys.last] = 0
    return age, weight
