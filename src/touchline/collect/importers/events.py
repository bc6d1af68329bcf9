"""Event rows → Event: store visits, calls, sign-ins, exports of other trackers.

A row with a channel of its own is a touchpoint by itself. Without one, its link, referrer and
labels say what brought the person, by the same rules as over HTTP. Without an id of its own, a row
about an order is a version of what is known of that order; other rows are told apart by content.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.campaign import label_text
from touchline.collect.context import Page
from touchline.collect.event import OVERSIZE, labels_of
from touchline.collect.importers.cells import (
    BadRow,
    Import,
    amount,
    an_id,
    each,
    identifiers,
    label,
    text,
)
from touchline.collect.importers.fields import KINDS
from touchline.collect.importers.mapping import Assignment, Mapped, Plan
from touchline.collect.importers.occurrence import Occurrences, made_id
from touchline.collect.importers.rows import Held, Row, Table
from touchline.collect.verdict import ORDERS
from touchline.model import LABEL_FIELDS, REFUND, Event, Flag, Reject

__all__ = ["EventRow", "read_again", "read_events"]

MAX_NAME = 512

_TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))


class EventRow(Struct, frozen=True, gc=False):
    """An event, and the row it was made from: kept if its id turns out to be another event's.

    Of a version (`Flag.VERSION`) the id is not final: it depends on the versions before it.
    """

    line: int
    content: bytes
    event: Event


def read_events(table: Table, plan: Plan, about: Import) -> Iterator[EventRow | Reject]:
    """Events in the file's order. Rows without an id get one that every import makes again."""
    seen = Occurrences()

    def build(row: Mapped) -> EventRow:
        message_id = an_id(row.fields.get("message_id"), "bad_message_id")
        if message_id is not None:
            return EventRow(row.line, row.content, _event(row, message_id, plan, about))
        is_of_order = row.fields.get("order_id") is not None
        before = 0 if is_of_order else seen.before(row.content_hash)
        message_id = made_id(about.source, about.kind, row.content_hash, before)
        event = _event(row, message_id, plan, about)
        if is_of_order and not _gives_back(event):
            event = msgspec.structs.replace(event, flags=event.flags | int(Flag.VERSION))
        return EventRow(row.line, row.content, event)

    return each(table, plan, about, build, "message_id")


def read_again(
    rows: Sequence[tuple[int, dict[str, Any]]], about: Import
) -> Iterator[EventRow | Reject]:
    """Rows that were mapped before, numbered, as a reject keeps them: fields, and what was left
    over as `properties`.
    """
    columns = sorted({column for _, row in rows for column in row})
    known = KINDS[about.kind]
    plan = Plan(known, [Assignment(name, name.partition("#")[0], "name") for name in columns], {})
    table = Held([Row(line, row) for line, row in rows], columns)
    return read_events(table, plan, about)


def _gives_back(event: Event) -> bool:
    """Money may go back several times: each row is a fact of its own and replaces none."""
    return event.name.casefold() == REFUND or (event.revenue or 0) < 0


def _event(row: Mapped, message_id: str, plan: Plan, about: Import) -> Event:
    fields, site = row.fields, about.site
    kind = _kind(fields.get("type"))
    ts_us = about.moment(fields.get("occurred_at"))
    if ts_us is None:
        raise BadRow("bad_time")
    named = identifiers(fields, plan.identifiers, site.region)
    if not named:
        raise BadRow("missing_id")
    name = _name(fields, kind)
    revenue, currency = amount(_with_total(row, name), "revenue", site.currency)
    labels, flags = _labels(fields, kind, about)
    if len(row.content) > OVERSIZE:
        flags |= int(Flag.OVERSIZE)
    is_about_person = kind == "identify"
    return Event(
        source=about.source,
        message_id=message_id,
        type=kind,
        name=name,
        ts_us=ts_us,
        received_us=about.received_us,
        original_us=ts_us,
        identifiers=named,
        account_id=label(fields.get("account_id")),
        **labels,
        content_hash=row.content_hash,
        page_url=text(fields.get("url")),
        page_title=text(fields.get("page_title")),
        store_code=label(fields.get("store_code")),
        staff_id=label(fields.get("staff_id")),
        content_id=label(fields.get("content_id")),
        revenue=revenue,
        currency=None if revenue is None else currency,
        order_id=an_id(fields.get("order_id"), "bad_order_id"),
        stage=label(fields.get("stage")),
        properties={} if is_about_person else row.rest,
        traits=row.rest if is_about_person else {},
        flags=flags,
    )


def _with_total(row: Mapped, name: str) -> dict[str, Any]:
    """The fields, an order's total standing in for the revenue it does not say, as over HTTP."""
    total = row.rest.get("total")
    if total is None or "revenue" in row.fields or name.casefold() not in ORDERS:
        return row.fields
    return {**row.fields, "revenue": total}


def _kind(value: Any) -> str:
    kind = "track" if value is None else (text(value) or "").strip().casefold()
    if kind not in _TYPES:
        raise BadRow("unknown_type")
    return kind


def _name(fields: dict[str, Any], kind: str) -> str:
    """What happened; a list of visits or calls that does not say is named by its channel."""
    name = label(fields.get("name"))
    if name is None and kind == "track":
        name = label(fields.get("channel"))
        if name is None:
            raise BadRow("missing_event")
    return (name or kind)[:MAX_NAME]


def _labels(fields: dict[str, Any], kind: str, about: Import) -> tuple[dict[str, Any], int]:
    """Channel, campaign and click ids with the flags that say whose they are, as over HTTP.

    Labels beside a channel of the row's own describe that touch; alone they are a visit's campaign.
    """
    own = {name: fields[name] for name in LABEL_FIELDS if name in fields}
    page = Page(text(fields.get("url")), text(fields.get("referrer")), None)
    if label_text(own.get("channel")) is not None:
        return labels_of("track", page, {}, own, agent=None, site=about.site)
    return labels_of(kind, page, {"campaign": own}, {}, agent=None, site=about.site)
