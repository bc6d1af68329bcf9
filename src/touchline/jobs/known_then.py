"""A view as of a moment → the same with the sessions of then.

Rows tell by themselves when they became known; sessions do not, for they are columns that a late
event changes in rows long stored (see `jobs.intake.settle`). So of each device to which an event
came late, after the moment but of a time before what was known, sessions are assigned once more,
from the rows known then; what comes out other than it is stored is read in its place. Traffic that
arrives in the order of time changes nothing, and is not looked at.

The surprise: a row that brought no campaign has its session's labels stored over its own. If it
opened a session then, its own are read again from what it came with.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from touchline import clock
from touchline.collect.time import local_day
from touchline.jobs.definitions import CHANNEL_KINDS, session_zone, site_of
from touchline.jobs.intake.derived import READ, WRITTEN, derived
from touchline.jobs.intake.session import (
    OPEN,
    TAKEN,
    assign_sessions,
    changed,
    is_of,
    shares_of,
)
from touchline.measure.notes import said
from touchline.model import LABELS, Flag
from touchline.storage import definition, schema
from touchline.storage.columns import EVENTS
from touchline.storage.engine import AMENDED, Expression, View
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = ["amend", "note_rebuild", "relabelled", "remarked"]

REBUILT = "rebuilt"  # marks in State begin so: when history was read again by the rules in force
RULES = (*CHANNEL_KINDS, "alias", "site", "bots")  # what a rebuild reads it by
EPOCH = dt.date(1970, 1, 1)
ROWS_AT_ONCE = 125_000  # in memory, several times over
_OPENS = int(Flag.OPENS_SESSION)
_OWN_KEPT = int(Flag.BRINGS_CAMPAIGN | Flag.EXPLICIT_CHANNEL)


def amend(workspace: Workspace, view: View) -> None:
    """Has the view read sessions as they were at its moment."""
    if view.as_of_us is None or (devices := _overtaken(view)) is None:
        return
    rows = view.events(*TAKEN).semi_join(devices, "device")
    view.amend(_Then(workspace, view).parts(rows))


def note_rebuild(state: State) -> None:
    """That history is read again from now on."""
    now = clock.now_us()
    state.write(state.set_mark(f"{REBUILT}:{now}", now))


def relabelled(workspace: Workspace, view: View) -> list[tuple[str, dict[str, Any]]]:
    """A note for a report as of a moment whose rows a rebuild has read by other rules since."""
    state, as_of_us = workspace.state, view.as_of_us
    rebuilt_us = _rebuilds(state)
    if as_of_us is None or not rebuilt_us or rebuilt_us[-1] <= as_of_us:
        return []
    since_us = max((at for at in rebuilt_us if at <= as_of_us), default=_first_known(view))
    if since_us is None:
        return []
    newest = _rules(state, rebuilt_us[-1])
    if all(_rules(state, at) == newest for at in (since_us, *_ruled(state, since_us, as_of_us))):
        return []
    day = local_day(rebuilt_us[-1], workspace.time_zone)
    return [("labels_rebuilt", {"day": (EPOCH + dt.timedelta(days=day)).isoformat()})]


def remarked(workspace: Workspace, view: View, found: dict[str, Any]) -> dict[str, Any]:
    """An answer of this view, with the note that it needs (see `relabelled`)."""
    notes = [said(code, params) for code, params in relabelled(workspace, view)]
    return {**found, "notes": [*found.get("notes", ()), *notes]} if notes else found


def _rebuilds(state: State) -> list[int]:
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


def _ruled(state: State, after_us: int, upto_us: int) -> list[int]:
    """When rules were applied within that time."""
    table = schema.definition.c
    is_within = sa.and_(table.known_at_us > after_us, table.known_at_us <= upto_us)
    found = sa.select(table.known_at_us).where(table.kind.in_(RULES), is_within).distinct()
    return [row.known_at_us for row in state.read(found)]


def _overtaken(view: View) -> Expression | None:
    """Devices to which something came late, or whose last rows are not settled yet."""
    rows = _of_devices(view.whole(), "device", "ts_us", "known_at_us")
    is_late = rows.known_at_us > view.as_of_us
    ends = rows.agg(last_us=rows.ts_us.max(where=~is_late), late_us=rows.ts_us.min(where=is_late))
    ((last_us, late_us),) = zip(*view.fetch(ends).to_pydict().values(), strict=True)
    found: list[Expression] = []
    if last_us is not None and late_us is not None and late_us <= last_us:
        known = _of_devices(view, "device", "ts_us")
        late = rows.filter(is_late, rows.ts_us <= last_us)
        late = late.group_by(late_device="device").agg(late_us=late.ts_us.min())
        behind = [known.device == late.late_device, known.ts_us >= late.late_us]
        found.append(known.inner_join(late, behind).select("device"))
    if view.files.tables["fresh"].files:
        unsettled = view.unsettled("device")
        found.append(unsettled.filter(unsettled.device.notnull()))
    if not found:
        return None
    devices = view.keep(ibis.union(*found).distinct())
    return devices if view.count(devices) else None


def _of_devices(view: View, *columns: str) -> Expression:
    rows = view.events(*columns)
    return rows.filter(rows.device.notnull())


class _Then:
    """Assigns sessions under the definitions of the moment."""

    def __init__(self, workspace: Workspace, view: View) -> None:
        self._workspace, self._view = workspace, view
        self._zone = session_zone(workspace, view.as_of_us)

    @cached_property
    def _site(self) -> Any:
        return site_of(self._workspace, self._view.as_of_us)

    def parts(self, rows: Expression) -> Iterator[pa.Table]:
        """Rows that were other than they are stored, by `seq`; some devices at a time."""
        shares = shares_of(self._view.count(rows), ROWS_AT_ONCE)
        for share in range(shares):
            mine = rows.filter(is_of(rows, share, shares))
            stored = self._view.fetch(mine).cast(pa.schema(map(EVENTS.field, TAKEN)))
            found = self._assigned(stored)
            found = found.filter(pa.array(changed(stored, found)))
            if len(found):
                yield found.select(["seq", *AMENDED])

    def _assigned(self, stored: pa.Table) -> pa.Table:
        found = assign_sessions(stored, OPEN.empty_table(), self._zone)
        flags = found["flags"].to_numpy()
        opens_bare = ((flags & _OPENS) != 0) & ((flags & _OWN_KEPT) == 0)
        at = np.flatnonzero(opens_bare)  # at midnight also who opens one may have others' labels
        if not len(at):
            return found
        return assign_sessions(self._with_own(stored, at), OPEN.empty_table(), self._zone)

    def _with_own(self, rows: pa.Table, at: Any) -> pa.Table:
        """The rows, those at these places with labels of their own."""
        names = tuple(dict.fromkeys(("seq", *READ, *WRITTEN)))
        events = self._view.events(*names)
        asked = self._view.given(rows.select(["seq"]).take(pa.array(at)))
        found = self._view.fetch(events.semi_join(asked, "seq").order_by("seq"))
        found = found.cast(pa.schema(map(EVENTS.field, names)))
        for name in LABELS:
            bare = pa.nulls(len(found), pa.string())
            found = found.set_column(found.schema.get_field_index(name), name, bare)
        own = derived(found, self._site)
        seq = rows["seq"].to_numpy()[at]
        place = np.empty(len(at), np.int64)
        place[np.argsort(seq)] = np.arange(len(at))  # of each, among the found ones
        index = np.arange(len(rows))
        index[at] = len(rows) + place
        for name in LABELS:
            both = pa.chunked_array([*rows[name].chunks, *own[name].chunks])
            taken = both.take(pa.array(index))
            rows = rows.set_column(rows.schema.get_field_index(name), rows.field(name), taken)
        return rows
