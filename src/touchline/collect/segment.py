"""The Segment HTTP tracking API (RudderStack speaks it too): a raw request → items with verdicts.

`read` runs in the collector before the answer, so all that can be wrong with an item is found here,
by a stable reason, and turning it into an event (at commit) never fails. One bad item never costs
its neighbours.
Neither Content-Type nor Content-Encoding is believed: the body's first bytes decide.
"""

from typing import Any

from touchline.collect import body
from touchline.collect.event import to_event
from touchline.collect.item import Batch, Item, check_share, content, content_hash, made_id, payload
from touchline.collect.merge import merged
from touchline.collect.verdict import message_id_of, reason_against
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = ["Batch", "Item", "content", "content_hash", "of_one", "payload", "read", "to_event"]

_TYPES = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "merge": "merge",
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}
_BATCHES = frozenset(("batch", "b", "import"))


def read(request: RawRequest) -> Batch:
    """Take a request apart, or raise BadInput("unreadable_body") or ("body_too_large")."""
    value = body.load(request.body)
    call = request.path.rstrip("/").rpartition("/")[2].lower()
    if call not in _BATCHES:
        return of_one(value, call, request)
    if type(value) is list:
        value = {"batch": value}
    raw_items = value.get("batch") if type(value) is dict else None
    if type(raw_items) is not list:
        raise BadInput("unreadable_body", why="no list named batch")
    key = _pop_key(value)
    shared = [(name, value[name]) for name in ("context", "integrations") if value.get(name)]
    check_share(dict(shared), len(raw_items))
    items: list[Item] = []
    for index, raw in enumerate(raw_items):
        if type(raw) is dict:
            key = _pop_key(raw) if key is None else key
            for name, common in shared:
                _merge_under(raw, name, common)
        items.append(_item(raw, index, request, None))
    return Batch(key, items, value.get("sentAt"))


def of_one(value: Any, call: str, request: RawRequest) -> Batch:
    """The batch of a request that is a single item; `call` is the last part of its path."""
    if type(value) is not dict:
        raise BadInput("unreadable_body", why="not an object")
    key = _pop_key(value)
    return Batch(key, [_item(value, 0, request, _TYPES.get(call))])


def _pop_key(data: dict[str, Any]) -> str | None:
    key = data.pop("writeKey", None)
    return key if type(key) is str and key else None


def _merge_under(data: dict[str, Any], name: str, common: Any) -> None:
    """The item's own keys win; a value of another shape is left for the verdict to see."""
    own = data.get(name)
    if own is None:
        data[name] = dict(common) if type(common) is dict else common
    elif type(own) is dict and type(common) is dict:
        data[name] = {**common, **own}


def _item(raw: Any, index: int, request: RawRequest, called: str | None) -> Item:
    if type(raw) is not dict:
        body.is_shallow(raw)
        return Item(made_id(request, index), "", "not_an_object", {"item": raw})
    raw.pop("writeKey", None)
    if called is not None:
        raw["type"] = called
    if raw.get("type") == "merge":
        raw = merged(raw) or raw
    kind = raw.get("type")
    message_id = message_id_of(raw)
    return Item(
        message_id or made_id(request, index),
        kind if type(kind) is str else "",
        reason_against(raw, message_id),
        raw,
    )
