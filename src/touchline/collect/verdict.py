"""A Segment item → None, or why it cannot be stored. Runs for every item before the answer."""

from typing import Any

from touchline.collect import money, time
from touchline.collect.body import is_shallow
from touchline.collect.identifiers import identifier_type, is_named
from touchline.collect.normalise import identifier
from touchline.errors import BadInput

__all__ = ["MAX_ID", "ORDERS", "mapping", "message_id_of", "own_time", "paid", "reason_against"]

MAX_ID = 255
MAX_IDENTIFIERS = 100  # among the traits of one event

_KINDS = frozenset(("track", "identify", "page", "screen", "group", "alias"))
_ID_FIELDS = ("userId", "anonymousId", "previousId", "groupId")
_OBJECTS = (("context", "bad_context"), ("properties", "bad_properties"), ("traits", "bad_traits"))
ORDERS = frozenset(("order completed", "order refunded"))
# Most digits after the point: what fits here fits in whatever currency the site counts in.
_FINEST = "CLF"
_EMPTY: dict[str, Any] = {}


def message_id_of(data: dict[str, Any]) -> str | None:
    """The item's own id as text; None when it has none or an unusable one."""
    raw = data.get("messageId")
    if type(raw) is int:
        raw = str(raw)
    return raw if type(raw) is str and 0 < len(raw) <= MAX_ID else None


def reason_against(data: dict[str, Any], message_id: str | None) -> str | None:
    """Why this item is rejected (a key of REASONS), or None."""
    if not is_shallow(data):
        return "too_deep"
    kind = data.get("type")
    if type(kind) is not str or kind not in _KINDS:
        return "bad_merge" if kind == "merge" else "unknown_type"
    if message_id is None and data.get("messageId") not in (None, ""):
        return "bad_message_id"
    return (
        _shape(data)
        or _how_many(data)
        or _who(data, kind)
        or _what(data, kind)
        or _when(data)
        or _worth(data)
    )


def mapping(value: Any) -> dict[str, Any] | None:
    """An object, also when absent or written as `[]`, as PHP writes an empty one; else None."""
    if type(value) is dict:
        return value
    return _EMPTY if value is None or value == [] else None


def _shape(data: dict[str, Any]) -> str | None:
    for name, reason in _OBJECTS:
        value = data.get(name)
        if type(value) is not dict and mapping(value) is None:
            return reason
    for name in _ID_FIELDS:
        kind = type(data.get(name, ""))
        if kind is not str and kind is not int and kind is not float and kind is not type(None):
            return "bad_id"
    return None


def _how_many(data: dict[str, Any]) -> str | None:
    """All identifiers of an event are one person's: a list of thousands is somebody's mistake."""
    for traits in (data.get("traits"), (data.get("context") or _EMPTY).get("traits")):
        if type(traits) is dict and len(traits) > MAX_IDENTIFIERS:
            named = sum(identifier_type(name) is not None for name in traits)
            if named > MAX_IDENTIFIERS:
                return "too_many_identifiers"
    return None


def _who(data: dict[str, Any], kind: str) -> str | None:
    if kind == "alias" and not _says(data, "previousId", "anonymous_id"):
        return "missing_previous_id"
    if kind == "alias" and not _says(data, "userId", "user_id"):
        return "missing_id"
    if _says(data, "anonymousId", "anonymous_id") or is_named(data):
        return None
    return "missing_id"


def _says(data: dict[str, Any], name: str, type_: str) -> bool:
    raw = data.get(name)
    return raw is not None and identifier(type_, raw, "") is not None


def _what(data: dict[str, Any], kind: str) -> str | None:
    if kind == "track":
        name = data.get("event")
        if type(name) is not str or not name.strip():
            return "missing_event"
    if kind == "group" and not _says(data, "groupId", "user_id"):
        return "missing_group_id"
    return None


def own_time(original: Any, timestamp: Any) -> tuple[int | None, bool]:
    """(the client's time of the event, whether one was sent that cannot be read)."""
    is_bad = False
    for value in (original, timestamp):
        if value is not None and value != "":
            us = time.parse(value)
            if us is not None:
                return us, False
            is_bad = True
    return None, is_bad


def _when(data: dict[str, Any]) -> str | None:
    is_bad = own_time(data.get("originalTimestamp"), data.get("timestamp"))[1]
    return "bad_timestamp" if is_bad else None


def _worth(data: dict[str, Any]) -> str | None:
    if data["type"] != "track":
        return None
    try:
        paid(data, _FINEST)
    except BadInput as error:
        return error.code
    return None


def paid(data: dict[str, Any], default: str) -> tuple[int | None, str | None]:
    """(minor units, currency) of a track call; BadInput when what it says cannot be read.

    revenue, else total of an order, else value where a currency stands beside it: without one a
    `value` may just as well be a score or seconds.
    """
    properties = data.get("properties")
    if not properties or type(properties) is not dict:
        return None, None
    raw_currency = properties.get("currency")
    currency = None if raw_currency in (None, "") else money.currency_code(raw_currency)
    name = data["event"].strip().lower()
    raw = properties.get("revenue")
    if raw in (None, "") and name in ORDERS:
        raw = properties.get("total")
    if raw not in (None, ""):
        currency = currency or default
        return money.minor(raw, currency), currency
    if currency is not None and name not in ORDERS:
        try:
            return money.minor(properties.get("value"), currency), currency
        except BadInput:
            return None, currency
    return None, currency
