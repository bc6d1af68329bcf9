"""A batch that is now on disk → what the sender is told of each item.

Keeps the last requests (about 32 MiB) and says `duplicate` or `id_conflict` only of an id seen in
them; the commit decides exactly and finally. Content is hashed on a second sighting only, so the
usual item, seen once, costs one entry in a dict.

`judge` must be called in log order and after the sync: then a first copy is always known, and
known to be durable, when the second is judged.
"""

from typing import Literal

from msgspec import Struct

from touchline.collect.segment import Batch, Item, content_hash, read
from touchline.model import RawRequest

__all__ = ["Recent", "Verdict"]

LIMIT = 32 << 20
PER_ITEM = 300  # what an entry weighs beside its request


class Verdict(Struct, frozen=True, gc=False):
    message_id: str
    status: Literal["stored", "duplicate", "rejected"]
    reason: str | None = None


class Sighting:
    """A request that was stored. Its body is let go once the hashes are known."""

    __slots__ = ("_hashes", "_request")

    def __init__(self, request: RawRequest) -> None:
        self._request: RawRequest | None = request
        self._hashes: list[bytes] = []

    def content_hash(self, index: int) -> bytes:
        if self._request is not None:
            self._hashes = [content_hash(item.data) for item in read(self._request).items]
            self._request = None
        return self._hashes[index]


class Recent:
    def __init__(self, limit: int = LIMIT) -> None:
        self._half = limit // 2
        self._weight = 0
        # Two generations: when the young one is full it becomes the old one, which is forgotten.
        self._young: dict[str, tuple[Sighting, int]] = {}
        self._old: dict[str, tuple[Sighting, int]] = {}

    def judge(self, request: RawRequest, batch: Batch) -> list[Verdict]:
        if self._weight > self._half:
            self._old, self._young, self._weight = self._young, {}, 0
        self._weight += len(request.body) + PER_ITEM * len(batch.items)
        young, old, sighting, source = self._young, self._old, Sighting(request), request.source
        verdicts: list[Verdict] = []
        for index, item in enumerate(batch.items):
            if item.reason is not None:
                verdicts.append(Verdict(item.message_id, "rejected", item.reason))
                continue
            key = f"{source}\0{item.message_id}"
            if key in young or key in old:
                verdicts.append(self._again(key, item))
            else:
                young[key] = (sighting, index)
                verdicts.append(Verdict(item.message_id, "stored"))
        return verdicts

    def _again(self, key: str, item: Item) -> Verdict:
        first, position = self._young.get(key) or self._old[key]
        if first.content_hash(position) == content_hash(item.data):
            return Verdict(item.message_id, "duplicate")
        return Verdict(item.message_id, "rejected", "id_conflict")
