"""Plausible's events API: one event → one item in Segment's form.

Its clients keep nothing in the browser and send no id, so the visitor is the one the collector
names for a day (see `visitor`), as Plausible does it. A page view is sent when it begins and told
how long it was read when it ends, as an event of its own.
"""

from collections.abc import Sequence
from typing import Any

from touchline.collect import body
from touchline.collect.flat import said
from touchline.collect.item import Batch, Item, made_id
from touchline.collect.protocol import Answer, Protocol, Route, Verdict
from touchline.collect.url import host_and_path
from touchline.collect.verdict import reason_against
from touchline.collect.visitor import visitor_of
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["PLAUSIBLE"]

VIEW = "pageview"
# Each field under its name of one letter, as scripts send it, or in full, as servers do.
NAMES = {
    "name": ("n", "name"),
    "url": ("u", "url"),
    "domain": ("d", "domain"),
    "referrer": ("r", "referrer"),
    "props": ("p", "props", "m", "meta"),
    "revenue": ("$", "revenue"),
    "version": ("v", "version"),
    "engagement_ms": ("e", "engagement_time"),
    "scroll_depth": ("sd", "scroll_depth"),
    "interactive": ("i", "interactive"),
    "width": ("w", "screen_width", "screenWidth"),
    "hash_mode": ("h", "hashMode"),
}


def _read(request: RawRequest) -> Batch:
    whole = body.load(request.body)
    if type(whole) is not dict:
        raise BadInput("unreadable_body", why="not an object")
    given = {name: _taken(whole, spellings) for name, spellings in NAMES.items()}
    sites, url = given.pop("domain"), given["url"]
    if type(sites) is not str or not sites.strip():
        sites = host_and_path(url if type(url) is str else None)[0] or ""
    # A page that reports to several sites is one visit here: the first of them has it.
    site = sites.partition(",")[0].strip().removeprefix("www.")
    if "," in sites:
        whole["domain"] = sites
    name = given.pop("name")
    kind = "page" if name == VIEW else "track"
    data = {
        "type": kind,
        "anonymousId": visitor_of(request, f"plausible:{site}"),
        "channel": "web",
        "properties": _properties(given),
        "context": _context(given, whole),
    }
    if kind == "track":
        data["event"] = name
    own_id = made_id(request, 0)
    item = Item(own_id, kind, reason_against(data, own_id), data)
    return Batch(f"plausible:{site}" if site else None, [item])


def _taken(whole: dict[str, Any], spellings: Sequence[str]) -> Any:
    """The value under the first spelling that has one; others stay where they are."""
    for name in spellings:
        if whole.get(name) is not None:
            return whole.pop(name)
    return None


def _properties(given: dict[str, Any]) -> Any:
    """What the site says of the event, and what the script measured beside it."""
    props = given["props"]
    if type(props) is str:
        # The older script sends the object as text.
        try:
            props = body.load_text(props)
        except BadInput:
            props = {"props": props}
    if props is not None and type(props) is not dict:
        props = {"props": props}
    measured = {name: given[name] for name in ("engagement_ms", "scroll_depth", "interactive")}
    return {**said(measured), **(props or {}), **_money(given["revenue"])}


def _money(revenue: Any) -> dict[str, Any]:
    if type(revenue) is not dict:
        return {} if revenue is None else {"revenue": revenue}
    known = {"revenue": revenue.get("amount"), "currency": revenue.get("currency")}
    rest = {key: revenue[key] for key in revenue if key not in ("amount", "currency")}
    return said({**known, "revenue_details": rest})


def _context(given: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    """The page and the script; what no name is known for stays as it was sent."""
    return said(
        {
            "page": said({"url": given["url"], "referrer": given["referrer"]}),
            "library": said({"name": "plausible", "version": given["version"]}),
            "screen": said({"width": given["width"]}),
            "plausible": said({"hash_mode": given["hash_mode"], **rest}),
        }
    )


def _answer(_: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    dropped = any(verdict.status == "rejected" for verdict in verdicts)
    more = ((b"x-plausible-dropped", b"1"),) if dropped else ()
    return Answer(202, b"ok", b"text/plain; charset=utf-8", more)


PLAUSIBLE = Protocol(
    name="plausible",
    routes=(Route("/api/event"),),
    read=_read,
    answer=_answer,
    names_visitors="day",
)
