"""Identifiers → events that carry them: from the copy by identifier, and what it has not got yet.

What surprises: a copy that is not whole, or of which a file is gone, is not read at all; who asks
then has to go through all events. The worker makes such a copy anew (`ByNode.is_damaged`).
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline.storage.by_node import BUILT, FILED, ByNode
from touchline.storage.columns import EVENTS
from touchline.storage.engine import View

__all__ = ["events_naming", "filed"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


def filed(copy: ByNode, view: View, nodes: Collection[bytes]) -> tuple[pa.Table, int] | None:
    """What is filed under some identifiers, and up to which arrival number events are."""
    if not copy.exists() or (found := copy.snapshot()).offset(BUILT) != 1:
        return None
    # The copy may be newer than the view, which goes on with what is beyond the same number.
    upto = min(found.offset(FILED), view.files.last_seq)
    try:
        rows = copy.rows_under(found, nodes)
    except (OSError, pa.ArrowException):
        return None
    return rows.filter(pc.less_equal(rows["seq"], upto)), upto


def events_naming(view: View, nodes: Collection[bytes], columns: list[str]) -> pa.Table | None:
    """These columns of each event of a view that carries one of these, once; in no order."""
    found = filed(view.files.by_node, view, nodes)
    if found is None:
        return None
    rows, upto = found
    # It stands under each of its identifiers, and again under a later round: all say the same here.
    _, first = np.unique(rows["seq"].to_numpy(), return_index=True)
    rows = rows.take(pa.array(first)).select(columns)
    schema = pa.schema([EVENTS.field(name) for name in columns])
    fresh = view.files.naming(nodes, upto).select(columns)
    return pa.concat_tables([rows.cast(schema), fresh.cast(schema)])
