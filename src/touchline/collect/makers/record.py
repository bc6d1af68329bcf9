"""Another system's JSON → items in Segment's form, by the webhook that a site wrote for it.

What no field takes is kept under `context.webhook`, without the places that became identifiers or
traits and whatever repeats their values.

The surprise is the id of an item that has none: where its time is known it is a hash of what was
sent, because such senders repeat what was not answered in time, and repeat it exactly.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from touchline import clock
from touchline.collect import body
from touchline.collect.campaign import label_text
from touchline.collect.context import plain_text
from touchline.collect.identifiers import identifier_type
from touchline.collect.importers.moments import moment
from touchline.collect.item import Batch, Item, check_share, content, made_id
from touchline.collect.makers.path import Step, placed, without
from touchline.collect.makers.place import MISSING
from touchline.collect.makers.webhook import Webhook
from touchline.collect.normalise import identifier, national
from touchline.collect.redact import REMOVED
from touchline.collect.verdict import MAX_ID, reason_against
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES, LABEL_FIELDS, RawRequest

__all__ = ["read"]

MAX_TIME = 64  # characters
MAX_AROUND = 1 << 18  # members around a list times its items: each is looked at for each
_AS_PROPERTIES = (
    "store_code",
    "staff_id",
    "content_id",
    "order_id",
    "revenue",
    "currency",
    "stage",
)
_TELLING, _MANY = 5, 7  # what is shorter, or has fewer digits, repeats by chance
_CODE = len("00123")
# As people write them: with blanks, dots, hyphens and brackets.
_NUMBER = re.compile(r"\d(?:[ ().\-\u00a0]{0,3}\d){6,}")


class _Sent(NamedTuple):
    """One item as it was sent: itself, where it stood, the body with it alone, and what is told of
    the body beside it.
    """

    own: Any
    at: int
    alone: Any
    around: Any


def read(hook: Webhook, request: RawRequest, zone: str, region: str) -> Batch:
    """The items of a request. BadInput("unreadable_body") when it is no JSON or has no items.

    `region` reads phones written without a country code.
    """
    whole = body.load(request.body)
    return Batch(
        None, [_item(hook, whole, one, request, zone, region) for one in _sent(hook, whole)]
    )


def _sent(hook: Webhook, whole: Any) -> list[_Sent]:
    if hook.items is None:
        if type(whole) is not dict:
            raise BadInput("unreadable_body", why="not an object")
        return [_Sent(whole, 0, whole, None)]
    steps = hook.items.steps
    found = hook.items.of(whole, None)
    if type(found) is not list:
        raise BadInput("unreadable_body", why="no list of items")
    bare = placed(whole, steps, [])
    body.is_shallow(bare)
    check_share({"around": bare}, len(found))
    around = without(bare, [steps, *_taken(hook, is_own=False)])
    if len(found) > 1 and _members(around) * len(found) > MAX_AROUND:
        raise BadInput("body_too_large", limit=body.MAX_BODY)
    return [_Sent(one, at, placed(whole, steps, [one]), around) for at, one in enumerate(found)]


def _members(value: Any) -> int:
    if type(value) is not dict and type(value) is not list:
        return 1
    return 1 + sum(map(_members, value.values() if type(value) is dict else value))


def _item(
    hook: Webhook, whole: Any, sent: _Sent, request: RawRequest, zone: str, region: str
) -> Item:
    index, own = sent.at, sent.own
    if type(own) is not dict:
        body.is_shallow(own)
        return Item(made_id(request, index), "", "not_an_object", {"item": own}, sent.alone)
    is_deep = not body.is_shallow(own)
    values = {name: of.value(whole, own) for name, of in hook.fields.items()}
    values = {name: value for name, value in values.items() if value is not None}
    reason = "too_deep" if is_deep else None
    if any(value is MISSING for value in values.values()):
        reason = reason or "missing_field"
        values = {name: value for name, value in values.items() if value is not MISSING}
    happened = values.pop("occurred_at", None)
    us = moment(happened, zone) if type(happened) is not str or len(happened) <= MAX_TIME else None
    if happened is not None and us is None:
        reason = reason or "bad_timestamp"
    data = _data(values, us)
    record = _rest(hook, own, sent.around, values, region)
    data["context"]["webhook"] = {"name": hook.name, "record": record}
    own_id = _own_id(values)
    if own_id is not None:
        data["messageId"] = own_id
        reason = reason or ("bad_message_id" if len(own_id) > MAX_ID else None)
    message_id = (own_id or "")[:MAX_ID] or (
        made_id(request, index) if us is None else _hash(hook, own)
    )
    reason = reason or reason_against(data, message_id)
    return Item(message_id, data["type"], reason, data, sent.alone)


def _own_id(values: Mapping[str, Any]) -> str | None:
    return plain_text(values.get("message_id"))


def _hash(hook: Webhook, own: Any) -> str:
    named = hook.name.encode() + b"\0" + content({"item": own})
    return blake2b(named, digest_size=16).hexdigest()


def _data(values: Mapping[str, Any], us: int | None) -> dict[str, Any]:
    """The values in Segment's form."""
    kind = (plain_text(values.get("type")) or "track").strip().lower()
    channel = label_text(values.get("channel")) if kind == "track" else None
    labels = {name: values[name] for name in LABEL_FIELDS[1:] if name in values}
    properties = _named(values, "properties.")
    properties |= {name: values[name] for name in _AS_PROPERTIES if name in values}
    if channel is not None:
        properties |= {"channel": channel, **labels}
    data: dict[str, Any] = {"type": kind, "properties": properties}
    data["context"] = _context(values, {} if channel is not None else labels)
    name = plain_text(values.get("name"))
    if name is not None:
        data["event" if kind == "track" else "name"] = name
    for field, key in (("user_id", "userId"), ("anonymous_id", "anonymousId")):
        if (value := plain_text(values.get(field))) is not None:
            data[key] = value
    if us is not None:
        data["timestamp"] = clock.iso(us)
    if kind == "group":
        data["groupId"] = values.get("account_id")
    return data


def _context(values: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    traits = _named(values, "traits.")
    for type_ in IDENTIFIER_TYPES:
        if type_ in values and type_ not in ("user_id", "anonymous_id", "device"):
            traits[type_] = plain_text(values[type_])
    page = {"url": values.get("url"), "referrer": values.get("referrer")}
    page["title"] = values.get("page_title")
    found = {
        "traits": {name: value for name, value in traits.items() if value is not None},
        "page": {name: text for name, of in page.items() if (text := plain_text(of))},
        "campaign": dict(labels),
        "device": {"id": device} if (device := plain_text(values.get("device"))) else {},
        "app": {"id": app} if (app := plain_text(values.get("app_id"))) else {},
        "groupId": plain_text(values.get("account_id")),
    }
    return {name: value for name, value in found.items() if value}


def _named(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _rest(hook: Webhook, own: Any, around: Any, values: Mapping[str, Any], region: str) -> Any:
    """What no field took, without a trace of who it was."""
    personal = _spellings(values, region)
    rest = without(own, _taken(hook, is_own=True))
    if personal.texts or personal.numbers:
        rest, around = _masked(rest, personal), _masked(around, personal)
    # What stood around a list is told with each of its items.
    return {"item": rest, "around": around} if around else rest


def _taken(hook: Webhook, *, is_own: bool) -> list[tuple[Step, ...]]:
    """The places that fields take or that are dropped: of the item, or of what is around it."""
    used = [p for of in hook.fields.values() for p in of.paths]
    return [p.steps for p in (*used, *hook.drop) if hook.items is None or p.is_own == is_own]


class _Personal(NamedTuple):
    """What names the person, as texts, and as the digits of those that have many."""

    texts: list[str]
    numbers: list[str]


def _spellings(values: Mapping[str, Any], region: str) -> _Personal:
    texts: set[str] = set()
    numbers: set[str] = set()
    for name, value in values.items():
        if name not in IDENTIFIER_TYPES and not name.startswith("traits."):
            continue
        text = plain_text(value) or ""
        type_ = name if name in IDENTIFIER_TYPES else identifier_type(name.removeprefix("traits."))
        known = identifier(type_, text, region) if type_ else None
        texts |= {text, known.value if known else ""}
        is_phone = known is not None and known.type == "phone"
        numbers |= {_digits(text), national(known.value) if known and is_phone else ""}
    return _Personal(
        sorted((text for text in texts if len(text) >= _TELLING), key=len, reverse=True),
        sorted(number for number in numbers if len(number) >= _MANY),
    )


def _digits(text: str) -> str:
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _masked(value: Any, personal: _Personal) -> Any:
    """Without the texts and numbers that name the person, wherever they are repeated."""
    if type(value) is dict:
        return {_unnamed(name, personal): _masked(inner, personal) for name, inner in value.items()}
    if type(value) is list:
        return [_masked(inner, personal) for inner in value]
    if type(value) is str:
        return _unnamed(value, personal)
    text = plain_text(value) or ""
    is_known = text in personal.texts or _is_one_of(text, personal.numbers)
    return REMOVED if is_known else value


def _is_one_of(digits: str, numbers: list[str]) -> bool:
    """Whether they are one of the numbers, with or without a country code."""
    return any(digits.endswith(one) and len(digits) <= len(one) + _CODE for one in numbers)


def _unnamed(text: str, personal: _Personal) -> str:
    for one in personal.texts:
        text = text.replace(one, REMOVED)

    def kept(found: re.Match[str]) -> str:
        digits = _digits(found[0])
        return REMOVED if any(one in digits for one in personal.numbers) else found[0]

    return _NUMBER.sub(kept, text) if personal.numbers else text
