"""Rows that settle → the copy of events by identifier (`storage.by_node`), always a step ahead.

Rows are filed before the commit that settles them, so that whoever reads the copy up to what it
says is filed, and the fresh rows beyond, sees each row exactly once. A round that was cut short
leaves rows beyond that number, which nobody reads, and is done again.

What surprises: not only what arrives is filed. Sessions change rows that have long been stored, and
those that come out other than they were are filed again. After a round that was cut short nobody
knows which did, so all rows of the days it writes are. And a copy that is not whole is kept up only
as far as it goes: a workspace that begins with a large load has none until there is time for it.
"""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline.jobs.intake.load import ROWS
from touchline.jobs.intake.session import changed
from touchline.storage.by_node import BUILT, FILED, ByNode, filed, merge
from touchline.storage.columns import EVENTS
from touchline.storage.engine import Expression, View
from touchline.storage.lake import LakeFiles
from touchline.storage.table import Run, day_of
from touchline.storage.workspace import Workspace

__all__ = ["BUILD_S", "Filing", "build", "forget"]

ROUND = "round"  # the number of the last round
BEGUN = "begun"  # the last seq of the round begun last
DAY = "day"  # until it is built: the last day that is filed whole, in days since year 1
WEIGHT = 64 << 20  # of rows that are filed at once
ROWS_AT_ONCE = 50_000
DAYS_ROWS = 500_000  # of days that are filed in one commit, when the copy is built
BUILD_S = 5.0
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Filing:
    """One round of settling: from what is settled to `upto`."""

    def __init__(self, workspace: Workspace, files: LakeFiles, upto: int) -> None:
        self._table = _made(workspace)
        found = self._table.snapshot()
        self._number = found.offset(ROUND) + 1
        self._settled, self._upto = files.settled_seq, upto
        self._is_sure = found.offset(BEGUN) == files.settled_seq
        self._waiting: pa.Table | None = None
        is_first = not files.tables["events"].files and upto - files.settled_seq < ROWS
        self._is_whole = is_first or found.offset(BUILT) == 1
        self._day = dt.date.fromordinal(max(found.offset(DAY), 1))

    def add(self, before: pa.Table, after: pa.Table) -> None:
        """Rows as they were stored or arrived, and as they settle."""
        is_new = pc.greater(before["seq"], self._settled).to_numpy()
        is_filed = is_new | changed(before, after) if self._is_sure else np.ones(len(after), bool)
        if not self._is_whole:
            is_filed &= pc.less_equal(after["local_day"], self._day).to_numpy()
        if not is_filed.any():
            return
        self._commit({BEGUN: self._upto})
        self._waiting = after.filter(pa.array(is_filed))

    def done(self) -> None:
        """To be called before what was added is settled."""
        is_whole = {BUILT: 1} if self._is_whole else {}
        self._commit({BEGUN: self._upto, FILED: self._upto, **is_whole})

    def _commit(self, offsets: dict[str, int]) -> None:
        """What was added last: as a rule it is all there is, and one commit does."""
        if self._waiting is not None or FILED in offsets:
            runs = () if self._waiting is None else _runs(self._waiting, self._number)
            self._table.commit(runs, offsets={ROUND: self._number, **offsets})
            self._waiting = None


def build(workspace: Workspace, seconds: float = BUILD_S) -> bool:
    """Files what settled before there was a copy, some days at a time, as long as there is time;
    then merges. Returns whether the copy is whole.
    """
    end = time.monotonic() + seconds
    table = _made(workspace)
    is_built = table.snapshot().offset(BUILT) == 1
    while not is_built and time.monotonic() < end and workspace.lake.events.snapshot().files:
        is_built = _build_some(workspace, table)
        merge(table)
    merge(table)
    return is_built


def forget(workspace: Workspace) -> None:
    """Empties the copy, so that it is built anew."""
    table = _made(workspace)
    table.commit(None, remove=table.snapshot().files, offsets={BUILT: 0, DAY: 0})


def _build_some(workspace: Workspace, table: ByNode) -> bool:
    """The next days; when there is none, the copy is whole, which it tells."""
    found = table.snapshot()
    number, done = found.offset(ROUND) + 1, found.offset(DAY)
    with workspace.view("fresh", "events") as view:
        days = _next_days(view, done)
        offsets = {ROUND: number, DAY: days[-1].toordinal()} if days else {BUILT: 1}
        # A round that was cut short is done again by settling, and its rows are not read till then.
        settled = view.files.settled_seq
        rows = view.table("events")
        wanted = rows.filter(rows.local_day.isin(days)) if days else None
        runs = () if wanted is None else _filed_runs(view, wanted, number)
        table.commit(runs, offsets=offsets if days else {**offsets, FILED: settled})
        return not days


def _filed_runs(view: View, wanted: Expression, number: int) -> Iterator[Run]:
    held: list[pa.RecordBatch] = []
    for batch in view.batches(wanted, ROWS_AT_ONCE):
        held.append(batch)  # as small as the files they come from
        if sum(map(len, held)) >= ROWS_AT_ONCE:
            yield from _runs(pa.Table.from_batches(held).cast(EVENTS), number)
            held.clear()
    if held:
        yield from _runs(pa.Table.from_batches(held).cast(EVENTS), number)


def _next_days(view: View, done: int) -> list[dt.date]:
    """Days after the last one done, as many as are filed in one commit; one at least."""
    counts: dict[dt.date, int] = {}
    for path, count in view.files.tables["events"].rows_of.items():
        day = day_of(path)
        if day.toordinal() > done:
            counts[day] = counts.get(day, 0) + count
    days: list[dt.date] = []
    for day in sorted(counts):
        if days and sum(counts[one] for one in (*days, day)) > DAYS_ROWS:
            break
        days.append(day)
    return days


def _made(workspace: Workspace) -> ByNode:
    table = workspace.lake.by_node
    if not table.exists():
        table.create()
    return table


def _runs(rows: pa.Table, number: int) -> Iterator[Run]:
    """As many rows at a time as memory allows: each is filed several times over."""
    size = max(1, min(ROWS_AT_ONCE, len(rows) * WEIGHT // max(rows.nbytes, 1)))
    for start in range(0, len(rows), size):
        yield filed(rows.slice(start, size), number)
