"""Recipe + seed → a world: people, the touches they meet, what they buy, and what each touch did.

Every day the chance of a person to buy is

    h(person, day) = base · exp(wish + Σ_c lift_c · g_c + Σ_ab synergy_ab · g_a · g_b)

g_c = g(stock): the touches so far, each fading by its half-life; g(s) = m (1 - exp(-s / m))
saturates at m. A person who would meet these touches buys with p = 1 - exp(-Σ_day h). Truth is this
p less the same p without the channel: an expectation, so no luck of a second draw is in it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from touchline.attribution.arrays import Bools, Floats, Ints
from touchline.demo.dice import Dice
from touchline.demo.worlds.recipe import DAYS, TESTED, Recipe
from touchline.demo.worlds.trace import Lived, seen_of
from touchline.demo.worlds.world import Trial, Truth, World

__all__ = ["simulate_world"]

BASE = 0.00020  # a day's chance without wish and touches
WISH = 0.8  # how much people differ in it
EPISODE_DAYS, EPISODE = 10, 1.6  # a stretch of shopping, and what it adds to the wish
EPISODE_PULL = 1.5
SHOPPERS = 0.35
BLOCK = 5_000
TEST_NOISE = 0.15


@dataclass(frozen=True, eq=False)
class Block:
    """People, what they live through, and what each channel (rows) caused in count and money."""

    lived: Lived
    caused: Floats
    baseline: float


def simulate_world(recipe: Recipe, *, people: int = 40_000, seed: int = 1) -> World:
    """The world of a recipe with so many people; the same arguments give the same world."""
    caused = np.zeros((len(recipe.channels), 2))
    baseline = 0.0
    parts: list[Lived] = []
    for number, first in enumerate(range(0, people, BLOCK)):
        block = _block(recipe, min(BLOCK, people - first), Dice(seed, number))
        caused += block.caused
        baseline += block.baseline
        parts.append(block.lived)
    names = tuple(channel.name for channel in recipe.channels)
    truth = Truth(names, caused[:, 0], caused[:, 1], baseline)
    seen = seen_of(recipe, parts, Dice(seed))
    return World(recipe.name, seen, truth, _trials(truth, Dice(seed)))


def _block(recipe: Recipe, people: int, dice: Dice) -> Block:
    rng = dice.of("people")
    wish = rng.standard_normal(people)
    value = np.exp(rng.normal(10, 0.6, people)).astype(np.int64)
    begins = np.where(
        rng.random(people) < SHOPPERS, rng.integers(0, DAYS, people), DAYS + EPISODE_DAYS
    )
    days = np.arange(DAYS)
    shops = (days >= begins[:, None]) & (days < begins[:, None] + EPISODE_DAYS)
    shops &= recipe.is_shopping
    met = _met(recipe, wish, shops, dice.of("touches"))
    wanted = WISH * wish[:, None] + EPISODE * shops
    channels = range(len(recipe.channels))
    strength = [_strength(recipe, met, number, people) for number in channels]
    hazard = BASE * np.exp(wanted + _push(recipe, strength))
    chance = _chance(hazard)
    caused = np.zeros((len(strength), 2))
    for number in channels:
        lost = chance - _chance(BASE * np.exp(wanted + _push(recipe, strength, number)))
        caused[number] = lost.sum(), (lost * value).sum()
    bought = _bought_day(hazard, dice.of("purchases"))
    baseline = float(_chance(BASE * np.exp(wanted)).sum())
    return Block(Lived(*met, bought, value, wish), caused, baseline)


def _met(
    recipe: Recipe, wish: Floats, shops: Bools, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """(person, channel, day) of touches: at random, those with a pull more on who wants to buy."""
    cells: list[Ints] = []
    for channel in recipe.channels:
        drawn = channel.pull * (wish[:, None] * recipe.has_pull + EPISODE_PULL * shops)
        edges = np.cumsum(np.exp(drawn))
        count = rng.poisson(channel.reach * len(wish))
        cells.append(np.searchsorted(edges, rng.random(count) * edges[-1], side="right"))
    cell = np.concatenate(cells)
    channels = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
    return cell // DAYS, channels, cell % DAYS


def _strength(recipe: Recipe, met: tuple[Ints, Ints, Ints], number: int, people: int) -> Floats:
    """g(stock) of one channel, by person and day."""
    person, channel, day = met
    cell = (person * DAYS + day)[channel == number]
    fresh = np.bincount(cell, minlength=people * DAYS).reshape(people, DAYS).astype(np.float64)
    fade = 0.5 ** (1 / recipe.channels[number].half_life_days)
    stock = np.asarray(signal.lfilter([1.0], [1.0, -fade], fresh, axis=1), dtype=np.float64)
    return -recipe.saturation * np.expm1(stock / -recipe.saturation)


def _push(recipe: Recipe, strength: list[Floats], without: int | None = None) -> Floats:
    """What all channels, or all but one, do to the log of the daily chance."""
    names = [channel.name for channel in recipe.channels]
    push = np.zeros_like(strength[0])
    for number, channel in enumerate(recipe.channels):
        if number != without:
            push += channel.lift * strength[number]
    for one, other, together in recipe.synergy:
        a, b = names.index(one), names.index(other)
        if without not in (a, b):
            push += together * strength[a] * strength[b]
    return push


def _chance(hazard: Floats) -> Floats:
    return -np.expm1(-hazard.sum(axis=1))


def _bought_day(hazard: Floats, rng: np.random.Generator) -> Ints:
    """The first day on which the summed hazard passes the person's own exponential threshold."""
    reached = np.cumsum(hazard, axis=1) > rng.exponential(size=len(hazard))[:, None]
    return np.where(reached[:, -1], reached.argmax(axis=1), -1)


def _trials(truth: Truth, dice: Dice) -> tuple[Trial, ...]:
    """Experiments on the channels whose credit is most in doubt, each off by its error."""
    rng = dice.of("tests")
    found: list[Trial] = []
    for name in TESTED:
        effect = float(truth.conversions[truth.channels.index(name)])
        error = TEST_NOISE * effect
        found.append(Trial(name, effect + error * float(rng.standard_normal()), error))
    return tuple(found)
