"""A view as of a moment → the same with the sessions of then.

Rows tell by themselves when they became known; sessions do not, for they are columns that a late
event changes in rows long stored (see `jobs.intake.settle`). So of each device to which an event
came late, after the moment but of a time before what was known, sessions are assigned once more,
from the rows known then; what comes out other than it is stored is read in its place. Traffic that
arrives in the order of time changes nothing, and is not looked at.

The surprise: a row that brought no campaign has its session's labels stored over its own. If it
opened a session then, its own are read again from what it came with, by the rules that it was
stored under: those in force when it came in, or when a rebuild last read it.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from touchline.jobs.definitions import session_zone, site_of
from touchline.jobs.intake.derived import READ, WRITTEN, derived
from touchline.jobs.intake.session import (
    OPEN,
    TAKEN,
    assign_sessions,
    changed,
    is_of,
    shares_of,
)
from touchline.jobs.rebuilt import rebuilds, ruled
from touchline.model import LABELS, Flag
from touchline.storage.columns import EVENTS
from touchline.storage.engine import AMENDED, Expression, View
from touchline.storage.workspace import Workspace

__all__ = ["amend"]

ROWS_AT_ONCE = 125_000  # in memory, several times over
_OPENS = int(Flag.OPENS_SESSION)
_OWN_KEPT = int(Flag.BRINGS_CAMPAIGN | Flag.EXPLICIT_CHANNEL)


def amend(workspace: Workspace, view: View) -> None:
    """Has the view read sessions as they were at its moment."""
    if view.as_of_us is None or (devices := _overtaken(view)) is None:
        return
    rows = view.events(*TAKEN).semi_join(devices, "device")
    view.amend(_Then(workspace, view).parts(rows))


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
        names = tuple(dict.fromkeys(("seq", "known_at_us", *READ, *WRITTEN)))
        events = self._view.events(*names)
        asked = self._view.given(rows.select(["seq"]).take(pa.array(at)))
        found = self._view.fetch(events.semi_join(asked, "seq").order_by("seq"))
        found = found.cast(pa.schema(map(EVENTS.field, names)))
        for name in LABELS:
            bare = pa.nulls(len(found), pa.string())
            found = found.set_column(found.schema.get_field_index(name), name, bare)
        own = self._read_again(found)
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

    def _read_again(self, rows: pa.Table) -> pa.Table:
        state = self._workspace.state
        ruled_us, rebuilt_us = ruled(state), max(rebuilds(state), default=0)
        read_us = np.maximum(rows["known_at_us"].to_numpy(), rebuilt_us)
        turn = np.searchsorted(ruled_us, read_us, "right")
        parts = (
            derived(
                rows.filter(pa.array(turn == one)),
                site_of(self._workspace, ruled_us[one - 1] if one else 0),
            )
            for one in np.unique(turn).tolist()
        )
        return pa.concat_tables(parts).sort_by("seq")
