"""Deals that name where their buyer came from → a touchpoint beside each.

A list of deals and one of spend are all that many have, and 来源 is the one thing that joins them.
So a row that states a channel tells of a touch, at the time the deal was made: an event of its own,
a version of what its deal stated before. The surprise: a row that names nobody stands for somebody
all the same, the one buyer of that deal, known as `deal:ID` to it and to its touch alone.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from touchline.collect.importers.events import EventRow
from touchline.jobs.imports.orders import Orders, history_of
from touchline.jobs.intake.store import Arrival
from touchline.jobs.intake.writer import Writer
from touchline.model import STATED, Conversion, Event, Flag, Identifier

__all__ = ["Stated"]

CHUNK = 10_000
FLAGS = int(Flag.EXPLICIT_CHANNEL | Flag.VERSION)
_encoder = msgspec.json.Encoder(order="sorted")


class Stated:
    """Gathers the touches of one file; `store` puts what is new of them beside the deals."""

    def __init__(self, source: str, received_us: int) -> None:
        self._source = source
        self._received_us = received_us
        self._rows: list[EventRow] = []

    def add(self, row: Conversion) -> Conversion:
        """The conversion; its buyer, where it names none, is called after it."""
        if not row.stated:
            return row
        if not row.identifiers:
            buyer = Identifier("anonymous_id", f"deal:{row.conversion_id}")
            row = msgspec.structs.replace(row, identifiers=(buyer,))
        self._rows.append(EventRow(0, _content(row), self._event(row)))
        return row

    def store(self, writer: Writer) -> None:
        """Touches told before are passed over; others are new, or the newest word on their deal."""
        if not self._rows:
            return
        orders = Orders("conversions", history_of(writer.workspace))
        told = [found for row in self._rows for found in orders.add(row)]
        new = [row for row, fate in (*told, *orders.rest()) if fate != "duplicate"]
        for start in range(0, len(new), CHUNK):
            writer.store.store(list(_arrivals(new[start : start + CHUNK])))

    def _event(self, row: Conversion) -> Event:
        at_us = row.occurred_us if row.created_us is None else row.created_us
        labels: dict[str, Any] = dict(row.stated)
        return Event(
            source=self._source,
            message_id="",
            type="track",
            name=STATED,
            ts_us=at_us,
            received_us=self._received_us,
            original_us=at_us,
            identifiers=row.identifiers,
            account_id=row.account_id,
            order_id=row.conversion_id,
            content_hash=blake2b(_content(row), digest_size=16).digest(),
            flags=FLAGS,
            **labels,
        )


def _arrivals(rows: list[EventRow]) -> Iterator[Arrival]:
    for row in rows:
        yield Arrival(row.event, msgspec.Raw(row.content))


def _content(row: Conversion) -> bytes:
    """What makes a touch another one. Not the day of a stage: without a day of its own, a touch
    stays where its deal was first seen.
    """
    people = [(one.type, one.value) for one in row.identifiers]
    told = (row.conversion_id, row.stated, row.created_us, row.account_id, people)
    return _encoder.encode(told)
