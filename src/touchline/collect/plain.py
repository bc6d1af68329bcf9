"""The usual request, seen to be in order without taking it apart → its message ids.

`segment.read` alone says what is wrong with an item. Most requests have nothing wrong, and that
shows from a few fields while the rest is skipped, in a fifth of the time. What surprises: `plain`
may say None of anything, but when it answers, `read` finds the same ids and no reason to reject.
"""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from touchline.collect import time
from touchline.collect.item import MAX_ITEMS, MAX_SHARED
from touchline.collect.money import EXPONENTS
from touchline.collect.normalise import MAX_LENGTH, opaque
from touchline.collect.verdict import MAX_ID, MAX_IDENTIFIERS, ORDERS
from touchline.model import RawRequest

__all__ = ["Plain", "plain"]

KINDS = frozenset(("track", "page", "screen", "identify"))
MAX_BOXES = 60  # objects and lists of an item in all: so it cannot be nested too deep either
MANY = 500_000
MOST = 1e10  # an amount below this is an amount in every currency


class Plain(Struct, frozen=True, gc=False):
    write_key: str | None
    message_ids: list[str]


class _Object(Struct, gc=False):
    """Any JSON object."""


class _Context(Struct, gc=False):
    traits: _Object | None = None


class _Properties(Struct, gc=False):
    revenue: int | float | None = None
    total: int | float | None = None
    currency: str | None = None


class _Item(Struct, gc=False, rename="camel"):
    message_id: Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
    type: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    group_id: str | None = None
    previous_id: str | None = None
    event: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    properties: _Properties | None = None
    context: _Context | None = None
    traits: _Object | None = None
    write_key: str | None = None


class _Batch(Struct, gc=False, rename="camel"):
    batch: list[Raw]
    write_key: str | None = None
    context: Raw = Raw(b"")
    integrations: Raw = Raw(b"")


_item = msgspec.json.Decoder(_Item).decode
_batch = msgspec.json.Decoder(_Batch).decode


def plain(request: RawRequest) -> Plain | None:
    """The ids of a request without fault; None when it takes `segment.read` to tell."""
    body, call = request.body, request.path.rpartition("/")[2]
    # What is skipped is not checked for these, and `read` treats them apart.
    if body[:1] != b"{" or not _is_text(body) or (b"\\" in body and b"\\u0000" in body):
        return None
    try:
        if call in KINDS:
            item = _item(body)
            if _boxes(body) <= MAX_BOXES and _has_few(body, item) and _is_fine(item, call):
                return Plain(item.write_key or None, [item.message_id])
            return None
        return _of_batch(body) if call == "batch" and _may_be_few(body) else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _of_batch(body: bytes) -> Plain | None:
    batch = _batch(body)
    if len(batch.batch) > MAX_ITEMS:
        return None
    shared = bytes(batch.context) + bytes(batch.integrations)
    if shared and not (_may_share(batch) and shared.count(b":") <= MAX_IDENTIFIERS):
        return None
    boxes = _boxes if _has_lists(body) else _objects
    left = MAX_BOXES - _boxes(shared)
    key = batch.write_key or None
    ids: list[str] = []
    for part in batch.batch:
        raw = bytes(part)
        item = _item(raw)
        if boxes(raw) > left or not _has_few(raw, item):
            return None
        if item.type not in KINDS or not _is_fine(item, item.type):
            return None
        key = key or item.write_key or None
        ids.append(item.message_id)
    return Plain(key, ids)


def _may_be_few(body: bytes) -> bool:
    """Whether it is no list of millions of nothings, which takes long to be taken apart."""
    return len(body) < MANY or body.count(b",") < MANY


def _may_share(batch: _Batch) -> bool:
    shared = (bytes(batch.context), bytes(batch.integrations))
    return (
        all(raw[:1] in (b"", b"{") for raw in shared)
        and sum(map(len, shared)) * len(batch.batch) <= MAX_SHARED // 2  # written otherwise, more
    )


def _has_lists(body: bytes) -> bool:
    """Whether there are lists within a batch: most have none, and one byte is found fast."""
    return body.find(b"[", body.find(b"[") + 1) >= 0


def _objects(raw: bytes) -> int:
    return raw.count(b"{")


def _boxes(raw: bytes) -> int:
    return raw.count(b"{") + raw.count(b"[")


def _has_few(raw: bytes, item: _Item) -> bool:
    """Whether its traits are too few to hold too many identifiers."""
    context = item.context
    has_traits = item.traits is not None or (context is not None and context.traits is not None)
    return not has_traits or raw.count(b":") <= MAX_IDENTIFIERS


def _is_text(body: bytes) -> bool:
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return False
    return True


def _is_fine(item: _Item, kind: str) -> bool:
    when = item.original_timestamp or item.timestamp
    if when and not _is_time(when):
        return False
    if not (
        (item.anonymous_id and _names("anonymous_id", item.anonymous_id))
        or (item.user_id and _names("user_id", item.user_id))
    ):
        return False
    if kind != "track":
        return True
    name = item.event
    return bool(name) and not name.isspace() and _is_worth(item.properties, name)


def _names(type_: str, value: str) -> bool:
    return opaque(type_, value[: MAX_LENGTH + 1], None) is not None


def _is_time(text: str) -> bool:
    if len(text) > time.MAX_TEXT:
        return False
    try:
        return 1970 < dt.datetime.fromisoformat(text).year < 2199
    except ValueError:
        return time.parse(text) is not None


def _is_worth(properties: _Properties | None, name: str) -> bool:
    if properties is None:
        return True
    paid = properties.revenue
    if paid is None and properties.total is not None and name.strip().lower() in ORDERS:
        paid = properties.total
    return (paid is None or -MOST < paid < MOST) and (
        not properties.currency or properties.currency in EXPONENTS
    )
