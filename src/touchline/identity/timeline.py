"""PersonMap + the copy by identifier → the events of one person, each once, oldest first.

    filed      a few groups of a few files (`filed`), of each identifier of the person
    the rest   fresh rows beyond what is filed

An event stands under each of its identifiers; the one that speaks for it tells whose it is, and
under which it counts, by the rules of `speaker`: shared devices on which the person was logged in
are read as well. So a merge or a quarantine of this very moment holds, and no
event is read twice. What surprises: a copy that is not whole, or of which a file is gone, is not
read at all; then all events are.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline.identity.evidence import Longs
from touchline.identity.filed import filed
from touchline.identity.kruskal import DEVICE_TIER
from touchline.identity.login import NOBODY, THINGS, owners, stays_on
from touchline.identity.person_map import PersonMap
from touchline.identity.speaker import with_person
from touchline.storage.by_node import EVENT, ByNode, in_force
from touchline.storage.columns import EVENTS
from touchline.storage.engine import View
from touchline.storage.mentions import ids_in

__all__ = ["events_of"]

ORDER = [("ts_us", "ascending"), ("seq", "ascending")]
_THINGS = pa.array(THINGS, pa.string())
LACKING: Any = {"promote_options": "default"}  # what one of two tables lacks is null
BEHIND = 1 << 40  # a quarantined identifier speaks after all others of its event
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class _Speaking(NamedTuple):
    """Of each row, the identifier that speaks for it, and whose it is."""

    node: pa.Array
    person: Longs


def events_of(copy: ByNode, view: View, people: PersonMap, person_ix: int) -> pa.Table:
    """The events of a person of this view, all versions of an order among them."""
    nodes = {people.known.node_id(node) for node in people.members(person_ix)}
    found = _found(copy, view, nodes)
    stays = None
    if found is not None and (devices := _shared_devices(people, found)):
        nodes |= devices  # on which they were logged in, perhaps
        found = _found(copy, view, nodes)
        stays = found and stays_on(devices, pa.concat_tables([*found], **LACKING), people)
    if found is None:
        return _searched(view, people, person_ix)
    rows, fresh = found
    if len(rows):
        said = _speaking(rows, people, stays)
        is_here = pc.equal(rows["node"].combine_chunks(), said.node)
        rows = rows.filter(pc.and_(is_here, pa.array(said.person == person_ix)))
    rows = in_force(rows).select(EVENT)
    if len(fresh):
        fresh = fresh.filter(pa.array(_speaking(fresh, people, stays).person == person_ix))
        rows = pa.concat_tables([rows, fresh.select(EVENT)])
    return rows.sort_by(ORDER)


def _found(copy: ByNode, view: View, nodes: Collection[bytes]) -> tuple[pa.Table, pa.Table] | None:
    """What is filed under some identifiers, and the rows beyond it that carry them."""
    found = filed(copy, view, nodes)
    return found and (found[0], view.files.naming(nodes, found[1]))


def _shared_devices(people: PersonMap, found: Iterable[pa.Table]) -> set[bytes]:
    """Those that these rows name."""
    ids: set[bytes] = set()
    for rows in found:
        ids |= set(pc.unique(ids_in(rows)).to_pylist())
    named = sorted(ids)
    at = people.known.find(named)
    held = people.people.quarantine.held[at] & (at >= 0) & (people.known.rank[at] >= DEVICE_TIER)
    return {node for node, is_device in zip(named, held.tolist(), strict=True) if is_device}


def _speaking(rows: pa.Table, people: PersonMap, stays: pa.Table | None) -> _Speaking:
    """The first identifier that is not quarantined; the first when all are, and then the event of a
    shared device is theirs who was logged in.
    """
    lists = rows["node_ids"].combine_chunks()
    parts = pc.list_flatten(lists)
    ids = pc.struct_field(parts, "id")
    coded = ids.dictionary_encode()
    known = people.known.find(coded.dictionary.to_pylist())
    held = people.people.quarantine.held[known] & (known >= 0)
    code = coded.indices.to_numpy()
    lengths = pc.list_value_length(lists).to_numpy()
    starts = np.cumsum(lengths) - lengths
    rank = np.minimum.reduceat(np.arange(len(code)) + held[code] * BEHIND, starts)
    speaks = pa.array(rank % BEHIND)
    node = ids.take(speaks)
    person = np.where(known >= 0, people.people.person[known], NOBODY)[code[rank % BEHIND]]
    if stays is not None:
        is_thing = pc.is_in(pc.struct_field(parts, "type").take(speaks), value_set=_THINGS)
        owner = owners(stays, node, rows["ts_us"].to_numpy())
        is_theirs = (rank >= BEHIND) & is_thing.to_numpy(zero_copy_only=False) & (owner != NOBODY)
        person = np.where(is_theirs, owner, person)
    return _Speaking(node, person.astype(np.int64))


def _searched(view: View, people: PersonMap, person_ix: int) -> pa.Table:
    """The same from all events."""
    rows = with_person(view.events(), people.speakers(view))
    rows = rows.filter(rows.person_ix == person_ix).order_by("ts_us", "seq")
    return view.fetch(rows.select(*EVENT)).cast(pa.schema([EVENTS.field(name) for name in EVENT]))
