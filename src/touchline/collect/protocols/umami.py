"""Umami's send API: one or many `{type, payload}` → items in Segment's form.

Its clients keep nothing in the browser: the visitor is the one the collector names for a month (see
`visitor`), as Umami does it. The surprise is the token each answer carries. While a page lives its
script sends it back, and it says whose visit this is: so a visitor who changes networks in between
stays one. It is not signed, since whoever may send events may call a visitor what he likes.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from touchline.collect import body
from touchline.collect.context import plain_text
from touchline.collect.flat import said
from touchline.collect.item import Batch, Item, check_share, made_id, of_one_site
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, in_json
from touchline.collect.verdict import reason_against
from touchline.collect.visitor import uuid_of, visitor_of
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["UMAMI"]

HOUR_US = 3_600_000_000
IDLE_S = 1800
TYPES = ("event", "identify", "performance", "engagement", "error")
SITES = ("website", "link", "pixel")
MEASURED = ("lcp", "inp", "cls", "fcp", "ttfb", "engagement")
# Fields of a payload that have a place; each other one is kept under `umami` in the context.
_PLACED_WORDS = """
website link pixel lcp inp cls fcp ttfb engagement data hostname language referrer screen title url
name id ip userAgent timestamp browser os device
"""
PLACED = frozenset(_PLACED_WORDS.split())
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = re.compile(rf"({_UUID})\.({_UUID})\.(\d{{1,12}})", re.ASCII)
_TWICE, _ONCE = re.compile("%25[0-9A-Fa-f]{2}"), re.compile("%(?!25)")
_SCREEN = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)


class Visit(NamedTuple):
    """Ids in Umami's words: its session is a visitor's month, its visit what is a session here."""

    session: str
    visit: str
    seen_s: int


def _read(request: RawRequest) -> Batch:
    calls = _calls(request)
    sites = [_site_of(call) for call in calls]
    site = next(filter(None, sites), None)
    items = [_item(call, index, site or "", request) for index, call in enumerate(calls)]
    return Batch(f"umami:{site}" if site else None, of_one_site(items, sites, site))


def _calls(request: RawRequest) -> list[Any]:
    whole = body.load(request.body)
    if request.path == BATCH:
        if type(whole) is not list:
            raise BadInput("unreadable_body", why="not a list")
        check_share({}, len(whole))
        return whole
    if type(whole) is not dict:
        raise BadInput("unreadable_body", why="not an object")
    return [whole]


def _site_of(call: Any) -> str | None:
    payload = call.get("payload") if type(call) is dict else None
    if type(payload) is not dict:
        return None
    return next((text for name in SITES if (text := plain_text(payload.get(name)))), None)


def _visit(request: RawRequest, site: str, payload: dict[str, Any]) -> Visit:
    """Whose visit this is of: by the token, else by the name of the visitor."""
    now_s = request.received_us // 1_000_000
    told = [plain_text(payload.get(name)) for name in ("ip", "userAgent")]
    # Older scripts send the whole answer back.
    token = _TOKEN.search(request.headers.get("x-umami-cache", ""))
    if any(told):
        # A server speaks for many visitors, and says whose turn it is.
        token, session = None, uuid_of(visitor_of(request, f"umami:{site}"), *map(str, told))
    else:
        session = token[1] if token else visitor_of(request, f"umami:{site}")
    if token and 0 <= now_s - int(token[3]) <= IDLE_S:
        return Visit(session, token[2], now_s)
    return Visit(session, uuid_of(session, str(request.received_us // HOUR_US)), now_s)


def _item(call: Any, index: int, site: str, request: RawRequest) -> Item:
    own_id = made_id(request, index)
    payload = call.get("payload") if type(call) is dict else None
    if type(payload) is not dict:
        body.is_shallow(call)
        return Item(own_id, "", "not_an_object", {"item": call})
    visit = _visit(request, site, payload)
    called, name = call.get("type"), payload.get("name")
    followed = next((kind for kind in ("link", "pixel") if payload.get(kind)), None)
    kind = "identify" if called == "identify" else "track"
    if called == "event" and name in (None, "") and followed is None:
        kind = "page"
    if called not in TYPES:
        kind = plain_text(called) or ""
    data = {
        "type": kind,
        "anonymousId": visit.session,
        "userId": payload.get("id"),
        "channel": "web",
        "timestamp": payload.get("timestamp"),
        "context": _context(payload, call, visit),
    }
    if kind == "identify":
        data["traits"] = _object(payload)
    else:
        measured = {key: payload.get(key) for key in MEASURED}
        data["properties"] = {**said(measured), **_object(payload)}
    if kind == "track":
        data["event"] = called if called != "event" else name or followed
    data = {key: value for key, value in data.items() if value is not None}
    return Item(own_id, kind, reason_against(data, own_id), data)


def _object(payload: dict[str, Any]) -> dict[str, Any]:
    """What the site says of the event or the visitor; a list or text is kept under its name."""
    data = payload.get("data")
    if type(data) is dict:
        return data
    return {} if data is None else {"data": data}


def _context(payload: dict[str, Any], call: dict[str, Any], visit: Visit) -> dict[str, Any]:
    screen = plain_text(payload.get("screen"))
    size = _SCREEN.fullmatch(screen) if screen else None
    host = plain_text(payload.get("hostname"))
    rest = {key: value for key, value in payload.items() if key not in PLACED}
    more = {key: value for key, value in call.items() if key not in ("type", "payload")}
    own = {"screen": payload.get("screen") if size is None else None, "hostname": host, **rest}
    return said(
        {
            "page": said(
                {
                    "url": _absolute(payload.get("url"), host),
                    "referrer": _absolute(payload.get("referrer"), host),
                    "title": _decoded(payload.get("title")),
                }
            ),
            "screen": {"width": int(size[1]), "height": int(size[2])} if size else None,
            "locale": payload.get("language"),
            "ip": payload.get("ip"),
            "userAgent": payload.get("userAgent"),
            "browser": payload.get("browser"),
            "os": payload.get("os"),
            # Umami's word for its kind (mobile, desktop …), not an id of one.
            "device": said({"type": payload.get("device")}),
            "umami": said({**own, **more, "visit_id": visit.visit}),
        }
    )


def _absolute(url: Any, host: str | None) -> Any:
    """An address with its host: older scripts leave it out, and percent-encode it once more."""
    if type(url) is str and _TWICE.search(url) and not _ONCE.search(url):
        url = url.replace("%25", "%")
    if type(url) is str and host and url.startswith("/") and not url.startswith("//"):
        return f"https://{host}{url}"
    return url


def _decoded(title: Any) -> Any:
    """A title as it is read: older scripts percent-encode it."""
    return unquote(title) if type(title) is str else title


def _answer(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    if request.path == BATCH:
        return _of_batch(request, verdicts)
    (verdict,) = verdicts
    if verdict.status == "rejected":
        told = {"message": "Bad request", "code": verdict.reason, "status": 400}
        return in_json({"error": told}, 400)
    return in_json(_told(request))


def _of_batch(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    wrong = [
        {"index": index, "response": {"error": {"message": "Bad request", "code": verdict.reason}}}
        for index, verdict in enumerate(verdicts)
        if verdict.status == "rejected"
    ]
    processed = len(verdicts) - len(wrong)
    told = {"size": len(verdicts), "processed": processed, "errors": len(wrong), "details": wrong}
    return in_json({**told, "cache": _told(request)["cache"]})


def _told(request: RawRequest) -> dict[str, str]:
    """The token, for the first call of a request."""
    calls = _calls(request)
    site = next(filter(None, map(_site_of, calls)), None)
    payload = calls[0].get("payload") if calls and type(calls[0]) is dict else None
    of = payload if type(payload) is dict else {}
    session, visit, seen_s = _visit(request, site or "", of)
    return {"cache": f"{session}.{visit}.{seen_s}", "sessionId": session, "visitId": visit}


BATCH = "/api/batch"
UMAMI = Protocol(
    name="umami",
    routes=(Route("/api/send"), Route(BATCH)),
    read=_read,
    answer=_answer,
    names_visitors="month",
)
