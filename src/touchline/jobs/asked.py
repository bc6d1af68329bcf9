"""Arguments of a question about credit → the question, and the moment of the lake it is asked of.

What is not said is as the goal has it: its own window, or 90 days. Goals, tests and sessions are
those of the moment asked of, so that a report as of a day is the same for ever.
"""

import contextlib
from collections.abc import Generator
from functools import partial
from typing import Any, NamedTuple

from touchline.identity.companies import credited
from touchline.identity.people import PersonMap, Registry
from touchline.jobs import arguments
from touchline.jobs.definitions import goals_of
from touchline.jobs.known_then import amend
from touchline.jobs.lift import tests_of
from touchline.journey.goal import goal_named
from touchline.measure.basis import Question
from touchline.measure.tuning import tuning_of
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["Asked", "asking", "question_of"]

WINDOW = "90d"


class Asked(NamedTuple):
    """A question and what it is asked of."""

    view: View
    people: PersonMap
    question: Question


@contextlib.contextmanager
def asking(
    workspace: Workspace, registry: Registry, args: dict[str, Any], by: tuple[str, ...]
) -> Generator[Asked]:
    """goal, window, from, to, as_of, half_life, positions, weights: all optional, all text."""
    as_of_us = arguments.as_of(args.get("as_of"), workspace.time_zone)
    question = question_of(workspace, args, by, as_of_us)
    with workspace.view(as_of_us=as_of_us) as view:
        amend(workspace, view)
        yield Asked(view, registry.at(view), question)


def question_of(
    workspace: Workspace, args: dict[str, Any], by: tuple[str, ...], as_of_us: int | None = None
) -> Question:
    """What is asked, by the goals and tests of a moment."""
    goal = goal_named(goals_of(workspace, as_of_us), args.get("goal"))
    window = args.get("window") or goal.window or WINDOW
    return Question(
        goal=goal,
        currency=workspace.currency,
        time_zone=workspace.time_zone,
        by=by,
        window_days=arguments.window(str(window)),
        days=arguments.period(args),
        members=partial(credited, workspace),
        lift=tests_of(workspace, as_of_us, goal.name),
        tuning=tuning_of(args),
    )
