"""Journeys → the distinct sets of channels they are made of, and what each set adds up to.

A million journeys over a dozen channels make a few thousand sets. Order and repeats are gone, so
whatever asks only who was there (Shapley games, synergy, combinations) reads these few rows.

The surprise: sets are found as numbers, 62 channels to a word. Words are numbered anew one after
the other, so a thousand channels cost sixteen passes and no text.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Bools, Floats, Int64s, Ints, dense, tally
from touchline.attribution.journeys import Journeys

__all__ = ["ChannelSets", "channel_sets"]

WORD = 62


@dataclass(frozen=True, eq=False)
class ChannelSets:
    """Set s holds the channels `members[offsets[s]:offsets[s + 1]]`, ascending.

    `of_journey` is the set of each journey; journeys without a touch have the empty set, which is
    the first one wherever it occurs.
    """

    offsets: Int64s
    members: Int64s
    of_journey: Int64s
    channels: int

    @classmethod
    def of_bits(cls, bits: Int64s, channels: int) -> Self:
        """Sets alone, each an integer with a bit for each of up to 62 channels."""
        return cls(*_decoded([bits], channels), np.arange(len(bits)), channels)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def sizes(self) -> Int64s:
        """How many channels each set has."""
        return np.diff(self.offsets)

    @cached_property
    def seen(self) -> Bools:
        """Which channels are in any set."""
        return np.bincount(self.members, minlength=self.channels) > 0

    def coded(self, code: Int64s) -> Int64s:
        """Each set as the sum of its channels' codes, which are powers of two."""
        found = np.zeros(len(self), dtype=np.int64)
        filled = self.sizes > 0
        found[filled] = np.bitwise_or.reduceat(code[self.members], self.offsets[:-1][filled])
        return found

    @cached_property
    def table(self) -> sparse.csr_array:
        """Sets × channels, 1 where the channel is in the set."""
        ones = np.ones(len(self.members))
        return sparse.csr_array(
            (ones, self.members, self.offsets), shape=(len(self), self.channels)
        )

    def totals(self, journeys: Journeys) -> Floats:
        """Journeys, conversions and money (3 × sets); money without an order is no one's."""
        converting = self.of_journey[: journeys.converting]
        return np.stack(
            [
                tally(self.of_journey, journeys.weight, len(self)),
                tally(converting, journeys.conversions, len(self)),
                tally(converting, journeys.value * (journeys.conversions > 0), len(self)),
            ]
        )


def channel_sets(journeys: Journeys) -> ChannelSets:
    """The distinct sets, in an order that depends on the sets alone."""
    channels = len(journeys.labels.channels)
    is_touched = journeys.lengths > 0
    starts = journeys.offsets[:-1][is_touched]
    code = np.zeros(len(is_touched), dtype=np.int64)
    words: list[Int64s] = []  # of each set so far, its bits in each word
    for low in range(0, max(channels, 1), WORD):
        bits = np.zeros(channels, dtype=np.int64)
        bits[low : low + WORD] = np.int64(1) << np.arange(min(WORD, channels - low))
        word = np.zeros(len(code), dtype=np.int64)
        if len(starts):
            word[is_touched] = np.bitwise_or.reduceat(bits[journeys.channel], starts)
        distinct, place = dense(word, 1 << min(WORD, channels - low))
        if not words:
            words, code = [distinct], place
            continue
        size = max(len(distinct), 1)
        pairs, code = np.unique(code * size + place, return_inverse=True)
        words = [*(one[pairs // size] for one in words), distinct[pairs % size]]
    return ChannelSets(*_decoded(words, channels), code, channels)


def _decoded(words: list[Int64s], channels: int) -> tuple[Int64s, Int64s]:
    """Offsets and members of the sets that such words write."""
    found: list[tuple[Ints, Ints]] = []
    for number, word in enumerate(words):
        wide = min(WORD, channels - number * WORD)
        which, bit = np.nonzero((word[:, None] >> np.arange(wide)) & 1)
        found.append((which, bit + number * WORD))
    which = np.concatenate([one for one, _ in found])
    member = np.concatenate([one for _, one in found])
    order = np.argsort(which, kind="stable")
    lengths = np.bincount(which, minlength=len(words[0]))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return offsets, member[order].astype(np.int64)
