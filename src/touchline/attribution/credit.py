"""Journeys + names of models → credit: what each channel, label and touch is worth under each.

Two kinds of models meet here. A rule gives every touch a share of its own conversion. An aggregate
model (Markov, rate Shapley) gives every channel a total, which is spread equally over the channel's
touches in converting journeys; a channel that has none there keeps its total as a leftover.
So channel, label and touch always add up, and per touch nothing is computed before it is asked for.

The surprise: money that goes back without an order is no journey of a chain or a rate. Aggregate
models take it from the channels before it in equal parts, so it moves no count of conversions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from touchline.attribution import markov, rules, shapley
from touchline.attribution.arrays import Bools, Floats, Ints, sums_by, tally
from touchline.attribution.journeys import Journeys
from touchline.errors import BadInput

__all__ = ["HALF_LIFE_DAYS", "MODELS", "Credit", "choose", "credit", "obstacle"]

HALF_LIFE_DAYS = 7.0
RULES: dict[str, Callable[[Journeys], Floats]] = {
    "first_touch": rules.first_touch,
    "last_touch": rules.last_touch,
    "last_non_direct": rules.last_non_direct,
    "linear": rules.linear,
    "position_based": rules.position_based,
    "shapley": shapley.equal_set,
}
MARKOV_ORDERS = {"markov_1": 1, "markov_2": 2, "markov_3": 3}
MODELS = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "markov_1",
    "markov_2",
    "markov_3",
    "shapley",
    "shapley_rate",
)


@dataclass(frozen=True, eq=False)
class Credit:
    """One model's answer. Arrays end in what they are counted by: channel, label or touch.

    `share` is the rule's share per converting touch, None for aggregate models. Removal effects
    (the fraction of conversions, or of money, lost without the channel) come with Markov only.
    Conversions without a touch are in none of these numbers: see `journeys.no_touch`.
    """

    model: str
    journeys: Journeys
    channel_conversions: Floats
    channel_revenue: Floats
    share: Floats | None = None
    removal_effect: Floats | None = None
    removal_effect_revenue: Floats | None = None

    @cached_property
    def touch_conversions(self) -> Floats:
        """Conversions of each converting touch."""
        counted = self.journeys.conversions[self.journeys.journey_of]
        if self.share is not None:
            return self.share * counted
        return self._per_presence(self.channel_conversions)[self._touch_channel] * counted

    @cached_property
    def touch_revenue(self) -> Floats:
        """Money of each converting touch, unrounded."""
        if self.share is not None:
            return self.share * self.journeys.value[self.journeys.journey_of]
        counted = self.journeys.conversions[self.journeys.journey_of]
        return self._per_presence(self.channel_revenue)[self._touch_channel] * counted

    @cached_property
    def label_conversions(self) -> Floats:
        """Conversions of each label."""
        return self._by_label(self.channel_conversions, lambda: self.touch_conversions)

    @cached_property
    def label_revenue(self) -> Floats:
        """Money of each label, unrounded."""
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

    def _by_label(self, total: Floats, by_touch: Callable[[], Floats]) -> Floats:
        channel_of = self.journeys.labels.channel_of
        if self.share is None:
            return self._per_presence(total)[channel_of] * self.journeys.label_presence
        label = self.journeys.label[: self.journeys.converting_touches]
        return sums_by(label, by_touch(), len(channel_of))


def choose(asked: str, journeys: Journeys) -> tuple[list[str], list[BadInput]]:
    """The models of "all" or "a,b", and why any of "all" is left out; by name they are refused."""
    if asked.strip().lower() == "all":
        found = {model: obstacle(model, journeys) for model in MODELS}
        usable = [model for model, why in found.items() if why is None]
        return usable, [why for why in found.values() if why is not None]
    models = list(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    if not models:
        raise BadInput("unknown_model", model=asked, known=", ".join(MODELS))
    for model in models:
        _demand(model, journeys)
    return models, []


def obstacle(model: str, journeys: Journeys) -> BadInput | None:
    """Why this model cannot be computed on these journeys, or None."""
    channels = len(journeys.labels.channels)
    if model == "time_decay" and journeys.ts_us is None:
        return BadInput("model_needs_times", model=model)
    if model == "shapley_rate" and channels > shapley.RATE_CHANNELS:
        channels = int(np.count_nonzero(shapley.seen_channels(journeys)))
        if channels > shapley.RATE_CHANNELS:
            limit = shapley.RATE_CHANNELS
            return BadInput("too_many_channels", model=model, limit=limit, found=channels)
    if model in MARKOV_ORDERS and channels > markov.MARKOV_CHANNELS:
        limit = markov.MARKOV_CHANNELS
        return BadInput("too_many_channels", model=model, limit=limit, found=channels)
    return None


def credit(
    journeys: Journeys, models: Sequence[str], *, half_life_days: float = HALF_LIFE_DAYS
) -> dict[str, Credit]:
    """The credit of each model asked for, in that order. What models share is computed once."""
    if not 0 < half_life_days < np.inf:
        raise BadInput("bad_half_life", days=half_life_days)
    for model in models:
        _demand(model, journeys)
    orders = [MARKOV_ORDERS[model] for model in models if model in MARKOV_ORDERS]
    losses = markov.losses(journeys, orders)
    found: dict[str, Credit] = {}
    for model in models:
        if model in MARKOV_ORDERS:
            found[model] = _from_losses(model, journeys, losses[MARKOV_ORDERS[model]])
        elif model == "shapley_rate":
            conversions, revenue = shapley.rate(journeys).T
            found[model] = Credit(model, journeys, conversions, revenue + _went_back(journeys))
        elif model == "time_decay":
            found[model] = _from_share(model, journeys, rules.time_decay(journeys, half_life_days))
        else:
            found[model] = _from_share(model, journeys, RULES[model](journeys))
    return found


def _demand(model: str, journeys: Journeys) -> None:
    if model not in MODELS:
        raise BadInput("unknown_model", model=model, known=", ".join(MODELS))
    why = obstacle(model, journeys)
    if why is not None:
        raise why


def _from_share(model: str, journeys: Journeys, share: Floats) -> Credit:
    counted, value = (
        _by_channel(journeys, share, amount) for amount in (journeys.conversions, journeys.value)
    )
    return Credit(model, journeys, counted, value, share)


def _from_losses(model: str, journeys: Journeys, lost: Floats) -> Credit:
    """Totals shared out in proportion to what would be lost; earned and returned money apart."""
    value = journeys.value[journeys.is_modelled]
    totals = np.array(
        [
            journeys.conversions[journeys.is_modelled].sum(),
            value[value > 0].sum(),
            value[value < 0].sum(),
        ]
    )
    all_lost = lost.sum(axis=0)
    conversions, earned, returned = (
        lost * np.divide(totals, all_lost, out=np.zeros(3), where=all_lost != 0)
    ).T
    return Credit(
        model,
        journeys,
        channel_conversions=conversions,
        channel_revenue=earned + returned + _went_back(journeys),
        removal_effect=_ratio(lost[:, 0], totals[0]),
        removal_effect_revenue=_ratio(lost[:, 1] + lost[:, 2], totals[1] + totals[2]),
    )


def _went_back(journeys: Journeys) -> Floats:
    """Money without an order, in equal parts on the channels of its touches."""
    value = np.where(journeys.conversions == 0, journeys.value, 0)
    if not value.any():
        return np.zeros(len(journeys.labels.channels))
    return _by_channel(journeys, shapley.equal_set(journeys), value)


def _by_channel(journeys: Journeys, share: Floats, amount: Floats | Ints) -> Floats:
    channel = journeys.channel[: journeys.converting_touches]
    return sums_by(channel, share * amount[journeys.journey_of], len(journeys.labels.channels))


def _ratio(part: Floats, whole: float) -> Floats:
    return part / whole if whole else np.zeros(len(part))
