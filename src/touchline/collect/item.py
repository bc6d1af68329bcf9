"""What a collection call is taken apart into, and what of an item counts as its content."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.body import MAX_BODY, is_shallow
from touchline.errors import BadInput
from touchline.model import RawRequest

__all__ = [
    "MAX_ITEMS",
    "MAX_SHARED",
    "Batch",
    "Item",
    "check_share",
    "content",
    "content_hash",
    "made_id",
    "of_one_site",
    "payload",
]

MAX_ITEMS = 10_000
# Bytes of what a batch's items share, counted once per item. Each event keeps a copy, of which
# settling holds several: ten small requests of 64 MiB each took gigabytes.
MAX_SHARED = 8 << 20

# What says how an item travelled, not what happened: a retry may differ in these.
_ENVELOPE = ("sentAt", "_metadata", "writeKey", "receivedAt")

_encoder = msgspec.json.Encoder(order="sorted")


class Item(Struct, frozen=True, gc=False):
    """One event of a request. `reason` is None, or why it is rejected.

    `data` is the item as sent, with the batch's context and integrations merged under it, `type`
    filled in from the path, and without the write key. `sent`: a body that holds this item alone,
    where `data` was made by a definition: what is kept of it, to be read again by a better one.
    """

    message_id: str
    type: str
    reason: str | None
    data: dict[str, Any]
    sent: Any = None

    @property
    def kept(self) -> Any:
        """What is kept of the item if it cannot be stored."""
        if self.sent is not None:
            return self.sent
        return self.data["item"] if self.reason == "not_an_object" else self.data


class Batch(Struct, frozen=True, gc=False):
    """A request taken apart. `sent_at` is the batch's own, used by items that have none."""

    write_key: str | None
    items: list[Item]
    sent_at: Any = None


def of_one_site(items: Sequence[Item], sites: Sequence[str | None], site: str | None) -> list[Item]:
    """The items; those that name another site than the request writes for are rejected."""
    return [
        msgspec.structs.replace(item, reason="other_site")
        if item.reason is None and own not in (None, site)
        else item
        for item, own in zip(items, sites, strict=True)
    ]


def content(data: dict[str, Any]) -> bytes:
    """Canonical JSON of what happened: sorted keys, without what only says how it travelled."""
    if any(name in data for name in _ENVELOPE):
        data = {name: value for name, value in data.items() if name not in _ENVELOPE}
    return _encoder.encode(data)


def content_hash(data: dict[str, Any]) -> bytes:
    """16 bytes that are equal for equal content: tells a retry from another event under one id."""
    return digest(content(data))


def digest(canonical: bytes) -> bytes:
    return blake2b(canonical, digest_size=16).digest()


def payload(item: Item) -> bytes:
    """An item as JSON, for the store of rejects; what was sent instead of an object as it was."""
    return _encoder.encode(item.kept)


def made_id(request: RawRequest, index: int) -> str:
    """The id of an item that came without one: the same each time the log is read."""
    return blake2b(request.request_id + index.to_bytes(4, "big"), digest_size=16).hexdigest()


def check_share(shared: dict[str, Any], count: int) -> None:
    """Every item gets a copy of what is shared: a small request must not grow into a large one."""
    if count > MAX_ITEMS:
        raise BadInput("body_too_large", limit=MAX_BODY)
    if shared and count > 1:
        is_shallow(shared)
        if len(content(shared)) * count > MAX_SHARED:
            raise BadInput("body_too_large", limit=MAX_BODY)
