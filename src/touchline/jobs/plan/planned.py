"""Goals and the tracking plan of a site as one: what a conversion is, is said in one place.

An event that the plan marks as a conversion is what a goal counts: the goal it names, one that
counts this event anyway, or a goal of its own name made here. A goal that counts an event counts it
under every name that the plan knows it by.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from touchline.collect.plan import Plan, Worth
from touchline.collect.plan_spec import EventSpec, events_of
from touchline.collect.sources import Sources
from touchline.collect.touchpoint_map import TouchpointMap
from touchline.errors import BadInput
from touchline.journey.goal import Goal

__all__ = ["Planned", "all_goals", "goals_on", "planned"]


class Planned(NamedTuple):
    """All that events are held against when they are stored. Without a plan, `plan` is None."""

    plan: Plan | None
    touchpoints: TouchpointMap
    goals: tuple[Goal, ...]


def planned(documents: Mapping[str, Any], goals: Sequence[Goal], sources: Sources) -> Planned:
    """Compiled definitions. `goals`: those in force, the plan's among them (see `all_goals`)."""
    worth = {
        event.name: _worth(counting)
        for event in events_of(documents)
        if (counting := goals_on(event, goals))
    }
    plan = Plan.compile(documents, worth)
    return Planned(plan, TouchpointMap.compile(documents, sources), tuple(goals))


def all_goals(goals: Sequence[Goal], events: Sequence[EventSpec]) -> tuple[Goal, ...]:
    """The goals of a site, and those that conversions of its plan are by themselves."""
    found = list(goals)
    for event in events:
        if event.conversion is False:
            continue
        if event.type != "track":
            raise _bad(event, f"a {event.type} is no conversion, only a track event is")
        if isinstance(event.conversion, str):
            _check_named(event, event.conversion, found)
        elif not goals_on(event, found):
            if any(goal.name == event.name for goal in found):
                raise _bad(event, "a goal of that name counts something else: name the goal")
            found.append(Goal(event.name, event=event.name))
    return tuple(_also_known(goal, events) for goal in found)


def goals_on(event: EventSpec, goals: Sequence[Goal]) -> list[Goal]:
    """The goals that count an event of the plan."""
    names = (event.name, *event.also) if event.type == "track" else ()
    return [goal for goal in goals if goal.event in names]


def _check_named(event: EventSpec, name: str, goals: Sequence[Goal]) -> None:
    if not any(goal.name == name for goal in goals):
        raise _bad(event, f"there is no goal {name}")
    if not any(goal.name == name for goal in goals_on(event, goals)):
        raise _bad(event, f"the goal {name} counts something else")


def _also_known(goal: Goal, events: Sequence[EventSpec]) -> Goal:
    for event in events:
        if goal in goals_on(event, [goal]):
            names = {event.name, *event.also, *goal.also} - {goal.event}
            return msgspec.structs.replace(goal, also=tuple(sorted(names)))
    return goal


def _worth(goals: Sequence[Goal]) -> Worth:
    """What the event must say of its worth: the first goal that takes it from the event decides."""
    asked = [goal.value for goal in goals if not isinstance(goal.value, int | float)]
    return asked[0] if asked else goals[0].value


def _bad(event: EventSpec, why: str) -> BadInput:
    return BadInput("bad_plan", name=event.name, why=why)
