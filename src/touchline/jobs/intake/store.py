"""Events → rows of the lake, each exactly once, with an account of every item.

    known already, equal content     duplicate
    known already, other content     rejected: id_conflict, payload kept
    new, refused by a strict plan    rejected: what it goes against, payload kept
    else                             stored

A reject that is replayed goes the same way, and is taken off the account when it is stored or turns
out to be a duplicate; one that is in conflict stays the reject it was.

The order of writes makes a crash harmless: first what State needs to open a row (nodes and traits,
safe to repeat), then the rows with the log offset in one lake commit, then rejects and the account
in one transaction, then the index of ids, which can be learnt from the lake up to where State is. A
crash between lake and State leaves one batch half accounted for; what comes next is decided by
`Writer.recover`, which tells this store to redo State alone: then what is in the lake was stored,
whatever a plan that has changed since says.
"""

import contextlib
import threading
from collections.abc import Collection, Generator, Mapping, Sequence

import msgspec
import pyarrow as pa

from touchline.collect.nodes import NodeBook
from touchline.errors import Unavailable
from touchline.jobs.intake import sightings
from touchline.jobs.intake.account import Tally, intake_rows, reject_rows, replayed_rows
from touchline.jobs.intake.ahead import Ahead, Row
from touchline.jobs.intake.consented import Consented
from touchline.jobs.intake.fates import Arrival, Fates
from touchline.jobs.intake.in_force import InForce
from touchline.jobs.intake.off_plan import OffPlan
from touchline.jobs.intake.rows import Rows
from touchline.jobs.intake.session import OpenSessions
from touchline.jobs.process import without_collector
from touchline.model import Event, Flag, Reject
from touchline.storage import schema
from touchline.storage.dedup import DedupIndex
from touchline.storage.lake import LOG, REVISED, SEQ
from touchline.storage.state import Statement
from touchline.storage.workspace import Workspace

__all__ = ["Arrival", "EventStore", "Outcome"]

_REVISION = int(Flag.REVISION)


class Outcome(Tally, frozen=True):
    """`refused`: rejects that were offered again and stay rejects, each with the reason that holds
    now. `unrevised`: new versions of imported orders among what was rejected.
    """

    refused: Mapping[bytes, str] = {}
    unrevised: int = 0


class EventStore:
    """The one writer of events in the process that holds the write lock. Threads take turns."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.nodes = NodeBook(workspace)
        self._rows = Rows(self.nodes, region=workspace.region, time_zone=workspace.time_zone)
        self._in_force = InForce(workspace)
        self.consented = Consented(workspace)
        self._off_plan = OffPlan(workspace)
        self.sessions = OpenSessions()
        self.last_seq = workspace.state.mark(SEQ)
        self.known = DedupIndex(workspace.dir / "dedup", workspace.lake, self.last_seq)
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Whoever uses `nodes` beside `store` holds it. Raises Unavailable when it is closed."""
        with self._lock:
            if self._is_closed:
                raise Unavailable("not_stored")
            yield

    def close(self) -> None:
        """Waits for who has his turn; from then on nobody gets one, for another store writes."""
        with self._lock:
            self._is_closed = True

    def store(
        self,
        arrivals: Sequence[Arrival],
        rejects: Sequence[Reject] = (),
        *,
        log_offset: int | None = None,
        ahead: Ahead | None = None,
    ) -> Outcome:
        """Commits a batch and says what became of it. Raises Unavailable when the disk is full.

        `log_offset`: the batch is all the log holds up to there. `ahead`: its rows are in the lake
        already, among these; only State must follow. After a failure lake and State may differ, so
        that this store is closed: the next `Writer` brings them together.
        """
        with self.turn, without_collector():
            self._is_closed = True
            planned = self._in_force.now()
            self.nodes.refresh()
            fates = Fates(
                self.workspace.id,
                self.known,
                arrivals,
                planned.plan,
                ahead,
                admitted=self._admitted,
            )
            kept = self.consented.taken(fates.stored)
            events = [event for _, event in kept]
            ids = [event_id for event_id, _ in kept]
            rows, traits = self._rows.table(ids, events, self.last_seq)
            is_revised = any(event.flags & _REVISION for _, event in fates.stored)
            self.nodes.save(traits)
            rows = self.sessions.assign(rows)
            if ahead is None:
                self._to_lake(rows, is_revised, log_offset)
            seen = sightings.note(self.workspace.state, planned.touchpoints, rows)
            outcome = self._to_state(fates, rejects, log_offset, seen, ahead)
            self._is_closed = False
            return outcome

    def follow(self, ahead: Ahead, log_offset: int | None) -> None:
        """What the lake is still ahead by came in another way than through the log, or its bytes
        are gone: it is learnt from its rows.
        """
        with self.turn:
            rest = ahead.others((), ahead.upto)
            state = self.workspace.state
            state.write(intake_rows(state, _counts(rest)), *self._marks(ahead.upto, log_offset))
            self._remember({key: row.content_hash for key, row in rest.items()}, ahead.upto)

    def renew_index(self) -> None:
        """Learns from the lake which events are stored."""
        with self.turn:
            self.known.renew()

    def _admitted(self, event: Event) -> Event | None:
        """The event without what was erased; None when it is to be refused."""
        left = self.nodes.admitted(event.identifiers, event.order_id)
        if left is event.identifiers or left is None:
            return None if left is None else event
        return msgspec.structs.replace(event, identifiers=tuple(left))

    def forget(self, devices: Collection[int]) -> None:
        """Drops from memory what rows of these devices left there, and who was erased."""
        with self.turn:
            self.nodes.refresh()
            self.sessions.forget(devices)

    def _to_lake(self, rows: pa.Table, is_revised: bool, log_offset: int | None) -> None:
        last = self.last_seq + len(rows)
        offsets = {SEQ: last} if len(rows) else {}
        if is_revised:
            offsets[REVISED] = last
        if log_offset is not None:
            offsets[LOG] = log_offset
        self.workspace.lake.fresh.commit(rows, offsets=offsets)

    def _to_state(
        self,
        fates: Fates,
        rejects: Sequence[Reject],
        log_offset: int | None,
        seen: Statement,
        ahead: Ahead | None,
    ) -> Outcome:
        state = self.workspace.state
        refused = [*rejects, *fates.refused]
        kept_bad, numbered = reject_rows(self.workspace, refused)
        bad_rows = kept_bad[1]
        fate = ("rejected", "duplicate")  # the second for a line of a file imported again
        kept = schema.reject.c.reject_id
        again = {row[0] for row in state.lookup(kept, {r["reject_id"] for r in bad_rows}, kept)}
        keys = {event_id: event.content_hash for event_id, event in fates.stored}
        last_seq, rest = self.last_seq + len(keys), {}
        if ahead is not None:
            last_seq = max(self.last_seq, ahead.last(keys))
            rest = ahead.others(keys, last_seq)
        counts = [
            *((e.source, e.received_us, "stored") for _, e in fates.stored),
            *((e.source, e.received_us, "duplicate") for e in fates.duplicates),
            *((r["source"], r["received_us"], fate[r["reject_id"] in again]) for r in bad_rows),
        ]
        replayed, corrected = replayed_rows(state, fates.replayed)
        mine = zip(fates.refused_off_plan, bad_rows[len(rejects) :], strict=True)
        new = (told for told, row in mine if told is not None and row["reject_id"] not in again)
        off_plan = self._off_plan.rows([*fates.off_plan, *new])
        state.write(
            kept_bad,
            numbered,
            intake_rows(state, [*counts, *_counts(rest)]),
            replayed,
            corrected,
            off_plan,
            seen,
            *self._marks(last_seq, log_offset),
        )
        self._remember(keys | {key: row.content_hash for key, row in rest.items()}, last_seq)
        duplicates = len(fates.duplicates)
        return Outcome(
            received=len(counts),
            stored=len(fates.stored),
            duplicate=duplicates,
            rejected=len(refused),
            refused=fates.still,
            unrevised=fates.unrevised,
        )

    def _marks(self, last_seq: int, log_offset: int | None) -> list[Statement]:
        state = self.workspace.state
        marks = {SEQ: last_seq} if log_offset is None else {SEQ: last_seq, LOG: log_offset}
        return [state.set_mark(name, value) for name, value in marks.items()]

    def _remember(self, keys: Mapping[bytes, bytes], last_seq: int) -> None:
        self.known.add(keys, last_seq)
        self.last_seq = last_seq


def _counts(rows: Mapping[bytes, Row]) -> list[tuple[str, int, str]]:
    return [(row.source, row.received_us, "stored") for row in rows.values()]
