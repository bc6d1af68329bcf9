"""Events → columns of the lake: node ids for identifiers, tokens for what names somebody in text.

By column is the faster way, and what repeats (a visitor's ids, the members of a context) is worked
out once. One `Rows` serves a writer for its lifetime: what it remembers holds as long as the nodes
it met are saved by its `NodeBook`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from touchline import clock
from touchline.collect.makers.claim import is_claiming
from touchline.collect.nodes import NodeBook, Trait
from touchline.collect.redact import Veil
from touchline.collect.time import local_day
from touchline.model import LABELS, Event, Flag
from touchline.storage.columns import EVENTS

__all__ = ["Rows"]

_IN_SESSION, _CLAIMS = int(Flag.IN_SESSION), int(Flag.CLAIMS)
# Columns that are an attribute of the event under the same name.
_PLAIN = tuple(
    name
    for name in EVENTS.names
    if name in Event.__struct_fields__
    and name not in {"click_ids", "properties", "context", "page_url", *LABELS}
)
FORM = "form"  # the property that names what was filled in
MAX_TRAIT = 200  # characters of a trait's name, as many as State keeps
Nodes = Sequence[dict[str, Any]]


class Rows:
    def __init__(self, nodes: NodeBook, *, region: str, time_zone: str) -> None:
        self._nodes = nodes
        self._zone = time_zone
        self._veil = Veil(nodes.token, region)
        self._device = lru_cache(1 << 16)(_device)

    def table(
        self, event_ids: Sequence[bytes], events: Sequence[Event], last_seq: int
    ) -> tuple[pa.Table, list[Trait]]:
        """Rows numbered from `last_seq` + 1 on, and the traits that came with them."""
        veil = self._veil
        nodes = [self._nodes.ids(event.identifiers) for event in events]
        columns: dict[str, Any] = {name: list(map(attrgetter(name), events)) for name in _PLAIN}
        for name in LABELS:
            columns[name] = _labels(list(map(attrgetter(name), events)), veil)
        devices = (self._device_of(event, own) for event, own in zip(events, nodes, strict=True))
        columns |= {
            "event_id": event_ids,
            "page_url": [veil.url(event.page_url) if event.page_url else None for event in events],
            "node_ids": _node_ids(nodes),
            "local_day": _days(columns["ts_us"], self._zone),
            "device": list(devices),
            "click_ids": _click_ids(events),
            "properties": _texts([event.properties for event in events], veil),
            "context": _texts([event.context for event in events], veil),
            "flags": [_flags(event) for event in events],
            "seq": np.arange(last_seq + 1, last_seq + 1 + len(events)),
            "known_at_us": np.full(len(events), clock.now_us()),
        }
        missing = [None] * len(events)
        arrays = [_array(columns.get(field.name, missing), field.type) for field in EVENTS]
        return pa.Table.from_arrays(arrays, schema=EVENTS), list(_traits(events, nodes))

    def _device_of(self, event: Event, nodes: Nodes) -> int | None:
        """Who has sessions: the anonymous_id, else the user_id, of one source; None has none."""
        if not event.flags & _IN_SESSION:
            return None
        user = None
        for node in nodes:
            if node["type"] == "anonymous_id":
                return self._device(event.source, node["id"])
            if node["type"] == "user_id":
                user = node["id"]
        return None if user is None else self._device(event.source, user)


def _flags(event: Event) -> int:
    return int(event.flags) | _CLAIMS if is_claiming(event.properties) else event.flags


def _device(source: str, node: bytes) -> int:
    name = source.encode("utf-8", "surrogatepass") + b"\0" + node
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)


def _labels(values: list[str | None], veil: Veil) -> list[str | None]:
    """A newsletter that tags its links with the reader's address would make it a label."""
    return [veil.text(value) if value and "@" in value else value for value in values]


def _texts(objects: Sequence[Mapping[str, Any]], veil: Veil) -> list[str]:
    """What was met once is one object in all events that have it: it is written once."""
    known = {id(each): each for each in objects}
    texts = {name: veil.text_of(each) for name, each in known.items()}
    return [texts[id(each)] for each in objects]


def _days(ts_us: Sequence[int], zone: str) -> pa.Array:
    days = np.fromiter((local_day(us, zone) for us in ts_us), np.int32, len(ts_us))
    return pa.array(days).cast(pa.date32())


def _node_ids(nodes: Sequence[Nodes]) -> pa.Array:
    flat = [node for own in nodes for node in own]
    type_ = EVENTS.field("node_ids").type
    fields = [_array([node[field.name] for node in flat], field.type) for field in type_.value_type]
    structs = pa.StructArray.from_arrays(fields, fields=list(type_.value_type))
    return pa.ListArray.from_arrays(_offsets(nodes), structs, type=type_)


def _click_ids(events: Sequence[Event]) -> pa.Array:
    found = [event.click_ids for event in events]
    names = _array([name for own in found for name in own], pa.string())
    values = _array([value for own in found for value in own.values()], pa.string())
    return pa.MapArray.from_arrays(_offsets(found), names, values)


def _offsets(lists: Iterable[Sequence[Any] | dict[str, str]]) -> pa.Array:
    return pa.array(np.cumsum([0, *map(len, lists)]), pa.int32())


def _array(values: Any, type_: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, type_)


def _traits(events: Sequence[Event], nodes: Sequence[Nodes]) -> Iterator[Trait]:
    for event, own in zip(events, nodes, strict=True):
        if event.traits and own:
            is_form = FORM in event.properties
            for name, value in event.traits.items():
                is_told = is_form or name in event.told
                yield Trait(
                    own[0]["id"], name[:MAX_TRAIT], value, event.ts_us, event.source, is_told
                )
