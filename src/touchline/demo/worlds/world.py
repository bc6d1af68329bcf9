"""What a company would have seen of a world, for the models, and what was so, for the scores.

Truth of a channel is what a perfect experiment would find: conversions that would not have been
without its touches, the other touches as they were. The surprise: these overlap where channels
work together, so they need not add up to all conversions less the baseline.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from touchline.attribution import Journeys, Labels, Touches
from touchline.attribution.arrays import Floats
from touchline.attribution.observed import Observed

__all__ = ["Trial", "Truth", "World"]


@dataclass(frozen=True, eq=False)
class Truth:
    """By channel, those that leave no trace included. Where only shares are known, `conversions`
    are in no unit and `is_absolute` is false.
    """

    channels: tuple[str, ...]
    conversions: Floats
    revenue: Floats | None = None
    baseline: float = 0.0
    is_absolute: bool = True


@dataclass(frozen=True)
class Trial:
    """An experiment with a channel switched off for some: conversions it was found to cause."""

    channel: str
    effect: float
    error: float


@dataclass(frozen=True, eq=False)
class World:
    name: str
    observed: Observed
    truth: Truth
    trials: tuple[Trial, ...] = ()

    @cached_property
    def journeys(self) -> Journeys:
        """The same units as journeys; one that neither converts nor meets a touch is none."""
        seen = self.observed
        lengths = np.diff(seen.offsets)
        converts = seen.is_converted
        order = np.concatenate(
            [np.flatnonzero(converts), np.flatnonzero(~converts & (lengths > 0))]
        )
        place = np.full(len(lengths), -1)
        place[order] = np.arange(len(order))
        journey = np.repeat(place, lengths)
        by_journey = np.argsort(journey, kind="stable")
        journey, label = journey[by_journey], seen.channel[by_journey]
        split = int(np.searchsorted(journey, seen.conversions))
        return Journeys.from_touches(
            Touches(journey[:split], label[:split], seen.ts_us[by_journey][:split]),
            Touches(journey[split:], label[split:]),
            value=seen.value[converts].astype(np.int64),
            labels=Labels.of_channels(seen.channels),
        )
