"""One model's answer + a sample → the same answer in each replicate of the data.

What a model is decides what is drawn. A rule divides each conversion by itself, so its shares stay
and their sums are taken anew. Shapley's rate game is a function of how often each set of channels
occurs, a Markov chain of how often each run of them does (replicate_chain.py): these counts are
drawn, and the model is solved on them, once a replicate.

The surprise: a model that knows its own standard error is not fitted again; its draws are normal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from touchline.attribution import shapley
from touchline.attribution.answer import Credit, by_channel
from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys, Labels
from touchline.attribution.resample import Cells, Sample

__all__ = [
    "Totals",
    "by_error",
    "dense",
    "distinct_sets",
    "divided",
    "few_orders",
    "nothing",
    "presence",
    "refitted",
    "rule",
    "sets",
    "went_back",
    "whole",
]

COUNTABLE = 1 << 22  # so many codes are counted faster than sorted
SET_BITS = 62
FEW_ROUNDS = 4
NORMAL = 1 << 32  # tells these draws from those of a block


@dataclass(frozen=True, eq=False)
class Totals:
    """Replicates × channels; of a rule, replicates × labels."""

    conversions: Floats
    revenue: Floats
    removal_effect: Floats | None = None
    baseline: tuple[Floats | None, Floats | None] = (None, None)


def rule(one: Credit, sample: Sample) -> Totals:
    """The labels' sums of a rule's shares."""
    if one.share is None:
        raise ValueError("only a rule has a share of each touch")
    journeys = one.journeys
    labels = len(journeys.labels.channel_of)
    label = journeys.label[: journeys.converting_touches]
    conversions, revenue = (
        won_sums(sample, label, one.share * amount[journeys.journey_of], labels)
        for amount in (journeys.conversions, journeys.value)
    )
    return Totals(conversions, revenue)


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


def sets(sample: Sample, solve: Callable[[Journeys], Credit]) -> Totals:
    """A model that sees only which channels a journey has: solved on the distinct sets."""
    journeys = sample.journeys
    channels = len(journeys.labels.channels)
    code, members = distinct_sets(journeys)
    if not len(code):
        return nothing(sample, channels)
    size, base = len(members), _of_sets(members, journeys)
    won, others = journeys.converting, sample.other_rows
    rows = np.arange(won + 1)
    is_counted = (journeys.lengths[:won] > 0) & (journeys.conversions > 0)
    of_won = code[:won]
    found: list[Credit] = []
    for block in sample.blocks():
        conversions, value = (
            block.won(Cells(rows, of_won, np.where(is_counted, amount, 0.0), size))
            for amount in (journeys.conversions, journeys.value)
        )
        weight = journeys.nulls[others] * (journeys.lengths[others] > 0)
        nulls = block.others(Cells(np.arange(len(others) + 1), code[others], weight, size))
        for i in range(block.width):
            counts = {"conversions": conversions[:, i], "value": value[:, i], "nulls": nulls[:, i]}
            found.append(solve(replace(base, **counts)))
    return Totals(
        np.stack([one.channel_conversions for one in found]),
        np.stack([one.channel_revenue for one in found]) + went_back(sample),
    )


def few_orders(one: Credit, sample: Sample, seed: int) -> Totals:
    """The sampled rate game: a few orders of joining, the same in each replicate, tell how far it
    lies from the answer of many.
    """

    def solve(journeys: Journeys) -> Credit:
        values, _ = shapley.sampled_rate(journeys, seed, FEW_ROUNDS)
        return Credit(one.model, journeys, values[:, 0], values[:, 1])

    found, few, journeys = sets(sample, solve), solve(one.journeys), one.journeys
    returned = np.where(journeys.conversions == 0, journeys.value, 0)
    back = by_channel(journeys, shapley.equal_set(journeys), returned)
    return Totals(
        found.conversions + (one.channel_conversions - few.channel_conversions),
        found.revenue + (one.channel_revenue - back - few.channel_revenue),
    )


def by_error(one: Credit, sample: Sample) -> Totals:
    """A model that knows its own standard errors: normal around its answer, and all of it moves
    with the number of conversions.
    """
    rng = np.random.default_rng((sample.seed, NORMAL))
    noise = rng.standard_normal((sample.replicates, len(one.channel_conversions)))
    drawn, touched = whole(sample)[:, :, 0], one.journeys.is_touched
    numbers: list[Floats] = []
    baseline: list[Floats] = []
    for at, (total, centre, error, base) in enumerate(
        (
            (
                one.journeys.conversions,
                one.channel_conversions,
                one.channel_error,
                one.baseline_conversions,
            ),
            (
                one.journeys.value,
                one.channel_revenue,
                one.channel_error_revenue,
                one.baseline_revenue,
            ),
        )
    ):
        scale = divided(drawn[:, at], np.array(float(total[touched].sum())))[:, None]
        off = noise * (0 if error is None else error)
        numbers.append((centre + off) * scale)
        baseline.append((base - off.sum(axis=1)) * scale[:, 0])
    return Totals(numbers[0], numbers[1], baseline=(baseline[0], baseline[1]))


def refitted(sample: Sample, solve: Callable[[Journeys], Credit]) -> Totals:
    """Any other model: fitted on all journeys again, each as often as its customer counts."""
    journeys = sample.journeys
    found: list[Credit] = []
    for block in sample.blocks():
        won, others = block.rows()
        for i in range(block.width):
            nulls = np.zeros(len(journeys.nulls))
            nulls[sample.other_rows] = journeys.nulls[sample.other_rows] * others[:, i]
            drawn = replace(
                journeys,
                conversions=journeys.conversions * won[:, i],
                value=journeys.value * won[:, i],
                nulls=nulls,
            )
            found.append(solve(drawn))
    return Totals(
        np.stack([one.channel_conversions for one in found]),
        np.stack([one.channel_revenue for one in found]),
        baseline=(
            np.array([one.baseline_conversions for one in found]),
            np.array([one.baseline_revenue for one in found]),
        ),
    )


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


def dense(code: Ints, size: int) -> tuple[Ints, Ints]:
    """The codes that occur, ascending, and each code as its place among them."""
    if size > COUNTABLE:
        return np.unique(code, return_inverse=True)
    occurs = np.bincount(code, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[code]


def distinct_sets(journeys: Journeys) -> tuple[Ints, list[Ints]]:
    """The set of channels of each journey as a code, and the channels of each code."""
    width = -(-len(journeys.labels.channels) // SET_BITS) or 1
    words = np.zeros((len(journeys.nulls), width), dtype=np.int64)
    touched = journeys.lengths > 0
    channel = journeys.channel.astype(np.int64)
    starts = journeys.offsets[:-1][touched]
    for word in range(width):
        bit = np.where(channel // SET_BITS == word, np.left_shift(1, channel % SET_BITS), 0)
        if len(starts):
            words[touched, word] = np.bitwise_or.reduceat(bit, starts)
    code = np.zeros(len(words), dtype=np.int64)
    for word in range(width):
        code = dense(code, 1 << 62)[1]
        place = np.unique(words[:, word], return_inverse=True)[1]
        code = code * (int(place.max(initial=0)) + 1) + place
    _, example, code = np.unique(code, return_index=True, return_inverse=True)
    bits = np.arange(len(journeys.labels.channels))
    return code, [
        bits[(words[row][bits // SET_BITS] >> (bits % SET_BITS)) & 1 == 1] for row in example
    ]


def _of_sets(members: list[Ints], journeys: Journeys) -> Journeys:
    """Journeys that hold each set's channels once; how often each occurs is still to be said."""
    none = np.zeros(len(members))
    return Journeys(
        offsets=np.concatenate([[0], np.cumsum([len(one) for one in members])]),
        label=np.concatenate(members),
        labels=Labels.of_channels(journeys.labels.channels),
        conversions=none,
        value=none,
        nulls=none,
    )


def divided(part: Floats, by: Floats) -> Floats:
    return np.divide(part, by, out=np.zeros(np.broadcast(part, by).shape), where=by != 0)
