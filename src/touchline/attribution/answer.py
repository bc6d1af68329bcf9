"""What one model answers: the credit of each channel, label and touch.

Two kinds of answers meet here. A rule gives every touch a share of its own conversion. An aggregate
model (Markov, rate Shapley, hazard …) gives every channel a total, which is spread equally over the
channel's touches in converting journeys; a channel that has none there keeps its total as leftover.
So channel, label and touch always add up, and per touch nothing is computed before it is asked for.

The surprise: money that goes back without an order is no journey of a chain or a rate. Aggregate
models take it from the channels before it in equal parts, so it moves no count of conversions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Bools, Floats, Ints, sums_by, tally
from touchline.attribution.journeys import Journeys

__all__ = ["Credit", "by_channel", "counted_covariance", "errors_of", "from_share", "root_of"]


@dataclass(frozen=True, eq=False)
class Credit:
    """One model's answer. Arrays end in what they are counted by: channel, label or touch.

    `share` is the rule's share per converting touch, None for aggregate models. Removal effects
    (the fraction of conversions, or of money, lost without the channel) come with Markov only.
    The baseline is what would have come without marketing: a row of its own, no channel's.
    Errors are standard errors of models that sample; None where nothing is sampled. What moves
    channels together is in `covariance`: of conversions, and of money, with each other (K x K).
    `by_label`: conversions and money of each label, where a model tells labels of a channel apart.
    `fitted` is what the model found out for itself: its half-life in days, the order of its chain.
    Conversions without a touch are in none of these numbers: see `journeys.no_touch`. So

        sum of channels + baseline + no_touch = all conversions, and all money
    """

    model: str
    journeys: Journeys
    channel_conversions: Floats
    channel_revenue: Floats
    share: Floats | None = None
    removal_effect: Floats | None = None
    removal_effect_revenue: Floats | None = None
    baseline_conversions: float = 0.0
    baseline_revenue: float = 0.0
    channel_error: Floats | None = None
    channel_error_revenue: Floats | None = None
    covariance: tuple[Floats, Floats] | None = None
    fitted: Mapping[str, float] = field(default_factory=dict[str, float])
    by_label: tuple[Floats, Floats] | None = None

    @cached_property
    def touch_conversions(self) -> Floats:
        """Conversions of each converting touch."""
        counted = self.journeys.conversions[self.journeys.journey_of]
        if self.share is not None:
            return self.share * counted
        if self.by_label is not None:
            return self._per_label(self.by_label[0]) * counted
        return self._per_presence(self.channel_conversions)[self._touch_channel] * counted

    @cached_property
    def touch_revenue(self) -> Floats:
        """Money of each converting touch, unrounded."""
        if self.share is not None:
            return self.share * self.journeys.value[self.journeys.journey_of]
        counted = self.journeys.conversions[self.journeys.journey_of]
        if self.by_label is not None:
            return self._per_label(self.by_label[1]) * counted
        return self._per_presence(self.channel_revenue)[self._touch_channel] * counted

    @cached_property
    def label_conversions(self) -> Floats:
        """Conversions of each label."""
        if self.by_label is not None:
            return self.by_label[0]
        return self._by_label(self.channel_conversions, lambda: self.touch_conversions)

    @cached_property
    def label_revenue(self) -> Floats:
        """Money of each label, unrounded."""
        if self.by_label is not None:
            return self.by_label[1]
        return self._by_label(self.channel_revenue, lambda: self.touch_revenue)

    @cached_property
    def leftover_conversions(self) -> Floats:
        """Conversions of channels (K) that no label can take: absent from converting journeys."""
        return np.where(self._is_left, self.channel_conversions, 0.0)

    @cached_property
    def leftover_revenue(self) -> Floats:
        """The same in money."""
        return np.where(self._is_left, self.channel_revenue, 0.0)

    @cached_property
    def _is_left(self) -> Bools:
        """Under a rule no channel is: what it has, it has by its touches, refunds included."""
        return (self.channel_presence == 0) & (self.share is None)

    @cached_property
    def _touch_channel(self) -> Ints:
        return self.journeys.channel[: self.journeys.converting_touches]

    @cached_property
    def channel_presence(self) -> Floats:
        labels = self.journeys.labels
        return tally(labels.channel_of, self.journeys.label_presence, len(labels.channels))

    def _per_presence(self, total: Floats) -> Floats:
        present = self.channel_presence
        return np.divide(total, present, out=np.zeros(len(total)), where=present > 0)

    def _per_label(self, total: Floats) -> Floats:
        present = self.journeys.label_presence
        each = np.divide(total, present, out=np.zeros(len(total)), where=present > 0)
        return each[self.journeys.label[: self.journeys.converting_touches]]

    def _by_label(self, total: Floats, by_touch: Callable[[], Floats]) -> Floats:
        channel_of = self.journeys.labels.channel_of
        if self.share is None:
            return self._per_presence(total)[channel_of] * self.journeys.label_presence
        label = self.journeys.label[: self.journeys.converting_touches]
        return sums_by(label, by_touch(), len(channel_of))


def from_share(
    model: str, journeys: Journeys, share: Floats, fitted: Mapping[str, float] | None = None
) -> Credit:
    """A rule's answer, from the share of each converting touch in its own conversion."""
    counted = by_channel(journeys, share, journeys.conversions)
    value = by_channel(journeys, share, journeys.value)
    return Credit(model, journeys, counted, value, share, fitted=fitted or {})


def by_channel(journeys: Journeys, share: Floats, amount: Floats | Ints) -> Floats:
    """What the shares make of an amount per converting journey, by channel."""
    channel = journeys.channel[: journeys.converting_touches]
    return sums_by(channel, share * amount[journeys.journey_of], len(journeys.labels.channels))


def counted_covariance(journeys: Journeys, share: Floats, amount: Floats | Ints) -> Floats:
    """How the channels' sums (see `by_channel`) vary by who happens to convert: as many times as
    chance will (Poisson), and with them all that they share out.
    """
    channels = len(journeys.labels.channels)
    channel = journeys.channel[: journeys.converting_touches]
    given = (
        share * amount[journeys.journey_of],
        channel,
        journeys.offsets[: journeys.converting + 1],
    )
    taken = sparse.csr_array(given, shape=(journeys.converting, channels))
    return (taken.T @ taken).toarray()


def errors_of(covariance: Floats) -> Floats:
    """The standard error of each."""
    return np.sqrt(np.maximum(np.diagonal(covariance), 0))


def root_of(covariance: Floats) -> Floats:
    """Its symmetric root; in directions where it is less than nothing, nothing."""
    size, axes = np.linalg.eigh(covariance)
    return (axes * np.sqrt(np.maximum(size, 0))) @ axes.T
