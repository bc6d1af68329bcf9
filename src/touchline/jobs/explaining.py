"""One conversion, or one number of a report → what stands behind it: see `measure.explain`.

Whose conversion it is is told in clear, as far as the asker's role lets identifiers through, and
written down in the audit log. Where visits landed is told by path alone.
"""

from typing import Any

from touchline.attribution.models import TABLE
from touchline.collect.veiled import Sight
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.identity.profile import find_person, identifiers_of
from touchline.jobs import arguments
from touchline.jobs.asked import asking
from touchline.jobs.audited import seen
from touchline.jobs.rebuilt import remarked
from touchline.measure.behind import MOST, behind
from touchline.measure.explain import EXPLAINED, FIELDS, STAGE, explained
from touchline.measure.notes import note_of
from touchline.storage.workspace import Workspace

__all__ = ["FIELDS", "explain", "landing_seen", "model_notes", "number"]

PAGE = "landing_page"


def explain(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """`conversion`, and goal, models, window, from, to, as_of as of `attribution`."""
    with asking(workspace, registry, args, EXPLAINED) as (view, people, question):
        models = args.get("models") or "all"
        found = explained(view, people, question, args["conversion"], models)
        person_id, identifiers = found["person_id"], []
        if person_id is not None:
            seen(workspace, "explain", person_id)
            person = find_person(workspace, people, person_id)
            identifiers = identifiers_of(workspace, people, person)
        found = remarked(workspace, view, found)
    _hide(workspace, found["touches"])
    return {**found, "identifiers": identifiers}


def number(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """`model`, labels by their names, limit: the conversions behind a number of a report."""
    labels = {name: args[name] or None for name in FIELDS if name in args}
    model = args.get("model") or ""
    if not model.strip() or "," in model or model.strip().lower() == "all":
        why = "is not the name of one model."
        raise BadInput("bad_argument", name="model", value=model, why=why)
    by = (*EXPLAINED, STAGE) if STAGE in labels else EXPLAINED
    limit = MOST if args.get("limit") is None else arguments.limit(args["limit"])
    with asking(workspace, registry, args, by) as asked:
        found = behind(*asked, model.strip(), labels, limit=min(limit, MOST))
        return remarked(workspace, asked.view, found)


def model_notes(*_: Any) -> dict[str, Any]:
    """Model → what its answer means, and when not to believe it."""
    return {name: note_of(name) for name in TABLE}


def landing_seen(workspace: Workspace, page: str | None) -> str | None:
    """A landing page as the asker's role may see it."""
    sight = Sight.of(workspace)
    return page if sight is None else sight.url(PAGE, page)


def _hide(workspace: Workspace, touches: list[dict[str, Any]]) -> None:
    for touch in touches:
        touch[PAGE] = landing_seen(workspace, touch[PAGE])
