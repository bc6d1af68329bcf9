"""Fresh rows → day files, with their sessions assigned for good.

Sessions belong to a device and run in (time, seq) order, so a day's sessions are final only when
its rows are written together. A day that already holds rows of an arriving device is rewritten
whole (`midnight` tells which others with it); elsewhere the arrivals are one more file. Days are
written some at a time, and the file of a large one some devices at a time, so memory holds few rows
whatever arrives; one commit adds all files, removes files and says up to which `seq` rows have
moved: readers see each row exactly once throughout.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa

from touchline import clock
from touchline.jobs.definitions import session_zone
from touchline.jobs.intake.filing import Filing
from touchline.jobs.intake.midnight import following_days, on_days, open_sessions, stored_days
from touchline.jobs.intake.session import (
    OPEN,
    assign_sessions,
    is_of,
    shares_of,
    still_open,
)
from touchline.storage.columns import EVENTS
from touchline.storage.engine import Expression, View
from touchline.storage.lake import SETTLED
from touchline.storage.table import Run, TableSnapshot, day_of
from touchline.storage.workspace import Workspace

__all__ = ["day_file", "rows_in_shares", "settle"]

ROWS_AT_ONCE = 125_000  # in memory, several times over
ROWS_A_COMMIT = 8 * ROWS_AT_ONCE  # rounds that share days write them again
ROWS_TIDIED = 8 * ROWS_AT_ONCE  # in one round, only to have fewer files
FILES_A_DAY = 8
SMALL_DAY = 2_000  # rows that cost less to write again than another file costs every reader
SWEEP_AFTER_US = 3600 * clock.US


def settle(workspace: Workspace) -> int:
    """Moves the fresh rows of this moment, some at a time so that memory stays bounded; returns how
    many. Those that arrive meanwhile wait for the next call: it would chase a stream for ever.
    """
    waiting = workspace.lake.fresh.snapshot().last_seq.values()
    upto = max((seq for seq in waiting if seq), default=0)
    moved = 0
    while rows := _settle_some(workspace, upto):
        moved += rows
    if moved:
        workspace.lake.sweep(SWEEP_AFTER_US)
        pa.default_memory_pool().release_unused()
    return moved


def _settle_some(workspace: Workspace, at_most: int) -> int:
    with workspace.view("fresh", "events") as view:
        files = view.files
        upto = _upto(files.tables["fresh"], files.settled_seq, at_most)
        if upto is None:
            _trim(workspace)
            return 0
        fresh = view.table("fresh")
        arriving = fresh.filter(fresh.seq > files.settled_seq, fresh.seq <= upto)
        days = set(view.fetch(arriving.select("local_day").distinct()).column(0).to_pylist())
        rewritten = _days_to_rewrite(view, arriving, days)
        written = arriving.union(on_days(view, rewritten)) if rewritten else arriving
        kept = stored_days(view) - rewritten
        before = open_sessions(view, written, days | rewritten, kept)
        removed = [f for f in files.tables["events"].files if day_of(f) in rewritten]
        filing = Filing(workspace, files, upto)
        parts = _settled(view, written, before, session_zone(workspace), filing)
        workspace.lake.events.commit(parts, remove=removed, offsets={SETTLED: upto})
    _trim(workspace)
    return upto - files.settled_seq


def _settled(
    view: View, written: Expression, before: pa.Table, zone: str | None, filing: Filing
) -> Iterator[pa.Table | Run]:
    """The rows with their sessions, some days at a time; a session may go on from one part to the
    next. All of them are filed by identifier when the last part has been taken.
    """
    counts = view.fetch(written.group_by("local_day").agg(rows=written.count()))
    going_on = OPEN.empty_table()

    def assigned(parts: Iterable[pa.Table], still: list[pa.Table]) -> Iterator[pa.Table]:
        known = pa.concat_tables([before, going_on])
        for rows in parts:
            settled = assign_sessions(rows, known, zone)
            still.append(still_open(settled, known))
            filing.add(rows, settled)
            yield settled

    for days, size in _groups(counts):
        still = [OPEN.empty_table()]
        of_days = written.filter(written.local_day.between(days[0], days[-1]))
        parts = assigned(rows_in_shares(view, of_days, size), still)
        if size > ROWS_AT_ONCE:  # one day
            yield day_file(days[0], size, parts)
        else:
            yield from map(_in_day_order, parts)
        going_on = pa.concat_tables(still)
    filing.done()


def _groups(counts: pa.Table) -> Iterator[tuple[list[dt.date], int]]:
    """Days in order, as many at a time as make up to ROWS_AT_ONCE rows, one at least; and how many
    rows they have.
    """
    group: list[dt.date] = []
    size = 0
    for row in counts.sort_by("local_day").to_pylist():
        if group and size + row["rows"] > ROWS_AT_ONCE:
            yield group, size
            group, size = [], 0
        group.append(row["local_day"])
        size += row["rows"]
    yield group, size


def rows_in_shares(view: View, rows: Expression, count: int) -> Iterator[pa.Table]:
    """So many rows, some devices at a time."""
    shares = shares_of(count, ROWS_AT_ONCE)
    for share in range(shares):
        found = view.fetch(rows.filter(is_of(rows, share, shares)))
        if len(found):
            yield found.cast(EVENTS)


def day_file(day: dt.date, count: int, parts: Iterable[pa.Table]) -> Run:
    """One file of so many rows of a day, which come in parts; each part is in order."""
    rows = (_in_day_order(part).drop_columns(["local_day"]) for part in parts)
    return Run(day.isoformat(), count, rows)


def _in_day_order(rows: pa.Table) -> pa.Table:
    """Rows in the order of day files."""
    return rows.sort_by([(name, "ascending") for name in ("local_day", "name", "ts_us", "seq")])


def _upto(fresh: TableSnapshot, settled_seq: int, at_most: int) -> int | None:
    """The last seq of as many whole files as one round takes; None when nothing is waiting."""
    ends = sorted(seq for seq in fresh.last_seq.values() if seq and settled_seq < seq <= at_most)
    within = [seq for seq in ends if seq - settled_seq <= ROWS_A_COMMIT]
    return (within[-1] if within else ends[0]) if ends else None


def _days_to_rewrite(view: View, arriving: Expression, days: set[dt.date]) -> set[dt.date]:
    """Days whose stored rows share a device with arriving rows or go on with its session, and days
    that lie in too many files or are small enough to be kept in one: as many as a round may take,
    one at least.
    """
    events = view.files.tables["events"]
    crowded = Counter(day_of(path) for path in events.files)
    rows: Counter[dt.date] = Counter()
    for path, count in events.rows_of.items():
        rows[day_of(path)] += count
    shared: set[dt.date] = set()
    if days & crowded.keys():
        there = on_days(view, days & crowded.keys(), "local_day", "device")
        there = there.semi_join(arriving, ["local_day", "device"]).select("local_day").distinct()
        shared = set(view.fetch(there).column(0).to_pylist())
    found = shared | following_days(view, arriving, days)
    room, is_first = ROWS_TIDIED, True
    for day in sorted(days - found, key=lambda day: (rows[day], day)):
        if crowded[day] >= FILES_A_DAY or 0 < rows[day] <= SMALL_DAY:
            room -= rows[day]
            if room < 0 and not is_first:
                break  # the next round finds them again
            found.add(day)
            is_first = False
    return found


def _trim(workspace: Workspace) -> None:
    """Takes files whose rows have all moved out of `fresh`."""
    files = workspace.lake.files("fresh", "events")
    fresh = files.tables["fresh"].last_seq
    workspace.lake.fresh.commit(
        None, remove=[path for path, seq in fresh.items() if seq and seq <= files.settled_seq]
    )
