"""A batch that is now on disk → what the sender is told of each item.

Knows the ids of the last hundred thousand items and says `duplicate` or `id_conflict` only of one
of them; the commit decides exactly and finally. An id leads to its request's place in the log, and
content is read and hashed on a second sighting only: the usual item, seen once, costs one entry in
a dict, and nothing of a request stays in memory.

`judge` must be called after the sync: then a copy that is known is known to be durable when another
one is judged. Requests of one moment need not be judged in log order, as far as nobody minds which
of two equal ones was called the first.
"""

from collections.abc import Callable, Sequence
from sys import getsizeof

from touchline.collect.protocol import Verdict
from touchline.collect.protocols import read
from touchline.collect.segment import Batch, Item, content_hash
from touchline.model import RawRequest

__all__ = ["Recent"]

LIMIT = 32 << 20  # bytes of memory
PER_ITEM = 150  # what an entry weighs beside its key
MAX_LOOKS = 8  # requests read again for one answer: whoever repeats more hears `stored`


class Recent:
    """`logged` gives the request at an offset of the log, or None when it is there no more;
    `take_apart` reads one where that needs to know the site.
    """

    def __init__(
        self,
        logged: Callable[[int], RawRequest | None],
        limit: int = LIMIT,
        *,
        take_apart: Callable[[RawRequest], Batch] | None = None,
    ) -> None:
        self._logged = logged
        self._take_apart = take_apart
        self._half = limit // 2
        self._weight = 0
        # Id -> offset of the request that brought it, or the hash of its content once that was
        # asked for. Two generations: when the young one is full it becomes the old one, which is
        # forgotten.
        self._young: dict[str, int | bytes] = {}
        self._old: dict[str, int | bytes] = {}

    def judge(
        self,
        request: RawRequest,
        offset: int,
        message_ids: Sequence[str],
        batch: Batch | None = None,
    ) -> list[Verdict]:
        """`batch` may be left out of a request without fault: it is read when an id returns."""
        if self._weight > self._half:
            self._old, self._young, self._weight = self._young, {}, 0
        if batch is None and self._is_all_new(request.source, message_ids, offset):
            return [Verdict(message_id, "stored") for message_id in message_ids]
        young, old, source = self._young, self._old, request.source
        verdicts: list[Verdict] = []
        own: dict[str, bytes] | None = None
        looks = 0
        for index, message_id in enumerate(message_ids):
            if batch is not None and (reason := batch.items[index].reason) is not None:
                verdicts.append(Verdict(message_id, "rejected", reason))
                continue
            key = f"{source}\0{message_id}"
            first = young.get(key)
            if first is None and (first := old.get(key)) is None:
                young[key] = offset
                self._weight += PER_ITEM + getsizeof(key)
                verdicts.append(Verdict(message_id, "stored"))
                continue
            batch = batch or self._read(request)
            if first == offset:
                own = own or _hashes(source, batch)
                first = own[key]
            elif isinstance(first, int):
                looks += 1
                first = self._hashed(first).get(key) if looks <= MAX_LOOKS else None
            verdicts.append(_again(batch.items[index], first))
        return verdicts

    def _is_all_new(self, source: str, message_ids: Sequence[str], offset: int) -> bool:
        """Whether none was seen before, as is usual; then they are all noted at once."""
        keys = [f"{source}\0{message_id}" for message_id in message_ids]
        fresh = dict.fromkeys(keys, offset)
        if len(fresh) < len(keys) or not (
            self._young.keys().isdisjoint(keys) and self._old.keys().isdisjoint(keys)
        ):
            return False
        self._young |= fresh
        self._weight += PER_ITEM * len(keys) + sum(map(getsizeof, keys))
        return True

    def _read(self, request: RawRequest) -> Batch:
        return (self._take_apart or read)(request)

    def _hashed(self, offset: int) -> dict[str, bytes]:
        """Puts hashes in the place of a request for all ids it brought: it is read once at most."""
        request = self._logged(offset)
        found = {} if request is None else _hashes(request.source, self._read(request))
        for key, value in found.items():
            for seen in (self._young, self._old):
                if seen.get(key) == offset:
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


def _again(item: Item, first: bytes | None) -> Verdict:
    """Of a first copy that was not read (again), the commit will tell."""
    if first is None:
        return Verdict(item.message_id, "stored")
    if first == content_hash(item.data):
        return Verdict(item.message_id, "duplicate")
    return Verdict(item.message_id, "rejected", "id_conflict")
