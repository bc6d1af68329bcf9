"""What people lived through → what the company sees of it: the losses and the noise of the records.

Touches after the purchase are none any more. Of the rest some leave no trace, some are made on a
second device that nobody knows to be the same person's, and robots click without ever buying. The
surprise: a lost device is not only a lost touch. It becomes a person of its own, who did not buy.
"""

from typing import NamedTuple

import numpy as np

from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.observed import DAY_US, Observed
from touchline.demo.dice import Dice
from touchline.demo.worlds.recipe import DAYS, Recipe

__all__ = ["Lived", "seen_of"]

HOUR_US = 3_600_000_000
FIRST_DAY_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
BOT_TOUCHES = 12
BOT_CHANNELS = ("Display", "Paid Social", "Affiliates")
CONTROLS = ("past_visits", "past_orders")


class Lived(NamedTuple):
    """A block of people: columns of the touches they would meet if they never bought, in no order,
    and columns of the people: the day of the purchase (-1: none), its value, their wish to buy.
    """

    person: Ints
    channel: Ints
    day: Ints
    bought_day: Ints
    value: Ints
    wish: Floats


def seen_of(recipe: Recipe, parts: list[Lived], dice: Dice) -> Observed:
    """The records of a world whose blocks of people are `parts`."""
    lived = _joined(parts)
    rng = dice.of("trace")
    share = np.array([channel.seen for channel in recipe.channels])
    bought = lived.bought_day[lived.person]
    kept = (bought < 0) | (lived.day <= bought)
    kept &= rng.random(len(kept)) < share[lived.channel]
    unit, channel, day = lived.person[kept], lived.channel[kept], lived.day[kept]
    # Purchases are made in the last hour of their day, so a touch of that day comes before.
    ts_us = FIRST_DAY_US + day * DAY_US + rng.integers(0, 23 * HOUR_US, len(day))
    people = len(lived.wish)
    wish = lived.wish

    others = rng.random(people) < recipe.second_device
    number = np.where(others, people + np.cumsum(others) - 1, -1)
    moves = others[unit] & (rng.random(len(unit)) < 0.5)
    unit = np.where(moves, number[unit], unit)
    wish = np.concatenate([wish, wish[others]])

    bots = _bots(recipe, people, len(wish), dice)
    unit = np.concatenate([unit, bots[0]])
    channel = np.concatenate([channel, bots[1]])
    ts_us = np.concatenate([ts_us, bots[2]])
    units = len(wish) + round(recipe.bots * people)
    return _sorted(recipe, lived, (unit, channel, ts_us), _controls(wish, people, units, dice))


def _joined(parts: list[Lived]) -> Lived:
    """All blocks as one, people numbered through."""
    sizes = [len(part.wish) for part in parts]
    before = np.cumsum([0, *sizes[:-1]])
    moved = [part._replace(person=part.person + n) for part, n in zip(parts, before, strict=True)]
    return Lived(*(np.concatenate(column) for column in zip(*moved, strict=True)))


def _bots(recipe: Recipe, people: int, first: int, dice: Dice) -> tuple[Ints, Ints, Ints]:
    """Touches of robots, units numbered from `first`: many, of channels paid by the click."""
    rng = dice.of("bots")
    lengths = rng.poisson(BOT_TOUCHES, round(recipe.bots * people))
    names = [channel.name for channel in recipe.channels]
    channel = rng.choice([names.index(name) for name in BOT_CHANNELS], lengths.sum())
    ts_us = FIRST_DAY_US + rng.integers(0, DAYS * DAY_US, len(channel))
    return np.repeat(first + np.arange(len(lengths)), lengths), channel, ts_us


def _controls(wish: Floats, people: int, units: int, dice: Dice) -> Floats:
    """What was known before the period: visits and orders, which follow the wish, with luck.

    A second device brings visits but no orders, a robot neither.
    """
    rng = dice.of("controls")
    known = np.zeros((units, len(CONTROLS)))
    known[: len(wish), 0] = rng.poisson(np.exp(0.5 + 0.6 * wish))
    known[:people, 1] = rng.poisson(np.exp(-1.0 + 0.5 * wish[:people]))
    return known


def _sorted(
    recipe: Recipe, lived: Lived, touches: tuple[Ints, Ints, Ints], controls: Floats
) -> Observed:
    """Units and touches as columns; channels that leave no trace at all are not known of."""
    unit, channel, ts_us = touches
    units, people = len(controls), len(lived.wish)
    known = np.array([one.seen > 0 for one in recipe.channels])
    order = np.lexsort((ts_us, unit))
    end_us = np.full(units, FIRST_DAY_US + DAYS * DAY_US)
    is_converted = np.zeros(units, dtype=np.bool_)
    is_converted[:people] = lived.bought_day >= 0
    end_us[:people][is_converted[:people]] = (
        FIRST_DAY_US + (lived.bought_day[lived.bought_day >= 0] + 1) * DAY_US - 1
    )
    value = np.zeros(units, dtype=np.int64)
    value[:people] = np.where(lived.bought_day >= 0, lived.value, 0)
    return Observed(
        channels=tuple(one.name for one in recipe.channels if one.seen > 0),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=units))]),
        channel=(np.cumsum(known) - 1).astype(np.int16)[channel[order]],
        ts_us=ts_us[order].astype(np.int64),
        end_us=end_us,
        is_converted=is_converted,
        value=value,
        controls=controls,
        control_names=CONTROLS,
    )
