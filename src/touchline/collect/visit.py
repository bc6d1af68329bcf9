"""A person who follows a link → the way on, the cookie they keep, and the item logged of it.

They are led on whatever becomes of the item: nothing was promised to them.

The visitor is known by the tracker's own first-party cookie, which is set here when there is none,
so that the click and the page views behind it are one visitor's. Who asked not to be tracked (DNT,
GPC, a consent taken back) gets no cookie and is named for a day; then the click is a touch of
nobody known, also on a link made for one person.
"""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from touchline.collect.body import load
from touchline.collect.campaign import Labels
from touchline.collect.item import Batch, Item, made_id
from touchline.collect.link import address
from touchline.collect.notice import notice
from touchline.collect.preview import preview
from touchline.collect.protocol import Answer, Guide, Led
from touchline.collect.segment import of_one
from touchline.collect.url import registrable
from touchline.collect.visitor import COOKIE, GOOD_ID, cookie, visitor_of
from touchline.errors import TouchlineError, Unavailable
from touchline.model import Identifier, RawRequest

__all__ = [
    "Lead",
    "Visit",
    "followed",
    "item_of",
    "logged",
    "named",
    "not_kept",
    "read",
    "refuse",
    "visit",
]

Call = dict[str, Any]

# Each click is to be seen, and no robot needs to find it.
_ON_THE_WAY = ((b"cache-control", b"no-store"), (b"x-robots-tag", b"noindex"))


class Visit(NamedTuple):
    """Who comes: `cookie` is to be set; a `private` one is not to be known. `is_known`: by the
    cookie of an earlier visit.
    """

    anonymous_id: str
    cookie: bytes | None = None
    is_private: bool = False
    is_known: bool = False


def visit(request: RawRequest, target: str, *, keeps_visitors: bool = True) -> Visit:
    """Who follows a link to `target`, by the headers of the request."""
    headers = request.headers
    cookies = _cookies(headers.get("cookie", ""))
    is_private = (
        headers.get("dnt") == "1"
        or headers.get("sec-gpc") == "1"
        or cookies.get("tl_consent") == "off"
    )
    if is_private or not keeps_visitors:
        return Visit(visitor_of(request, request.source), is_private=is_private)
    known = cookies.get(COOKIE, "")
    if GOOD_ID.fullmatch(known):
        return Visit(known, is_known=True)
    made = str(uuid.uuid4())
    is_secure = headers.get("x-forwarded-proto", "") == "https"
    return Visit(made, cookie(made, _shared_domain(headers, target), is_secure=is_secure))


class Lead(NamedTuple):
    """Where a link leads and what following it means. `person`: whom it was made for."""

    event: str
    target: str
    labels: Labels
    person: Identifier | None
    about: Call


def followed(request: RawRequest, lead: Lead, guide: Guide) -> Led:
    """The way on, and the request as it is to be logged.

    What a program fetched (see `preview`) is kept as `Link Previewed`: no touch, and nobody's.
    """
    to = address(lead.target, lead.labels, request.query)
    if why := preview(request.user_agent, request.headers):
        about = {**lead.about, "channel": None, "reason": why}
        item = item_of(request, "Link Previewed", visitor_of(request, request.source), about, {})
        return Led(_sent_on(to), logged(request, item))
    come = visit(request, lead.target, keeps_visitors=guide.keeps_visitors)
    page = {"url": to, "referrer": request.headers.get("referer")}
    context: Call = {"page": {name: value for name, value in page.items() if value}}
    if campaign := _campaign(lead.labels):
        context["campaign"] = campaign
    about = {"touchpoint": True, **lead.about, "url": to}
    item = item_of(request, lead.event, come.anonymous_id, about, context)
    item = named(item, None if come.is_private else lead.person)
    return Led(_sent_on(to, come.cookie), logged(request, item))


def item_of(
    request: RawRequest, event: str, anonymous_id: str, properties: Call, context: Call
) -> Call:
    """A track call of Segment's API."""
    agent = {"userAgent": request.user_agent} if request.user_agent else {}
    return {
        "event": event,
        "anonymousId": anonymous_id,
        "channel": "web",
        "properties": {name: value for name, value in properties.items() if value is not None},
        "context": {**context, **agent},
    }


def named(item: Call, person: Identifier | None) -> Call:
    """The item as that person's."""
    if person is None:
        return item
    if person.type == "user_id":
        return {**item, "userId": person.value}
    traits = {person.type: person.value}
    return {**item, "context": {**item["context"], "traits": traits}}


def logged(request: RawRequest, item: Call) -> RawRequest:
    """The request as it goes to the log: all that is known of it stands in its body."""
    body = msgspec.json.encode(item)
    return msgspec.structs.replace(request, body=body, query="", headers={})


def not_kept(request: RawRequest, why: Mapping[str, int]) -> RawRequest:
    """What is logged of visits like `request` that could not be kept: how many, by the code why."""
    body = msgspec.json.encode({"not_kept": sum(why.values()), "why": why})
    return msgspec.structs.replace(request, body=body, user_agent=None, ip=None)


def read(request: RawRequest) -> Batch:
    """What `logged` or `not_kept` made, taken apart."""
    value = load(request.body)
    if type(value) is dict and "not_kept" in value:
        return Batch(None, [Item(made_id(request, 0), "", "not_kept", value)])
    return of_one(value, "t", request)


def refuse(error: TouchlineError) -> Answer:
    """A visitor reads a page, not JSON."""
    return notice(503 if isinstance(error, Unavailable) else 404, "en")


def _sent_on(to: str, cookie: bytes | None = None) -> Answer:
    kept = ((b"set-cookie", cookie),) if cookie else ()
    return Answer(302, b"", b"text/plain", (*_ON_THE_WAY, (b"location", to.encode("ascii")), *kept))


def _campaign(labels: Labels) -> dict[str, str]:
    said = {name: value for name, value in msgspec.structs.asdict(labels).items() if value}
    return {("name" if name == "campaign" else name): value for name, value in said.items()}


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}


def _shared_domain(headers: dict[str, str], target: str) -> str:
    """The domain that this server and the page have in common; empty when there is none.

    A browser refuses a domain that is nobody's own, such as `github.io`; then nothing is kept.
    """
    place = headers.get("x-forwarded-host") or headers.get("host", "")
    try:
        here, there = (urlsplit(url).hostname or "" for url in (f"//{place}", target))
    except ValueError:
        return ""
    shared = registrable(here)
    is_name = "." in shared and not shared.replace(".", "").isdigit() and ":" not in shared
    return shared if is_name and shared == registrable(there) else ""
