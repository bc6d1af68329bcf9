"""Short links: a code stands for a page and a campaign; a click leads there, labelled.

Where a link leads was decided when it was made: nothing in a request can change the page, only add
parameters (click ids) that page and link do not have. Addresses are kept in ASCII, as a `Location`
header needs them; what is written in Chinese is encoded, what is encoded stays as it is.
"""

import ipaddress
import re
from collections.abc import Iterator
from itertools import islice
from typing import NoReturn
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from touchline.collect.campaign import Labels, label_text, linked
from touchline.collect.url import parameters, unquoted
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS, Identifier

__all__ = ["CODE", "FIELDS", "Link", "address", "checked_url", "labels_from"]

# What a link says of its campaign, and the parameter that says it to the page.
FIELDS = LABEL_FIELDS[1:]
_PARAMETER = {name: f"utm_{name}" for name in FIELDS} | {"ad_group": "utm_adgroup"}

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{1,63}")
MAX_URL = 4096
MAX_PASSED = 2048  # characters of a click's own query
MAX_PARTS = 50

_PATH = "/%:@!$&'()*+,;=~-._"
_QUERY = _PATH + "?"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Link(Struct, frozen=True, kw_only=True):
    """A link as a visitor meets it. `person`: whom alone it was made for."""

    code: str
    target: str
    labels: Labels
    channel: str | None = None
    label: str | None = None
    expires_us: int | None = None
    person: Identifier | None = None


def checked_url(text: str) -> str:
    """A whole http or https address, in ASCII. Raises BadInput("bad_url") for all else.

    A user name before the host is refused, since it is there to make one host look like another.
    """
    text = text.strip()
    if not text.isprintable() or "\\" in text or len(text) > MAX_URL:
        _refuse(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        _refuse(text)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        _refuse(text)
    host = _host(host, text) + (f":{port}" if port is not None else "")
    whole = f"{parts.scheme}://{host}{quote(parts.path or '/', safe=_PATH)}"
    # An empty query or fragment says nothing.
    whole += f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
    whole += f"#{quote(parts.fragment, safe=_QUERY)}" if parts.fragment else ""
    return whole if len(whole) <= MAX_URL else _refuse(text)


def _host(host: str, text: str) -> str:
    if ":" in host and "%" not in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            _refuse(text)
    try:
        plain = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        _refuse(text)
    is_name = len(plain) <= 253 and all(map(_LABEL.fullmatch, plain.split(".")))
    return plain if is_name else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise BadInput("bad_url", url=ascii(text[:120]))


def labels_from(given: dict[str, str | None], target: str) -> Labels:
    """What is said of a campaign, by whoever makes a link or else by the parameters of its page.

    Raises BadInput("labels_differ") when the two say different things: a click would be counted
    under one name and the visit it leads to under the other.
    """
    own = {name: label_text(value) for name, value in given.items() if name in FIELDS}
    there = linked(target) or Labels()
    for name in FIELDS:
        said = getattr(there, name)
        if own.get(name) is None:
            own[name] = said
        elif said is not None and own[name] != said:
            raise BadInput("labels_differ", name=_PARAMETER[name], own=own[name], linked=said)
    return Labels(**own)


def address(target: str, labels: Labels, query: str = "") -> str:
    """Where a click leads: the page, what the link says as `utm_…`, and what the click brought.

    Whatever the page's address says already stays and is said once.
    """
    head, mark, fragment = target.partition("#")
    added = [*_said(labels, target), *_brought(query, target, labels)]
    if not added:
        return target
    joint = "" if head.endswith(("?", "&")) else "&" if "?" in head else "?"
    return f"{head}{joint}{'&'.join(added)}{mark}{fragment}"


def _said(labels: Labels, target: str) -> Iterator[str]:
    there = linked(target) or Labels()
    for name, value in msgspec.structs.asdict(labels).items():
        if value and getattr(there, name) is None:
            yield f"{_PARAMETER[name]}={quote(value, safe='')}"


def _brought(query: str, target: str, labels: Labels) -> Iterator[str]:
    """Parameters of a click, such as the click id that an ad system hung on; none said twice."""
    taken = {name for name, _ in parameters(target)}
    taken |= {_PARAMETER[name] for name in FIELDS if getattr(labels, name)}
    for part in islice(query[:MAX_PASSED].split("&"), MAX_PARTS):
        name, equals, value = part.partition("=")
        if equals and value and unquoted(name).lower() not in taken:
            yield quote(part.encode("latin-1", "replace"), safe=_QUERY)
