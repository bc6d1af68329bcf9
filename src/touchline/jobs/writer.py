"""The process that holds the write lock: log → fresh rows → day files, and all bulk writes of jobs.

`commit_once` is called every second or so and never waits for a job; a job that stores events takes
turns with it, a chunk at a time.
"""

import threading
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from touchline.collect import protocols
from touchline.collect.event import to_event
from touchline.collect.item import payload
from touchline.collect.quick import Made, Quick
from touchline.collect.site import Site
from touchline.errors import TouchlineError
from touchline.jobs.account import intake_rows
from touchline.jobs.definitions import site_of
from touchline.jobs.process import without_collector
from touchline.jobs.settle import settle
from touchline.jobs.store import Arrival, EventStore
from touchline.model import RawRequest, Reject
from touchline.storage import schema
from touchline.storage.lake import LOG, SEQ
from touchline.storage.log import Frame, read
from touchline.storage.workspace import Workspace

__all__ = ["Writer"]

BATCH_BYTES = 4 << 20
ROWS = 10_000


class Writer:
    """Use one per process, inside `workspace.write_lock()`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.store = EventStore(workspace)
        self._site: tuple[int, Site, Quick] | None = None
        self._log_turn, self._settle_turn = threading.Lock(), threading.Lock()
        self._recover()

    @property
    def site(self) -> Site:
        """Facts and rules of the workspace as last applied."""
        return self._reading[0]

    @property
    def _reading(self) -> tuple[Site, Quick]:
        table = schema.definition.c
        rows = self.workspace.state.read(sa.select(sa.func.max(table.id).label("newest")))
        newest = rows[0].newest or 0
        if self._site is None or self._site[0] != newest:
            site = site_of(self.workspace)
            self._site = (newest, site, Quick(site))
        return self._site[1:]

    def commit_once(self) -> int:
        """Takes in the next requests of the log; returns how many items they held.

        A job that catches up and the loop of commits take turns, or both would count one request.
        """
        with self._log_turn, without_collector():
            start = self.workspace.state.mark(LOG)
            frames = list(read(self.workspace.dir, start, BATCH_BYTES))
            if not frames:
                return 0
            arrivals, rejects = self._sorted(frames)
            self.store.store(arrivals, rejects, log_offset=frames[-1].next_offset)
        return len(arrivals) + len(rejects)

    def settle(self) -> int:
        """Moves fresh rows to day files; returns how many."""
        with self._settle_turn:
            self.store.sessions.is_doubtful = False
            return settle(self.workspace)

    def needs_settling(self) -> bool:
        """Whether a late event made provisional sessions doubtful."""
        return self.store.sessions.is_doubtful

    def catch_up(self) -> None:
        """All that the log holds, down to day files."""
        while self.workspace.state.mark(LOG) < self._log_end():
            self.commit_once()
        self.settle()

    def _log_end(self) -> int:
        last = self.workspace.state.mark(LOG)
        for frame in read(self.workspace.dir, last, 1):
            return frame.next_offset
        return last

    def _sorted(self, frames: list[Frame]) -> tuple[list[Arrival], list[Reject]]:
        arrivals: list[Arrival] = []
        rejects: list[Reject] = []
        site, quick = self._reading
        for frame in frames:
            for found in _items(frame, site, quick):
                if isinstance(found, Reject):
                    rejects.append(found)
                else:
                    arrivals.append(found)
        return arrivals, rejects

    def _recover(self) -> None:
        """Brings State up to the lake after a crash between their two commits (see `store`).

        What the log still holds is done again in State alone; rows that it does not (an import's,
        or those of bytes a power cut took) are learnt from the lake.
        """
        state, fresh = self.workspace.state, self.workspace.lake.fresh.snapshot()
        start, end, last = state.mark(LOG), fresh.offset(LOG), state.mark(SEQ)
        if end > start:
            frames = [f for f in read(self.workspace.dir, start, end - start) if f.offset < end]
            arrivals, rejects = self._sorted(frames)
            self.store.store(arrivals, rejects, log_offset=end, is_redo=True)
        if fresh.offset(SEQ) > state.mark(SEQ):
            self._learn_rows(last, fresh.offset(SEQ))

    def _learn_rows(self, after: int, upto: int) -> None:
        """Keys and account of rows that reached the lake and not State; safe to repeat."""
        state, key = self.workspace.state, schema.event_key.c.event_id
        with self.workspace.view() as view:
            rows = view.events("event_id", "content_hash", "source", "received_us", "seq")
            for batch in view.batches(rows.filter(rows.seq > after), ROWS):
                found = batch.to_pylist()
                held = {row[0] for row in state.lookup(key, {r["event_id"] for r in found}, key)}
                new = [row for row in found if row["event_id"] not in held]
                keys = [{name: row[name] for name in ("event_id", "content_hash")} for row in new]
                fates = ((row["source"], row["received_us"], "stored") for row in new)
                state.write((state.upsert(schema.event_key), keys), intake_rows(state, fates))
        state.write(state.set_mark(SEQ, upto))
        self.store.last_seq = upto


def _items(frame: Frame, site: Site, quick: Quick) -> Iterator[Arrival | Reject]:
    """What a logged request holds; what is wrong with it becomes a reject: the log never stalls."""
    try:
        request = msgspec.msgpack.decode(frame.payload, type=RawRequest)
    except msgspec.DecodeError:
        yield _unreadable("log", frame.payload, frame.received_us)
        return
    if (made := _made(request, quick)) is not None:
        yield from (Arrival(one.event, one.item) for one in made)
        return
    try:
        batch = protocols.read(request)
    except TouchlineError:
        yield _unreadable(request.source, request.body, request.received_us)
        return
    for item in batch.items:
        reason = item.reason
        if reason is None:
            try:
                yield Arrival(to_event(item, request, batch.sent_at, site), item.data)
            except Exception:  # noqa: BLE001  # one item must not stop all that follow
                reason = "internal_error"
        if reason is not None:
            yield Reject(
                source=request.source,
                reason=reason,
                payload=payload(item),
                received_us=request.received_us,
                message_id=item.message_id,
            )


def _made(request: RawRequest, quick: Quick) -> list[Made] | None:
    try:
        return quick.events(request)
    except Exception:  # noqa: BLE001  # the long way tells which item is at fault
        return None


def _unreadable(source: str, payload: bytes, received_us: int) -> Reject:
    return Reject(source=source, reason="unreadable_body", payload=payload, received_us=received_us)
