"""Times of a deal's stages → the touch that each stage is credited to, one a conversion.

The touch of a stage is the last at or before the moment the deal entered it: what was done when the
lead, or the opportunity, came about. The surprise: a stage that no touch of the journey precedes
(the deal was there before its first touch in the window) has none, written -1, and weighs nothing.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from touchline.attribution.arrays import Int64s, Ints
from touchline.attribution.journeys import Journeys

__all__ = ["UNKNOWN_US", "Stages"]

UNKNOWN_US = np.iinfo(np.int64).min  # the time of a stage that a deal never entered


@dataclass(frozen=True, eq=False)
class Stages:
    """Of each converting journey, the index of the touch of its stage; -1 where it has none."""

    lead: Ints
    opportunity: Ints

    @classmethod
    def at(cls, journeys: Journeys, lead_us: Ints, opportunity_us: Ints) -> Self:
        """The touches at the times the deals entered their stages (UNKNOWN_US: never)."""
        return cls(touch_at(journeys, lead_us), touch_at(journeys, opportunity_us))


def touch_at(journeys: Journeys, moment_us: Ints) -> Int64s:
    """Of each converting journey, the last touch at or before its moment; -1 without any."""
    if journeys.ts_us is None:
        raise ValueError("stages need the times of touches")
    if len(moment_us) != journeys.converting:
        raise ValueError("every converting journey has its moment, if only UNKNOWN_US")
    is_before = journeys.ts_us <= moment_us[journeys.journey_of]
    before = np.bincount(journeys.journey_of[is_before], minlength=journeys.converting)
    return np.where(before > 0, journeys.offsets[: journeys.converting] + before - 1, -1)
