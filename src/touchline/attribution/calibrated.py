"""A model's credit + lift tests → the credit that both together give, with a baseline of its own.

Starts from `incremental` where people's histories are given, else from `shapley`, which hands out
every conversion; the tests then say how much of that marketing caused (see `calibrate`). What no
channel caused is the baseline, and may be below nothing when tests find more than there was.

The surprise: money follows the tests of conversions, and the other way round. A test says how far
the model is off, and that is one fact, whichever of the two it was counted in. What a conversion is
worth is known from those that there were, so the luck of their sizes is added to the error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Bools, Floats, Ints, dense, tally
from touchline.attribution.calibrate import Findings, Fitted, Posterior, Scope, calibrate

__all__ = ["Lift", "calibrated", "findings", "posteriors"]


@dataclass(frozen=True, eq=False)
class Lift:
    """What tests found for the days of the journeys: channels by code, whole or one unit of them.

    Units are what campaigns are told by: `unit_of` says for each label which it belongs to; by
    default each label is one. `is_revenue`: the effect is money, in the journeys' unit. `base` is
    the credit they are weighed against and `known` what came of it, where that is done already.
    """

    scopes: Sequence[Scope]
    effect: Floats
    error: Floats
    is_revenue: Bools | None = None
    unit_of: Ints | None = None
    base: Credit | None = None
    known: tuple[Posterior, Posterior] | None = None

    @classmethod
    def of_channels(cls, channels: Sequence[int], effect: Floats, error: Floats) -> "Lift":
        """Findings of whole channels, in conversions."""
        return cls([Scope(int(channel)) for channel in channels], effect, error)


def calibrated(base: Credit, lift: Lift) -> Credit:
    """The posterior mean as credit, its standard deviation as error."""
    conversions, revenue = posteriors(base, lift)
    total = float(base.channel_conversions.sum()) + base.baseline_conversions
    money = float(base.channel_revenue.sum()) + base.baseline_revenue
    varies, varies_money = conversions.covariance, revenue.covariance
    return Credit(
        "calibrated",
        base.journeys,
        conversions.channel_mean,
        revenue.channel_mean,
        baseline_conversions=total - float(conversions.channel_mean.sum()),
        baseline_revenue=money - float(revenue.channel_mean.sum()),
        channel_error=conversions.channel_sd,
        channel_error_revenue=revenue.channel_sd,
        covariance=None if varies is None or varies_money is None else (varies, varies_money),
        by_label=(
            _labels(base, base.label_conversions, conversions, lift),
            _labels(base, base.label_revenue, revenue, lift),
        ),
    )


def posteriors(base: Credit, lift: Lift) -> tuple[Posterior, Posterior]:
    """What is known of conversions and of money, by unit and channel."""
    if lift.known is not None and lift.base is base:
        return lift.known
    count, money = _fitted(base, lift)
    luck = _luck_of_scopes(base, lift)
    return (
        calibrate(count, _told(lift, luck, of=count, other=money, is_revenue=False)),
        calibrate(money, _told(lift, luck, of=money, other=count, is_revenue=True)),
    )


def findings(base: Credit, lift: Lift) -> tuple[Fitted, Findings]:
    """The base model's conversions by unit, and all tests in conversions."""
    count, money = _fitted(base, lift)
    luck = _luck_of_scopes(base, lift)
    return count, _told(lift, luck, of=count, other=money, is_revenue=False)


def _fitted(base: Credit, lift: Lift) -> tuple[Fitted, Fitted]:
    """The base model's numbers by unit: conversions, and money, whose error is never less."""
    labels = base.journeys.labels
    unit_of = _unit_of(base, lift)
    units = int(unit_of.max()) + 1 if len(unit_of) else 0
    channel_of = np.zeros(units, dtype=np.int64)
    channel_of[unit_of] = labels.channel_of
    count = tally(unit_of, base.label_conversions, units)
    money = tally(unit_of, base.label_revenue, units)
    channels = len(labels.channels)
    error = np.sqrt(np.abs(count))
    if base.channel_error is not None:
        error = _divided(base.channel_error, count, channel_of)
    part = np.divide(error, np.abs(count), out=np.zeros(units), where=count != 0)
    if base.channel_error_revenue is None:
        error_money = np.abs(money) * np.sqrt(part**2 + _luck(base, unit_of, units))
    else:
        told = _divided(base.channel_error_revenue, money, channel_of)
        error_money = np.maximum(part * np.abs(money), told)
    return (
        Fitted(count, error, channel_of, channels),
        Fitted(money, error_money, channel_of, channels),
    )


def _divided(error: Floats, number: Floats, channel_of: Ints) -> Floats:
    """Each unit's part of its channel's error: their squares add up to the channel's, as they do
    for parts that are counted apart.
    """
    size = np.abs(number)
    whole = tally(channel_of, size, len(error))[channel_of]
    part = np.divide(size, whole, out=np.zeros(len(size)), where=whole > 0)
    return error[channel_of] * np.sqrt(part)


def _luck(base: Credit, group_of: Ints, groups: int) -> Floats:
    """How far what one conversion is worth may be off in each group of labels, relative and
    squared: money varies by more than counts do. With w what a group has of a conversion of value v

        sum (w v)^2 / (sum w v)^2  -  sum w^2 / (sum w)^2

    the relative variance of a sum of independent amounts less that of their number.
    """
    journeys = base.journeys
    group = group_of[journeys.label[: journeys.converting_touches]]
    at, place = dense(journeys.journey_of * groups + group, journeys.converting * groups)
    part = tally(place, base.touch_conversions, len(at))
    journey, group = at // groups, at % groups
    counted = journeys.conversions[journey]
    is_order = counted > 0
    part, counted, group = part[is_order], counted[is_order], group[is_order]
    money = part * journeys.value[journey[is_order]] / counted

    def varies(amount: Floats) -> Floats:
        # A journey may stand for many conversions, each of which has its own luck.
        squared, total = tally(group, amount**2 / counted, groups), tally(group, amount, groups)
        return np.divide(squared, total**2, out=np.zeros(groups), where=total != 0)

    return np.maximum(varies(money) - varies(part), 0)


def _luck_of_scopes(base: Credit, lift: Lift) -> Floats:
    labels, unit_of = base.journeys.labels, _unit_of(base, lift)
    if not lift.scopes:
        return np.zeros(0)
    of_channel = _luck(base, labels.channel_of, len(labels.channels))
    of_unit = _luck(base, unit_of, int(unit_of.max()) + 1)
    return np.array([of_channel[c] if u is None else of_unit[u] for c, u in lift.scopes])


def _told(lift: Lift, luck: Floats, *, of: Fitted, other: Fitted, is_revenue: bool) -> Findings:
    """All tests in one currency: those of the other are carried over by what one is worth in their
    scope, or on the whole where the model gives the scope nothing.
    """
    in_money = np.zeros(len(lift.scopes), dtype=np.bool_)
    is_here = (in_money if lift.is_revenue is None else lift.is_revenue) == is_revenue
    factor = np.ones(len(lift.scopes))
    for place, scope in enumerate(lift.scopes):
        if not is_here[place]:
            factor[place] = _worth(of.of(scope), other.of(scope)) or _worth(
                float(of.number.sum()), float(other.number.sum())
            )
    effect = lift.effect * factor
    error = np.sqrt((lift.error * factor) ** 2 + np.where(is_here, 0.0, effect**2 * luck))
    is_usable = factor > 0
    return Findings(
        [scope for scope, usable in zip(lift.scopes, is_usable, strict=True) if usable],
        effect[is_usable],
        error[is_usable],
    )


def _worth(here: float, there: float) -> float:
    """What one of there is worth here; 0 where that cannot be said."""
    return max(here / there, 0.0) if there else 0.0


def _labels(base: Credit, number: Floats, found: Posterior, lift: Lift) -> Floats:
    """Each label's part of its unit, as the base model shares it; what touches can take."""
    labels, unit_of = base.journeys.labels, _unit_of(base, lift)
    presence = base.journeys.label_presence
    size = np.abs(number)
    whole = tally(unit_of, size, len(found.mean))[unit_of]
    even = tally(unit_of, np.ones(len(unit_of)), len(found.mean))[unit_of]
    part = np.divide(size, whole, out=1 / even, where=whole > 0)
    wanted = found.mean[unit_of] * part
    # A label without a touch in a journey that converts can hold nothing: its channel's others do.
    channels = len(labels.channels)
    stray = tally(labels.channel_of, np.where(presence > 0, 0.0, wanted), channels)
    present = base.channel_presence[labels.channel_of]
    share = np.divide(presence, present, out=np.zeros(len(presence)), where=present > 0)
    return np.where(presence > 0, wanted, 0.0) + stray[labels.channel_of] * share


def _unit_of(base: Credit, lift: Lift) -> Ints:
    if lift.unit_of is not None:
        return lift.unit_of
    return np.arange(len(base.journeys.labels.channel_of))
