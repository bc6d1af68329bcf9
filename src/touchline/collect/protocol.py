"""What a wire protocol is to the collector: where it is spoken, how it is read, what its clients
want to hear.

A protocol turns a request into items in the form of the Segment API (see `segment`), which is the
one form that verdicts, events and the store know: what has no place there goes under
`properties` or `context` as it was sent, and nothing is thrown away.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.collect.item import Batch
from touchline.collect.link import Link
from touchline.collect.mail import Signer
from touchline.collect.site import Site
from touchline.collect.visitor import Period
from touchline.errors import BadInput, Denied, NotFound, TooMany, TouchlineError, Unavailable
from touchline.model import Identifier, RawRequest

__all__ = [
    "GIF",
    "Answer",
    "Defined",
    "Guide",
    "Led",
    "Protocol",
    "Route",
    "Verdict",
    "gif",
    "in_json",
    "refusal",
    "status_of",
]

RETRY_AFTER_S = 1
JSON = b"application/json; charset=utf-8"
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


class Verdict(Struct, frozen=True, gc=False):
    """What a sender is told of one item."""

    message_id: str
    status: Literal["stored", "duplicate", "rejected"]
    reason: str | None = None


class Answer(Struct, frozen=True, gc=False):
    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def gif() -> Answer:
    """The 1x1 image a pixel is answered with; nobody may keep it, or the next one is not sent."""
    return Answer(200, GIF, b"image/gif", ((b"cache-control", b"no-store"),))


def in_json(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))


_STATUS = {"body_too_large": 413, "too_slow": 408}


def status_of(error: TouchlineError) -> int:
    """The HTTP status of an error at a collection path."""
    if isinstance(error, Denied):
        return 401
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Unavailable):
        return 429 if isinstance(error, TooMany) else 503
    return _STATUS.get(error.code, 400)


def refusal(error: TouchlineError, body: bytes) -> Answer:
    """An error as JSON of its client's kind, and when to come again if that helps."""
    after = b"%d" % error.params.get("after", RETRY_AFTER_S)
    more = ((b"retry-after", after),) if isinstance(error, Unavailable) else ()
    return Answer(status_of(error), body, headers=more)


class Route(Struct, frozen=True):
    """A path, in which `{}` stands for one segment, and the methods it takes.

    `tells`: the route collects nothing and answers at once (a client's settings). Else the request
    is read, logged and answered when it is on disk. Its request says where the
    client reached us: `host`, `x-forwarded-proto`.
    """

    path: str
    methods: tuple[str, ...] = ("POST",)
    tells: Callable[[RawRequest], Answer] | None = None


class Defined(Struct, frozen=True, kw_only=True):
    """How a protocol is spoken that a site's own definitions make up.

    `source`: under whose name a path is received, known before anything is read. It raises NotFound
    for what nobody defined. `admit` gets a request with all its headers and gives it as it is to be
    logged: its `source` named, secrets and other headers taken off. It raises Denied for a sender
    that does not know the secret; an Answer is all there is to say, and nothing is logged. `read`
    and `answer` are those of a protocol, and `show` answers what is only looked at.
    """

    source: Callable[[str, Site], str]
    admit: Callable[[RawRequest, Site], "RawRequest | Answer"]
    read: Callable[[RawRequest, Site], Batch]
    answer: Callable[[RawRequest, Sequence[Verdict], Site], Answer]
    show: Callable[[RawRequest, Site], Answer] | None = None


def _by_site(_: RawRequest) -> Batch:
    raise BadInput("unreadable_body", why="nothing is known of its site")


class Guide(Struct, frozen=True):
    """What the collector knows that leads visitors: a link by its code, who a node is, the key of
    mails. The first two raise Unavailable while State cannot be read. `keeps_visitors`: who comes
    without a cookie is given one.
    """

    link: Callable[[str], Awaitable[Link | None]]
    identifier: Callable[[bytes], Awaitable[Identifier | None]]
    signer: Signer
    keeps_visitors: bool = True


class Led(Struct, frozen=True):
    """What a visitor gets, and the request as it is to be logged, its `source` named."""

    answer: Answer
    request: RawRequest | None = None


class Protocol(Struct, frozen=True, kw_only=True):
    """One wire protocol.

    `read` raises BadInput("unreadable_body" or "body_too_large") for a request nobody can read;
    what is wrong with an item is its `reason`. The batch's `write_key` is whatever the protocol
    calls a site, as `name:value` (`matomo:1`), unless it is a write key itself. `answer` gets one
    verdict an item. `refuse` says what its clients hear of an error, where that is not our usual
    JSON. `has_our_keys`: a write key may stand in the headers Authorization or X-Write-Key, or in
    the query. `names_visitors`: its clients keep no id, so each request is given the name of its
    visitor for such a time (see `visitor`). With `defined`, that is how it is spoken.

    `leads`: its clients are visitors on their way to a page, not trackers. It gets their request
    with cookies; they are led on whatever becomes of what is logged, and HEAD logs nothing.
    """

    name: str
    routes: tuple[Route, ...]
    read: Callable[[RawRequest], Batch] = _by_site
    answer: Callable[[RawRequest, Sequence[Verdict]], Answer] = lambda _, __: Answer()
    refuse: Callable[[TouchlineError], Answer | None] = lambda _: None
    has_our_keys: bool = False
    names_visitors: Period | None = None
    defined: Defined | None = None
    leads: Callable[[RawRequest, Guide], Awaitable[Led]] | None = None
