"""Events that open and close support tickets → those that are open: whom not to advertise to now.

A ticket is told from others of its person by its number; events without one speak of one ticket.
What surprises: both events are to name the customer, since a number alone is nobody's.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from touchline import clock
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.profile_spec import Ticket
from touchline.journey.version import in_force
from touchline.storage.engine import View

__all__ = ["OpenTicket", "open_tickets"]

LONGEST = 200
_decode = msgspec.json.Decoder().decode


class OpenTicket(NamedTuple):
    """`kind`: the definition's name; `number`: "" where the event has none."""

    kind: str
    number: str
    event: str
    opened_us: int

    def shown(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "ticket": self.number or None,
            "event": self.event,
            "opened_at": clock.iso(self.opened_us),
        }


class _Told(NamedTuple):
    person: int
    name: str
    ts_us: int
    properties: dict[str, Any]


def open_tickets(
    view: View, speakers: Speakers, tickets: Sequence[Ticket], now_us: int
) -> dict[int, list[OpenTicket]]:
    """By person_ix, the oldest first; who has none is absent."""
    found: dict[tuple[int, str, str], OpenTicket] = {}
    for told in _told(view, speakers, tickets, now_us):
        for ticket in tickets:
            key = (told.person, ticket.name, _number(ticket, told.properties))
            if told.name in ticket.opened and key not in found:
                found[key] = OpenTicket(key[1], key[2], told.name, told.ts_us)
            elif told.name in ticket.closed:
                found.pop(key, None)
    by_person: dict[int, list[OpenTicket]] = {}
    for (person, _, _), one in sorted(found.items(), key=lambda pair: pair[1].opened_us):
        by_person.setdefault(person, []).append(one)
    return by_person


def _told(
    view: View, speakers: Speakers, tickets: Sequence[Ticket], now_us: int
) -> Iterator[_Told]:
    """In the order of time."""
    names = {name for ticket in tickets for name in (*ticket.opened, *ticket.closed)}
    if view.lacks("events", "name", names):
        return
    events = view.events("event_id", "node_ids", "ts_us", "seq", "name", "bot", "properties")
    events = events.filter(events.name.isin(sorted(names)), ~events.bot, events.ts_us <= now_us)
    rows = with_person(in_force(view, events), speakers)
    rows = rows.filter(rows.person_ix.notnull()).order_by("ts_us", "seq")
    for batch in view.batches(rows.select("person_ix", "name", "ts_us", "properties")):
        for row in batch.to_pylist():
            said = _decode(row["properties"]) if row["properties"] else {}
            yield _Told(row["person_ix"], row["name"], row["ts_us"], said)


def _number(ticket: Ticket, said: dict[str, Any]) -> str:
    values = (said.get(name) for name in ticket.id)
    found = next((v for v in values if isinstance(v, str | int) and v is not True), "")
    return str(found).strip()[:LONGEST]
