"""Arrivals of a batch → what each turns out to be: against State, its neighbours and the plan.

known already, equal content     duplicate
known already, other content     refused: id_conflict
new, of somebody who was erased  refused: erased, nothing kept
new, against a strict plan       refused: what it goes against
new                              stored, marked if it goes against the plan
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.nodes import ERASED
from touchline.collect.plan import NO_VALUE, UNPLANNED, Judgement, Plan
from touchline.jobs.intake.ahead import Ahead
from touchline.jobs.intake.off_plan import Counted
from touchline.model import Event, Flag, RawRequest, Reject
from touchline.storage.dedup import DedupIndex

__all__ = ["Arrival", "Fates", "erased"]

_OFF_PLAN, _REVISION = int(Flag.OFF_PLAN), int(Flag.REVISION)
_encoder = msgspec.json.Encoder()
Admitted = Callable[[Event], Event | None]


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event and the item it was made from, which is kept if it turns out to be in conflict.

    `reject_id`: the reject this was until now; it is one no more when the event is stored.
    """

    event: Event
    item: Any
    line: int | None = None
    request: RawRequest | None = None
    reject_id: bytes | None = None


class Fates:
    """`known`: what is stored. `ahead`: of a batch that is done again, what it stored at first."""

    def __init__(
        self,
        workspace_id: str,
        known: DedupIndex,
        arrivals: Sequence[Arrival],
        plan: Plan | None,
        ahead: Ahead | None,
        *,
        admitted: Admitted = lambda event: event,
    ) -> None:
        self.stored: list[tuple[bytes, Event]] = []
        self.duplicates: list[Event] = []
        self.refused: list[Reject] = []
        self.refused_off_plan: list[Counted | None] = []  # of `refused`, in the same order
        self.unrevised = 0
        self.still: dict[bytes, str] = {}
        self.replayed: dict[bytes, tuple[str, int]] = {}
        self.off_plan: list[Counted] = []
        self._plan = plan
        self._admitted = admitted
        self._ahead = ahead
        ids = [_event_id(workspace_id, arrival.event) for arrival in arrivals]
        held = known.hashes(ids)
        for event_id, arrival in zip(ids, arrivals, strict=True):
            event = arrival.event
            if event_id not in held:
                if not self._take(event_id, arrival):
                    continue
                held[event_id] = event.content_hash
            elif held[event_id] == event.content_hash:
                self.duplicates.append(event)
            else:
                self._refuse(arrival, reason="id_conflict")
                continue
            if arrival.reject_id is not None:
                self.replayed[arrival.reject_id] = (event.source, event.received_us)

    def _take(self, event_id: bytes, arrival: Arrival) -> bool:
        """Whether a new event is stored; it is unless a strict plan refuses it."""
        event = arrival.event
        was_stored = self._ahead is not None and self._ahead.holds(event_id, event.content_hash)
        left = event if was_stored else self._admitted(event)
        if left is None:
            self._refuse(arrival, reason=ERASED)
            return False
        event = left
        try:
            judged = None if self._plan is None else self._plan.judge(event)
        except Exception:  # noqa: BLE001  # one event must not stop all that follow
            judged = Judgement(event.name, (), "internal_error", {})
        refusal = None if judged is None else judged.refusal
        if self._ahead is not None:
            # It was decided before; the plan may be another one by now.
            refusal = None if was_stored else refusal or UNPLANNED
        if refusal is not None:
            self._refuse(arrival, reason=refusal, judged=judged)
            return False
        if judged is not None:
            event = _marked(event, judged)
            if judged.faults:
                self.off_plan.append(Counted(event, judged, "stored"))
        self.stored.append((event_id, event))
        return True

    def _refuse(self, arrival: Arrival, *, reason: str, judged: Judgement | None = None) -> None:
        if arrival.reject_id is not None:
            self.still[arrival.reject_id] = reason
            return
        self.refused.append(_reject(arrival, reason))
        self.unrevised += bool(arrival.event.flags & _REVISION)
        told = None if judged is None else Counted(arrival.event, judged, "rejected")
        self.refused_off_plan.append(told)


def erased(
    source: str, received_us: int, *, kind: str = "events", line: int | None = None
) -> Reject:
    """A row that names somebody who was erased: counted, and nothing of it kept."""
    return Reject(
        source=source, reason=ERASED, payload=b"{}", received_us=received_us, kind=kind, line=line
    )


def _marked(event: Event, judged: Judgement) -> Event:
    """The event with what the plan makes of it: a flag, and properties as traits."""
    has_fault = any(fault.reason != NO_VALUE for fault in judged.faults)
    return msgspec.structs.replace(
        event,
        flags=event.flags | (_OFF_PLAN if has_fault else 0),
        traits={**event.traits, **judged.traits},
        told=(*event.told, *judged.traits) if judged.is_answer else event.told,
    )


def _event_id(workspace_id: str, event: Event) -> bytes:
    name = f"{workspace_id}\0{event.source}\0{event.message_id}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _reject(arrival: Arrival, reason: str) -> Reject:
    event = arrival.event
    if reason == ERASED:
        return erased(event.source, event.received_us, line=arrival.line)
    return Reject(
        source=event.source,
        reason=reason,
        payload=_encoder.encode(arrival.item),
        received_us=event.received_us,
        message_id=event.message_id,
        line=arrival.line,
        request=arrival.request,
        sent_at=None if event.sent_us is None else clock.iso(event.sent_us),
    )
