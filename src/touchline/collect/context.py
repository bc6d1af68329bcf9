"""Where an event happened → its page, its visitor's program and address, and all that is left over.

The sending program is not the visitor's: an SDK's user agent and a server's address say nothing of
the person, so they are only taken where the connection is the visitor's own.
"""

import ipaddress
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from touchline.model import RawRequest

__all__ = ["Page", "cut_ip", "leftovers", "page_of", "plain_text", "user_agent_of"]

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


def page_of(kind: str, context: Mapping[str, Any], properties: Mapping[str, Any]) -> Page:
    page = context.get("page")
    page = page if type(page) is dict else {}
    # A page call says its own address in properties; those of a track call speak of other things.
    first = properties if kind == "page" else {}
    url = plain_text(first.get("url")) or plain_text(page.get("url"))
    if url is None:
        url = plain_text(first.get("path")) or plain_text(page.get("path"))
    referrer = plain_text(first.get("referrer")) or plain_text(page.get("referrer"))
    title = plain_text(first.get("title")) or plain_text(page.get("title"))
    if referrer is None and type(context.get("referrer")) is dict:
        referrer = plain_text(context["referrer"].get("url"))
    return Page(url, referrer, title)


def user_agent_of(context: Mapping[str, Any], request: RawRequest) -> str | None:
    """The visitor's; the sending program's own (an SDK's, curl's) says nothing of a visitor."""
    agent = context.get("userAgent")
    if type(agent) is str and agent:
        return agent[:MAX_AGENT]
    sender = request.user_agent
    return sender[:MAX_AGENT] if sender and sender.startswith("Mozilla/") else None


def leftovers(
    data: Mapping[str, Any],
    context: Mapping[str, Any],
    request: RawRequest,
    agent: str | None,
    keep_ip: bool,
) -> dict[str, Any]:
    """The context without traits, plus every field that has no place of its own."""
    kept = {name: value for name, value in context.items() if name != "traits"}
    if "ip" in kept:
        kept["ip"] = kept["ip"] if keep_ip else cut_ip(kept["ip"])
    elif request.ip and _is_from_client(data, context, request):
        kept["ip"] = request.ip
    if agent:
        kept["userAgent"] = agent
    if data.get("integrations"):
        kept["integrations"] = data["integrations"]
    placed = _PLACED_OF_VIEW if data["type"] in ("page", "screen") else _PLACED
    left = {name: value for name, value in data.items() if name not in placed}
    # A field whose name the context has already goes under `item`, so neither is lost.
    clashing = {name: left.pop(name) for name in sorted(kept.keys() & left.keys())}
    if clashing:
        kept["item"] = {**clashing, "item": kept["item"]} if "item" in kept else clashing
    return {**kept, **left}


def _is_from_client(
    data: Mapping[str, Any], context: Mapping[str, Any], request: RawRequest
) -> bool:
    """Whether the connection is the visitor's own; a server's address would be nobody's."""
    return (
        context.get("direct") is True
        or data.get("channel") in ("web", "mobile", "client", "browser")
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
