"""Journeys → the transition matrix of their chain: from where to where, how often, how likely.

States are windows of the last k channels (see `markov.py`), and beside them START, CONVERSION and
NULL. Every journey leaves START once and ends in one of the last two, so

    counts into a window = counts out of it         and each row of probabilities sums to 1

The surprise: how often journeys fail from a window is counted nowhere. It is what came in and went
out neither to another window nor to a conversion.
"""

from dataclasses import dataclass

import numpy as np

from touchline.attribution import markov
from touchline.attribution.arrays import Floats, Int64s, tally
from touchline.attribution.journeys import Journeys

__all__ = ["CONVERSION", "NULL", "START", "Transitions", "transitions"]

START, CONVERSION, NULL = "(start)", "(conversion)", "(null)"
DUST = 1e-9


@dataclass(frozen=True, eq=False)
class Transitions:
    """Row i: `counts[i]` times from `states[source[i]]` to `states[target[i]]`. A state is its
    channels, oldest first; START is the first state, CONVERSION and NULL are the last two.
    """

    states: tuple[tuple[str, ...], ...]
    source: Int64s
    target: Int64s
    counts: Floats

    @property
    def probability(self) -> Floats:
        """The chance of each transition among those from its source."""
        return self.counts / tally(self.source, self.counts, len(self.states))[self.source]


def transitions(journeys: Journeys, order: int = 1) -> Transitions:
    """All transitions that occur, by source and target."""
    names = journeys.labels.channels
    if not len(journeys.label):
        nothing = np.zeros(0, dtype=np.int64)
        return Transitions(((START,), (CONVERSION,), (NULL,)), nothing, nothing, np.zeros(0))
    grams = markov.count_grams(journeys, order)
    windows = grams.base**order
    into = grams.runs % windows
    known = np.unique(into)
    size = len(known) + 3
    target = np.searchsorted(known, into) + 1
    is_entry = grams.runs < grams.base
    source = np.where(is_entry, 0, np.searchsorted(known, grams.runs // grams.base) + 1)
    ends = np.searchsorted(known, grams.ends % windows) + 1
    won = tally(ends, journeys.conversions[journeys.is_modelled], size)
    came = tally(target, grams.counts, size)
    failed = came - tally(source, grams.counts, size) - won
    failed[0] = 0
    failed[failed < DUST * np.maximum(came, 1)] = 0
    places = np.arange(size)
    rows = [(source, target, grams.counts)]
    rows += [
        (places, np.full(size, end), left) for end, left in ((size - 2, won), (size - 1, failed))
    ]
    source, target, counts = (np.concatenate(column) for column in zip(*rows, strict=True))
    order_by = np.lexsort((target, source))
    kept = order_by[counts[order_by] > 0]
    states = ((START,), *(_window(int(one), grams.base, names) for one in known))
    return Transitions(
        (*states, (CONVERSION,), (NULL,)),
        source[kept].astype(np.int64),
        target[kept].astype(np.int64),
        counts[kept],
    )


def _window(code: int, base: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """The channels of a window, oldest first; it is shorter near the start of a journey."""
    found: list[str] = []
    while code:
        code, last = divmod(code, base)
        found.append(names[last - 1])
    return tuple(reversed(found))
