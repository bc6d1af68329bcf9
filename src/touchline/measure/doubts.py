"""A report's basis and spend → what its reader should know before believing it, as codes of texts:
spend that may still change, counts twice or is covered by other rows, deals that no goal counts,
partners whose share cannot be read.
"""

from typing import Any

from touchline.journey.conversion import stages_beside
from touchline.journey.goal import Goal
from touchline.journey.rate import Rates
from touchline.measure.basis import Basis, Question
from touchline.measure.cost import has_aggregates, overlapping, spending
from touchline.measure.provisional import Finality, Provisional, provisional
from touchline.measure.twice import twice
from touchline.storage.engine import View

__all__ = ["doubts_of"]

SHOWN = 10  # stages in a note
Note = tuple[str, dict[str, Any]]


def doubts_of(
    view: View, question: Question, basis: Basis, rates: Rates
) -> tuple[Provisional | None, list[Note]]:
    """Spend that may still change, and all that is worth saying."""
    notes: list[Note] = []
    finality = Finality.of(view.documents, question.time_zone)
    found = provisional(view, spending(view, question.days), rates, finality)
    if found is not None:
        notes.append(("spend_provisional", found.in_words(question.currency)))
    again = twice(view, rates, question.days)
    if again is not None:
        notes.append(("spend_twice", again.in_words(question.currency)))
    if has_aggregates(view):
        rows = view.fetch(overlapping(view, question.days).select("channel").distinct())
        channels = sorted(rows.column("channel").to_pylist())
        if channels:
            notes.append(("aggregates_covered", {"channels": ", ".join(channels)}))
    if basis.partners is not None and basis.partners.unread:
        notes.append(("partner_unread", {"count": basis.partners.unread}))
    if not basis.counted + basis.unrated:
        notes += _uncounted(view, question.goal)
    return found, notes


def _uncounted(view: View, goal: Goal) -> list[Note]:
    """Deals that are all in stages the goal does not know: 已签单 where it counts 赢单."""
    found = stages_beside(view, goal) if goal.stages else {}
    most = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
    stages = ", ".join(f"{stage or '–'} ({count:,})" for stage, count in most)
    return [("stages_uncounted", {"goal": goal.name, "stages": stages})] if most else []
