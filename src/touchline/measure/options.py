"""A question and the models asked for → what those models need beside journeys, from the view.

Nothing is looked up that no model asked for needs; "all" asks for what the data can tell.
"""

from touchline import clock
from touchline.attribution.incremental import LEAST_CONVERSIONS
from touchline.attribution.inputs import Options
from touchline.attribution.models import find
from touchline.identity.people import PersonMap
from touchline.measure.basis import Basis
from touchline.measure.crediting import Crediting
from touchline.measure.observed import observed_of
from touchline.measure.stages import milestones
from touchline.storage.engine import View

__all__ = ["needs", "options_of"]

ALL = "all"


def options_of(view: View, people: PersonMap, found: Basis, models: str) -> Options:
    """What `credit` and `choose` take by name. `models`: "all" or "a,b"."""
    given = _tuned(view, found)
    if needs("stages", models):
        told = milestones(
            view, people.speakers(view), found.conversions, Crediting.of(view.documents)
        )
        if told is not None:
            given["stages"] = told.stages(found.journeys)
    if _is_watched(found, models):
        given["observed"] = observed_of(view, people, found)
    return given


def _tuned(view: View, found: Basis) -> Options:
    """Half-life and weights: as the question says, else as the site's definitions do."""
    decided = Crediting.of(view.documents).tuning
    if found.question is None:
        return decided.options()
    given = found.question.tuning.over(decided).options(found.question.window_days)
    if "window_days" in given and "window_us" in found.touches.column_names:
        given["window_days"] = found.touches.column("window_us").to_numpy() / clock.DAY_US
    return given


def _is_watched(found: Basis, models: str) -> bool:
    """Whether everybody is looked at over time. "all" means the models that need it only where
    there is enough to fit them on; lift tests are weighed against one of them.
    """
    if needs("observed", models):
        return models.strip().lower() != ALL or found.counted >= LEAST_CONVERSIONS
    return found.question is not None and bool(found.question.lift) and needs("lift", models)


def needs(need: str, models: str) -> bool:
    """Whether a model that is asked for takes this."""
    if models.strip().lower() == ALL:
        return True
    asked = [find(name.strip()) for name in models.split(",")]
    return any(need in model.needs for model in asked if model is not None)
