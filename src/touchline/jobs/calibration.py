"""Which lift test would teach most about a goal: the question as it is asked, and its answer."""

from typing import Any

from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs.asked import asking
from touchline.measure.basis import basis_of
from touchline.measure.calibrated import next_tests, weighed_with
from touchline.measure.options import options_of
from touchline.storage.workspace import Workspace

__all__ = ["ERROR", "next_lift"]

ERROR = 0.15  # what a well-made test of a quarter's spend comes to


def next_lift(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """goal, window, from, to, error, campaigns: all optional. `tests`: how many are in use."""
    asked = args.get("error")
    error = ERROR if asked is None else float(asked)
    if not 0 < error <= 10:
        why = "is not a part such as 0.15."
        raise BadInput("bad_argument", name="error", value=asked, why=why)
    campaigns = bool(args.get("campaigns"))
    by = ("channel", "campaign") if campaigns else ("channel",)
    with asking(workspace, registry, args, by) as (view, people, question):
        found = basis_of(view, people, question)
        given = options_of(view, people, found, "incremental")
        weighed = weighed_with(view, people, question, found, given, least=0)
    rows = next_tests(weighed, error, campaigns=campaigns)
    used = [one for one in weighed.tests if one.effect is not None]
    return {"goal": question.goal.name, "planned_error": error, "tests": len(used), "rows": rows}
