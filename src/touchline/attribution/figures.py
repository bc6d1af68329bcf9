"""Statistics → credit by channel and label, as `credit.credit` gives it from the journeys.

Rules are read off. A chain is fitted on its counts, as ever: from journeys or from their sums, the
numbers it is made of are the same integers, and so are those of the game of rates on its sets. So
Markov and rate credit are equal to the last bit, and the shares of rules to the grid of `sums.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from touchline.attribution import markov, shapley
from touchline.attribution.arrays import Floats, tally
from touchline.attribution.models import known, markov_order
from touchline.attribution.sets import ChannelSets
from touchline.attribution.statistics import Label, Statistics, order_of, rules_of
from touchline.attribution.sums import PARTS, amounts_of

__all__ = ["Figures", "figures"]


@dataclass(frozen=True, eq=False)
class Figures:
    """One model's answer; names as in `answer.Credit`. Arrays are by channel or by label."""

    model: str
    labels: tuple[Label, ...]
    channels: tuple[str, ...]
    channel_conversions: Floats
    channel_revenue: Floats
    label_conversions: Floats
    label_revenue: Floats
    leftover_conversions: Floats
    leftover_revenue: Floats
    removal_effect: Floats | None = None
    removal_effect_revenue: Floats | None = None
    channel_error: Floats | None = None


def figures(statistics: Statistics, models: Sequence[str]) -> dict[str, Figures]:
    """The credit of these models, which are all among those of the statistics."""
    unknown = set(models) - set(statistics.models)
    if unknown:
        raise ValueError(f"these statistics know nothing of {', '.join(sorted(unknown))}")
    lost = _lost(statistics, [order for order in map(markov_order, models) if order])
    found: dict[str, Figures] = {}
    for model in models:
        order = markov_order(model)
        if order:
            found[model] = _chain(model, statistics, lost[order])
        elif known(model).kind == "sets":
            found[model] = _rate(model, statistics)
        else:
            found[model] = _rule(model, statistics)
    return found


def _rule(model: str, given: Statistics) -> Figures:
    sums = given.shares[rules_of(given.models).index(model)]
    counted, money = _amounts(sums)
    nothing = np.zeros(len(given.channels))
    return Figures(
        model,
        given.labels,
        given.channels,
        _by_channel(given, counted),
        _by_channel(given, money),
        counted,
        money,
        nothing,
        nothing,
    )


def _amounts(sums: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[Floats, Floats]:
    return amounts_of(sums[:, :PARTS]), amounts_of(sums[:, PARTS:])


def _by_channel(given: Statistics, by_label: Floats) -> Floats:
    return tally(given.channel_of, by_label, len(given.channels))


def _chain(model: str, given: Statistics, lost: Floats) -> Figures:
    shared = markov.normalised(lost, given.totals[4:].astype(np.float64))
    return _spread(
        model,
        given,
        shared.conversions,
        shared.revenue,
        removal_effect=shared.effect,
        removal_effect_revenue=shared.effect_revenue,
    )


def _rate(model: str, given: Statistics) -> Figures:
    sets = ChannelSets.of_bits(given.sets.keys, len(given.channels))
    values, errors = shapley.rate_of(sets, given.sets.sums.T.astype(np.float64))
    error = None if errors is None else errors[:, 0]
    return _spread(model, given, values[:, 0], values[:, 1], channel_error=error)


def _spread(
    model: str, given: Statistics, conversions: Floats, revenue: Floats, **more: Floats | None
) -> Figures:
    """An aggregate model's totals by channel, equally over the touches of converting journeys."""
    revenue = revenue + _by_channel(given, _amounts(given.shares[-1])[1])
    present = _by_channel(given, given.presence.astype(np.float64))
    by_label: list[Floats] = []
    for total in (conversions, revenue):
        each = np.divide(total, present, out=np.zeros(len(total)), where=present > 0)
        by_label.append(each[given.channel_of] * given.presence.astype(np.float64))
    left = [np.where(present == 0, total, 0.0) for total in (conversions, revenue)]
    return Figures(
        model, given.labels, given.channels, conversions, revenue, *by_label, *left, **more
    )


def _lost(given: Statistics, orders: Sequence[int]) -> dict[int, Floats]:
    if not orders or not len(given.runs.keys):
        return {order: np.zeros((len(given.channels), 3)) for order in orders}
    counts = given.runs.sums[:, 0].astype(np.float64)
    base = len(given.channels) + 1
    grams = markov.Grams(order_of(given.models), base, given.runs.keys, counts, given.ends.keys)
    outcome = given.ends.sums.T.astype(np.float64)
    found: dict[int, Floats] = {}
    for order in sorted(set(orders), reverse=True):
        grams = markov.shorten(grams, order)
        found[order] = markov.lost(markov.fit(grams, outcome))
    return found
