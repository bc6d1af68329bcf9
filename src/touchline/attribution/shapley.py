"""Journeys → Shapley values of the channels, in closed form up to 20 channels, sampled beyond.

    phi_c = sum over sets S without c of  |S|! (n-|S|-1)! / n!  x  (v(S + c) - v(S))

`equal_set` plays the additive game (Zhao, Mahboobi and Bagheri 2018): a set of channels is worth
the conversions of journeys that stay inside it. Its value is known without any coalition: each
conversion is split equally over the distinct channels of its journey (and here over the touches of
that channel, so every grain adds up). `by_position` tells the same shares, or those of any rule,
apart by place in the journey: their ordered Shapley value.

`rate` plays the game of conversion rates (Shao and Li 2011; Dalessandro et al. 2012): a set is
worth conversions ÷ journeys among the journeys that stay inside it. `sampled_rate` is the mean
gain over random orders of joining (Castro, Gomez and Tejada 2009), each beside its reverse. Whoever
joins early gains most, so each random order is turned by a sixteenth of its length at a time:
everybody joins early, midway and late equally often (Castro et al. 2017: strata of position), which
halves the error. The spread of these rounds is its standard error; every order hands out the whole,
so sums stay exact.

The surprise: adding a channel can lower a rate, so values of this game may be negative.
"""

from math import factorial

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Floats, Int64s, Ints, sums_by
from touchline.attribution.journeys import Journeys
from touchline.attribution.sets import ChannelSets, channel_sets

__all__ = [
    "RATE_CHANNELS",
    "by_position",
    "equal_set",
    "exact_rate",
    "is_exact",
    "rate",
    "rate_of",
    "sampled_rate",
]

RATE_CHANNELS = 20  # 2^20 sets in three arrays: 24 MiB and half a second
ROUNDS, TURNS = 16, 16  # of a random order, each with its reverse: 512 orders of joining


def equal_set(journeys: Journeys) -> Floats:
    """The share of each converting touch: 1 / (distinct channels × touches of its channel)."""
    channel = journeys.channel[: journeys.converting_touches]
    pair = journeys.journey_of * len(journeys.labels.channels) + channel
    pairs, which, repeats = np.unique(pair, return_inverse=True, return_counts=True)
    distinct = np.bincount(
        pairs // max(len(journeys.labels.channels), 1), minlength=journeys.converting
    )
    return 1 / (distinct[journeys.journey_of] * repeats[which])


def by_position(journeys: Journeys, share: Floats, positions: int) -> Floats:
    """Conversions and money (2 × K × positions) of each channel by place in the journey, from 1.

    The last column holds that place and all behind it, so that each row sums to its channel.
    """
    channels = len(journeys.labels.channels)
    starts = np.repeat(journeys.first, journeys.lengths[: journeys.converting][journeys.is_touched])
    place = np.minimum(np.arange(journeys.converting_touches) - starts, positions - 1)
    cell = journeys.channel[: journeys.converting_touches].astype(np.int64) * positions + place
    parts = [
        sums_by(cell, share * amount[journeys.journey_of], channels * positions)
        for amount in (journeys.conversions, journeys.value)
    ]
    return np.stack(parts).reshape(2, channels, positions)


def rate(journeys: Journeys, seed: int = 0) -> tuple[Floats, Floats | None]:
    """Conversions and money of each channel (K × 2), and their standard errors where sampled."""
    sets = channel_sets(journeys)
    return rate_of(sets, sets.totals(journeys), seed)


def rate_of(sets: ChannelSets, totals: Floats, seed: int = 0) -> tuple[Floats, Floats | None]:
    """The same of sets of which it is known what each adds up to (see `ChannelSets.totals`)."""
    if is_exact(sets):
        return exact_rate(sets, totals), None
    values, errors = sampled_rate(sets, totals[:, :, None], seed)
    return values[:, :, 0], errors[:, :, 0]


def is_exact(sets: ChannelSets) -> bool:
    """Whether so few channels have a touch that all their sets can be visited."""
    return int(np.count_nonzero(sets.seen)) <= RATE_CHANNELS


def exact_rate(sets: ChannelSets, totals: Floats) -> Floats:
    """Conversions and money of each channel (K × 2), scaled to sum to the whole."""
    values = np.zeros((sets.channels, 2))
    players = int(np.count_nonzero(sets.seen))
    if not players:
        return values
    bit = np.where(sets.seen, 1 << np.maximum(np.cumsum(sets.seen) - 1, 0), 0)
    exactly = np.zeros((3, 1 << players))  # of journeys whose set of channels is the index
    exactly[:, sets.coded(bit)] = totals
    exactly[:, 0] = 0  # journeys without a touch take no part
    inside = _subset_sums(exactly)
    rates = np.divide(inside[1:], inside[0], out=np.zeros_like(inside[1:]), where=inside[0] > 0)
    values[sets.seen] = _shapley(rates).T * inside[0, -1]
    return values


def sampled_rate(
    sets: ChannelSets, totals: Floats, seed: int = 0, rounds: int = ROUNDS
) -> tuple[Floats, Floats]:
    """Conversions and money of each channel (K × 2 × B), and their standard errors, of B games at
    once: totals are 3 × sets × B, and all are played in the same orders.
    """
    seen = np.flatnonzero(sets.seen)
    games = totals.shape[2]
    values, errors = np.zeros((2, sets.channels, 2, games))
    if not len(seen):
        return values, errors
    filled = sets.sizes > 0  # journeys without a touch take no part
    worth = totals[:, filled]
    rng = np.random.default_rng(seed)
    mean = np.zeros((len(seen), 2, games))
    squares = np.zeros((len(seen), 2, games))
    turns = np.arange(TURNS) * len(seen) // TURNS
    for number in range(1, rounds + 1):
        order = rng.permutation(len(seen))
        orders = ((order + turn) % len(seen) for turn in turns)
        gains = np.mean([_gains_in_order(sets, worth, one) for one in orders], axis=0)
        apart = gains - mean
        mean += apart / number
        squares += apart * (gains - mean)  # Welford: no difference of large sums
    whole = worth[0].sum(axis=0)
    values[seen] = mean * whole
    errors[seen] = np.sqrt(squares / max(rounds - 1, 1) / rounds) * whole
    return values, errors


def _gains_in_order(sets: ChannelSets, worth: Floats, rank: Int64s) -> Floats:
    """What each player (n × 2 × B) adds when they join in order of rank, and in its reverse; the
    mean. A set lies inside the players of ranks 0 … r from its highest rank on: one pass for all r.
    """
    players = len(rank)
    rank_of = np.zeros(sets.channels, dtype=np.int32)
    rank_of[sets.seen] = rank
    ranks = rank_of[sets.members]
    starts = sets.offsets[:-1][sets.sizes > 0]
    highest = np.maximum.reduceat(ranks, starts)
    lowest = np.minimum.reduceat(ranks, starts)
    forth = _gains(highest, worth, players)[rank]
    back = _gains(players - 1 - lowest, worth, players)[players - 1 - rank]
    return (forth + back) / 2


def _gains(complete_at: Ints, worth: Floats, players: int) -> Floats:
    """Steps (n × 2 × B) of the rates as one rank after the other joins."""
    number = np.arange(len(complete_at))
    joined = sparse.csr_array(
        (np.ones(len(number)), (complete_at, number)), shape=(players, len(number))
    )
    inside = np.cumsum([joined @ one for one in worth], axis=1)
    rates = np.divide(inside[1:], inside[0], out=np.zeros_like(inside[1:]), where=inside[0] > 0)
    return np.diff(rates, axis=1, prepend=0).swapaxes(0, 1)


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
