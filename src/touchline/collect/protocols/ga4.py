"""GA4's Measurement Protocol: a client and its events → items in Segment's form.

Purchases, refunds and page views get the names that orders and views have here; other events keep
theirs. Google answers 204 whatever it is sent, so no sender looks at the answer: what cannot be
read becomes a reject instead of an error nobody sees. Google has no message ids either: an event
with a time of its own gets one made of its content, so that a retry stays one event.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from touchline.collect import body, money
from touchline.collect.flat import said
from touchline.collect.item import Batch, Item, check_share, content, made_id
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, in_json
from touchline.collect.protocols.ga4_debug import complaints
from touchline.collect.url import fields
from touchline.collect.verdict import reason_against
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["GA4"]

MAX_SHOWN = 32 << 10  # of a body that cannot be read, in its reject

ORDERS = {"purchase": "Order Completed", "refund": "Order Refunded"}
VIEWS = {"page_view": "page", "screen_view": "screen"}
SCREENS = ("screen_name", "firebase_screen")
PAGE = {"page_location": "url", "page_referrer": "referrer", "page_title": "title"}
CAMPAIGN = {
    "campaign_name": "name",
    "campaign_source": "source",
    "campaign_medium": "medium",
    "campaign_term": "term",
    "campaign_content": "content",
    "campaign_id": "id",
}
# Under this event alone the bare words speak of the campaign that brought the visitor.
DETAILS = "campaign_details"
BARE = {
    "campaign": "name",
    "source": "source",
    "medium": "medium",
    "term": "term",
    "content": "content",
}
PRODUCT = {
    "item_id": "product_id",
    "item_name": "name",
    "item_brand": "brand",
    "item_category": "category",
    "item_variant": "variant",
}
# Of the request: said of every event, each in its place.
PLACES = {
    "ip_override": "ip",
    "user_agent": "userAgent",
    "consent": "consent",
    "device": "device",
    "user_location": "location",
}
SPENT = ("client_id", "app_instance_id", "user_id", "timestamp_micros", "user_properties", "events")
# Hashes of addresses: they name a person, and nothing else here is hashed the same way.
REFUSED = ("user_data",)


def _read(request: RawRequest) -> Batch:
    given = fields(request.query.encode("latin-1"))
    site = given.get("measurement_id") or given.get("firebase_app_id")
    key = f"ga4:{site}" if site else None
    try:
        whole = body.load(request.body)
    except BadInput as error:
        if error.code != "unreadable_body":
            raise
        whole = body.cleaned(request.body[:MAX_SHOWN].decode("utf-8", "replace"))
    events = whole.get("events") if type(whole) is dict else None
    if type(events) is dict:  # ga4mp of PyPI sends one event it had put off without a list
        events = [events]
    if type(events) is not list or not events:
        body.is_shallow(whole)
        item = Item(made_id(request, 0), "", "unreadable_body", {"body": whole})
        return Batch(key, [item])
    shared = _shared(whole)
    check_share(shared, len(events))
    return Batch(key, [_item(one, index, shared, request) for index, one in enumerate(events)])


def _shared(whole: dict[str, Any]) -> dict[str, Any]:
    """What the request says of each of its events."""
    placed = {place: whole.get(name) for name, place in PLACES.items()}
    device = whole.get("device")
    if type(device) is dict:
        placed["locale"] = device.get("language")
    about, traits = _traits(whole.get("user_properties"))
    known = {*PLACES, *SPENT, *REFUSED}
    rest = {name: value for name, value in whole.items() if name not in known}
    context = said({**placed, "traits": traits, "ga4": said({**rest, "user_properties": about})})
    client, app = whole.get("client_id"), whole.get("app_instance_id")
    if client is not None and app is not None:
        context["app_instance_id"] = app
    return said(
        {
            "anonymousId": app if client is None else client,
            "userId": whole.get("user_id"),
            "timestamp": whole.get("timestamp_micros"),
            "context": context,
        }
    )


def _traits(properties: Any) -> tuple[Any, dict[str, Any]]:
    """(what is no plain value of a property, the others by their names)."""
    if type(properties) is not dict:
        return properties, {}
    plain = {
        name: value["value"]
        for name, value in properties.items()
        if type(value) is dict and value.keys() == {"value"}
    }
    return {name: value for name, value in properties.items() if name not in plain}, plain


def _item(event: Any, index: int, shared: Mapping[str, Any], request: RawRequest) -> Item:
    if type(event) is not dict or type(event.get("params") or {}) is not dict:
        body.is_shallow(event)
        return Item(made_id(request, index), "", "not_an_object", {"item": event})
    params = dict(event.get("params") or {})
    name = event["name"] if type(event.get("name")) is str else ""
    kind = VIEWS.get(name, "track")
    data: dict[str, Any] = {**shared, "type": kind}
    if event.get("timestamp_micros") is not None:
        data["timestamp"] = event["timestamp_micros"]
    if kind == "track":
        data["event"] = ORDERS.get(name) or event.get("name")
    elif kind == "screen":
        data["name"] = next((params.pop(key) for key in SCREENS if params.get(key)), None)
    more = {key: event[key] for key in event if key not in ("name", "params", "timestamp_micros")}
    context: dict[str, Any] = {
        **shared.get("context", {}),
        "page": _moved(params, PAGE),
        "campaign": _moved(params, CAMPAIGN | BARE if name == DETAILS else CAMPAIGN),
        "ga4_event": {"name": name, **more} if name in ORDERS or more else None,
    }
    data["context"] = said(context)
    data["properties"] = _order(name, params) if name in ORDERS else params
    stamp = content(data) + index.to_bytes(4) if data.get("timestamp") is not None else None
    own_id = made_id(request, index) if stamp is None else _digest(stamp)
    return Item(own_id, kind, reason_against(data, own_id), data)


def _moved(params: dict[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    return {place: params.pop(name) for name, place in places.items() if params.get(name)}


def _order(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a purchase or refund, with the money and the order where they belong."""
    properties = {key: value for key, value in params.items() if key != "items"}
    if "transaction_id" in properties:
        properties["order_id"] = properties.pop("transaction_id")
    items = params.get("items")
    if properties.get("value") is not None:
        properties["revenue"] = properties.pop("value")
    elif name == "refund" and (worth := _worth(items)) is not None:
        properties["revenue"] = worth
    if items is not None:
        properties["products"] = (
            [_product(item) for item in items] if type(items) is list else items
        )
    return properties


def _product(item: Any) -> Any:
    return {PRODUCT.get(key, key): item[key] for key in item} if type(item) is dict else item


def _worth(items: Any) -> str | None:
    """What the items of a partial refund cost together; None when one does not say."""
    if type(items) is not list or not items:
        return None
    total = Decimal(0)
    for item in items:
        try:
            quantity = item.get("quantity")
            total += money.amount(item["price"]) * money.amount(1 if quantity is None else quantity)
        except (BadInput, AttributeError, KeyError, ArithmeticError):
            return None
    return str(total)


def _digest(stamp: bytes) -> str:
    return blake2b(stamp, digest_size=16).hexdigest()


def _debug(request: RawRequest) -> Answer:
    """POST /debug/mp/collect: what is wrong with a request; nothing of it is kept."""
    given = fields(request.query.encode("latin-1"))
    try:
        whole = body.load(request.body)
    except BadInput:
        whole = None
    return in_json({"validationMessages": complaints(given, whole)})


def _answer(_request: RawRequest, _verdicts: Sequence[Verdict]) -> Answer:
    return Answer(204)


GA4 = Protocol(
    name="ga4",
    routes=(Route("/mp/collect"), Route("/debug/mp/collect", tells=_debug)),
    read=_read,
    answer=_answer,
)
