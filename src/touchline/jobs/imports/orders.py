"""Imported rows about orders, one by one → which of them are new versions of their order.

    equal to the version in force        duplicate
    one that the file merely tells again duplicate
    else                                 a new version: stored the first time, then updated

What an order is a version of is its kind of event, by whichever source it was told. The surprise: a
file may tell an order's whole history, so a row equal to an *older* version is held back until the
file has gone on to the version in force (it tells what is known) or elsewhere (it goes back to it).
Orders and contents are compared by 64 bits: two that share them cost a wrong word in a summary.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct, field

from touchline.collect.importers.events import EventRow
from touchline.collect.importers.occurrence import made_id
from touchline.model import REFUND, Event, Flag
from touchline.storage.workspace import Workspace

__all__ = ["Fate", "History", "Orders", "history_of"]

COLUMNS = ("type", "name", "order_id", "content_hash")

Fate = Literal["stored", "updated", "duplicate"]
Told = tuple[EventRow, Fate]


class History:
    """The versions of every order by arrival: 16 bytes each, for a lake may hold very many."""

    def __init__(self, versions: Iterable[tuple[int, int]] = ()) -> None:
        keys, digests = array("Q"), array("Q")
        for key, digest in versions:
            keys.append(key)
            digests.append(digest)
        found = np.frombuffer(keys, np.uint64) if keys else np.empty(0, np.uint64)
        order = np.argsort(found, kind="stable")
        self._keys = found[order]
        self._digests = np.frombuffer(digests, np.uint64)[order] if keys else found

    def of(self, key: int) -> list[int]:
        """What was told of an order, oldest first."""
        wanted = np.uint64(key)
        start, end = (np.searchsorted(self._keys, wanted, side) for side in ("left", "right"))
        return self._digests[start:end].tolist()


class _Order(Struct):
    """One order as the file has told it so far.

    `held`: versions known before, without repeats. `starts`: where in it the file's first version
    may stand, as far as it agreed since; `known`: how many of the file's are known for certain.
    """

    held: Sequence[int]
    count: int
    starts: Sequence[int]
    last: int | None = None
    told: int = 0
    known: int = 0
    waiting: deque[tuple[int, EventRow]] = field(default_factory=deque[tuple[int, EventRow]])


class Orders:
    """Takes the versions of a file in turn and gives them back, each with its fate."""

    def __init__(self, kind: str, history: History) -> None:
        self._kind = kind
        self._history = history
        self._orders: dict[int, _Order] = {}

    def add(self, row: EventRow) -> Iterator[Told]:
        """Rows whose fate is now known: this one or none, and such as waited for it."""
        key, digest = order_key(row.event), digest_of(row.event.content_hash)
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = _begun(self._history.of(key))
        if digest == order.last:
            yield row, "duplicate"
            return
        order.last = digest
        order.told += 1
        held, at = order.held, order.told - 1
        agreeing = [s for s in order.starts if held[s + at] == digest]
        order.starts = [s for s in agreeing if s + order.told < len(held)]
        if len(order.starts) < len(agreeing):
            order.known = order.told
        order.waiting.append((order.told, row))
        yield from self._decided(order)

    def rest(self) -> Iterator[Told]:
        """At the end of the file: what still waited for a version that did not come."""
        for order in self._orders.values():
            if order.waiting:
                order.starts = ()
                yield from self._decided(order)

    def _decided(self, order: _Order) -> Iterator[Told]:
        waiting = order.waiting
        while waiting and (waiting[0][0] <= order.known or not order.starts):
            number, row = waiting.popleft()
            yield (row, "duplicate") if number <= order.known else self._version(order, row)

    def _version(self, order: _Order, row: EventRow) -> Told:
        event, before = row.event, order.count
        order.count += 1
        event = msgspec.structs.replace(
            event,
            message_id=made_id(event.source, self._kind, event.content_hash, before),
            flags=event.flags | (int(Flag.REVISION) if before else 0),
        )
        return msgspec.structs.replace(row, event=event), "updated" if before else "stored"


def history_of(workspace: Workspace) -> History:
    """What the lake holds of all orders, money that went back aside."""
    with workspace.view("fresh", "events") as view:
        rows = view.events(*COLUMNS, "revenue", "bot", "seq")
        gives_back = (rows.name.lower() == REFUND) | (rows.revenue < 0).fill_null(False)
        rows = rows.filter(rows.order_id.notnull(), ~rows.bot, ~gives_back)
        rows = rows.order_by("seq").select(*COLUMNS)
        return History(
            (_key(*named), digest_of(content))
            for batch in view.batches(rows)
            for *named, content in zip(*(c.to_pylist() for c in batch.columns), strict=True)
        )


def order_key(event: Event) -> int:
    """What a row is a version of, as 64 bits."""
    return _key(event.type, event.name, event.order_id or "")


def digest_of(content_hash: bytes | None) -> int:
    return int.from_bytes((content_hash or b"")[:8], "little")


def _key(kind: str, name: str, order_id: str) -> int:
    named = f"{kind}\0{name}\0{order_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(named, digest_size=8).digest(), "little")


def _begun(held: Sequence[int]) -> _Order:
    each = [digest for at, digest in enumerate(held) if at == 0 or digest != held[at - 1]]
    return _Order(held=each, count=len(held), starts=range(len(each)))
