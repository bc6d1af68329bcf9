"""Events → events with a person: which of an event's identifiers speaks for it.

The strongest one that is not quarantined, decided when the event is read: a merge, an unmerge or a
new quarantine never rewrites an event. When all are quarantined, the strongest speaks: its person
is the quarantined value alone. Unless it is a shared device on which somebody was logged in at that
moment: then the event is theirs (`login`).
"""

from typing import Any, NamedTuple, Self

import ibis
import pyarrow as pa
import pyarrow.compute

from touchline.identity.login import THINGS, logins
from touchline.storage.engine import Expression, View

__all__ = ["Speakers", "stays_in", "with_person"]

SHARED = 1000  # added to the place in line of what is quarantined
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Speakers(NamedTuple):
    """The person of every node: (node_id, node_person_ix, is_quarantined, is_shared_device), in one
    view; and who was logged in on shared devices, if anybody was.
    """

    nodes: Expression
    has_quarantined: bool
    logins: Expression | None

    @classmethod
    def given(cls, view: View, nodes: pa.Table, stays: pa.Table | None) -> Self:
        """From `PersonMap.nodes`, or some of them; `PersonMap.speakers` does it for a whole map."""
        has_quarantined = bool(pc.any(nodes.column("is_quarantined")).as_py())
        logins = None if stays is None else view.given(stays)
        return cls(view.given(nodes), has_quarantined, logins)


def stays_in(view: View, nodes: pa.Table) -> pa.Table | None:
    """Who was logged in on shared devices; costs nothing where there is no such device."""
    has_shared = bool(pc.any(nodes.column("is_shared_device")).as_py())
    return logins(view, view.given(nodes)) if has_shared else None


def with_person(rows: Expression, speakers: Speakers, *, key: str = "seq") -> Expression:
    """Adds `person_ix` to rows that have `node_ids` (null where there are none) and a time.

    `key` names a column that is unique in rows. Ordinary rows cost one join; only rows whose
    strongest node is quarantined are opened up.
    """
    nodes = speakers.nodes
    rows = rows.drop("person_ix") if "person_ix" in rows.columns else rows
    first = rows.mutate(first_node=rows.node_ids[0]["id"])
    joined = first.left_join(nodes, first.first_node == nodes.node_id)
    if not speakers.has_quarantined:
        return joined.select(*rows.columns, person_ix=joined.node_person_ix)
    plain = joined.filter(~joined.is_quarantined.fill_null(False))
    plain = plain.select(*rows.columns, person_ix=plain.node_person_ix)
    doubtful = joined.filter(joined.is_quarantined).select(*rows.columns)
    best = _opened(doubtful, nodes, key)
    if speakers.logins is not None:
        best = _logged_in(doubtful, best, speakers.logins, key)
    found = doubtful.left_join(best, doubtful[key] == best.part_key)
    return plain.union(found.select(*plain.columns))


def _opened(rows: Expression, nodes: Expression, key: str) -> Expression:
    """(part_key, person_ix, place) of the first node in line that is not quarantined, else of the
    first, `place` being SHARED and more.
    """
    parts = rows.select(key, node=rows.node_ids.unnest())
    parts = parts.select(part_key=parts[key], part_node=parts.node["id"])
    known = parts.join(nodes, parts.part_node == nodes.node_id)
    ranked = rows.select(key, ids=rows.node_ids.map(lambda n: n["id"]))
    placed = known.join(ranked, known.part_key == ranked[key])
    shared = placed.is_quarantined.cast("int64") * SHARED
    placed = placed.mutate(place=placed.ids.index(placed.part_node) + shared)
    return placed.group_by("part_key").agg(
        person_ix=placed.node_person_ix.argmin(placed.place), place=placed.place.min()
    )


def _logged_in(rows: Expression, best: Expression, stays: Expression, key: str) -> Expression:
    """The same, where all nodes are shared and name no person: of who was on the device.

    Stays and rows of a device stand in one line; each row looks back at the stay before it.
    """
    time = "ts_us" if "ts_us" in rows.columns else "occurred_us"
    alone = rows.filter(rows.node_ids[0]["type"].isin(THINGS))
    alone = alone.semi_join(best.filter(best.place >= SHARED), alone[key] == best.part_key)
    line = alone.select(
        line_key=alone[key],
        device=alone.node_ids[0]["id"],
        at_us=alone[time],
        from_us=ibis.null("int64"),
    )
    begun = stays.select(
        line_key=ibis.null(alone[key].type()),
        device=stays.stay_device,
        at_us=stays.stay_from_us,
        from_us=stays.stay_from_us,
    )
    line = line.union(begun)
    before = ibis.window(
        group_by="device", order_by=["at_us", line.line_key.notnull()], preceding=None, following=0
    )
    line = line.mutate(begun_us=line.from_us.max().over(before))
    line = line.filter(line.line_key.notnull())
    same = [line.device == stays.stay_device, line.begun_us == stays.stay_from_us]
    owned = line.join(stays, same)
    owned = owned.filter(owned.at_us < owned.stay_until_us).select("line_key", "stay_person_ix")
    joined = best.left_join(owned, best.part_key == owned.line_key)
    return joined.select(
        "part_key", person_ix=joined.stay_person_ix.coalesce(joined.person_ix), place=joined.place
    )
