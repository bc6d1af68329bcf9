"""The job table: work that outlives a request, done one at a time by the process that may write.

A job is a row: kind, arguments, progress, result or error. A worker leases a due row, runs it and
writes down how it ended; a lease that ran out (its worker was killed) makes the row due again, so
every job must be safe to repeat.

What surprises: an erasure is asked for again until it is done. So of the same there is never a
second job, and nobody can cancel one.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.errors import BadInput, NotFound, TouchlineError, Unavailable
from touchline.jobs.failure import packed, unpacked
from touchline.jobs.process import placed
from touchline.storage import schema
from touchline.storage.state import State

__all__ = [
    "UNTIL_DONE",
    "Progress",
    "cancel",
    "forget_ended",
    "open_args",
    "open_one",
    "packed_args",
    "run_next",
    "submit",
    "told",
    "wait",
]

UNTIL_DONE = frozenset({"erase"})  # kinds
TURN = "jobs"  # mark: moved by whoever adds a job unless it is there, who is alone with that so
LEASE_US = 60 * clock.US
POLL_S = 0.02
ASK_S = 1.0
AWAY_S = 30.0  # longer than a worker takes to be restarted

Progress = Callable[[float], None]
Run = Callable[[dict[str, Any], Progress], Any]

_table = schema.job


def submit(state: State, kind: str, args: dict[str, Any], *, is_once: bool = False) -> int:
    """Adds a job; returns its number. `is_once`: unless the very same is to be done already, which
    has that one's number. Always so with what goes on until it is done.
    """
    row = {
        "kind": kind,
        "args": packed_args(args),
        "due_at_us": clock.now_us(),
        "is_cancelled": False,
    }
    with state.engine.begin() as connection:
        if is_once or kind in UNTIL_DONE:
            turn = state.upsert(schema.mark, add=["value"])
            connection.execute(turn, [{"name": TURN, "value": 1}])
            if (there := connection.scalar(_open(kind, args))) is not None:
                return int(there)
        done = connection.execute(sa.insert(_table).values(**row))
        return int(done.inserted_primary_key[0])  # type: ignore[index]  # one row was inserted


def run_next(state: State, kinds: dict[str, Run], *, leave: Iterable[str] = ()) -> bool:
    """Leases and runs the next due job; False when there is none. `leave`: kinds that somebody
    else runs.
    """
    job = _lease(state, leave)
    if job is None:
        return False
    if job.is_cancelled:  # while a worker had it that was killed
        ended = packed(BadInput("job_cancelled", number=job.id)).decode()
        _update(state, job.id, finished_at_us=clock.now_us(), lease_us=None, error=ended)
        return True

    def progress(share: float) -> None:
        _update(state, job.id, progress=share, lease_us=clock.now_us() + LEASE_US)
        if state.read(sa.select(_table.c.is_cancelled).where(_table.c.id == job.id))[0][0]:
            raise BadInput("job_cancelled", number=job.id)

    try:
        result = kinds[job.kind](msgspec.json.decode(job.args), progress)
        ended = {"result": msgspec.json.encode(result).decode(), "progress": 1.0}
    except TouchlineError as error:
        ended = {"error": packed(error).decode()}
    except Exception as error:  # noqa: BLE001  # a broken job must not take the worker with it
        broken = BadInput("job_failed", kind=job.kind, why=placed(error))
        ended = {"error": packed(broken).decode()}
    _update(state, job.id, finished_at_us=clock.now_us(), lease_us=None, **ended)
    return True


def wait(
    state: State, job_id: int, progress: Progress, is_served: Callable[[], bool] = lambda: True
) -> Any:
    """Blocks until a job has ended; returns its result or raises its error.

    Raises Unavailable when nobody has been there to work on it for a while: the job stays, and is
    done when the server is back.
    """
    asked = seen = time.monotonic()
    while True:
        row = state.read(sa.select(_table).where(_table.c.id == job_id))[0]
        if row.finished_at_us is not None:
            break
        if row.progress is not None:
            progress(row.progress)
        time.sleep(POLL_S)
        now = time.monotonic()
        if now - asked > ASK_S:
            asked = now
            seen = now if is_served() else seen
        if now - seen > AWAY_S:
            raise Unavailable("worker_away")
    if row.error is not None:
        raise unpacked(row.error)
    return msgspec.json.decode(row.result)


def told(state: State, job_id: int, *, patience_s: float = 0.0) -> dict[str, Any]:
    """{"job", "kind", "progress", "is_done", "result"} of a job, once it has ended or the patience
    has. Raises what the job raised, and NotFound when there is none of that number.
    """
    deadline = time.monotonic() + patience_s
    while True:
        rows = state.read(sa.select(_table).where(_table.c.id == job_id))
        if not rows:
            raise NotFound("no_such_job", number=job_id)
        (row,) = rows
        is_done = row.finished_at_us is not None
        if is_done or time.monotonic() >= deadline:
            break
        time.sleep(POLL_S)
    if row.error is not None:
        raise unpacked(row.error)
    return {
        "job": row.id,
        "kind": row.kind,
        "progress": row.progress or 0.0,
        "is_done": is_done,
        "result": msgspec.json.decode(row.result) if is_done else None,
    }


def cancel(state: State, job_id: int) -> dict[str, Any]:
    """Ends a job: one that waits at once, one in its course at its next step. What it has stored
    stays. {"job", "is_cancelled"}: False for one that has ended. Raises BadInput for one that would
    be asked for again.

    A lease that ran out does not tell whether somebody is still at it, whose step takes long: only
    who leases jobs ends such a one.
    """
    ended = packed(BadInput("job_cancelled", number=job_id)).decode()
    is_here = _table.c.id == job_id
    with state.engine.begin() as connection:
        row = connection.execute(sa.select(_table).where(is_here)).first()
        if row is None:
            raise NotFound("no_such_job", number=job_id)
        if row.finished_at_us is None and row.kind in UNTIL_DONE:
            raise BadInput("job_not_cancelled", number=job_id)
        is_open = sa.and_(is_here, _table.c.finished_at_us.is_(None))
        done = connection.execute(sa.update(_table).where(is_open).values(is_cancelled=True))
        waiting = sa.update(_table).where(is_open, _table.c.lease_us.is_(None))
        connection.execute(waiting.values(finished_at_us=clock.now_us(), error=ended))
    return {"job": job_id, "is_cancelled": bool(done.rowcount)}


def forget_ended(state: State, before_us: int) -> None:
    """Jobs that ended before then can be asked for no more. The last one stays, so that no number
    is given twice.
    """
    newest = sa.select(sa.func.max(_table.c.id)).scalar_subquery()
    old = sa.and_(_table.c.finished_at_us < before_us, _table.c.id < newest)
    with state.engine.begin() as connection:
        connection.execute(sa.delete(_table).where(old))


def open_args(state: State, kind: str) -> list[dict[str, Any]]:
    """What the jobs of a kind that have not ended were asked; each with its number as `job`."""
    open_jobs = sa.and_(_table.c.kind == kind, _table.c.finished_at_us.is_(None))
    rows = state.read(sa.select(_table.c.id, _table.c.args).where(open_jobs))
    return [{**msgspec.json.decode(row.args), "job": row.id} for row in rows]


def open_one(state: State, kind: str, args: dict[str, Any]) -> int | None:
    """The number of the job that does the very same, if there is one that has not ended."""
    rows = state.read(_open(kind, args))
    return int(rows[0].id) if rows else None


def packed_args(args: dict[str, Any]) -> str:
    """Arguments as they stand in the table: the same are the same text."""
    return msgspec.json.encode(args, order="deterministic").decode()


def _open(kind: str, args: dict[str, Any]) -> sa.Select[Any]:
    same = sa.and_(_table.c.kind == kind, _table.c.args == packed_args(args))
    is_open = sa.and_(same, _table.c.finished_at_us.is_(None))
    return sa.select(_table.c.id).where(is_open).order_by(_table.c.id).limit(1)


def _lease(state: State, leave: Iterable[str]) -> sa.Row[Any] | None:
    now = clock.now_us()
    free = sa.or_(_table.c.lease_us.is_(None), _table.c.lease_us < now)
    due = sa.and_(
        _table.c.kind.not_in(list(leave)),
        _table.c.finished_at_us.is_(None),
        _table.c.due_at_us <= now,
        free,
    )
    rows = state.read(
        sa.select(_table).where(due).order_by(_table.c.due_at_us, _table.c.id).limit(1)
    )
    if not rows:
        return None
    (row,) = rows
    leased = sa.update(_table).where(due, _table.c.id == row.id).values(lease_us=now + LEASE_US)
    with state.engine.begin() as connection:
        is_ours = connection.execute(leased).rowcount == 1  # not when just cancelled
    return row if is_ours else None


def _update(state: State, job_id: int, **values: Any) -> None:
    with state.engine.begin() as connection:
        connection.execute(sa.update(_table).where(_table.c.id == job_id).values(**values))
