"""Journeys → Shapley values of the channels, in closed form; no permutation is ever sampled.

`equal_set` plays the additive game: a set of channels is worth the conversions of journeys that
stay inside it. Its value is known without any coalition: each conversion is split equally over the
distinct channels of its journey (and here over that channel's touches, so every grain adds up).

`rate` plays the game of conversion rates: a set is worth conversions ÷ journeys among the journeys
that stay inside it. The surprise: adding a channel can lower a rate, so values may be negative.
"""

from math import factorial

import numpy as np

from touchline.attribution.arrays import Bools, Floats, tally
from touchline.attribution.journeys import Journeys

__all__ = ["RATE_CHANNELS", "equal_set", "rate", "seen_channels"]

RATE_CHANNELS = 20  # 2^20 sets in three arrays: 24 MiB and half a second


def equal_set(journeys: Journeys) -> Floats:
    """The share of each converting touch: 1 / (distinct channels × touches of its channel)."""
    channel = journeys.channel[: journeys.converting_touches]
    pair = journeys.journey_of * len(journeys.labels.channels) + channel
    pairs, which, repeats = np.unique(pair, return_inverse=True, return_counts=True)
    distinct = np.bincount(
        pairs // max(len(journeys.labels.channels), 1), minlength=journeys.converting
    )
    return 1 / (distinct[journeys.journey_of] * repeats[which])


def rate(journeys: Journeys) -> Floats:
    """Conversions and money of each channel (K × 2), scaled to sum to the whole."""
    seen = seen_channels(journeys)
    values = np.zeros((len(seen), 2))
    if not seen.any():
        return values
    inside = _subset_sums(_set_totals(journeys, seen))
    rates = np.divide(inside[1:], inside[0], out=np.zeros_like(inside[1:]), where=inside[0] > 0)
    values[seen] = _shapley(rates).T * inside[0, -1]
    return values


def seen_channels(journeys: Journeys) -> Bools:
    """Which channels have a touch in any journey."""
    return np.bincount(journeys.channel, minlength=len(journeys.labels.channels)) > 0


def _set_totals(journeys: Journeys, seen: Bools) -> Floats:
    """Journeys, conversions and money (3 × 2^n) whose set of channels is exactly the index."""
    bit = np.where(seen, 1 << np.maximum(np.cumsum(seen) - 1, 0), 0).astype(np.int32)
    touched = journeys.lengths > 0
    sets = np.zeros(len(touched), dtype=np.int32)
    sets[touched] = np.bitwise_or.reduceat(bit[journeys.channel], journeys.offsets[:-1][touched])
    converting = sets[: journeys.converting]
    size = 1 << int(np.count_nonzero(seen))
    totals = np.stack(
        [
            tally(sets, journeys.weight, size),
            tally(converting, journeys.conversions, size),
            tally(converting, journeys.value * (journeys.conversions > 0), size),
        ]
    )
    totals[:, 0] = 0  # journeys without a touch take no part
    return totals


def _subset_sums(totals: Floats) -> Floats:
    """Totals over all subsets of each set: the zeta transform, one channel at a time."""
    sums = totals.copy()
    for i in range(sums.shape[1].bit_length() - 1):
        halves = sums.reshape(len(sums), -1, 2, 1 << i)
        halves[:, :, 1] += halves[:, :, 0]
    return sums


def _shapley(worth: Floats) -> Floats:
    """Mean gain of each player over all orders of joining: sum of |S|!(n-|S|-1)!/n! × gain."""
    players = worth.shape[1].bit_length() - 1
    size = np.bitwise_count(np.arange(worth.shape[1]))
    chance = np.array(
        [factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)]
        + [0.0]
    )[size]
    gains = np.empty((len(worth), players))
    for i in range(players):
        halves = worth.reshape(len(worth), -1, 2, 1 << i)
        without = chance.reshape(-1, 2, 1 << i)[:, 0]
        gains[:, i] = ((halves[:, :, 1] - halves[:, :, 0]) * without).sum(axis=(1, 2))
    return gains
