"""A question and names of models → their credit, with everything those models need beside journeys.

The report, the credit table and every explanation ask here, so that they speak of the same numbers.
"""

from typing import Any, NamedTuple

from touchline.attribution.credit import Credit, check, choose, credit
from touchline.attribution.inputs import Options
from touchline.errors import BadInput
from touchline.identity.people import PersonMap
from touchline.measure.apart import totals, unattributed
from touchline.measure.basis import Basis, Question, basis_of
from touchline.measure.calibrated import Weighed, weigh
from touchline.measure.options import needs, options_of
from touchline.storage.engine import View

__all__ = ["Answers", "answers"]


class Answers(NamedTuple):
    """`left_out`: why models of "all" are not among the credits. `weighed`: what lift tests say."""

    found: Basis
    credits: dict[str, Credit]
    left_out: list[BadInput]
    given: Options
    weighed: Weighed | None

    @property
    def totals(self) -> dict[str, float]:
        """All conversions and all money of the question."""
        return totals(self.found)

    @property
    def unattributed(self) -> dict[str, dict[str, Any]]:
        """What no model was asked about, by the reason."""
        return unattributed(self.found)


def answers(view: View, people: PersonMap, question: Question, models: str) -> Answers:
    """Credit of every model asked for ("all" or "a,b")."""
    check(models)
    found = basis_of(view, people, question)
    given = options_of(view, people, found, models)
    weighed = weigh(view, people, question, found, given) if needs("lift", models) else None
    if weighed is not None:
        given["lift"] = weighed.lift
    chosen, left_out = choose(models, found.journeys, **given)
    return Answers(found, credit(found.journeys, chosen, **given), left_out, given, weighed)
