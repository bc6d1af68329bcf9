"""Event rows → Event: store visits, calls, sign-ins, exports of other trackers.

A row with a channel of its own is a touchpoint by itself. Without one, its link, referrer and
labels say what brought the person, by the same rules as over HTTP.
"""

from collections.abc import Iterator
from typing import Any

from touchline.collect.campaign import Arrival, arrive, stated
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
from touchline.collect.importers.mapping import Mapped, Plan
from touchline.collect.importers.moments import moment
from touchline.collect.importers.occurrence import Occurrences, made_id
from touchline.collect.importers.rows import Table
from touchline.model import Event, Flag, Reject

__all__ = ["read_events"]

_TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))
_LABELS = ("source", "medium", "campaign", "ad_group", "term", "content")
_PAGES = frozenset(("page", "screen"))


def read_events(table: Table, plan: Plan, about: Import) -> Iterator[Event | Reject]:
    """Events in the file's order. Rows without an id get one that every import makes again."""
    seen = Occurrences()

    def build(row: Mapped) -> Event:
        message_id = an_id(row.fields.get("message_id"), "bad_message_id")
        if message_id is None:
            before = seen.before(row.content_hash)
            message_id = made_id(about.source, about.kind, row.content_hash, before)
        return _event(row, message_id, plan, about)

    return each(table, plan, about, build, "message_id")


def _event(row: Mapped, message_id: str, plan: Plan, about: Import) -> Event:
    fields, site = row.fields, about.site
    kind = _kind(fields.get("type"))
    channel = label(fields.get("channel"))
    ts_us = moment(fields.get("occurred_at"), site.time_zone, about.date_order)
    if ts_us is None:
        raise BadRow("bad_time")
    named = identifiers(fields, plan.identifiers, site.region)
    if not named:
        raise BadRow("missing_id")
    url, referrer = text(fields.get("url")), text(fields.get("referrer"))
    arrival = _arrival(fields, url, referrer, about)
    revenue, currency = amount(fields, "revenue", site.currency)
    has_page = kind in _PAGES or url is not None
    flags = _flags(arrival, has_page=has_page, is_explicit=channel is not None)
    return Event(
        source=about.source,
        message_id=message_id,
        type=kind,
        name=_name(fields, kind, channel),
        ts_us=ts_us,
        received_us=about.received_us,
        original_us=ts_us,
        identifiers=named,
        account_id=label(fields.get("account_id")),
        channel=channel or (arrival.channel if flags & Flag.CHANNEL_BY_RULE else None),
        source_name=arrival.source,
        medium=arrival.medium,
        campaign=arrival.campaign,
        ad_group=arrival.ad_group,
        term=arrival.term,
        content=arrival.content,
        click_ids=arrival.click_ids,
        content_hash=row.content_hash,
        referrer_host=arrival.referrer_host,
        page_url=url,
        page_title=text(fields.get("page_title")),
        store_code=label(fields.get("store_code")),
        staff_id=label(fields.get("staff_id")),
        content_id=label(fields.get("content_id")),
        revenue=revenue,
        currency=None if revenue is None else currency,
        order_id=an_id(fields.get("order_id"), "bad_order_id"),
        stage=label(fields.get("stage")),
        properties={} if kind == "identify" else row.rest,
        traits=row.rest if kind == "identify" else {},
        flags=int(flags),
    )


_NOWHERE = Arrival(None, None, None, None, None, None, {}, None, "", brings=False)


def _arrival(
    fields: dict[str, Any], url: str | None, referrer: str | None, about: Import
) -> Arrival:
    own = stated({name: fields[name] for name in _LABELS if name in fields})
    if own is None and url is None and referrer is None:
        return _NOWHERE
    return arrive(about.site, page_url=url, referrer=referrer, labels=own)


def _flags(arrival: Arrival, *, has_page: bool, is_explicit: bool) -> Flag:
    flags = Flag(0)
    if is_explicit:
        flags |= Flag.EXPLICIT_CHANNEL
    if has_page or arrival.brings:
        flags |= Flag.IN_SESSION
        flags |= Flag(0) if is_explicit else Flag.CHANNEL_BY_RULE
    if arrival.brings:
        flags |= Flag.BRINGS_CAMPAIGN
    return flags


def _kind(value: Any) -> str:
    kind = "track" if value is None else (text(value) or "").strip().casefold()
    if kind not in _TYPES:
        raise BadRow("unknown_type")
    return kind


def _name(fields: dict[str, Any], kind: str, channel: str | None) -> str:
    """What happened; a list of visits or calls that names nothing is named by its channel."""
    name = text(fields.get("name")) or (channel if kind == "track" else "")
    if name is None or (kind == "track" and not name.strip()):
        raise BadRow("missing_event")
    return name.strip()
