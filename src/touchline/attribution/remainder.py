"""Float shares → integers that add up exactly, by the largest remainder.

    apportion([3.34, 3.33, 3.33], 10) = [4, 3, 3]

Equal remainders go to the earlier share. The surprise: negative money is rounded as the mirror
image of positive money, so a refund takes back to the cent what the order gave.
"""

from collections.abc import Sequence

import numpy as np

from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Floats, Int64s, Ints, sums_by, tally

__all__ = ["apportion", "apportion_nested", "apportion_within", "touch_money"]

NOISE = 1e-9  # remainders closer than this to each other are equal
DUST = 1e-12  # what float sums may be off by, of their size


def apportion(shares: Floats, total: int) -> Int64s:
    """Integers nearest below or above the shares that sum to `total`."""
    return apportion_within(shares, np.zeros(len(shares), dtype=np.int64), np.array([total]))


def apportion_within(shares: Floats, group: Ints, totals: Ints) -> Int64s:
    """The same inside each group: shares of group g become integers that sum to `totals[g]`.

    A total may differ from the sum of its shares by what rounding it left over: less than one.
    """
    groups = len(totals)
    sums = sums_by(group, shares, groups)
    if np.any(np.abs(sums - totals) > 1 + DUST * tally(group, np.abs(shares), groups)):
        raise ValueError("shares do not add up to their totals")
    mirror = np.where(sums < 0, -1, 1)
    sign = mirror[group]
    floor = np.floor(shares * sign)
    remainder = np.round((shares * sign - floor) / NOISE)
    sizes = np.bincount(group, minlength=groups)
    missing = totals * mirror - tally(group, floor, groups).astype(np.int64)
    # A total rounded down below the floors themselves: all step down, the largest come back.
    is_below = missing < 0
    missing = missing + sizes * is_below
    order = np.lexsort((-remainder, group))
    rank = np.arange(len(shares)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    whole = floor.astype(np.int64) - is_below[group]
    whole[order[rank < missing[group[order]]]] += 1
    return whole * sign


def apportion_nested(shares: Floats, levels: Sequence[Ints], total: int) -> Int64s:
    """Round from the coarse to the fine, so that every level adds up to the one above.

    `levels` hold, from coarse to fine, the group of each share; groups of a finer level lie whole
    inside one of the coarser. The last level is the shares themselves and is not given.
    """
    above = np.zeros(len(shares), dtype=np.int64)
    totals = np.array([total], dtype=np.int64)
    for level in [*levels, np.arange(len(shares))]:
        size = int(level.max()) + 1 if len(level) else 0
        parent = np.zeros(size, dtype=np.int64)
        parent[level] = above
        totals = apportion_within(sums_by(level, shares, size), parent, totals)
        above = level
    return totals


def touch_money(credit: Credit) -> tuple[Int64s, Int64s]:
    """Whole minor units of each converting touch, and of each channel's leftover.

    Under a rule the touches of a conversion sum to its value; under an aggregate model the touches
    of a channel sum to the channel's rounded total. What is left of the money is the baseline's.
    """
    journeys = credit.journeys
    channels = len(journeys.labels.channels)
    if credit.share is not None:
        touched = np.where(journeys.is_touched, journeys.value, 0).astype(np.int64)
        shares, group = credit.touch_revenue, journeys.journey_of
        if credit.baseline_conversions or credit.baseline_revenue:
            rest = touched - sums_by(group, shares, len(touched))
            shares, group = np.append(shares, rest), np.append(group, np.arange(len(touched)))
        whole = apportion_within(shares, group, touched)[: len(credit.share)]
        return whole, np.zeros(channels, dtype=np.int64)
    total = int(journeys.value[journeys.is_touched].sum())
    shares = np.append(credit.channel_revenue, credit.baseline_revenue)
    by_channel = apportion(shares, total)[:-1]
    is_left = credit.channel_presence == 0
    channel = journeys.channel[: journeys.converting_touches]
    whole = apportion_within(credit.touch_revenue, channel, np.where(is_left, 0, by_channel))
    return whole, np.where(is_left, by_channel, 0)
