"""Journeys → the share of each converting touch in its own conversion, by a fixed rule.

Every rule is a pure function: shares of one journey sum to 1, in the order of its touches.

    A  B  B  C        first_touch     1    0    0    0
                      last_touch      0    0    0    1
                      linear          .25  .25  .25  .25
                      position_based  .4   .1   .1   .4

    time_decay  2^(-age / half-life), age before the last touch, over its sum in the journey
    weighted    the weights of a touch's marks, and an even part of the rest, over their sum

`weighted` is the family of all shapes: U (position_based), W and Z are its best known members. None
of them has a paper: they are conventions, and 7 days is what Google Ads had for time decay. The
surprise: shares are made to sum to 1 over the marks a journey has, so a journey without a lead
shares out the lead's weight among the others.
"""

from dataclasses import dataclass

import numpy as np

from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys
from touchline.attribution.stages import Stages
from touchline.errors import BadInput

__all__ = [
    "POSITIONS",
    "W_SHAPE",
    "Z_SHAPE",
    "Weights",
    "first_touch",
    "last_non_direct",
    "last_touch",
    "linear",
    "time_decay",
    "weighted",
]

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Weights:
    """What the marked touches of a journey weigh, and `rest`: all others of it together.

    A touch with several marks (the first that is also the lead's) weighs their sum. Raises
    BadInput("bad_weights") for one below 0, and where none is above.
    """

    first: float = 0.0
    lead: float = 0.0
    opportunity: float = 0.0
    last: float = 0.0
    rest: float = 0.0

    def __post_init__(self) -> None:
        said = vars(self)
        wrong = [f"{name}={number:g}" for name, number in said.items() if not 0 <= number < np.inf]
        if not wrong and any(said.values()):
            return
        text = ",".join(f"{name}={number:g}" for name, number in said.items() if number)
        raise BadInput("bad_weights", value=text or "0", why=", ".join(wrong) or "0")


POSITIONS = Weights(first=0.4, last=0.4, rest=0.2)
W_SHAPE = Weights(first=0.3, lead=0.3, opportunity=0.3, rest=0.1)
Z_SHAPE = Weights(first=0.225, lead=0.225, opportunity=0.225, last=0.225, rest=0.1)


def first_touch(journeys: Journeys) -> Floats:
    """All to the touch that opened the journey."""
    return _all_to(journeys, journeys.first)


def last_touch(journeys: Journeys) -> Floats:
    """All to the touch that closed it."""
    return _all_to(journeys, journeys.last)


def last_non_direct(journeys: Journeys) -> Floats:
    """All to the last touch that is not direct; a journey of direct alone credits direct."""
    touches = journeys.converting_touches
    is_direct = journeys.labels.direct[journeys.channel[:touches]]
    index = np.where(is_direct, -1, np.arange(touches))
    found = np.maximum.reduceat(index, journeys.first) if touches else index
    return _all_to(journeys, np.where(found < 0, journeys.last, found))


def linear(journeys: Journeys) -> Floats:
    """The same to every touch."""
    lengths = journeys.lengths[: journeys.converting]
    return np.repeat(1 / np.maximum(lengths, 1), lengths)


def time_decay(journeys: Journeys, half_life_days: float) -> Floats:
    """Half as much for each half-life further back.

    Measured from the journey's last touch: the distance from there to the conversion is common to
    all touches and cancels, and so no weight of all of them together can vanish.
    """
    if journeys.ts_us is None:
        raise ValueError("time decay needs the times of touches")
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    ts_us = journeys.ts_us
    age_us = np.repeat(ts_us[journeys.last], lengths) - ts_us
    weight = np.exp2(age_us / -(half_life_days * DAY_US))
    total = np.add.reduceat(weight, journeys.first) if len(weight) else weight
    return weight / np.repeat(total, lengths)


def weighted(journeys: Journeys, weights: Weights, stages: Stages | None = None) -> Floats:
    """Weights by place in the journey, made to sum to 1 over the marks and touches it has.

    A journey without an opportunity, or without touches between, shares out what is left in the
    same proportions; one in which nothing weighs anything is shared evenly.
    """
    marks = [(journeys.first, weights.first), (journeys.last, weights.last)]
    if stages is not None:
        for touch, weight in (
            (stages.lead, weights.lead),
            (stages.opportunity, weights.opportunity),
        ):
            marks.append((touch[touch >= 0], weight))
    share = np.zeros(journeys.converting_touches)
    is_rest = np.ones(len(share), dtype=np.bool_)
    for touch, weight in marks:
        if weight:
            share[touch] += weight  # one touch a journey: no index occurs twice
            is_rest[touch] = False
    others = _totals(journeys, is_rest.astype(np.float64))
    share += np.where(is_rest, weights.rest / np.maximum(others, 1), 0)
    total = _totals(journeys, share)
    lengths = _totals(journeys, np.ones(len(share)))
    return np.divide(share, total, out=1 / lengths, where=total > 0)


def _totals(journeys: Journeys, amount: Floats) -> Floats:
    """At each converting touch, the sum of its journey."""
    if not len(amount):
        return amount
    lengths = journeys.lengths[: journeys.converting][journeys.is_touched]
    return np.repeat(np.add.reduceat(amount, journeys.first), lengths)


def _all_to(journeys: Journeys, touch: Ints) -> Floats:
    share = np.zeros(journeys.converting_touches)
    share[touch] = 1
    return share
