"""An accepted item of the Segment API → an Event. Never fails: `read` rejected what cannot be one.

The surprise: an event without a campaign of its own still gets labels (Direct, or its app's name).
They count only if it opens a session; else the session's replace them when the day is settled.
"""

from collections.abc import Mapping
from typing import Any

from touchline.clock import DAY_US, US
from touchline.collect import time
from touchline.collect.campaign import Labels, Origin, label_text, origin_of, over, stated
from touchline.collect.consent import consent_of
from touchline.collect.context import Page, leftovers, page_of, plain_text, user_agent_of
from touchline.collect.identifiers import identifiers
from touchline.collect.item import Item, content, digest
from touchline.collect.normalise import identifier
from touchline.collect.site import Site
from touchline.collect.verdict import mapping, own_time, paid
from touchline.model import LABEL_FIELDS, Event, Flag, RawRequest

__all__ = [
    "account_of",
    "labels_of",
    "labels_said",
    "name_of",
    "named_of",
    "oversize",
    "times_of",
    "to_event",
]

AHEAD_US = 300 * US
OVERSIZE = 32 * 1024
MAX_NAME = 512

# Some columns of an Event by name.
Columns = dict[str, Any]

# Plain numbers: arithmetic on an IntFlag costs a microsecond a time.
_BY_RULE, _EXPLICIT = int(Flag.CHANNEL_BY_RULE), int(Flag.EXPLICIT_CHANNEL)
_IN_SESSION, _BRINGS = int(Flag.IN_SESSION), int(Flag.BRINGS_CAMPAIGN)
_SUSPECT, _OVERSIZE = int(Flag.CLOCK_SUSPECT), int(Flag.OVERSIZE)

_VISITS = frozenset(("track", "page", "screen"))
_VIEWS = frozenset(("page", "screen"))
_NAMED = {
    "store_code": "store_code",
    "storeCode": "store_code",
    "staff_id": "staff_id",
    "staffId": "staff_id",
    "content_id": "content_id",
    "contentId": "content_id",
    "order_id": "order_id",
    "orderId": "order_id",
    "stage": "stage",
}
_ACCOUNT_KEYS = ("account_id", "accountId")


def to_event(item: Item, request: RawRequest, sent_at: Any, site: Site) -> Event:
    """The event an item tells of; `sent_at` is its batch's, for items without their own."""
    data, kind = item.data, item.type
    context = mapping(data.get("context")) or {}
    properties = mapping(data.get("properties")) or {}
    canonical = content(data)
    original_us, _ = own_time(data.get("originalTimestamp"), data.get("timestamp"))
    raw_sent = data.get("sentAt") or sent_at or None
    times, flags = times_of(original_us, raw_sent, request.received_us)
    agent = user_agent_of(context, request)
    page = page_of(kind, context, properties)
    labels, seen = labels_of(kind, page, context, properties, agent=agent, site=site)
    revenue, currency = paid(data, site.currency) if kind == "track" else (None, None)
    return Event(
        source=request.source,
        message_id=item.message_id,
        type=kind,
        name=name_of(kind, data.get("event"), data.get("name"), properties),
        **times,
        identifiers=identifiers(data, site.region),
        account_id=account_of(kind, data.get("groupId"), context, properties),
        **labels,
        content_hash=digest(canonical),
        page_url=page.url,
        page_title=page.title,
        **named_of(kind, properties),
        revenue=revenue,
        currency=currency,
        properties=_properties(kind, data, properties),
        context=leftovers(data, context, request, agent, site),
        traits=_traits(kind, data, context),
        bot=site.bots.is_left_out(agent),
        consent=consent_of(context),
        flags=flags | seen | oversize(canonical),
    )


def oversize(canonical: bytes) -> int:
    """Flag.OVERSIZE when the content is large, else 0."""
    return _OVERSIZE if len(canonical) > OVERSIZE else 0


def times_of(original_us: int | None, raw_sent: Any, received_us: int) -> tuple[Columns, int]:
    """The four times, and Flag.CLOCK_SUSPECT when they cannot all be right."""
    sent_us = None if raw_sent is None else time.parse(raw_sent)
    is_suspect = raw_sent is not None and sent_us is None
    ts_us = received_us if original_us is None else original_us
    if sent_us is not None:
        is_suspect = abs(received_us - sent_us) > DAY_US
        if original_us is not None:
            ts_us = received_us - (sent_us - original_us)
    if not time.EARLIEST_US <= ts_us < time.LATEST_US:
        ts_us, is_suspect = received_us, True
    is_suspect = is_suspect or ts_us > received_us + AHEAD_US
    times: Columns = {
        "ts_us": ts_us,
        "received_us": received_us,
        "sent_us": sent_us,
        "original_us": original_us,
    }
    return times, _SUSPECT if is_suspect else 0


def labels_of(
    kind: str,
    page: Page,
    context: Mapping[str, Any],
    properties: Mapping[str, Any],
    *,
    agent: str | None,
    site: Site,
) -> tuple[dict[str, Any], int]:
    """Channel, campaign and click ids of an event, with the flags that say whose they are."""
    campaign = context.get("campaign")
    said = stated(campaign) if type(campaign) is dict and campaign else None
    return labels_said(kind, page, said, properties, agent=agent, site=site)


def labels_said(
    kind: str,
    page: Page,
    said: Labels | None,
    properties: Mapping[str, Any],
    *,
    agent: str | None,
    site: Site,
) -> tuple[dict[str, Any], int]:
    """`labels_of` for a context whose campaign has been read (`said`)."""
    if kind not in _VISITS:
        return {}, 0
    explicit = label_text(properties.get("channel")) if kind == "track" else None
    # A click, a call: a touch by itself, whatever channel the rules in force give it.
    is_touch = kind == "track" and properties.get("touchpoint") is True
    flags = 0
    origin: Origin | None = None
    if is_touch and explicit is None:
        own = stated({name: properties.get(name) for name in LABEL_FIELDS[1:]})
        said = over(own, said) if own and said else own or said
        flags = _EXPLICIT
    if kind in _VIEWS or page.url or said or is_touch:
        origin = origin_of(
            site, page_url=page.url, referrer=page.referrer, labels=said, user_agent=agent
        )
        flags |= _IN_SESSION | (_BRINGS if origin.brings else 0)
    if explicit is not None:
        own = stated({name: properties.get(name) for name in LABEL_FIELDS[1:]}) or Labels()
        return _explicit(explicit, own, origin, site), flags | _EXPLICIT
    return (_columns(origin), flags | _BY_RULE) if origin else ({}, 0)


def _columns(origin: Origin) -> dict[str, Any]:
    return {
        "channel": origin.channel,
        "source_name": origin.source,
        "medium": origin.medium,
        "campaign": origin.campaign,
        "ad_group": origin.ad_group,
        "term": origin.term,
        "content": origin.content,
        "click_ids": origin.click_ids,
        "referrer_host": origin.referrer_host,
    }


def _explicit(channel: str, own: Labels, origin: Origin | None, site: Site) -> dict[str, Any]:
    """Labels beside an explicit channel win over what the page says, one by one."""
    columns = _columns(origin) if origin and origin.brings else {}
    columns["channel"] = channel
    if own.source:
        columns["source_name"] = site.channels.named(own.source).name
    if own.medium:
        columns["medium"] = own.medium.lower()
    for name in ("campaign", "ad_group", "term", "content"):
        if value := getattr(own, name):
            columns[name] = value
    return columns


def name_of(kind: str, event: Any, name: Any, properties: Mapping[str, Any]) -> str:
    if kind == "track":
        return event.strip()[:MAX_NAME]
    if kind in _VIEWS:
        name = plain_text(name) or plain_text(properties.get("name"))
        return name[:MAX_NAME] if name else kind
    return kind


def named_of(kind: str, properties: Mapping[str, Any]) -> Columns:
    """Columns that properties give by their names."""
    if not properties or kind not in _VISITS:
        return {}
    columns: Columns = {}
    for key, column in _NAMED.items():
        if key in properties and column not in columns:
            text = plain_text(properties[key])
            if text and (kind == "track" or column != "order_id"):
                columns[column] = text[:MAX_NAME]
    return columns


def account_of(
    kind: str, group: Any, context: Mapping[str, Any], properties: Mapping[str, Any]
) -> str | None:
    if kind == "group":
        raw = group
    else:
        raw = context.get("groupId")
        if raw is None and kind == "track":
            raw = _first(properties, _ACCOUNT_KEYS)
    known = None if raw is None else identifier("user_id", raw, "")
    return known.value if known else None


def _properties(
    kind: str, data: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any]:
    if kind == "group":
        return {**properties, **(mapping(data.get("traits")) or {})}
    if kind in _VIEWS and data.get("category") is not None:
        return {"category": data["category"], **properties}
    return dict(properties)


def _traits(kind: str, data: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the sender: the call's own traits win over those in its context."""
    traits = mapping(context.get("traits")) or {}
    return {**traits, **(mapping(data.get("traits")) or {})} if kind != "group" else dict(traits)


def _first(values: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if key in values and (text := plain_text(values[key])):
            return text[:MAX_NAME]
    return None
