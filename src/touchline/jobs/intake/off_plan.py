"""What goes against the tracking plan → counts in State, by day, source, event, property, reason.

The day is that of arrival. `stored`: events that are in the lake and go against it, each once
however often it was sent. `rejected`: items that a strict plan refused when they arrived; a replay
does not count them again.
Names that the plan does not have are whoever sends them: a source may fill so many rows a day, then
they count under "" together.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from touchline.collect.plan import UNPLANNED, Judgement
from touchline.collect.property_check import Fault
from touchline.collect.time import local_day
from touchline.model import Event
from touchline.storage import schema
from touchline.storage.state import Statement
from touchline.storage.workspace import Workspace

__all__ = ["Counted", "OffPlan"]

MOST = 1_000  # rows a source may fill in a day with names of its own
MAX_NAME = 200
DAYS_KNOWN = 64
_OPEN = (UNPLANNED, "unplanned_property")
_table = schema.off_plan
Place = tuple[int, str]
Key = tuple[str, str, str]


class Counted(NamedTuple):
    """An event that goes against the plan. `fate`: "stored" or "rejected"."""

    event: Event
    judgement: Judgement
    fate: str


class OffPlan:
    """Counts for one writer, which remembers how many names a day has seen."""

    def __init__(self, workspace: Workspace) -> None:
        self._state = workspace.state
        self._zone = workspace.time_zone
        self._open: dict[Place, set[Key]] = {}

    def rows(self, found: Iterable[Counted]) -> Statement:
        """A statement that adds them, for the transaction that stores the events."""
        rows: dict[tuple[Place, Key], dict[str, Any]] = {}
        for event, judgement, fate in found:
            place = local_day(event.received_us, self._zone), event.source
            for fault in judgement.faults:
                key = self._key(place, judgement.name, fault)
                row = rows.get((place, key))
                if row is None:
                    row = rows[place, key] = _row(place, key)
                row[fate] += 1
                row["example"] = row["example"] or fault.example
        return self._state.upsert(_table, add=("stored", "rejected")), list(rows.values())

    def _key(self, place: Place, event: str, fault: Fault) -> Key:
        key = (event[:MAX_NAME], fault.property[:MAX_NAME], fault.reason)
        if fault.reason not in _OPEN:
            return key
        known = self._open.get(place)
        if known is None:
            known = self._open[place] = self._met(place)
        if key not in known and len(known) >= MOST:
            return ("", "", fault.reason) if fault.reason == UNPLANNED else (key[0], "", key[2])
        known.add(key)
        return key

    def _met(self, place: Place) -> set[Key]:
        if len(self._open) >= DAYS_KNOWN:
            self._open.clear()
        named = (_table.c.event, _table.c.property, _table.c.reason)
        query = sa.select(*named).where(
            _table.c.day == place[0], _table.c.source == place[1], _table.c.reason.in_(_OPEN)
        )
        return {(row.event, row.property, row.reason) for row in self._state.read(query)}


def _row(place: Place, key: Key) -> dict[str, Any]:
    return {
        "day": place[0],
        "source": place[1],
        "event": key[0],
        "property": key[1],
        "reason": key[2],
        "stored": 0,
        "rejected": 0,
        "example": None,
    }
