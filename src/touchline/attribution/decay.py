"""Journeys → the half-life that their touches themselves show, for time decay without a guess.

The ages of touches (how long before the journey's last touch) are taken for exponential, each cut
off at its window W, behind which nobody looks. The rate λ of greatest likelihood solves

    mean of age = mean of 1/λ - W / (exp(λW) - 1)          half-life = ln 2 / λ

(Deemer and Votaw 1955: the truncated exponential). Without a window it is ln 2 × mean age. Where
each person's journeys begin anew after a conversion, ages are cut off there as well, which is not
looked at: with many repeat purchases the half-life comes out short.

The surprise: ages spread evenly over their windows, or thicker at the far end, show no decay at
all: the half-life is then infinite, and time decay is linear. The last touch has age 0 by
definition and says nothing, so journeys of one touch say nothing either.
"""

import numpy as np

from touchline.attribution.arrays import Floats
from touchline.attribution.journeys import Journeys

__all__ = ["fitted_half_life"]

DAY_US = 86_400_000_000
SHORTEST_DAYS = 1 / 86_400  # a second: where all ages are 0, so is the half-life of best fit
LEVEL = 0.5 - 1e-6  # of the window: the mean of ages that show no decay
MOST = 700.0  # λW: beyond it exp(-λW) is less than float64 tells from nothing


def fitted_half_life(journeys: Journeys, window_days: float | Floats | None = None) -> float | None:
    """Days, perhaps infinite; None where no touch precedes another, so that nothing can be said.

    `window_days` is one for all touches of converting journeys, or that of each.
    """
    age, weight = _ages(journeys)
    window = np.broadcast_to(np.inf if window_days is None else window_days, age.shape)
    weight = np.where(window > 0, weight, 0.0)  # at the conversion's own moment alone
    if not weight.sum():
        return None
    mean = float(np.average(age, weights=weight))
    if window_days is None or mean <= 0:
        return max(np.log(2) * mean, SHORTEST_DAYS)
    distinct, which = np.unique(window[weight > 0], return_inverse=True)
    part = np.bincount(which, weight[weight > 0]) / weight.sum()
    if mean >= LEVEL * (part @ distinct):
        return np.inf

    def expected(rate: float) -> float:
        return float(part @ (1 / rate - distinct / np.expm1(np.minimum(rate * distinct, MOST))))

    from scipy import optimize  # here, as few starts need it

    rate = optimize.brentq(lambda x: expected(x) - mean, 1e-9 / distinct[-1], 2 / mean)
    return max(float(np.log(2) / rate), SHORTEST_DAYS)


def _ages(journeys: Journeys) -> tuple[Floats, Floats]:
    """Days before the last touch of each touch but that, and how many conversions it counts for."""
    if journeys.ts_us is None:
        raise ValueError("a half-life is fitted to the times of touches")
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    age = (np.repeat(journeys.ts_us[journeys.last], lengths) - journeys.ts_us) / DAY_US
    weight = journeys.conversions[journeys.journey_of].copy()
    weight[journeys.last] = 0
    return age, weight
