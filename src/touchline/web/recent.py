"""A batch that is now on disk → what the sender is told of each item.

Keeps the last requests (about 32 MiB) and says `duplicate` or `id_conflict` only of an id seen in
them; the commit decides exactly and finally. Content is hashed on a second sighting only, so the
usual item, seen once, costs one entry in a dict.

`judge` must be called in log order and after the sync: then a first copy is always known, and
known to be durable, when the second is judged.
"""

from collections.abc import Sequence
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


class Recent:
    def __init__(self, limit: int = LIMIT) -> None:
        self._half = limit // 2
        self._weight = 0
        # Id -> the request that brought it, or the hash of its content once that was asked for.
        # Two generations: when the young one is full it becomes the old one, which is forgotten.
        self._young: dict[str, RawRequest | bytes] = {}
        self._old: dict[str, RawRequest | bytes] = {}

    def judge(
        self, request: RawRequest, message_ids: Sequence[str], batch: Batch | None = None
    ) -> list[Verdict]:
        """`batch` may be left out of a request without fault: it is read when an id returns."""
        if self._weight > self._half:
            self._old, self._young, self._weight = self._young, {}, 0
        self._weight += len(request.body) + PER_ITEM * len(message_ids)
        young, old, source = self._young, self._old, request.source
        verdicts: list[Verdict] = []
        own: dict[str, bytes] | None = None
        for index, message_id in enumerate(message_ids):
            if batch is not None and (reason := batch.items[index].reason) is not None:
                verdicts.append(Verdict(message_id, "rejected", reason))
                continue
            key = f"{source}\0{message_id}"
            if key not in young and key not in old:
                young[key] = request
                verdicts.append(Verdict(message_id, "stored"))
                continue
            batch = batch or read(request)
            first = young.get(key) or old[key]
            if first is request:
                own = own or _hashes(source, batch)
                first = own[key]
            elif isinstance(first, RawRequest):
                first = self._hashed(first)[key]
            verdicts.append(_again(batch.items[index], first))
        return verdicts

    def _hashed(self, request: RawRequest) -> dict[str, bytes]:
        """Puts hashes in the place of a request for all ids it brought: it is read once at most."""
        found = _hashes(request.source, read(request))
        for key, value in found.items():
            for seen in (self._young, self._old):
                if seen.get(key) is request:
                    seen[key] = value
        return found


def _hashes(source: str, batch: Batch) -> dict[str, bytes]:
    """Content of the first item under each id."""
    found: dict[str, bytes] = {}
    for item in batch.items:
        key = f"{source}\0{item.message_id}"
        if item.reason is None and key not in found:
            found[key] = content_hash(item.data)
    return found


def _again(item: Item, first: bytes) -> Verdict:
    if first == content_hash(item.data):
        return Verdict(item.message_id, "duplicate")
    return Verdict(item.message_id, "rejected", "id_conflict")
