"""One model's answer + a sample → the same answer in each replicate of the data.

What a model is decides what is drawn. A rule divides each conversion by itself, so its shares stay
and their sums are taken anew. Shapley's rate game is a function of how often each set of channels
occurs, a Markov chain of how often each run of them does (replicate_chain.py): these counts are
drawn, and the model is solved on them, once a replicate.

The surprise: a model that knows its own standard error is not fitted again. What it shares out is
drawn as a rule's shares are, for its labels differ; the rest of its error is normal, and moves
channels together as the model says: the baseline, which is what they leave, depends on it most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from touchline.attribution import shapley
from touchline.attribution.answer import Credit, by_channel, counted_covariance, root_of
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Labels
from touchline.attribution.resample import Block, Cells, Sample
from touchline.attribution.sets import ChannelSets, channel_sets

__all__ = [
    "Draws",
    "Totals",
    "divided",
    "fitted",
    "nothing",
    "presence",
    "rule",
    "sets",
    "spread",
    "went_back",
    "whole",
]

FEW_ROUNDS = 4
NORMAL = 1 << 32  # tells these draws from those of a block


@dataclass(frozen=True, eq=False)
class Draws:
    """One model's answer in each replicate: replicates × labels or channels, unrounded.

    As in `Credit`, a channel's sum is that of its labels and what no label of it can take.
    """

    model: str
    labels: Labels
    label_conversions: Floats
    label_revenue: Floats
    leftover_conversions: Floats
    leftover_revenue: Floats
    removal_effect: Floats | None = None
    baseline_conversions: Floats | None = None
    baseline_revenue: Floats | None = None

    @cached_property
    def conversions(self) -> Floats:
        """Conversions of each channel."""
        return grouped(self.label_conversions, self.labels) + self.leftover_conversions

    @cached_property
    def revenue(self) -> Floats:
        """Money of each channel."""
        return grouped(self.label_revenue, self.labels) + self.leftover_revenue


class Totals(NamedTuple):
    """Replicates × channels."""

    conversions: Floats
    revenue: Floats
    removal_effect: Floats | None = None


def rule(one: Credit, sample: Sample) -> Draws:
    """The labels' sums of a rule's shares."""
    journeys = one.journeys
    conversions, revenue = (
        _shared(one, sample, amount) for amount in (journeys.conversions, journeys.value)
    )
    none = np.zeros((sample.replicates, len(journeys.labels.channels)))
    return Draws(one.model, journeys.labels, conversions, revenue, none, none)


def _shared(one: Credit, sample: Sample, amount: Floats | Ints) -> Floats:
    """Sums by label of what the shares make of an amount per converting journey."""
    if one.share is None:
        raise ValueError("only what divides each conversion has a share of each touch")
    journeys = one.journeys
    label = journeys.label[: journeys.converting_touches]
    share = one.share * amount[journeys.journey_of]
    return won_sums(sample, label, share, len(journeys.labels.channel_of))


def spread(one: Credit, found: Totals, sample: Sample) -> Draws:
    """An aggregate model's totals by channel, on labels as they are present in each replicate."""
    labels = one.journeys.labels
    present = presence(sample)
    by_channel = grouped(present, labels)
    part = divided(present, by_channel[:, labels.channel_of])
    return Draws(
        one.model,
        labels,
        found.conversions[:, labels.channel_of] * part,
        found.revenue[:, labels.channel_of] * part,
        np.where(by_channel == 0, found.conversions, 0.0),
        np.where(by_channel == 0, found.revenue, 0.0),
        found.removal_effect,
    )


def presence(sample: Sample) -> Floats:
    """How often each label stands in converting journeys, by replicate."""
    journeys = sample.journeys
    label = journeys.label[: journeys.converting_touches]
    counted = journeys.conversions[journeys.journey_of]
    return won_sums(sample, label, counted, len(journeys.labels.channel_of))


def whole(sample: Sample, amounts: Sequence[Floats | Ints] | None = None) -> Floats:
    """Replicates × amounts × (with a touch, without): sums of amounts by converting journey, as
    there are conversions and money.
    """
    journeys = sample.journeys
    rows = np.arange(journeys.converting + 1)
    where = np.where(journeys.is_touched, 0, 1)
    found = [
        np.concatenate([block.won(Cells(rows, where, one, 2)).T for block in sample.blocks()])
        for one in (
            amount.astype(np.float64)
            for amount in amounts or (journeys.conversions, journeys.value)
        )
    ]
    return np.stack(found, axis=1)


def sets(one: Credit, sample: Sample) -> Totals:
    """The rate game, which sees only which channels a journey has: played on the distinct sets.

    Where it is sampled, a few orders of joining, the same in each replicate, tell how far it lies
    from the answer of many.
    """
    journeys = sample.journeys
    channels = len(journeys.labels.channels)
    distinct = channel_sets(journeys)
    if not len(distinct.members):
        return nothing(sample, channels)
    found = np.concatenate([_rates(distinct, block, sample) for block in sample.blocks()], axis=2)
    if not shapley.is_exact(distinct):
        few = _few(distinct, distinct.totals(journeys)[:, :, None], sample.seed)
        returned = np.where(journeys.conversions == 0, journeys.value, 0)
        back = by_channel(journeys, shapley.equal_set(journeys), returned)
        many = np.stack([one.channel_conversions, one.channel_revenue - back], axis=1)
        found += many[:, :, None] - few
    return Totals(found[:, 0].T, found[:, 1].T + went_back(sample))


def _rates(distinct: ChannelSets, block: Block, sample: Sample) -> Floats:
    """Conversions and money by channel (K × 2 × replicates)."""
    journeys, size = sample.journeys, len(distinct)
    won, others = journeys.converting, sample.other_rows
    rows, of_won = np.arange(won + 1), distinct.of_journey[:won]
    is_counted = journeys.conversions > 0
    conversions, value = (
        block.won(Cells(rows, of_won, np.where(is_counted, amount, 0.0), size))
        for amount in (journeys.conversions, journeys.value)
    )
    of_others = distinct.of_journey[others]
    nulls = block.others(Cells(np.arange(len(others) + 1), of_others, journeys.nulls[others], size))
    totals = np.stack([conversions + nulls, conversions, value])
    if not shapley.is_exact(distinct):
        return _few(distinct, totals, sample.seed)
    games = [shapley.exact_rate(distinct, totals[:, :, i]) for i in range(block.width)]
    return np.stack(games, axis=2)


def _few(distinct: ChannelSets, totals: Floats, seed: int) -> Floats:
    return shapley.sampled_rate(distinct, totals, seed, FEW_ROUNDS)[0]


def fitted(one: Credit, sample: Sample) -> Draws:
    """A model that knows how its channels vary: what it shares out is drawn as a rule's shares are,
    and what varies beyond the luck of counting comes on top, normal. All that is drawn and no
    channel's is the baseline's.
    """
    rng = np.random.default_rng((sample.seed, NORMAL))
    noise = rng.standard_normal((sample.replicates, len(one.channel_conversions)))
    known = one.covariance or (one.channel_error, one.channel_error_revenue)
    journeys = one.journeys
    total = whole(sample)[:, :, 0]
    found: list[tuple[Floats, Floats]] = []
    for amount, of_label, left, varies in (
        (journeys.conversions, one.label_conversions, one.leftover_conversions, known[0]),
        (journeys.value, one.label_revenue, one.leftover_revenue, known[1]),
    ):
        off = _beyond_counting(one, amount, varies, noise)
        counted = of_label if one.share is None else _shared(one, sample, amount)
        size = np.abs(of_label)
        part = divided(size, grouped(size[None], journeys.labels)[0][journeys.labels.channel_of])
        is_held = grouped(part[None], journeys.labels)[0] > 0
        found.append(
            (
                counted + off[:, journeys.labels.channel_of] * part,
                np.where(is_held, 0.0, left + off),
            )
        )
    (conversions, left), (revenue, unpaid) = found
    return Draws(
        one.model,
        journeys.labels,
        conversions,
        revenue,
        left,
        unpaid,
        baseline_conversions=total[:, 0] - conversions.sum(axis=1) - left.sum(axis=1),
        baseline_revenue=total[:, 1] - revenue.sum(axis=1) - unpaid.sum(axis=1),
    )


def _beyond_counting(
    one: Credit, amount: Floats | Ints, varies: Floats | None, noise: Floats
) -> Floats:
    """Replicates × channels: how each is off but for who happened to buy, which is drawn. `varies`
    are errors that know nothing of each other, or a covariance, which is at most nothing less
    counting in any direction: no draw is surer than that.
    """
    if varies is None or varies.ndim == 1:
        return noise * (0.0 if varies is None else varies)
    if one.share is not None:
        varies = varies - counted_covariance(one.journeys, one.share, amount)
    return noise @ root_of(varies)


def won_sums(sample: Sample, cell: Ints, amount: Floats, size: int) -> Floats:
    """Replicates × cells: sums over the touches of converting journeys."""
    journeys = sample.journeys
    cells = Cells(journeys.offsets[: journeys.converting + 1], cell, amount, size)
    return np.concatenate([block.won(cells).T for block in sample.blocks()])


def went_back(sample: Sample) -> Floats:
    """Money without an order, by replicate and channel: see `models.went_back`."""
    journeys = sample.journeys
    channels = len(journeys.labels.channels)
    value = np.where(journeys.conversions == 0, journeys.value, 0)
    if not value.any():
        return np.zeros((sample.replicates, channels))
    channel = journeys.channel[: journeys.converting_touches]
    share = shapley.equal_set(journeys) * value[journeys.journey_of]
    return won_sums(sample, channel, share, channels)


def nothing(sample: Sample, channels: int) -> Totals:
    nothing = np.zeros((sample.replicates, channels))
    return Totals(nothing, nothing + went_back(sample), nothing)


def grouped(values: Floats, labels: Labels) -> Floats:
    """Replicates × labels added up by channel."""
    channels = len(labels.channels)
    if np.array_equal(labels.channel_of, np.arange(channels)):
        return values
    found = np.zeros((channels, len(values)))
    np.add.at(found, labels.channel_of, values.T)
    return found.T


def divided(part: Floats, by: Floats) -> Floats:
    return np.divide(part, by, out=np.zeros(np.broadcast(part, by).shape), where=by != 0)
