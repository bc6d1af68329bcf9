"""Where an event happened → its page, its visitor's program and address, and all that is left over.

The sending program is not the visitor's: an SDK's user agent and a server's address say nothing of
the person, so they are only taken where the connection is the visitor's own.
"""

import ipaddress
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from touchline.collect.consent import signals_of
from touchline.collect.finding import NAME, found_of
from touchline.collect.site import Site
from touchline.model import RawRequest

__all__ = [
    "NO_SPOT",
    "UTM",
    "Page",
    "Spot",
    "agent_of",
    "cut_ip",
    "is_from_client",
    "leftovers",
    "own_agent",
    "page_at",
    "page_of",
    "plain_text",
    "spot_of",
    "take_campaign",
    "take_places",
    "user_agent_of",
]

UTM = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
}

MAX_TEXT = 8192
MAX_AGENT = 1024

# Fields of an item that have a place of their own; every other one is kept in the context.
_PLACED_WORDS = """
type messageId anonymousId userId previousId groupId event properties traits context timestamp
originalTimestamp sentAt receivedAt _metadata writeKey integrations
"""
_PLACED = frozenset(_PLACED_WORDS.split())
_PLACED_OF_VIEW = _PLACED | {"name", "category"}


class Page(NamedTuple):
    url: str | None
    referrer: str | None
    title: str | None


class Spot(NamedTuple):
    """What one object says of a page."""

    url: str | None = None
    path: str | None = None
    referrer: str | None = None
    title: str | None = None


NO_SPOT = Spot()


def spot_of(page: Any, referrer: Any = None) -> Spot:
    """`page`: the object that describes it; `referrer`: one that is told of beside it."""
    page = page if type(page) is dict else {}
    came_from = plain_text(page.get("referrer"))
    if came_from is None and type(referrer) is dict:
        came_from = plain_text(referrer.get("url"))
    url, path, title = (plain_text(page.get(name)) for name in ("url", "path", "title"))
    return Spot(url, path, came_from, title)


def page_at(around: Spot, own: Spot = NO_SPOT) -> Page:
    """The page of an event, by its context and, of a page call, its own properties first."""
    return Page(
        own.url or around.url or own.path or around.path,
        own.referrer or around.referrer,
        own.title or around.title,
    )


def page_of(kind: str, context: Mapping[str, Any], properties: Mapping[str, Any]) -> Page:
    # A page call says its own address in properties; those of a track call speak of other things.
    own = spot_of(properties) if kind == "page" else NO_SPOT
    return page_at(spot_of(context.get("page"), context.get("referrer")), own)


def user_agent_of(context: Mapping[str, Any], request: RawRequest) -> str | None:
    return own_agent(context) or agent_of(request)


def own_agent(context: Mapping[str, Any]) -> str | None:
    agent = context.get("userAgent")
    return agent[:MAX_AGENT] if type(agent) is str and agent else None


def agent_of(request: RawRequest) -> str | None:
    """The visitor's; the sending program's own (an SDK's, curl's) says nothing of a visitor."""
    sender = request.user_agent
    return sender[:MAX_AGENT] if sender and sender.startswith("Mozilla/") else None


def leftovers(
    data: Mapping[str, Any],
    context: Mapping[str, Any],
    request: RawRequest,
    agent: str | None,
    site: Site,
) -> dict[str, Any]:
    """The context without traits, with what we find out, plus every field that has no place."""
    kept = {name: value for name, value in context.items() if name != "traits"}
    network = None
    if "ip" in kept:
        network = cut_ip(kept["ip"])
        kept["ip"] = kept["ip"] if site.keep_ip else network
    elif request.ip and is_from_client(data.get("channel"), context, request):
        network = kept["ip"] = request.ip
    if agent:
        kept["userAgent"] = agent
    if data.get("integrations"):
        kept["integrations"] = data["integrations"]
    placed = _PLACED_OF_VIEW if data["type"] in ("page", "screen") else _PLACED
    left = {name: value for name, value in data.items() if name not in placed}
    # A field whose name the context has already goes under `item`, so neither is lost.
    clashing = {name: left.pop(name) for name in sorted(kept.keys() & left.keys())}
    for own in (kept, left):
        if NAME in own:
            clashing[NAME] = own.pop(NAME)
    if clashing:
        kept["item"] = {**clashing, "item": kept["item"]} if "item" in kept else clashing
    found = found_of(site, (agent, network, tuple(signals_of(request.headers))))
    return {**kept, **left, NAME: found} if found else {**kept, **left}


def is_from_client(channel: Any, context: Mapping[str, Any], request: RawRequest) -> bool:
    """Whether the connection is the visitor's own; a server's address would be nobody's."""
    return (
        context.get("direct") is True
        or channel in ("web", "mobile", "client", "browser")
        or (request.user_agent or "").startswith("Mozilla/")
    )


def cut_ip(address: Any) -> str | None:
    """An address cut to /24 or /48, a region and not a person; None when it is none."""
    return _network(address) if type(address) is str and len(address) <= 64 else None


@lru_cache(maxsize=1 << 14)
def _network(address: str) -> str | None:
    try:
        ip = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    bits = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, bits), strict=False).network_address)


def plain_text(raw: Any) -> str | None:
    """A text or number as one trimmed text; None for anything else and for nothing."""
    if type(raw) is not str:
        if type(raw) is not int and (type(raw) is not float or not math.isfinite(raw)):
            return None
        raw = str(raw)
    return raw[:MAX_TEXT].strip() or None


def take_campaign(own: dict[str, Any], context: dict[str, Any]) -> None:
    """Moves `utm_*` properties to the context's campaign."""
    campaign = {field: own.pop(name) for name, field in UTM.items() if plain_text(own.get(name))}
    if campaign:
        context["campaign"] = campaign


def take_places(
    own: dict[str, Any],
    context: dict[str, Any],
    places: Mapping[str, tuple[str, str]],
    plain_places: Mapping[str, str],
) -> None:
    """Moves properties to their places in the context; what is neither text nor number stays."""
    for name, (group, field) in places.items():
        if plain_text(own.get(name)) is not None:
            context.setdefault(group, {})[field] = own.pop(name)
    for name, field in plain_places.items():
        if field not in context and plain_text(own.get(name)) is not None:
            context[field] = own.pop(name)
