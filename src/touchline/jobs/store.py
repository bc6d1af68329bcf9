"""Events → rows of the lake, each exactly once, with an account of every item.

    known already, equal content     duplicate
    known already, other content     rejected: id_conflict, payload kept
    else                             stored

A reject that is replayed goes the same way, and is taken off the account when it is stored or turns
out to be a duplicate; one that is in conflict stays the reject it was.

The order of writes makes a crash harmless: first what State needs to open a row (nodes and traits,
safe to repeat), then the rows with the log offset in one lake commit, then keys, rejects and the
account in one transaction. A crash between the last two leaves one batch half accounted for; what
comes next is decided by `Writer.recover`, which tells this store to redo State alone.
"""

import threading
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from touchline import clock
from touchline.collect.nodes import NodeBook
from touchline.errors import Unavailable
from touchline.jobs.account import Tally, intake_rows, reject_rows, replayed_rows
from touchline.jobs.process import without_collector
from touchline.jobs.rows import Rows
from touchline.jobs.session import OpenSessions
from touchline.model import Event, Flag, RawRequest, Reject
from touchline.storage import schema
from touchline.storage.lake import LOG, REVISED, SEQ
from touchline.storage.workspace import Workspace

__all__ = ["Arrival", "EventStore"]

_encoder = msgspec.json.Encoder()


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event and the item it was made from, which is kept if it turns out to be in conflict.

    `reject_id`: the reject this was until now; it is one no more when the event is stored.
    """

    event: Event
    item: Any
    line: int | None = None
    request: RawRequest | None = None
    reject_id: bytes | None = None


class EventStore:
    """The one writer of events in the process that holds the write lock. Threads take turns."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.nodes = NodeBook(workspace)
        self._rows = Rows(self.nodes, region=workspace.region, time_zone=workspace.time_zone)
        self.sessions = OpenSessions()
        self.last_seq = workspace.state.mark(SEQ)
        self._has_failed = False
        self.turn = threading.Lock()  # whoever uses `nodes` beside `store` holds it

    def store(
        self,
        arrivals: Sequence[Arrival],
        rejects: Sequence[Reject] = (),
        *,
        log_offset: int | None = None,
        is_redo: bool = False,
    ) -> Tally:
        """Commits a batch and says what became of it. Raises Unavailable when the disk is full.

        `log_offset`: the batch is all the log holds up to there. `is_redo`: its rows are in the
        lake already, only State must follow (all of it, for State may be an older copy). After a
        failure lake and State may differ, so that this store takes nothing more: the next `Writer`
        brings them together.
        """
        with self.turn, without_collector():
            if self._has_failed:
                raise Unavailable("not_stored")
            self._has_failed = True
            fates = _Fates(self.workspace, arrivals)
            events = [event for _, event in fates.stored]
            ids = [event_id for event_id, _ in fates.stored]
            rows, traits = self._rows.table(ids, events, self.last_seq)
            is_revised = any(event.flags & Flag.REVISION for _, event in fates.stored)
            self.nodes.save(traits)
            if not is_redo:
                self._to_lake(rows, is_revised, log_offset)
            tally = self._to_state(fates, rejects, log_offset)
            self._has_failed = False
            return tally

    def _to_lake(self, rows: pa.Table, is_revised: bool, log_offset: int | None) -> None:
        last = self.last_seq + len(rows)
        offsets = {SEQ: last} if len(rows) else {}
        if is_revised:
            offsets[REVISED] = last
        if log_offset is not None:
            offsets[LOG] = log_offset
        self.workspace.lake.fresh.commit(self.sessions.assign(rows), offsets=offsets)

    def _to_state(
        self, fates: "_Fates", rejects: Sequence[Reject], log_offset: int | None
    ) -> Tally:
        state = self.workspace.state
        refused = [*rejects, *fates.conflicts]
        kept_bad, numbered = reject_rows(self.workspace, refused)
        bad_rows = kept_bad[1]
        fate = ("rejected", "duplicate")  # the second for a line of a file imported again
        kept = schema.reject.c.reject_id
        again = {row[0] for row in state.lookup(kept, {r["reject_id"] for r in bad_rows}, kept)}
        counts = [
            *((e.source, e.received_us, "stored") for _, e in fates.stored),
            *((e.source, e.received_us, "duplicate") for e in fates.duplicates),
            *((r["source"], r["received_us"], fate[r["reject_id"] in again]) for r in bad_rows),
        ]
        keys = [
            {"event_id": event_id, "content_hash": event.content_hash}
            for event_id, event in fates.stored
        ]
        last_seq = self.last_seq + len(fates.stored)
        replayed, corrected = replayed_rows(state, fates.replayed)
        state.write(
            (state.upsert(schema.event_key), keys),
            kept_bad,
            numbered,
            intake_rows(state, counts),
            replayed,
            corrected,
            state.set_mark(SEQ, last_seq),
            *([] if log_offset is None else [state.set_mark(LOG, log_offset)]),
        )
        self.last_seq = last_seq
        duplicates = len(fates.duplicates)
        return Tally(len(counts), len(fates.stored), duplicates, len(refused))


class _Fates:
    """What each arrival of a batch turns out to be, against State and against its neighbours."""

    def __init__(self, workspace: Workspace, arrivals: Sequence[Arrival]) -> None:
        self.stored: list[tuple[bytes, Event]] = []
        self.duplicates: list[Event] = []
        self.conflicts: list[Reject] = []
        self.replayed: dict[bytes, tuple[str, int]] = {}
        ids = [_event_id(workspace.id, arrival.event) for arrival in arrivals]
        key = schema.event_key.c
        held = {
            row.event_id: row.content_hash
            for row in workspace.state.lookup(
                key.event_id, set(ids), key.event_id, key.content_hash
            )
        }
        for event_id, arrival in zip(ids, arrivals, strict=True):
            event = arrival.event
            if event_id not in held:
                held[event_id] = event.content_hash
                self.stored.append((event_id, event))
            elif held[event_id] == event.content_hash:
                self.duplicates.append(event)
            else:
                if arrival.reject_id is None:
                    self.conflicts.append(_conflict(arrival))
                continue
            if arrival.reject_id is not None:
                self.replayed[arrival.reject_id] = (event.source, event.received_us)


def _event_id(workspace_id: str, event: Event) -> bytes:
    name = f"{workspace_id}\0{event.source}\0{event.message_id}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _conflict(arrival: Arrival) -> Reject:
    event = arrival.event
    return Reject(
        source=event.source,
        reason="id_conflict",
        payload=_encoder.encode(arrival.item),
        received_us=event.received_us,
        message_id=event.message_id,
        line=arrival.line,
        request=arrival.request,
        sent_at=None if event.sent_us is None else clock.iso(event.sent_us),
    )
