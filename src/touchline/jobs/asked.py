"""Arguments of a question about credit → the question, and the moment it is asked of.

What is not said is as the goal has it: its own window, or 90 days. Goals are those of the moment
asked of, so that a report as of a day is the same for ever.
"""

from functools import partial
from typing import Any

from touchline.identity.companies import credited
from touchline.jobs import arguments
from touchline.jobs.definitions import goals_of
from touchline.jobs.lift import tests_of
from touchline.journey.goal import goal_named
from touchline.measure.basis import Question
from touchline.measure.tuning import tuning_of
from touchline.storage.workspace import Workspace

__all__ = ["as_of", "question_of"]

WINDOW = "90d"


def question_of(workspace: Workspace, args: dict[str, Any], by: tuple[str, ...]) -> Question:
    """goal, window, from, to, as_of, half_life, positions, weights: all optional, all text."""
    goal = goal_named(goals_of(workspace, as_of(workspace, args)), args.get("goal"))
    window = args.get("window") or goal.window or WINDOW
    return Question(
        goal=goal,
        currency=workspace.currency,
        time_zone=workspace.time_zone,
        by=by,
        window_days=arguments.window(str(window)),
        days=arguments.period(args),
        members=partial(credited, workspace),
        lift=tests_of(workspace, as_of(workspace, args), goal.name),
        tuning=tuning_of(args),
    )


def as_of(workspace: Workspace, args: dict[str, Any]) -> int | None:
    return arguments.as_of(args.get("as_of"), workspace.time_zone)
