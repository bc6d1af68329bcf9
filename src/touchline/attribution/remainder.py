"""Float shares → integers that add up exactly, by the largest remainder.

    apportion([3.34, 3.33, 3.33], 10) = [4, 3, 3]

Equal remainders go to the earlier share. The surprise: negative money is rounded as the mirror
image of positive money, so a refund takes back to the cent what the order gave.
"""

from collections.abc import Sequence

import numpy as np

from touchline.attribution.arrays import Floats, Int64s, Ints, sums_by, tally
from touchline.attribution.credit import Credit

__all__ = ["apportion", "apportion_nested", "apportion_within", "touch_money"]

NOISE = 1e-9  # float dust: closer than this to an integer, or to each other, is equal


def apportion(shares: Floats, total: int) -> Int64s:
    """Integers nearest below or above the shares that sum to `total`."""
    return apportion_within(shares, np.zeros(len(shares), dtype=np.int64), np.array([total]))


def apportion_within(shares: Floats, group: Ints, totals: Ints) -> Int64s:
    """The same inside each group: shares of group g become integers that sum to `totals[g]`."""
    mirror = np.where(tally(group, shares, len(totals)) < 0, -1, 1)
    sign = mirror[group]
    facing = shares * sign
    floor = np.floor(facing + NOISE)
    missing = totals * mirror - tally(group, floor, len(totals)).astype(np.int64)
    if np.any(missing < 0) or np.any(missing > np.bincount(group, minlength=len(totals))):
        raise ValueError("shares do not add up to their totals")
    remainder = np.maximum(facing - floor, 0)
    order = np.lexsort((-np.round(remainder / NOISE), group))
    sizes = np.bincount(group, minlength=len(totals))
    rank = np.arange(len(shares)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    whole = floor.astype(np.int64)
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
    of a channel sum to the channel's rounded total.
    """
    journeys = credit.journeys
    channels = len(journeys.labels.channels)
    if credit.share is not None:
        touched = np.where(journeys.is_touched, journeys.value, 0).astype(np.int64)
        whole = apportion_within(credit.touch_revenue, journeys.journey_of, touched)
        return whole, np.zeros(channels, dtype=np.int64)
    total = int(journeys.value[journeys.is_touched].sum())
    by_channel = apportion(credit.channel_revenue, total)
    is_left = credit.channel_presence == 0
    channel = journeys.channel[: journeys.converting_touches]
    whole = apportion_within(credit.touch_revenue, channel, np.where(is_left, 0, by_channel))
    return whole, np.where(is_left, by_channel, 0)
