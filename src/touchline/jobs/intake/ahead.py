"""Rows that the lake holds and State does not know: of the commit that a crash cut short, or of all
commits since an older copy of State that was put back.
"""

from collections.abc import Collection
from typing import NamedTuple

from touchline.storage.workspace import Workspace

__all__ = ["Ahead", "Row"]


class Row(NamedTuple):
    content_hash: bytes
    source: str
    received_us: int
    seq: int


class Ahead:
    """Those that arrived after `after`, up to `upto`."""

    def __init__(self, workspace: Workspace, after: int, upto: int) -> None:
        self.upto = upto
        columns = ("event_id", *Row._fields[:-1])
        self._rows = {
            row["event_id"]: Row(*(row[name] for name in Row._fields))
            for part in workspace.lake.arrived(columns, after, upto)
            for row in part.to_pylist()
        }

    def holds(self, event_id: bytes, content_hash: bytes) -> bool:
        row = self._rows.get(event_id)
        return row is not None and row.content_hash == content_hash

    def last(self, ids: Collection[bytes]) -> int:
        """The last arrival number among these rows; 0 without any."""
        return max((self._rows[event_id].seq for event_id in ids), default=0)

    def others(self, ids: Collection[bytes], upto: int) -> dict[bytes, Row]:
        """Takes away the rows up to a number, and says which of them are not among `ids`: what
        came in another way than through the log.
        """
        gone = {event_id: row for event_id, row in self._rows.items() if row.seq <= upto}
        self._rows = {event_id: row for event_id, row in self._rows.items() if row.seq > upto}
        return {event_id: row for event_id, row in gone.items() if event_id not in ids}
