"""What a workspace knows of its sales cycle and data → which attribution model to use, and why.

What is given overrules what is found, so that the same advice can be asked before there is data.
"""

from typing import Any

import msgspec

from touchline.attribution.guide import Advice, Situation, advise
from touchline.identity.people import Registry
from touchline.jobs.asked import asking
from touchline.measure.basis import basis_of
from touchline.measure.crediting import Crediting
from touchline.measure.roles import waits
from touchline.measure.spread import DAYS, spread
from touchline.measure.stages import milestones
from touchline.messages.advising import ADVICE
from touchline.storage.workspace import Workspace

__all__ = ["FACTS", "advice", "facts", "guide"]

FACTS = ("cycle_days", "conversions", "channels", "lift_tests", "has_stages")
LONGEST = "365d"  # what came first is looked for so far back


def guide(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """For (budget, report, openers, closers), goal, from, to; and any of FACTS, to overrule."""
    found = facts(workspace, registry, args)
    given = {name: args[name] for name in FACTS if args.get(name) is not None}
    return advice(Situation(args.get("for") or "budget", **(found | given)))


def facts(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """What the workspace itself tells of a goal."""
    asked = {**args, "window": args.get("window") or LONGEST}
    with asking(workspace, registry, asked, ("channel",)) as (view, people, question):
        basis = basis_of(view, people, question)
        crediting = Crediting.of(view.documents)
        told = milestones(view, people.speakers(view), basis.conversions, crediting)
    journeys = basis.journeys
    return {
        "cycle_days": spread(*waits(basis), DAYS)["median"] or 0.0,
        "conversions": int(journeys.conversions[journeys.is_touched].sum()),
        "channels": max(len(journeys.labels.channels), 1),
        "lift_tests": len(question.lift),
        "has_stages": told is not None,
    }


def advice(situation: Situation) -> dict[str, Any]:
    """The JSON of a piece of advice, its words in both languages."""
    found: Advice = advise(situation)
    return {
        "situation": msgspec.to_builtins(
            {"for": situation.aim} | {name: getattr(situation, name) for name in FACTS}
        ),
        "model": found.model,
        "why": _said(found.why),
        "beside": [{"model": point.model, "why": _said(point.why)} for point in found.beside],
        "against": [{"model": point.model, "why": _said(point.why)} for point in found.against],
        "then": [_said(code) for code in found.then],
        "window_days": found.window_days,
    }


def _said(code: str) -> dict[str, str]:
    english, chinese = ADVICE[code]
    return {"code": code, "en": english, "zh": chinese}
