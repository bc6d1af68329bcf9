"""A model's answer + the truth → how much credit lies wrong, in what order, and is it sure.

    misallocated   half the sum of |share given - share true|: the part of the credit that would
                   have to move. 0 is right; above 1 only where a model also takes away
    rank           Spearman's correlation of credit and truth over the channels
    credited       credit of all channels ÷ what they truly caused: 2 gives away twice too much
    covered        the part of the channels whose interval holds the truth

The surprise: a rule that gives away all conversions may have perfect shares and cover nothing, as
it also gives away those that would have come anyway.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Floats
from touchline.demo.worlds.world import World

__all__ = ["Score", "placed", "score"]


@dataclass(frozen=True)
class Score:
    """None stands for what cannot be said: no money, no absolute truth, no interval."""

    misallocated: float
    misallocated_revenue: float | None
    rank: float | None
    credited: float | None
    covered: float | None


def score(
    world: World, answer: Credit, low: Floats | None = None, high: Floats | None = None
) -> Score:
    """How right an answer is; `low` and `high` are its interval of conversions by channel."""
    truth = world.truth
    given = placed(world, answer.channel_conversions)
    of_revenue = None
    if truth.revenue is not None:
        of_revenue = _misallocated(placed(world, answer.channel_revenue), truth.revenue)
    covered = None
    if low is not None and high is not None:
        inside = _covers(world, given, low, high)
        covered = float(inside.mean())
    return Score(
        misallocated=_misallocated(given, truth.conversions),
        misallocated_revenue=of_revenue,
        rank=_rank(given, truth.conversions),
        credited=_ratio(given.sum(), truth.conversions.sum()) if truth.is_absolute else None,
        covered=covered,
    )


def placed(world: World, by_channel: Floats) -> Floats:
    """Numbers of the channels seen, in the order of all that there are; 0 for one without trace."""
    place = [world.truth.channels.index(name) for name in world.observed.channels]
    found = np.zeros(len(world.truth.channels))
    found[place] = by_channel
    return found


def _covers(world: World, given: Floats, low: Floats, high: Floats) -> Floats:
    """1 where the truth lies inside; of a channel without trace a model claims exactly nothing."""
    truth = world.truth.conversions
    if not world.truth.is_absolute:
        truth = truth / truth.sum() * given.sum()
    low, high = placed(world, low), placed(world, high)
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def _misallocated(given: Floats, truth: Floats) -> float:
    """A model that gives nothing at all lays everything wrong."""
    if given.sum() <= 0:
        return 1.0
    return float(np.abs(given / given.sum() - truth / truth.sum()).sum() / 2)


def _rank(given: Floats, truth: Floats) -> float | None:
    if np.ptp(given) == 0 or np.ptp(truth) == 0:
        return None
    ranks = (stats.rankdata(one) for one in (given, truth))
    return float(np.corrcoef(*ranks)[0, 1])


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
