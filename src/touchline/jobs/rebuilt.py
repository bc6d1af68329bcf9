"""When all history was read again by other rules, and what that did to reports of a day before."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from touchline import clock
from touchline.collect.time import local_day
from touchline.jobs.definitions import CHANNEL_KINDS
from touchline.measure.notes import noted
from touchline.storage import definition, schema
from touchline.storage.engine import View
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = ["note_rebuild", "rebuilds", "relabelled", "remarked", "ruled"]

REBUILT = "rebuilt"  # marks in State begin so
RULES = (*CHANNEL_KINDS, "alias", "site", "bots")  # what a rebuild reads history by
EPOCH = dt.date(1970, 1, 1)


def note_rebuild(state: State) -> None:
    """That history is read again from now on."""
    now = clock.now_us()
    state.write(state.set_mark(f"{REBUILT}:{now}", now))


def relabelled(workspace: Workspace, view: View) -> list[tuple[str, dict[str, Any]]]:
    """A note for a report as of a moment whose rows a rebuild has read by other rules since."""
    state, as_of_us = workspace.state, view.as_of_us
    rebuilt_us = rebuilds(state)
    if as_of_us is None or not rebuilt_us or rebuilt_us[-1] <= as_of_us:
        return []
    since_us = max((at for at in rebuilt_us if at <= as_of_us), default=_first_known(view))
    if since_us is None:
        return []
    newest = _rules(state, rebuilt_us[-1])
    if all(_rules(state, at) == newest for at in (since_us, *ruled(state, since_us, as_of_us))):
        return []
    day = local_day(rebuilt_us[-1], workspace.time_zone)
    return [("labels_rebuilt", {"day": (EPOCH + dt.timedelta(days=day)).isoformat()})]


def remarked(workspace: Workspace, view: View, found: dict[str, Any]) -> dict[str, Any]:
    """An answer of this view, with the note that it needs (see `relabelled`)."""
    return found | noted(relabelled(workspace, view))


def rebuilds(state: State) -> list[int]:
    """When history was read again by the rules in force, in order."""
    table = schema.mark.c
    return sorted(
        row.value
        for row in state.read(sa.select(table.value).where(table.name.startswith(REBUILT)))
    )


def _first_known(view: View) -> int | None:
    """When the first of its rows came in, if there is one."""
    rows = view.events("known_at_us")
    return view.fetch(rows.agg(first_us=rows.known_at_us.min()))["first_us"][0].as_py()


def _rules(state: State, at_us: int) -> dict[str, Any]:
    return {
        kind: value for kind, value in definition.current(state, at_us).items() if kind in RULES
    }


def ruled(state: State, after_us: int = -1, upto_us: int | None = None) -> list[int]:
    """When rules were applied within that time, in order."""
    table = schema.definition.c
    found = sa.select(table.known_at_us).where(table.kind.in_(RULES), table.known_at_us > after_us)
    if upto_us is not None:
        found = found.where(table.known_at_us <= upto_us)
    return sorted(row.known_at_us for row in state.read(found.distinct()))
