"""Claims → touches: promotion codes and answers count as touchpoints of what they stand for.

A claim says by itself what brought somebody, like a channel that an event states: it is a touch of
its own and never collapses with another. What surprises: it counts for the very order it came with,
though an order's event is no touch of that order, for the code was there before the purchase was.

One code on one order is one touch, however many rows tell of that order, at the first moment any of
them names. A row that names nobody (a receipt, a company's deal) tells of its order all the same:
the touch is that order's alone, its `message_id` the order's and its `person_ix` below 0.
Definitions are asked when the report is made, so they hold for all of history at once.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import ibis
import msgspec
import pyarrow as pa

from touchline.collect.channel import ChannelRules
from touchline.collect.makers.claim import ANSWER, TRACES, Claim, Claims, claims, claims_in
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.version import in_force
from touchline.model import LABELS, STATED, Flag
from touchline.storage.engine import Expression, View

__all__ = ["claimed"]

KINDS = ("promo_code", "reported_source", "source_alias")
_TOUCH = pa.schema(
    [
        ("person_ix", pa.int64()),
        ("ts_us", pa.int64()),
        ("seq", pa.int64()),
        ("event_id", pa.binary()),
        ("message_id", pa.string()),
        ("local_day", pa.date32()),
        *((name, pa.string()) for name in LABELS),
    ]
)
Row = dict[str, Any]


class _Told(NamedTuple):
    """One row that makes claims known here, and no more of it than their touches need: stores with
    a coupon on each of a million orders define ten. `order` names what it is about, if anything.
    """

    order: str | None
    claims: tuple[Claim, ...]
    person_ix: int
    ts_us: int
    seq: int
    event_id: bytes
    message_id: str
    local_day: dt.date


def claimed(view: View, speakers: Speakers) -> Expression | None:
    """Touches that claims make: the columns of a touchpoint and all labels; None without any."""
    known = _known(view.documents)
    if not known:
        return None
    told = [*_of_events(view, speakers, known), *_of_orders(view, speakers, known)]
    rows = list(_touches(told, _begun(view, told), known))
    return view.given(pa.Table.from_pylist(rows, schema=_TOUCH)) if rows else None


def _known(documents: Mapping[str, Any]) -> Claims:
    told = {kind: documents[kind] for kind in KINDS if kind in documents}
    return _compiled(msgspec.json.encode(told))


@lru_cache(maxsize=16)
def _compiled(told: bytes) -> Claims:
    documents = msgspec.json.decode(told)
    aliases = {k: v for k, v in documents.items() if k == "source_alias"}
    rules = ChannelRules.compile([aliases])
    return claims(documents, lambda source: rules.named(source).name)


def _of_events(view: View, speakers: Speakers, known: Claims) -> Iterator[_Told]:
    rows = view.events(
        *("event_id", "message_id", "type", "name", "ts_us", "local_day", "seq", "node_ids"),
        *("order_id", "properties", "flags", "bot"),
    )
    rows = rows.filter((rows.flags & int(Flag.CLAIMS)) != 0, ~rows.bot, rows.type == "track")
    found = with_person(in_force(view, rows), speakers).drop("node_ids", "bot", "type")
    for batch in view.batches(found.filter(found.person_ix.notnull()).order_by("seq")):
        for row in batch.to_pylist():
            properties, order = _decoded(row["properties"]), row["order_id"]
            said = claims_in(row["name"], properties, is_order=order is not None)
            if row["flags"] & int(Flag.EXPLICIT_CHANNEL):
                # It is a touch already, of the channel its sender gave it.
                said = [claim for claim in said if claim.kind != ANSWER]
            yield from _told(row, order, said, known)


def _of_orders(view: View, speakers: Speakers, known: Claims) -> Iterator[_Told]:
    rows = view.table(
        "conversions",
        *("conversion_id", "occurred_us", "local_day", "seq", "node_ids", "properties"),
    )
    is_likely = ibis.or_(*(rows.properties.contains(trace) for trace in TRACES))
    found = with_person(rows.filter(is_likely), speakers).drop("node_ids")
    nobody = itertools.count(-1, -1)
    for batch in view.batches(found.order_by("seq")):
        for row in batch.to_pylist():
            order = row["conversion_id"]
            row |= {"ts_us": row["occurred_us"], "event_id": order.encode(), "message_id": order}
            if row["person_ix"] is None:
                row["person_ix"] = next(nobody)
            said = claims_in("", _decoded(row["properties"]), is_order=True)
            yield from _told(row, order, said, known)


def _told(row: Row, order: str | None, said: list[Claim], known: Claims) -> Iterator[_Told]:
    held = tuple(claim for claim in said if known.knows(claim))
    if held:
        yield _Told(order, held, **{name: row[name] for name in _Told._fields[2:]})


def _decoded(text: str | None) -> dict[str, Any]:
    return msgspec.json.decode(text) if text else {}


def _begun(view: View, told: Sequence[_Told]) -> dict[str, tuple[int, dt.date]]:
    """Order → the first moment that any row names for it, and its local day. The source that a
    deal states is no row of it: that was long before the code.
    """
    orders = {one.order for one in told if one.order is not None}
    if not orders:
        return {}
    wanted = view.given(pa.table({"order_id": pa.array(sorted(orders), pa.string())}))
    events = view.events("order_id", "ts_us", "local_day", "name")
    events = events.filter(~events.name.identical_to(STATED)).drop("name")
    rows = view.table("conversions", "conversion_id", "occurred_us", "local_day")
    rows = rows.select(order_id="conversion_id", ts_us="occurred_us", local_day="local_day")
    both = events.semi_join(wanted, "order_id").union(rows.semi_join(wanted, "order_id"))
    first = both.group_by("order_id").agg(
        first_us=both.ts_us.min(), first_day=both.local_day.argmin(both.ts_us)
    )
    found = view.fetch(first).to_pylist()
    return {row["order_id"]: (row["first_us"], row["first_day"]) for row in found}


def _touches(
    told: Sequence[_Told], begun: Mapping[str, tuple[int, dt.date]], known: Claims
) -> Iterator[Row]:
    seen: set[tuple[str, Claim]] = set()
    for one in sorted(told, key=lambda one: one.person_ix < 0):  # who names somebody is believed
        ts_us, day = begun.get(one.order or "", (one.ts_us, one.local_day))
        for claim in one.claims:
            labels = known.meaning(claim, day)
            if labels is None or (one.order is not None and (one.order, claim) in seen):
                continue
            if one.order is not None:
                seen.add((one.order, claim))
            yield {
                **labels,
                "person_ix": one.person_ix,
                "ts_us": ts_us,
                "seq": one.seq,
                "event_id": _id(one.event_id, claim),
                "message_id": one.message_id,
                "local_day": day,
            }


def _id(event_id: bytes, claim: Claim) -> bytes:
    """Not the event's own: that one is no touch of its conversion."""
    named = "\0".join(claim).encode("utf-8", "surrogatepass")
    return blake2b(event_id + b"\0" + named, digest_size=16).digest()
