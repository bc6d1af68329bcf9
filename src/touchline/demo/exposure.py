"""People + media plan → touches: who met which campaign when, whether or not it left a trace.

Only reach that marketing chooses is here. Brand searches, retargeting and direct visits are not:
latent intent leads people to those, see `response`.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from touchline.demo.channels import Channel, of_market
from touchline.demo.dice import Dice
from touchline.demo.people import People
from touchline.demo.plan import Plan, reach_of
from touchline.demo.season import DAY_MS, Ints
from touchline.demo.world import CITIES, OUTDOOR_CITIES

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Touches", "stack", "touches"]

T = TypeVar("T", bound="DataclassInstance")


@dataclass
class Touches:
    """Columns: place of the person in the block, moment, channel, campaign (-1 for none)."""

    person: Ints
    ms: Ints
    channel: Ints
    campaign: Ints

    def only(self, keep: Any) -> "Touches":
        return Touches(self.person[keep], self.ms[keep], self.channel[keep], self.campaign[keep])


def stack(parts: list[T]) -> T:
    """Tables of one kind as one table."""
    names = [column.name for column in fields(parts[0])]
    return type(parts[0])(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def touches(people: People, plan: Plan, dice: Dice) -> Touches:
    """Everything the plan makes a block of people meet."""
    rng = dice.of("exposure")
    found = [
        _reached(channel, people, plan, rng)
        for channel in of_market(people.market.key)
        if not channel.is_path and reach_of(channel) > 0
    ]
    return stack(found)


def _reached(channel: Channel, people: People, plan: Plan, rng: np.random.Generator) -> Touches:
    mean = reach_of(channel) / people.market.people * people.liking(channel.taste)
    if channel.key == "outdoor":
        mean = mean * _sees_outdoor(people)
    elif channel.key == "store_event":
        near = people.store >= 0
        mean = mean * near / max(near.mean(), 1e-9)
    person = np.repeat(np.arange(people.count), rng.poisson(mean))
    return placed(channel, person, plan, rng)


def placed(channel: Channel, person: Ints, plan: Plan, rng: np.random.Generator) -> Touches:
    """Touches of these people by one channel, at moments of its plan."""
    count = len(person)
    schedule = plan.schedules[channel.index]
    slot = schedule.draw(rng.random(count))
    at = ((schedule.day[slot] + rng.random(count)) * DAY_MS).astype(np.int64)
    return Touches(
        person,
        plan.calendar.start_ms + at,
        np.full(count, channel.index),
        schedule.campaign[slot],
    )


def _sees_outdoor(people: People) -> Any:
    """Only two cities have posters; there everybody may pass one."""
    shown = np.isin([city.name for city in CITIES], OUTDOOR_CITIES)
    there = shown[people.city]
    return there / max(there.mean(), 1e-9)
