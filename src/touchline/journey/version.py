"""Events → events without the imported versions of an order that a later import replaced.

All versions stay in the lake, for views as of a day; the newest that a view holds is in force. The
surprise: a session stays where a replaced version opened it, so that touch passes to the version in
force instead of going with the old one.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute

from touchline.model import TOUCH, Flag
from touchline.storage.engine import Expression, View

__all__ = ["in_force", "rows_in_force", "touches_in_force"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
ORDER = ("type", "name", "order_id")


def in_force(view: View, events: Expression) -> Expression:
    """The rows of `events` (with event_id) that no later version replaces."""
    if not view.files.has_revisions:
        return events
    replaced = _replaced(view)
    return events.anti_join(replaced, events.event_id == replaced.old_id)


def rows_in_force(view: View, rows: pa.Table) -> pa.Table:
    """The same of events in memory. Asks all orders of the lake when one of these may be old."""
    is_version = pc.not_equal(pc.bit_wise_and(rows["flags"], int(Flag.VERSION)), 0)
    if not view.files.has_revisions or not pc.any(is_version).as_py():
        return rows
    mine = view.given(rows.select(["event_id"]))
    old = _replaced(view)
    gone = view.fetch(old.semi_join(mine, old.old_id == mine.event_id).select("old_id"))
    is_gone = pc.is_in(rows["event_id"], value_set=gone["old_id"].combine_chunks())
    return rows.filter(pc.invert(is_gone))


def touches_in_force(view: View, touches: Expression) -> Expression:
    """Touches (with event_id, message_id and flags), each version's once."""
    if not view.files.has_revisions:
        return touches
    replaced = _replaced(view)
    found = touches.left_join(replaced, touches.event_id == replaced.old_id)
    found = found.filter(found.old_id.isnull() | found.is_kept)
    found = found.mutate(
        event_id=found.new_id.coalesce(found.event_id),
        message_id=found.new_message_id.coalesce(found.message_id),
    )
    return found.select(*touches.columns)


def _replaced(view: View) -> Expression:
    """Versions that are no longer in force, each with the one that is."""
    rows = view.events("event_id", "message_id", *ORDER, "seq", "flags")
    rows = rows.filter((rows.flags & int(Flag.VERSION)) != 0)
    revised = rows.filter((rows.flags & int(Flag.REVISION)) != 0).select(*ORDER).distinct()
    rows = rows.semi_join(revised, list(ORDER))
    newest = rows.group_by(ORDER).agg(
        new_id=rows.event_id.argmax(rows.seq),
        new_message_id=rows.message_id.argmax(rows.seq),
        new_seq=rows.seq.max(),
        touch_id=rows.event_id.argmax(rows.seq, where=(rows.flags & int(TOUCH)) != 0),
    )
    found = rows.join(newest, list(ORDER))
    found = found.filter(found.seq < found.new_seq)
    opened = (found.flags & int(Flag.EXPLICIT_CHANNEL)) == 0
    is_kept = (opened & (found.event_id == found.touch_id)).fill_null(False)
    return found.select("new_id", "new_message_id", old_id="event_id", is_kept=is_kept)
