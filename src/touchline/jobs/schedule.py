"""Cron lines of the definitions → jobs, each when it is due.

What was missed while nothing ran is made up for once, not as often as it was missed. A job that
could not be done because somebody else was away is tried again sooner than its line says, after a
pause that doubles, or that it asked for. What surprises: a line that was changed begins anew.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from touchline import clock
from touchline.errors import TouchlineError, Unavailable
from touchline.jobs import cron, job
from touchline.storage import schema
from touchline.storage.state import State

__all__ = ["Line", "due_of", "ended", "tick"]

FIRST_PAUSE_US = 60 * clock.US
LONGEST_PAUSE_US = 3600 * clock.US
KEPT_US = 30 * clock.DAY_US  # how long ended jobs can be asked for

_table = schema.schedule


class Line(NamedTuple):
    """What is to be done when: `name` is unique among all lines."""

    name: str
    cron: str
    kind: str
    args: dict[str, Any]


def tick(state: State, lines: Iterable[Line], zone: str) -> None:
    """Submits what is due; call it every few seconds."""
    known = {row.name: row for row in state.read(sa.select(_table))}
    now = clock.now_us()
    for line in lines:
        row = known.pop(line.name, None)
        if row is None or row.cron != line.cron:
            _put(state, line, cron.parse(line.cron).after(now, zone), 0)
        elif row.due_us is not None and row.due_us <= now:
            job.forget_ended(state, now - KEPT_US)
            job.submit(state, line.kind, line.args, is_once=True)
            _put(state, line, cron.parse(line.cron).after(now, zone), row.failures)
    state.write(
        (
            sa.delete(_table).where(_table.c.name == sa.bindparam("gone")),
            [{"gone": n} for n in known],
        )
    )


def ended(state: State, name: str, error: TouchlineError | None) -> None:
    """Notes how a scheduled thing went; after a failure that may pass, it is due again soon."""
    rows = state.read(sa.select(_table).where(_table.c.name == name))
    if not rows:
        return
    (row,) = rows
    failures = 0 if error is None else row.failures + 1
    due = row.due_us
    if isinstance(error, Unavailable):
        pause = min(FIRST_PAUSE_US << min(failures - 1, 10), LONGEST_PAUSE_US)
        asked = error.params.get("after")
        again = clock.now_us() + max(pause, (asked or 0) * clock.US)
        due = again if due is None else min(due, again)
    with state.engine.begin() as connection:
        values = {"failures": failures, "due_us": due}
        connection.execute(sa.update(_table).where(_table.c.name == name).values(**values))


def due_of(state: State) -> dict[str, tuple[int | None, int]]:
    """Name → when it is due, and how often it failed since it last went well."""
    return {row.name: (row.due_us, row.failures) for row in state.read(sa.select(_table))}


def _put(state: State, line: Line, due_us: int | None, failures: int) -> None:
    row = {"name": line.name, "cron": line.cron, "due_us": due_us, "failures": failures}
    state.write((state.upsert(_table, newest_by="name"), [row]))
