"""Events → events with a person: which of an event's identifiers speaks for it.

The strongest one that is not quarantined, decided when the event is read: a merge, an unmerge or a
new quarantine never rewrites an event. When all are quarantined, the strongest speaks: its person
is the quarantined value alone.
"""

from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute

from touchline.storage.engine import Expression, View

__all__ = ["Speakers", "with_person"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Speakers(NamedTuple):
    """The person of every node: (node_id, node_person_ix, is_quarantined), in one view."""

    nodes: Expression
    has_quarantined: bool

    @classmethod
    def of(cls, view: View, nodes: pa.Table) -> Self:
        """From `PersonMap.nodes`."""
        return cls(view.given(nodes), bool(pc.any(nodes.column("is_quarantined")).as_py()))


def with_person(rows: Expression, speakers: Speakers, *, key: str = "seq") -> Expression:
    """Adds `person_ix` to rows that have `node_ids` (null where there are none).

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
    plain = plain.mutate(person_ix=plain.node_person_ix).drop(
        "first_node", "node_id", "node_person_ix", "is_quarantined"
    )
    doubtful = joined.filter(joined.is_quarantined).select(*rows.columns)
    return plain.union(_opened(doubtful, nodes, key).select(*plain.columns))


def _opened(rows: Expression, nodes: Expression, key: str) -> Expression:
    """`person_ix` from the first node in line that is not quarantined, else from the first."""
    parts = rows.select(key, node=rows.node_ids.unnest())
    parts = parts.select(part_key=parts[key], part_node=parts.node["id"])
    known = parts.join(nodes, parts.part_node == nodes.node_id)
    ranked = rows.select(key, ids=rows.node_ids.map(lambda n: n["id"]))
    placed = known.join(ranked, known.part_key == ranked[key])
    placed = placed.mutate(
        place=placed.ids.index(placed.part_node) + placed.is_quarantined.cast("int64") * 1000
    )
    best = placed.group_by("part_key").agg(person_ix=placed.node_person_ix.argmin(placed.place))
    return rows.left_join(best, rows[key] == best.part_key).drop("part_key")
