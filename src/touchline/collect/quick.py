"""Logged requests → events by the short way: what repeats from event to event is worked out once.

`plain` says that a request is in order. Then a context or properties are met by their bytes: equal
bytes mean the same page, program, campaign and names, whoever sent them. The surprise: `events` may
say None of anything, and `segment.read` with `to_event` decide; but when it answers, they would
have made the same events. Only `properties` and `context` are spelled otherwise: as `Members`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from touchline.collect.campaign import Labels, stated
from touchline.collect.consent import consent_of, signals_of
from touchline.collect.context import (
    NO_SPOT,
    Spot,
    agent_of,
    cut_ip,
    is_from_client,
    own_agent,
    page_at,
    spot_of,
)
from touchline.collect.event import (
    account_of,
    labels_said,
    name_of,
    named_of,
    oversize,
    times_of,
)
from touchline.collect.finding import NAME, Key, found_of
from touchline.collect.identifiers import app_of, context_identifiers, trait_identifiers
from touchline.collect.item import digest
from touchline.collect.normalise import identifier
from touchline.collect.plain import KINDS, plain
from touchline.collect.site import Site
from touchline.collect.verdict import own_time, paid
from touchline.model import Event, Identifier, Members, RawRequest

__all__ = ["Made", "Quick"]

REMEMBERED = 1 << 13
FOUND = 1 << 15
MAX_REMEMBERED = 2048  # bytes; longer ones come once, and would only fill the cache
_PAYS = ("revenue", "total", "value", "currency")
_VIEWS = frozenset(("page", "screen"))

Text = str | None | UnsetType


class Call(Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """An item in the order of its sorted names: encoding it gives its canonical content."""

    metadata: Raw | UnsetType = msgspec.field(default=UNSET, name="_metadata")
    anonymous_id: Text = UNSET
    category: Text = UNSET
    channel: Text = UNSET
    context: Raw | UnsetType = UNSET
    event: Text = UNSET
    integrations: Raw | UnsetType = UNSET
    message_id: str = ""
    name: Text = UNSET
    original_timestamp: Text = UNSET
    properties: Raw | UnsetType = UNSET
    received_at: Raw | UnsetType = UNSET
    sent_at: Any = UNSET
    timestamp: Text = UNSET
    traits: Raw | UnsetType = UNSET
    type: Text = UNSET
    user_id: Text = UNSET
    write_key: Any = UNSET


class CallBatch(Struct, rename="camel", gc=False):
    batch: list[Call]
    context: Raw = Raw(b"null")
    integrations: Raw = Raw(b"null")
    sent_at: Any = None


class Made(Struct, frozen=True, gc=False):
    """An event and the item it was made from."""

    event: Event
    item: Call


class Whole(NamedTuple):
    """An event's context, and whether a bot sent it."""

    context: Members
    is_bot: bool


class MetContext(Struct, frozen=True, gc=False, eq=False):
    """What a context says. `kept`: its members that stay in the event's context; `whole`: with what
    it shows by its own user agent and address. Equal to itself alone, so that a cache takes it.
    """

    value: dict[str, Any]
    canonical: Raw
    kept: Members
    whole: "Whole"
    agent: str | None
    spot: Spot
    said: Labels | None
    app: str | None
    traits: dict[str, Any]
    identifiers: tuple[Identifier, ...]
    network: str | None
    consent: str | None
    size: int


class MetProperties(Struct, frozen=True, gc=False, eq=False):
    """What properties say. `pays`: they may hold money. Equal to itself alone, as well."""

    value: dict[str, Any]
    canonical: Raw
    members: Members
    spot: Spot
    pays: bool
    size: int


class _LongWayError(Exception):
    """Something that only `to_event` knows how to place."""


Seen = TypeVar("Seen")
_decode = msgspec.json.Decoder().decode
_raw_members = msgspec.json.Decoder(dict[str, Raw]).decode
_call = msgspec.json.Decoder(Call).decode
_batch = msgspec.json.Decoder(CallBatch).decode
_encode = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode


class Quick:
    """Reads requests of one site, and remembers what it met last (some 80 MB at most)."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._context = _remembered(self._read_context)
        self._properties = _remembered(_read_properties)
        self._found = lru_cache(FOUND)(self._find)
        self._alike = lru_cache(REMEMBERED >> 1)(self._make_alike)

    def events(self, request: RawRequest) -> list[Made] | None:
        """What a request without fault holds, in order; None when the long way must be gone."""
        if plain(request) is None:
            return None
        name = request.path.rpartition("/")[2]
        try:
            if name in KINDS:
                call = _call(request.body)
                call.type = name
                return [self._made(call, request, None)]
            batch = _batch(request.body)
            _share(batch)
            return [self._made(call, request, batch.sent_at) for call in batch.batch]
        except (msgspec.MsgspecError, UnicodeError, RecursionError, _LongWayError):
            return None

    def _made(self, call: Call, request: RawRequest, batch_sent_at: Any) -> Made:
        kind, site = str(call.type), self._site
        context, properties = self._context(call.context), self._properties(call.properties)
        traits = _object(call.traits)
        canonical = _canonical(call, context, properties)
        agent = context.agent or agent_of(request)
        said = (kind, call.event or None, call.name or None, context, properties, agent)
        texts = (call.event, call.name, agent)
        size = context.size + properties.size + sum(len(text) for text in texts if text)
        make = self._alike if size <= MAX_REMEMBERED else self._make_alike
        alike = make(*said)
        original_us, _ = own_time(call.original_timestamp or None, call.timestamp or None)
        sent_at = call.sent_at if call.sent_at is not UNSET else None
        times, flags = times_of(original_us, sent_at or batch_sent_at or None, request.received_us)
        revenue = currency = None
        if properties.pays and kind == "track":
            data = {"event": call.event, "properties": properties.value}
            revenue, currency = paid(data, site.currency)
        whole, is_bot = self._whole(call, context, request, agent)
        event = replace(
            alike,
            source=request.source,
            message_id=call.message_id,
            **times,
            identifiers=_identifiers(call, context, traits, site.region),
            content_hash=digest(canonical),
            revenue=revenue,
            currency=currency,
            properties=_properties_of(call, properties),
            context=whole,
            traits={**context.traits, **traits},
            bot=is_bot,
            flags=flags | alike.flags | oversize(canonical),
        )
        return Made(event, call)

    def _make_alike(
        self,
        kind: str,
        event: str | None,
        name: str | None,
        context: MetContext,
        properties: MetProperties,
        agent: str | None,
    ) -> Event:
        """What calls that say the same share of their events; made anew, it takes three times as
        long as all else.
        """
        page = page_at(context.spot, properties.spot if kind == "page" else NO_SPOT)
        labels, flags = labels_said(
            kind, page, context.said, properties.value, agent=agent, site=self._site
        )
        return Event(
            source="",
            message_id="",
            type=kind,
            name=name_of(kind, event, name, properties.value),
            ts_us=0,
            received_us=0,
            account_id=account_of(kind, None, context.value, properties.value),
            **labels,
            page_url=page.url,
            page_title=page.title,
            **named_of(kind, properties.value),
            consent=context.consent,
            flags=flags,
        )

    def _read_context(self, raw: bytes) -> MetContext:
        found = _decode(raw)
        value: dict[str, Any] = found or {}
        kept = _members_of(raw) if value else Members()
        kept.pop("traits", None)
        if "ip" in value:
            kept["ip"] = _encode(value["ip"] if self._site.keep_ip else cut_ip(value["ip"]))
        agent = own_agent(value)
        if agent:
            kept["userAgent"] = _encode(agent)
        campaign, traits = value.get("campaign"), value.get("traits")
        if NAME in value:
            raise _LongWayError
        network = cut_ip(value.get("ip"))
        shown, is_bot = self._found((agent, network, ()))
        return MetContext(
            value,
            Raw(_sorted(found)),
            kept,
            Whole(Members({**kept, **shown}), is_bot),
            agent,
            spot_of(value.get("page"), value.get("referrer")),
            stated(campaign) if type(campaign) is dict and campaign else None,
            app_of(value),
            traits if type(traits) is dict else {},
            context_identifiers(value, self._site.region),
            network,
            consent_of(value),
            len(raw),
        )

    def _find(self, key: Key) -> tuple[Members, bool]:
        found = found_of(self._site, key)
        shown = Members({NAME: _encode(found)} if found else {})
        return shown, self._site.bots.is_left_out(key[0])

    def _whole(
        self, call: Call, context: MetContext, request: RawRequest, agent: str | None
    ) -> Whole:
        """`context.leftovers` of the call."""
        more: dict[str, bytes] = {}
        for name in ("channel",) if call.type in _VIEWS else ("channel", "name", "category"):
            value = getattr(call, name)
            if value is not UNSET:
                more[name] = _encode(value)
        if not more.keys().isdisjoint(context.kept):
            raise _LongWayError
        network = context.network
        is_local = request.ip and "ip" not in context.value
        if is_local and is_from_client(call.channel, context.value, request):
            network, more["ip"] = request.ip, _encode(request.ip)
        if agent and not context.agent:
            more["userAgent"] = _encode(agent)
        if call.integrations is not UNSET and _decode(call.integrations):
            more["integrations"] = bytes(call.integrations)
        if not more and not request.headers:
            return context.whole
        signals = tuple(signals_of(request.headers))
        shown, is_bot = self._found((agent, network, signals))
        return Whole(Members({**context.kept, **more, **shown}), is_bot)


def _remembered(read: Callable[[bytes], Seen]) -> Callable[[Raw | UnsetType], Seen]:
    """`read` of an object's bytes; nothing at all reads as null."""
    known = lru_cache(REMEMBERED)(read)

    def seen(raw: Raw | UnsetType) -> Seen:
        text = b"null" if raw is UNSET else bytes(raw)
        return known(text) if len(text) <= MAX_REMEMBERED else read(text)

    return seen


def _read_properties(raw: bytes) -> MetProperties:
    found = _decode(raw)
    value: dict[str, Any] = found or {}
    return MetProperties(
        value,
        Raw(_sorted(found)),
        _members_of(raw) if value else Members(),
        spot_of(value),
        any(name in value for name in _PAYS),
        len(raw),
    )


def _members_of(raw: bytes) -> Members:
    return Members((name, bytes(own)) for name, own in _raw_members(raw).items())


def _object(raw: Raw | UnsetType) -> dict[str, Any]:
    return {} if raw is UNSET else _decode(raw) or {}


def _share(batch: CallBatch) -> None:
    """Gives each item what the batch says for all, under what it says itself."""
    for name in ("context", "integrations"):
        common: Raw = getattr(batch, name)
        shared = _decode(common)
        if not shared:
            continue
        for call in batch.batch:
            own = getattr(call, name)
            if own is UNSET or (said := _decode(own)) is None:
                setattr(call, name, common)
            elif type(shared) is dict and type(said) is dict:
                setattr(call, name, Raw(_encode({**_raw_members(common), **_raw_members(own)})))


def _canonical(call: Call, context: MetContext, properties: MetProperties) -> bytes:
    """`item.content` of the call."""
    envelope = call.metadata, call.received_at, call.sent_at, call.write_key
    call.metadata = call.received_at = call.sent_at = call.write_key = UNSET
    if call.context is not UNSET:
        call.context = context.canonical
    if call.properties is not UNSET:
        call.properties = properties.canonical
    if call.traits is not UNSET:
        call.traits = Raw(_sorted(_decode(call.traits)))
    if call.integrations is not UNSET:
        call.integrations = Raw(_sorted(_decode(call.integrations)))
    content = _encode(call)
    call.metadata, call.received_at, call.sent_at, _ = envelope
    return content


def _identifiers(
    call: Call, context: MetContext, traits: dict[str, Any], region: str
) -> tuple[Identifier, ...]:
    """`identifiers.identifiers` of the call."""
    found: dict[Identifier | None, None] = {}
    if call.user_id:
        found[identifier("user_id", call.user_id, region)] = None
    if call.anonymous_id:
        found[identifier("anonymous_id", call.anonymous_id, region)] = None
    if traits and call.type == "identify":
        found.update(dict.fromkeys(trait_identifiers(traits, context.app, region)))
    found.update(dict.fromkeys(context.identifiers))
    return tuple(known for known in found if known is not None)


def _properties_of(call: Call, properties: MetProperties) -> Members:
    if call.type in _VIEWS and call.category is not UNSET and call.category is not None:
        return Members({"category": _encode(call.category), **properties.members})
    return properties.members
