"""Matomo's tracking API (matomo.php, once piwik.php): parameters of a query, form or bulk list →
items.

What a request means is not said in it but follows from which parameters it has; `_KINDS` is that
rule. The surprise: a visitor may come without any id. Matomo knows such a one by address and
browser for a day, and so do we. Parameters without a place stay as sent in `context.matomo`.
"""

import re
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from touchline.clock import DAY_US, US
from touchline.collect import body, time
from touchline.collect.context import cut_ip
from touchline.collect.flat import (
    DEPTH,
    Params,
    number,
    refuse,
    said,
    shared,
    size,
    taken,
    text,
    unpacked,
)
from touchline.collect.item import Batch, Item, made_id, of_one_site
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, gif
from touchline.collect.url import fields, parameters, unquoted
from touchline.collect.verdict import reason_against
from touchline.collect.visitor import uuid_of, visitor_of
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["MATOMO"]

MAX_ITEMS = 10_000
MAX_LANGUAGE = 128
MAX_PAUSE_S = 400 * 24 * 3600  # `cdo` beyond it is no waiting time

_METHODS = ("GET", "POST")
_PATHS = ("/matomo.php", "/piwik.php", "/{}/matomo.php", "/{}/piwik.php")
_IS_JSON = re.compile(rb"\s*[\[{]|\xef\xbb\xbf|\x1f\x8b")
_REFUSED = "token_auth"  # opens the sender's Matomo, so it goes no further
_DIMENSION = re.compile(r"dimension\d{1,4}", re.ASCII)
_CELLS = ("sku", "name", "category", "price", "quantity")
_PRODUCT = {"_pks": "sku", "_pkn": "name", "_pkc": "category", "_pkp": "price"}
_LOCATION = {
    "country": "country",
    "region": "region",
    "city": "city",
    "lat": "latitude",
    "long": "longitude",
}
_NUMBERS = frozenset(("value", "revenue", "subtotal", "tax", "shipping", "discount", "count"))
_EVENT = {"e_c": "category", "e_a": "action", "e_n": "label", "e_v": "value"}
_AMOUNTS = {"ec_st": "subtotal", "ec_tx": "tax", "ec_sh": "shipping", "ec_dt": "discount"}
# Campaign parameters of a page address, and what context.campaign calls them.
_CAMPAIGN = {
    "campaign": "name",
    "kwd": "term",
    "keyword": "term",
    "source": "source",
    "medium": "medium",
    "content": "content",
    "cid": "id",
    "group": "ad_group",
    "placement": "placement",
}
_OF_CAMPAIGN = re.compile(r"(?:mtm|matomo|pk|piwik)_([a-z]+)")
_encode = msgspec.json.Encoder(order="sorted").encode


class Kind(Struct, frozen=True):
    """What a request is that has the parameter `mark`.

    `name`: what the event is called, unless a parameter says it. `only`: the value of `mark`.
    """

    mark: str
    name: str
    fields: dict[str, str]
    named_by: str | None = None
    only: str | None = None
    needs: str | None = None


# The first that fits is what the request means; when none does, it is a page view.
_KINDS = (
    Kind("ping", "ping", {}, only="1"),
    Kind(
        "idgoal",
        "Order Completed",
        {"ec_id": "order_id", "revenue": "revenue", **_AMOUNTS},
        only="0",
        needs="ec_id",
    ),
    # What lies in a cart is not income: it must not be called revenue.
    Kind("idgoal", "Cart Updated", {"revenue": "value", **_AMOUNTS}, only="0"),
    Kind("idgoal", "Goal", {"idgoal": "goal_id", "revenue": "revenue"}, named_by="idgoal"),
    Kind("e_c", "Event", _EVENT, named_by="e_a"),
    Kind("e_a", "Event", _EVENT, named_by="e_a"),
    Kind(
        "c_n",
        "Content Interaction",
        {"c_n": "content_name", "c_p": "piece", "c_t": "target", "c_i": "interaction"},
        needs="c_i",
    ),
    Kind("c_n", "Content Impression", {"c_n": "content_name", "c_p": "piece", "c_t": "target"}),
    Kind(
        "search",
        "Site Search",
        {"search": "query", "search_cat": "category", "search_count": "count"},
    ),
    Kind("download", "Download", {"download": "url"}),
    Kind("link", "Outlink", {"link": "url"}),
    Kind("ma_id", "Media", {}),
    Kind("fa_vid", "Form", {}, needs="ca"),
    Kind("cra", "Crash", {"cra": "message"}),
    Kind("ca", "Custom Action", {}, only="1"),
)


def read(request: RawRequest) -> Batch:
    calls = _calls(request)
    sites = [text(call, "idsite") if type(call) is dict else None for call in calls]
    site = next(filter(None, sites), None)
    items = [_item(call, index, request) for index, call in enumerate(calls)]
    return Batch(f"matomo:{site}" if site else None, of_one_site(items, sites, site))


def _calls(request: RawRequest) -> list[Any]:
    """The parameters of each call; what stands in a bulk list instead of some is left as it is."""
    query = fields(request.query.encode("latin-1", "replace"))
    if not _is_bulk(request):
        if len(request.body) > body.MAX_BODY:
            raise BadInput("body_too_large", limit=body.MAX_BODY)
        return [body.cleaned({**fields(request.body), **query})]
    value = body.load(request.body)
    if type(value) is dict:
        value = value.get("requests")
    if type(value) is not list:
        raise BadInput("unreadable_body", why="no list named requests")
    if len(value) > MAX_ITEMS:
        raise BadInput("body_too_large", limit=body.MAX_BODY)
    return shared([_listed(call) for call in value], "idsite", query.get("idsite"))


def _is_bulk(request: RawRequest) -> bool:
    return _IS_JSON.match(request.body) is not None


def _listed(call: Any) -> Any:
    if type(call) is not str:
        return call
    head, mark, tail = call.partition("?")
    query = tail if mark and "=" not in head else call
    return body.cleaned(fields(query.encode("utf-8", "replace")))


def _item(call: Any, index: int, request: RawRequest) -> Item:
    own_id = made_id(request, index)
    if type(call) is not dict:
        body.is_shallow(call)
        return Item(own_id, "", "not_an_object", {"item": call})
    call.pop(_REFUSED, None)
    if not body.is_shallow(call, DEPTH):
        return Item(own_id, "", "too_deep", call)
    # A tracker that numbers page views and requests at random says by it which two are one; a
    # number alone may be written into a page or a mail that everybody gets.
    if call.get("pv_id") and (call.get("rand") or call.get("r")) and "cdo" not in call:
        own_id = blake2b(_encode(call), digest_size=16).hexdigest()
    data = _data(call, request)
    return Item(own_id, data["type"], reason_against(data, own_id), data)


def _data(call: Params, request: RawRequest) -> dict[str, Any]:
    left = {name: value for name, value in call.items() if value not in ("", None)}
    kind = next((kind for kind in _KINDS if _fits(kind, left)), None)
    timestamp = _timestamp(left, request)
    properties = _properties(kind, left)
    data: dict[str, Any] = {"type": "page", "properties": properties}
    if kind is not None:
        data |= {"type": "track", "event": _name(kind, call)}
    user, forced, own = (taken(left, name) for name in ("uid", "cid", "_id"))
    if forced and own and own != forced:
        left["_id"] = own
    if user:
        data["userId"] = user
    if forced or own:
        data["anonymousId"] = forced or own
    elif not user:
        data["anonymousId"] = _visitor(call, request, timestamp)
    if timestamp is not None:
        data["timestamp"] = timestamp
    data["context"] = _context(left, request)
    return data


def _fits(kind: Kind, left: Params) -> bool:
    value = text(left, kind.mark)
    if value is None or (kind.needs and text(left, kind.needs) is None):
        return False
    return kind.only is None or value == kind.only


def _name(kind: Kind, call: Params) -> str:
    own = text(call, kind.named_by) if kind.named_by else None
    if kind.mark == "idgoal" and own:
        return f"{kind.name} {own}"
    return own or kind.name


def _properties(kind: Kind | None, left: Params) -> dict[str, Any]:
    found: dict[str, Any] = {name: left.pop(name) for name in list(left) if _DIMENSION.match(name)}
    if kind is None:
        product = {word: left.pop(name) for name, word in _PRODUCT.items() if name in left}
        if "category" in product:
            product["category"] = _parsed(product["category"])
        return {**found, "product": product} if product else found
    for name, word in kind.fields.items():
        if (value := taken(left, name)) is not None:
            found[word] = number(value) if word in _NUMBERS else value
    if kind.mark == "idgoal" and "ec_items" in left:
        rows = _parsed(left["ec_items"])
        if type(rows) is list and all(type(row) is list for row in rows):
            found["products"] = [_product(row) for row in rows]
            del left["ec_items"]
    return found


def _product(row: list[Any]) -> dict[str, Any]:
    product: dict[str, Any] = dict(zip(_CELLS, row, strict=False))
    return {**product, "more": row[len(_CELLS) :]} if len(row) > len(_CELLS) else product


def _timestamp(left: Params, request: RawRequest) -> Any:
    """`cdt`, or now, less the seconds that the request has waited at the sender (`cdo`)."""
    stated, waited = taken(left, "cdt"), text(left, "cdo")
    if waited is None or not waited.isascii() or not waited.lstrip("-").isdigit():
        return stated
    at = request.received_us if stated is None else time.parse(stated)
    if at is None or len(waited) > 10 or abs(int(waited)) > MAX_PAUSE_S:
        return stated
    del left["cdo"]
    return at - abs(int(waited)) * US


def _visitor(call: Params, request: RawRequest, timestamp: Any) -> str:
    """Known by address and browser for a day; a server that tells of its visitors says theirs."""
    site = f"matomo:{text(call, 'idsite')}"
    about = [text(call, name) or "" for name in ("ua", "lang", "res")]
    address = cut_ip(call.get("cip"))
    if address is None and not about[0]:
        return visitor_of(request, site)
    at = time.parse(timestamp)
    day = (request.received_us if at is None else at) // DAY_US
    return uuid_of(site, str(day), address or request.ip or "", *about)


def _context(left: Params, request: RawRequest) -> dict[str, Any]:
    # Only the single call speaks of the page it came from; a list would multiply its address.
    asked_from = None if _is_bulk(request) else request.headers.get("referer")
    url = taken(left, "url") or asked_from
    page = {"url": url, "referrer": taken(left, "urlref"), "title": taken(left, "action_name")}
    found: dict[str, Any] = {
        "page": said(page),
        "campaign": _campaign(url),
        "locale": taken(left, "lang") or request.headers.get("accept-language", "")[:MAX_LANGUAGE],
        "userAgent": taken(left, "ua"),
        "userAgentData": _parsed(left.pop("uadata", None)),
        "ip": taken(left, "cip"),
        "location": {word: left.pop(name) for name, word in _LOCATION.items() if name in left},
        "screen": size(left, "res"),
    }
    for name in ("cvar", "_cvar"):
        if name in left:
            left[name] = _parsed(left[name])
    return said(found) | {"matomo": left}


def _campaign(url: str | None) -> dict[str, str]:
    """Matomo's own campaign parameters of an address; UTM is read from it later by everyone."""
    found: dict[str, str] = {}
    if url and ("mtm_" in url or "pk_" in url or "matomo_" in url or "piwik_" in url):
        for name, value in parameters(url):
            own = _OF_CAMPAIGN.fullmatch(name)
            if own and (word := _CAMPAIGN.get(own[1])):
                found.setdefault(word, unquoted(value))
    return body.cleaned(found)


def _parsed(value: Any) -> Any:
    """The JSON in a text, or the value as it is. Never base64: a sku may look like it."""
    if type(value) is str and value[:1] not in ("{", "["):
        return value
    found = unpacked(value)
    return value if found is None else found


def answer(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    if _is_bulk(request):
        invalid = [i for i, verdict in enumerate(verdicts) if verdict.status == "rejected"]
        told: dict[str, Any] = {
            "status": "success",
            "tracked": len(verdicts) - len(invalid),
            "invalid": len(invalid),
        }
        return Answer(200, _encode({**told, "invalid_indices": invalid} if invalid else told))
    sent = fields(request.body) | fields(request.query.encode("latin-1", "replace"))
    return Answer(204) if sent.get("send_image") == "0" else gif()


MATOMO = Protocol(
    name="matomo",
    routes=tuple(map(partial(Route, methods=_METHODS), _PATHS)),
    read=read,
    answer=answer,
    refuse=refuse,
    names_visitors="day",
)
