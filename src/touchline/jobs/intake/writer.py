"""The process that holds the write lock: log → fresh rows → day files, and all bulk writes of jobs.

`commit_once` is called every second or so and never waits for a job; a job that stores events takes
turns with it, a chunk at a time.
"""

import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from touchline.collect import protocols
from touchline.collect.body import inflated
from touchline.collect.event import to_event
from touchline.collect.geo import Geo
from touchline.collect.item import Item, payload
from touchline.collect.quick import Made, Quick
from touchline.collect.site import Site
from touchline.errors import NotFound, TouchlineError
from touchline.identity.people import Registry
from touchline.jobs.definitions import site_of
from touchline.jobs.intake.ahead import Ahead
from touchline.jobs.intake.filing import BUILD_S, build
from touchline.jobs.intake.load import ROWS
from touchline.jobs.intake.settle import settle
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.places import Places
from touchline.jobs.process import without_collector
from touchline.model import RawRequest, Reject
from touchline.storage import definition
from touchline.storage.lake import LOG, SEQ
from touchline.storage.log import Frame, drop, read
from touchline.storage.workspace import Workspace

__all__ = ["Writer", "arrival", "items_of", "opened", "why_unread"]

BATCH_BYTES = 4 << 20  # of the log, read at once
WEIGHT = 16 << 20  # of inflated bodies and their items, stored at once
PER_ITEM = 2_000  # what an item weighs beside its bytes


class _Batch(NamedTuple):
    """What a run of frames holds; `end`: the offset behind it."""

    arrivals: list[Arrival]
    rejects: list[Reject]
    end: int


class Writer:
    """Use one per process, inside `workspace.write_lock()`. `registry`: who everybody is."""

    def __init__(self, workspace: Workspace, registry: Registry | None = None) -> None:
        self.workspace = workspace
        self.registry = registry or Registry(workspace)
        self.store = EventStore(workspace)
        self._site: tuple[tuple[int, Geo | None], Site, Quick] | None = None
        self._places = Places(workspace)
        self._log_turn, self._settle_turn = threading.Lock(), threading.Lock()
        self._recover()

    @property
    def site(self) -> Site:
        """Facts and rules of the workspace as last applied."""
        return self._reading[0]

    @property
    def _reading(self) -> tuple[Site, Quick]:
        made_of = definition.newest(self.workspace.state), self._places.now()
        known = self._site  # read once: another thread may `forget` it at any moment
        if known is None or known[0] != made_of:
            site = msgspec.structs.replace(site_of(self.workspace), geo=made_of[1])
            known = self._site = (made_of, site, Quick(site))
        return known[1:]

    def commit_once(self) -> int:
        """Takes in the next requests of the log; returns how many items they held.

        A job that catches up and the loop of commits take turns, or both would count one request.
        """
        with self._log_turn, without_collector():
            start = self.workspace.state.mark(LOG)
            frames = list(read(self.workspace.dir, start, BATCH_BYTES))
            if not frames:
                return 0
            count = 0
            for batch in self._batches(frames):
                self.store.store(batch.arrivals, batch.rejects, log_offset=batch.end)
                count += len(batch.arrivals) + len(batch.rejects)
        return count

    def settle(self) -> int:
        """Moves fresh rows to day files; returns how many."""
        with self._settle_turn:
            self.store.sessions.is_doubtful = False
            return settle(self.workspace)

    def file(self, seconds: float = BUILD_S) -> None:
        """Files by identifier what a load left for later, as far as there is time, and merges."""
        with self._settle_turn:
            build(self.workspace, seconds)

    def needs_settling(self) -> bool:
        """Whether a late event made provisional sessions doubtful."""
        return self.store.sessions.is_doubtful

    def catch_up(self) -> None:
        """All that the log holds, down to day files. Who brought in a load does not wait for its
        copy by identifier as well: the next one builds it, or the worker.
        """
        while self.workspace.state.mark(LOG) < self._log_end():
            self.commit_once()
        self.file(BUILD_S if self.settle() < ROWS else 0.0)

    def forget(self, devices: Collection[int]) -> None:
        """Drops from memory what may name somebody who was erased."""
        self._site = None  # what was worked out of requests hangs on it
        self.store.forget(devices)

    def drop_log(self, older_than_us: int) -> int:
        """Raw requests go once both lake and State have them on disk; returns how many segments."""
        committed = min(self.workspace.state.mark(LOG), self.workspace.lake.log_offset())
        return drop(self.workspace.dir, committed, older_than_us)

    def _log_end(self) -> int:
        last = self.workspace.state.mark(LOG)
        for frame in read(self.workspace.dir, last, 1):
            return frame.next_offset
        return last

    def _batches(self, frames: Iterable[Frame]) -> Iterator[_Batch]:
        """What the frames hold, as much at a time as memory allows: a body may inflate a lot."""
        batch, weight = _Batch([], [], 0), 0
        site, quick = self._reading
        for frame in frames:
            request = opened(frame)
            count = 0
            for found in items_of(frame, request, site, quick):
                count += 1
                if isinstance(found, Reject):
                    batch.rejects.append(found)
                else:
                    batch.arrivals.append(found)
            batch = batch._replace(end=frame.next_offset)
            weight += len(frame.payload if request is None else request.body) + count * PER_ITEM
            if weight >= WEIGHT:
                yield batch
                batch, weight = _Batch([], [], 0), 0
        if batch.end:
            yield batch

    def _recover(self) -> None:
        """Brings State up to the lake after a crash between their two commits (see `store`).

        What the log still holds is done again in State alone; rows that it does not (an import's,
        or those of bytes a power cut took) are learnt from the lake. State must not follow what a
        power cut may still take back, so the lake is synced first.
        """
        self.workspace.lake.sync()
        state, fresh = self.workspace.state, self.workspace.lake.fresh.snapshot()
        start, end, last = state.mark(LOG), fresh.offset(LOG), state.mark(SEQ)
        if end <= start and fresh.offset(SEQ) <= last:
            return
        ahead = Ahead(self.workspace, last, fresh.offset(SEQ))
        frames = read(self.workspace.dir, start, max(end - start, 0))
        for batch in self._batches(frame for frame in frames if frame.offset < end):
            self.store.store(batch.arrivals, batch.rejects, log_offset=batch.end, ahead=ahead)
        self.store.follow(ahead, end)


def opened(frame: Frame) -> RawRequest | None:
    """The request a frame holds, its body inflated where it can be; None when there is none."""
    try:
        request = msgspec.msgpack.decode(frame.payload, type=RawRequest)
    except msgspec.DecodeError:
        return None
    try:
        return msgspec.structs.replace(request, body=inflated(request.body))
    except TouchlineError:
        return request


def items_of(
    frame: Frame, request: RawRequest | None, site: Site, quick: Quick
) -> Iterator[Arrival | Reject]:
    """What a logged request holds; what is wrong with it becomes a reject: the log never stalls."""
    if request is None:
        yield _unread("log", frame.payload, frame.received_us)
        return
    if (made := _made(request, quick)) is not None:
        yield from (Arrival(one.event, one.item, request=request) for one in made)
        return
    try:
        batch = protocols.read(request, site)
        items = list(batch.items)
    except Exception as error:  # noqa: BLE001  # a request nobody can read must not stop the others
        yield _unread(request.source, request.body, request.received_us, error, request)
        return
    for item in items:
        yield arrival(item, request, batch.sent_at, site)


def arrival(item: Item, request: RawRequest, sent_at: Any, site: Site) -> Arrival | Reject:
    """What an item of a request is to the store; never an exception."""
    reason = item.reason
    if reason is None:
        try:
            event = to_event(item, request, sent_at, site)
            return Arrival(event, item.kept, request=request)
        except Exception:  # noqa: BLE001  # one item must not stop all that follow
            reason = "internal_error"
    return Reject(
        source=request.source,
        reason=reason,
        payload=payload(item),
        received_us=request.received_us,
        message_id=item.message_id,
        request=request,
        sent_at=sent_at,
    )


def _made(request: RawRequest, quick: Quick) -> list[Made] | None:
    if protocols.spoken_at(request.path) is not None:
        return None
    try:
        return quick.events(request)
    except Exception:  # noqa: BLE001  # the long way tells which item is at fault
        return None


def why_unread(error: Exception) -> str:
    """The reason of a reject that is a whole request, by what reading it raised."""
    reason = "unreadable_body"
    if isinstance(error, NotFound):  # what it was sent to is defined no longer
        reason = "no_definition"
    return reason


def _unread(
    source: str,
    payload: bytes,
    received_us: int,
    error: Exception | None = None,
    request: RawRequest | None = None,
) -> Reject:
    return Reject(
        source=source,
        reason="unreadable_body" if error is None else why_unread(error),
        payload=payload,
        received_us=received_us,
        request=request,
    )
