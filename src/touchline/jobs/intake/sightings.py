"""Stored events → when each touchpoint of the map was last seen.

A moment per touchpoint, and the later one stays: so it does not matter how often an event is looked
at. `note` looks at each batch that is stored; `look_back` looks once through all that was stored
before a touchpoint was on the map.
"""

from collections.abc import Iterable
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute
import sqlalchemy as sa

from touchline.collect.touchpoint_map import LOOKED_AT, TouchpointMap
from touchline.model import LABELS, TOUCH
from touchline.storage import schema
from touchline.storage.engine import Expression, View
from touchline.storage.state import State, Statement
from touchline.storage.workspace import Workspace

__all__ = ["forget", "last_seen", "look_back", "note"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
LOOKED = "looked "
LINK, FOLLOWED = "link", "Link Clicked"
CODE = '"code":"(?P<code>[a-z0-9_-]{2,64})"'
_table = schema.sighting


def note(state: State, points: TouchpointMap, rows: pa.Table) -> Statement:
    """A statement that notes what these rows of the lake show."""
    if not points.keys or not len(rows):
        return state.upsert(_table, newest_by="seen_us"), []
    rows = rows.filter(pc.invert(rows.column("bot")))
    is_touch = pc.not_equal(pc.bit_wise_and(rows.column("flags"), int(TOUCH)), 0)
    seen_us = pc.min_element_wise(rows.column("ts_us"), rows.column("received_us"))
    if LINK in points.columns:
        rows = rows.append_column(LINK, _followed(rows))
    looked_at = rows.select(points.columns).append_column("is_touch", is_touch)
    looked_at = looked_at.append_column("seen_us", seen_us)
    grouped = looked_at.group_by([*points.columns, "is_touch"], use_threads=False)
    newest = _newest(points, [grouped.aggregate([("seen_us", "max")])])
    return state.upsert(_table, newest_by="seen_us"), _rows(newest)


def look_back(workspace: Workspace, points: TouchpointMap) -> int:
    """Looks for touchpoints that are new to the map in all that was stored; returns how many. Those
    that have left it are forgotten: should one return, what came meanwhile is looked for as well.
    """
    state, marks = workspace.state, {_looked(key): key for key in points.keys}
    looked = _marks(state)
    _forget(state, looked - marks.keys())
    new = {marks[mark] for mark in marks.keys() - looked}
    if not new:
        return 0
    with workspace.view("fresh", "events") as view:
        found = view.batches(_distinct(view, points))
        newest = _newest(points, (pa.Table.from_batches([batch]) for batch in found))
    rows = _rows({key: of for key, of in newest.items() if key in new})
    done = [{"name": _looked(key), "value": 1} for key in new]
    state.write(
        (state.upsert(_table, newest_by="seen_us"), rows), (state.upsert(schema.mark), done)
    )
    return len(new)


def forget(state: State) -> None:
    """All that was seen, for it to be looked at again: channels have changed."""
    _forget(state, _marks(state))


def _marks(state: State) -> set[str]:
    """Of the touchpoints that were looked for in all that was stored."""
    name = schema.mark.c.name
    return {row.name for row in state.read(sa.select(name).where(name.like(f"{LOOKED}%")))}


def _forget(state: State, marks: Iterable[str]) -> None:
    rows = [{"looked": mark, "key": mark.removeprefix(LOOKED)} for mark in marks]
    state.write(
        (sa.delete(_table).where(_table.c.touchpoint == sa.bindparam("key")), rows),
        (sa.delete(schema.mark).where(schema.mark.c.name == sa.bindparam("looked")), rows),
    )


def last_seen(state: State) -> dict[str, int]:
    """Key of a touchpoint -> when it was last seen."""
    return {row.touchpoint: row.seen_us for row in state.read(sa.select(_table))}


def _looked(key: str) -> str:
    """The mark that all that was stored has been looked at for a touchpoint."""
    return LOOKED + key


def _distinct(view: View, points: TouchpointMap) -> Expression:
    """Distinct values that decide, each with its latest time."""
    stored = [name for name in points.columns if name != LINK]
    more = ("name", "properties") if LINK in points.columns else ()
    stored = dict.fromkeys([*stored, *more, "ts_us", "received_us", "flags", "bot"])
    events = view.events(*stored)
    events = events.filter(~events.bot)
    if LINK in points.columns:
        code = events.properties.re_extract(CODE, 1)
        events = events.mutate(link=(events.name == FOLLOWED).ifelse(code, ibis.null("string")))
    is_touch = (events.flags & int(TOUCH)) != 0
    events = events.mutate(
        is_touch=is_touch,
        seen_us=ibis.least(events.ts_us, events.received_us),
        # Of other rows nobody asks for these: so there are less of them.
        **{
            n: is_touch.ifelse(events[n], ibis.null("string"))
            for n in points.columns
            if n in LABELS
        },
    )
    return events.group_by(*points.columns, "is_touch").agg(seen_us_max=events.seen_us.max())


def _followed(rows: pa.Table) -> Any:
    """The code of the short link that each row is a click of."""
    code = pc.struct_field(pc.extract_regex(rows.column("properties"), CODE), "code")
    is_click = pc.equal(rows.column("name"), FOLLOWED)
    return pc.if_else(is_click, code, pa.scalar(None, pa.string()))


def _newest(points: TouchpointMap, tables: Iterable[pa.Table]) -> dict[str, int]:
    newest: dict[str, int] = {}
    for table in tables:
        none = [None] * len(table)
        held = {name: table.column(name).to_pylist() for name in points.columns}
        columns = [held.get(name, none) for name in LOOKED_AT]
        touches, seen = table.column("is_touch").to_pylist(), table.column("seen_us_max")
        for values, is_touch, seen_us in zip(
            zip(*columns, strict=True), touches, seen.to_pylist(), strict=True
        ):
            for key in points.keys_of(values, is_touch):
                newest[key] = max(seen_us, newest.get(key, 0))
    return newest


def _rows(newest: dict[str, int]) -> list[dict[str, Any]]:
    return [{"touchpoint": key, "seen_us": seen_us} for key, seen_us in newest.items()]
