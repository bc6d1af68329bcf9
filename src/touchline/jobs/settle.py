"""Fresh rows → day files, with their sessions assigned for good.

Sessions belong to a device and run in (time, seq) order, so a day's sessions are final only when
its rows are written together. A day that already holds rows of an arriving device is rewritten
whole; on other days the arrivals are one more file. One commit adds files, removes files and says
up to which `seq` rows have moved: readers see each row exactly once throughout.
"""

import datetime as dt
from collections import Counter

import ibis
import pyarrow as pa

from touchline import clock
from touchline.collect.session import IDLE_US
from touchline.jobs.session import BEFORE, assign_sessions
from touchline.storage.columns import EVENTS
from touchline.storage.engine import Expression, View
from touchline.storage.lake import SETTLED
from touchline.storage.table import TableSnapshot, day_of
from touchline.storage.workspace import Workspace

__all__ = ["day_before", "in_day_order", "settle"]

ROWS_AT_ONCE = 500_000
FILES_A_DAY = 8
SWEEP_AFTER_US = 3600 * clock.US


def settle(workspace: Workspace) -> int:
    """Moves all fresh rows, some at a time so that memory stays bounded; returns how many."""
    moved = 0
    while rows := _settle_some(workspace):
        moved += rows
    if moved:
        workspace.lake.sweep(SWEEP_AFTER_US)
    return moved


def _settle_some(workspace: Workspace) -> int:
    with workspace.view() as view:
        files = view.files
        upto = _upto(files.tables["fresh"], files.settled_seq)
        if upto is None:
            _trim(workspace)
            return 0
        fresh = view.table("fresh")
        arriving = fresh.filter(fresh.seq > files.settled_seq, fresh.seq <= upto)
        days = set(view.fetch(arriving.select("local_day").distinct()).column(0).to_pylist())
        rewritten = _days_to_rewrite(view, arriving, days)
        written = arriving.union(_on_days(view, rewritten))
        rows = view.fetch(written)
        context = view.fetch(day_before(view, written, days, rewritten))
        removed = [f for f in files.tables["events"].files if day_of(f) in rewritten]
    settled = assign_sessions(rows.cast(EVENTS), context.cast(BEFORE))
    workspace.lake.events.commit(in_day_order(settled), remove=removed, offsets={SETTLED: upto})
    _trim(workspace)
    return upto - files.settled_seq


def in_day_order(rows: pa.Table) -> pa.Table:
    """Rows in the order of day files."""
    return rows.sort_by([(name, "ascending") for name in ("local_day", "name", "ts_us", "seq")])


def _upto(fresh: TableSnapshot, settled_seq: int) -> int | None:
    """The last seq of as many whole files as one round takes; None when nothing is waiting."""
    ends = sorted(seq for seq in fresh.last_seq.values() if seq and seq > settled_seq)
    within = [seq for seq in ends if seq - settled_seq <= ROWS_AT_ONCE]
    return (within[-1] if within else ends[0]) if ends else None


def _days_to_rewrite(view: View, arriving: Expression, days: set[dt.date]) -> set[dt.date]:
    """Days whose stored rows share a device with arriving rows, or that lie in too many files."""
    crowded = Counter(day_of(path) for path in view.files.tables["events"].files)
    there = _on_days(view, days & crowded.keys()).select("local_day", "device")
    shared = there.semi_join(arriving, ["local_day", "device"]).select("local_day").distinct()
    found = view.fetch(shared).column(0).to_pylist()
    return {*found, *(day for day in days if crowded[day] >= FILES_A_DAY)}


def day_before(
    view: View, written: Expression, days: set[dt.date], rewritten: set[dt.date]
) -> Expression:
    """Stored rows less than a session's gap before a written day's first row of their device.

    They carry an open session over midnight. Rows of days that are rewritten are not among them.
    """
    firsts = written.filter(written.device.notnull()).group_by(["device", "local_day"])
    firsts = firsts.agg(first_us=written.ts_us.min()).select("first_us", first_device="device")
    held = _on_days(view, {day - dt.timedelta(days=1) for day in days} - rewritten)
    held = held.select(*BEFORE.names)
    return held.semi_join(
        firsts,
        [
            held.device == firsts.first_device,
            held.ts_us < firsts.first_us,
            held.ts_us >= firsts.first_us - IDLE_US,
        ],
    )


def _on_days(view: View, days: set[dt.date]) -> Expression:
    rows = view.table("events")
    return rows.filter(rows.local_day.isin(sorted(days)) if days else ibis.literal(False))


def _trim(workspace: Workspace) -> None:
    """Takes files whose rows have all moved out of `fresh`."""
    files = workspace.lake.files()
    fresh = files.tables["fresh"].last_seq
    workspace.lake.fresh.commit(
        None, remove=[path for path, seq in fresh.items() if seq and seq <= files.settled_seq]
    )
