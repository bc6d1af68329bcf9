"""A lift test: what a channel caused on some days, as an experiment found it.

The surprise: it is of all that the channel did on those days, not of the part that was held out;
who enters a test (`jobs.lift`) says how much of it the test saw.
"""

import datetime as dt
from typing import Literal

from msgspec import Struct

__all__ = ["LiftTest", "Named"]

Named = tuple[str, str | None]


class LiftTest(Struct, frozen=True, kw_only=True):
    """`effect` and its standard error: conversions of `goal`, or money in minor units. `days` are
    inclusive. No campaign: the whole channel.
    """

    name: str
    kind: Literal["geo", "user", "time"]
    goal: str
    channel: str
    campaign: str | None
    metric: Literal["conversions", "revenue"]
    days: tuple[dt.date, dt.date]
    effect: float
    error: float

    @property
    def named(self) -> Named:
        return self.channel, self.campaign
