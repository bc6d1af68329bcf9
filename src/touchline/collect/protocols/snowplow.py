"""Snowplow's tracker protocol (tp2 by POST, the pixel /i by GET) → items.

Every value is a text under a short name; what is structured inside is JSON or base64 of it. A
self-describing event is called by the name in its schema, its data are the properties; orders of
the e-commerce schemas and of `tr` become Order Completed. The surprise: a `ttm` says when it truly
was, so no clock of the sender is corrected by it. What has no place stays in `context.snowplow`.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect import body
from touchline.collect.context import plain_text
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
from touchline.collect.url import fields
from touchline.collect.verdict import message_id_of, reason_against
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["SNOWPLOW"]

MAX_ITEMS = 10_000

TP2 = "/com.snowplowanalytics.snowplow/tp2"
# A path of one's own is VENDOR/VERSION; vendors are domains backwards.
_VENDORS = ("com", "org", "net", "io", "cn", "co")
_SCHEMA = re.compile(r"iglu:([^/]{1,255})/([^/]{1,255})/[^/]*/[^/]*")
_NOBODY = "00000000-0000-0000-0000-000000000000"  # a session's user in anonymous tracking

_MINE = "com.snowplowanalytics.snowplow"
_MOBILE = "com.snowplowanalytics.mobile"
_SHOP = "com.snowplowanalytics.snowplow.ecommerce"
_SCREENS = frozenset(((_MINE, "screen_view"), (_MOBILE, "screen_view")))
_SHOP_ACTION = (_SHOP, "snowplow_ecommerce_action")
_DEVICE = {
    "deviceManufacturer": "manufacturer",
    "deviceModel": "model",
    "appleIdfv": "id",
    "appleIdfa": "advertisingId",
    "androidIdfa": "advertisingId",
}


class Kind(Struct, frozen=True):
    """An event of the letter `e`: its type and name, and where its parameters go."""

    type: str
    name: str | None = None
    fields: dict[str, str] = {}
    named_by: str | None = None


_ITEM = {
    "ti_id": "order_id",
    "ti_sk": "sku",
    "ti_nm": "name",
    "ti_ca": "category",
    "ti_pr": "price",
    "ti_qu": "quantity",
    "ti_cu": "currency",
}
_ORDER = {
    "tr_id": "order_id",
    "tr_af": "affiliation",
    "tr_tt": "revenue",
    "tr_tx": "tax",
    "tr_sh": "shipping",
    "tr_ci": "city",
    "tr_st": "state",
    "tr_co": "country",
    "tr_cu": "currency",
}
_STRUCTURED = {
    "se_ca": "category",
    "se_ac": "action",
    "se_la": "label",
    "se_pr": "property",
    "se_va": "value",
}
_PING = {"pp_mix": "min_x", "pp_max": "max_x", "pp_miy": "min_y", "pp_may": "max_y"}
_KINDS = {
    "pv": Kind("page"),
    "pp": Kind("track", "page_ping", _PING),
    "se": Kind("track", None, _STRUCTURED, named_by="se_ac"),
    "tr": Kind("track", "Order Completed", _ORDER),
    "ti": Kind("track", "transaction_item", _ITEM),
    "ue": Kind("track"),
}
_NUMBERS = frozenset(("revenue", "tax", "shipping", "price", "quantity", "value", *_PING.values()))


def read(request: RawRequest) -> Batch:
    calls = _calls(request)
    apps = [text(call, "aid") if type(call) is dict else None for call in calls]
    app = next(filter(None, apps), None)
    items = [_item(call, index, request) for index, call in enumerate(calls)]
    return Batch(f"snowplow:{app}" if app else None, of_one_site(items, apps, app))


def _calls(request: RawRequest) -> list[Any]:
    query = body.cleaned(fields(request.query.encode("latin-1", "replace")))
    if not request.body:
        return [query]
    value = body.load(request.body)
    calls = value.get("data") if type(value) is dict else None
    if type(calls) is not list:
        raise BadInput("unreadable_body", why="no list named data")
    if len(calls) > MAX_ITEMS:
        raise BadInput("body_too_large", limit=body.MAX_BODY)
    return shared(calls, "aid", query.get("aid"))


def _item(call: Any, index: int, request: RawRequest) -> Item:
    own_id = made_id(request, index)
    if type(call) is not dict:
        body.is_shallow(call)
        return Item(own_id, "", "not_an_object", {"item": call})
    if not body.is_shallow(call, DEPTH):
        return Item(own_id, "", "too_deep", call)
    data = _data(call, request)
    message_id = message_id_of(data)
    reason = reason_against(data, message_id)
    return Item(message_id or own_id, data["type"], reason, data)


def _data(call: Params, request: RawRequest) -> dict[str, Any]:
    left = {name: value for name, value in call.items() if value not in ("", None)}
    letter = text(left, "e") or ""
    kind = _KINDS.get(letter)
    entities = _entities(left)
    data: dict[str, Any] = {"type": kind.type if kind else f"snowplow:{letter}"}
    data |= _times(left)
    if "eid" in left:
        data["messageId"] = left.pop("eid")
    data |= _who(left, entities)
    context = _context(left, request, entities)
    if kind is not None:
        del left["e"]
        data |= _what(kind, left) if letter != "ue" else _described(left, entities)
    data["context"] = context | {"snowplow": left}
    return data


def _times(left: Params) -> dict[str, Any]:
    found: dict[str, Any] = {}
    created, true, sent = (taken(left, name) for name in ("dtm", "ttm", "stm"))
    if true is None:
        found = {"timestamp": created, "sentAt": sent}
    else:
        # The clock of the sender is no matter here: it says how the item travelled.
        found = {"timestamp": true, "_metadata": {"stm": sent}}
        if created is not None:
            left["dtm"] = created
    return said(found)


def _who(left: Params, entities: list[Any]) -> dict[str, Any]:
    """Whose event it is: of ids that last, else of a session's. Those not used are kept."""
    session = _entity(entities, _MINE, "client_session")
    visit = text(left, "sid")
    candidates = (
        *(text(left, name) for name in ("duid", "tnuid", "nuid")),
        None if session.get("userId") == _NOBODY else plain_text(session.get("userId")),
        visit and f"session-{visit}",
    )
    anonymous = next(filter(None, candidates), None)
    for name in ("duid", "tnuid", "nuid"):
        if anonymous is not None and text(left, name) == anonymous:
            del left[name]
            break
    return said({"userId": taken(left, "uid"), "anonymousId": anonymous})


def _what(kind: Kind, left: Params) -> dict[str, Any]:
    named = text(left, kind.named_by) if kind.named_by else kind.name
    found: dict[str, Any] = {}
    for name, word in kind.fields.items():
        if (value := taken(left, name)) is not None:
            found[word] = number(value) if word in _NUMBERS else value
    return said({"event": named}) | {"properties": found}


def _described(left: Params, entities: list[Any]) -> dict[str, Any]:
    """A self-describing event: schema and data in an envelope, which has a schema of its own."""
    for name in ("ue_pr", "ue_px"):
        envelope = unpacked(left.get(name))
        inner = envelope.get("data") if type(envelope) is dict else None
        if type(inner) is dict and (schema := _SCHEMA.fullmatch(str(inner.get("schema")))):
            del left[name]
            left["schema"] = inner["schema"]
            return _named((schema[1], schema[2]), inner.get("data"), entities)
    return {"properties": {}}


def _named(schema: tuple[str, str], data: Any, entities: list[Any]) -> dict[str, Any]:
    properties = data if type(data) is dict else said({"data": data})
    if schema in _SCREENS:
        name = plain_text(properties.get("name"))
        return said({"type": "screen", "name": name}) | {"properties": properties}
    if schema == _SHOP_ACTION:
        properties = {**properties}
        if order := _of_order(properties.get("type"), entities):
            return {"event": order[0], "properties": order[1] | properties}
    return {"event": schema[1], "properties": properties}


def _of_order(action: Any, entities: list[Any]) -> tuple[str, dict[str, Any]] | None:
    """Name and properties of an order or a refund that a shop's action tells of."""
    if action not in ("transaction", "refund"):
        return None
    about = dict(_entity(entities, _SHOP, action))
    order_id = about.pop("transaction_id", None)
    if action == "refund":
        about["revenue"] = about.pop("refund_amount", None)
    products = [data for name, data in _of_vendor(entities, _SHOP) if name == "product"]
    found = said({"order_id": order_id, **about, "products": products or None})
    return "Order Completed" if action == "transaction" else "Order Refunded", found


def _entities(left: Params) -> list[Any]:
    """What is attached to an event, each with its schema; what cannot be read stays a text."""
    for name in ("co", "cx"):
        envelope = unpacked(left.get(name))
        attached = envelope.get("data") if type(envelope) is dict else None
        if type(attached) is list:
            del left[name]
            return attached
    return []


def _of_vendor(entities: list[Any], vendor: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for entity in entities:
        if type(entity) is dict and type(entity.get("data")) is dict:
            schema = _SCHEMA.fullmatch(str(entity.get("schema")))
            if schema and schema[1] == vendor:
                found.append((schema[2], entity["data"]))
    return found


def _entity(entities: list[Any], vendor: str, name: str) -> dict[str, Any]:
    return next((data for named, data in _of_vendor(entities, vendor) if named == name), {})


def _context(left: Params, request: RawRequest, entities: list[Any]) -> dict[str, Any]:
    # Only a pixel speaks of the page it came from; a list would multiply its address.
    asked_from = None if request.body else request.headers.get("referer")
    page = {
        "url": taken(left, "url") or asked_from,
        "referrer": taken(left, "refr"),
        "title": taken(left, "page"),
    }
    mobile = _entity(entities, _MINE, "mobile_context")
    device = {word: mobile[name] for name, word in _DEVICE.items() if mobile.get(name)}
    tracker, _, version = (taken(left, "tv") or "").partition("-")
    library = {"name": f"snowplow-{tracker}" if tracker else None, "version": version}
    return said(
        {
            "page": said(page),
            "library": said(library),
            "device": device,
            "screen": size(left, "res"),
            "locale": taken(left, "lang"),
            "timezone": taken(left, "tz"),
            "ip": taken(left, "ip"),
            "userAgent": taken(left, "ua"),
            "sessionId": taken(left, "sid"),
            "entities": entities or None,
        }
    )


def answer(request: RawRequest, _: Sequence[Verdict]) -> Answer:
    return Answer(200, b"ok", b"text/plain; charset=utf-8") if request.body else gif()


def _nowhere(_: RawRequest) -> Answer:
    """Whoever may write any address behind our name could lend it to any site."""
    error = BadInput("no_open_redirect")
    told = {"success": False, "code": error.code, "message": error.text("en")}
    return Answer(403, msgspec.json.encode(told))


SNOWPLOW = Protocol(
    name="snowplow",
    routes=(
        Route("/i", ("GET",)),
        Route("/ice.png", ("GET",)),
        Route("/r/tp2", ("GET",), _nowhere),
        Route(TP2),
        Route("/{}/tp2"),
        *(Route(f"/{vendor}.{{}}/{{}}") for vendor in _VENDORS),
    ),
    read=read,
    answer=answer,
    refuse=refuse,
)
