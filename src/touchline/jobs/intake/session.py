"""Rows of events → the same rows with their sessions: who opened one, and what the others inherit.

`collect.session` decides over arrays; here its arrays are gathered from a table and its answer is
written back. Sessions that are still open (over midnight, or over the last commit) take part as one
row each, so that what goes on with them is no new session, and are not given back.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.collect.session import IDLE_US, sessions
from touchline.collect.time import local_day
from touchline.model import LABELS, Flag
from touchline.storage.columns import EVENTS
from touchline.storage.engine import AMENDED, Expression

__all__ = [
    "OPEN",
    "TAKEN",
    "OpenSessions",
    "assign_sessions",
    "changed",
    "is_of",
    "shares_of",
    "still_open",
]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
CAMPAIGN = ("source_name", "medium", "campaign")
SHARED = ("device", "ts_us", "seq", "session_id", "landing_page", *LABELS)
TAKEN = (*SHARED, "flags", "event_id", "page_url")  # what `assign_sessions` reads of rows
# An open session: its last event's device, time and place; what its opener gave it; and whether
# the opener brought its labels (with which a session can be told from another) or just had them.
OPEN = pa.schema([*(EVENTS.field(name) for name in SHARED), ("is_brought", pa.bool_())])
REMEMBERED = 100_000
_BRINGS = int(Flag.BRINGS_CAMPAIGN)


class Part(NamedTuple):
    """What takes part: open sessions first, then rows of the table by position."""

    before: int
    at: np.ndarray[Any, Any]
    opener: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    is_start: np.ndarray[Any, Any]


def assign_sessions(rows: pa.Table, before: pa.Table, zone: str | None = None) -> pa.Table:
    """Sets session_id, landing_page, Flag.OPENS_SESSION and inherited labels of `rows`. With a
    `zone`, sessions end at its midnight.
    """
    at = np.flatnonzero(pc.is_valid(rows.column("device")).to_numpy())
    if not len(at):
        return rows
    taking = rows.select(list(TAKEN)).take(at)
    flags = taking.column("flags").to_numpy()
    is_brought = before.column("is_brought").to_numpy().astype(bool)
    brings = np.concatenate([is_brought, (flags & Flag.BRINGS_CAMPAIGN).astype(bool)])
    both = pa.concat_tables([before.select(SHARED), taking.select(SHARED)])
    device, ts_us, seq = (both.column(n).to_numpy() for n in ("device", "ts_us", "seq"))
    order = np.lexsort((seq, ts_us, device))
    day = None
    if zone is not None:
        day = np.array([local_day(ts, zone) for ts in ts_us[order].tolist()], np.int64)
    found = sessions(device[order], ts_us[order], brings[order], _campaigns(both)[order], day)
    opener, labels = (_unsorted(x, order) for x in (found.opener, found.labels))
    part = Part(len(before), at, opener, labels, _back(found.is_start, order))
    return _written(rows, taking, both, part, flags, brings)


def _written(
    rows: pa.Table,
    taking: pa.Table,
    both: pa.Table,
    part: Part,
    flags: np.ndarray[Any, Any],
    brings: np.ndarray[Any, Any],
) -> pa.Table:
    mine = slice(part.before, None)
    opens = np.where(part.is_start[mine], int(Flag.OPENS_SESSION), 0)
    new_flags = rows.column("flags").to_numpy().copy()
    new_flags[part.at] = (flags & ~int(Flag.OPENS_SESSION)) | opens
    rows = _replaced(rows, "flags", pa.array(new_flags, pa.int32()))
    own_ids = np.array(
        [int.from_bytes(e[:8], "big", signed=True) for e in taking["event_id"].to_pylist()]
    )
    ids = np.concatenate([both["session_id"].to_numpy()[: part.before].astype(np.int64), own_ids])
    session_id = np.zeros(len(rows), np.int64)
    session_id[part.at] = ids[part.opener[mine]]
    is_out = np.ones(len(rows), bool)
    is_out[part.at] = False
    rows = _replaced(rows, "session_id", pa.array(session_id, pa.int64(), mask=is_out))
    landed = pa.concat_arrays(
        [
            both["landing_page"].combine_chunks()[: part.before],
            taking["page_url"].combine_chunks(),
        ]
    )
    rows = _inherit(rows, "landing_page", landed, part.at, part.opener[mine])
    inherits = ~brings[mine] & (flags & int(Flag.EXPLICIT_CHANNEL) == 0)
    for name in LABELS:
        values = both[name].combine_chunks()
        rows = _inherit(rows, name, values, part.at[inherits], part.labels[mine][inherits])
    return rows


def changed(before: pa.Table, after: pa.Table) -> np.ndarray[Any, Any]:
    """Which rows have other values of what sessions decide."""
    found = np.zeros(len(after), bool)
    for name in AMENDED:
        old, new = before[name], after[name]
        differs = pc.fill_null(pc.not_equal(old, new), False)
        found |= pc.or_(differs, pc.xor(pc.is_null(old), pc.is_null(new))).to_numpy()
    return found


def _inherit(rows: pa.Table, name: str, values: pa.Array, at: Any, source: Any) -> pa.Table:
    """Column `name` with values[source] put at the positions `at`."""
    own = rows.column(name).combine_chunks()
    index = np.arange(len(rows))
    index[at] = len(rows) + source
    return _replaced(rows, name, pa.concat_arrays([own, values]).take(pa.array(index)))


def _replaced(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), values)


def _campaigns(rows: pa.Table) -> np.ndarray[Any, Any]:
    """One code per distinct (source, medium, campaign)."""
    code = np.zeros(len(rows), np.int64)
    for name in CAMPAIGN:
        encoded = rows.column(name).combine_chunks().dictionary_encode(null_encoding="encode")
        code = code * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
    return code


def _back(values: Any, order: Any) -> Any:
    """Values of sorted places, back at their own places."""
    out = np.empty_like(values)
    out[order] = values
    return out


def _unsorted(positions: Any, order: Any) -> Any:
    """Positions among sorted places → positions among the original ones."""
    return _back(order[positions], order)


def still_open(rows: pa.Table, before: pa.Table) -> pa.Table:
    """Sessions (see OPEN) that may go on behind the last of these rows; `before` as they had it."""
    newest = pc.max(rows.column("ts_us")).as_py()
    late = pc.and_(
        pc.is_valid(rows.column("device")),
        pc.greater_equal(rows.column("ts_us"), newest - IDLE_US),
    )
    going_on = pc.unique(rows.filter(late).column("session_id"))
    known = before.filter(pc.is_in(before.column("session_id"), value_set=going_on))
    memory = OpenSessions(known.to_pylist())
    memory.remember(rows.filter(pc.is_in(rows.column("session_id"), value_set=going_on)))
    return memory.table()


def shares_of(rows: int, at_once: int) -> int:
    """In how many shares of their devices, a power of two, so many rows are taken."""
    return 1 << (max(rows - 1, 0) // at_once).bit_length()


def is_of(rows: Expression, share: int, shares: int) -> Expression:
    """Whether rows are of this share of the devices, which are evenly spread numbers; sessions are
    a device's, so shares know nothing of one another.
    """
    return (rows.device.coalesce(rows.seq) & (shares - 1)) == share


class OpenSessions:
    """The last event of each device seen lately: sessions of fresh rows, until settling.

    What it says is provisional. `is_doubtful` tells that an event came late, or from a device whose
    past is not in memory, so that settling soon is worth it.
    """

    def __init__(self, known: Iterable[dict[str, Any]] = ()) -> None:
        self.is_doubtful = False
        self._last = {row["device"]: row for row in known}

    def assign(self, rows: pa.Table) -> pa.Table:
        devices = [d for d in pc.unique(rows.column("device")).to_pylist() if d is not None]
        known = [self._last[device] for device in devices if device in self._last]
        if len(known) < len(devices):
            oldest = pc.min(rows.column("ts_us")).as_py()
            self.is_doubtful |= oldest < clock.now_us() - 2 * IDLE_US
        assigned = assign_sessions(rows, pa.Table.from_pylist(known, schema=OPEN))
        self.remember(assigned)
        return assigned

    def forget(self, devices: Iterable[int]) -> None:
        """Remembers nothing of these devices any more."""
        for device in devices:
            self._last.pop(device, None)

    def table(self) -> pa.Table:
        """All that is remembered, as OPEN."""
        return pa.Table.from_pylist(list(self._last.values()), schema=OPEN)

    def remember(self, rows: pa.Table) -> None:
        """Notes the session that is open after each device's last row."""
        if len(self._last) > REMEMBERED:
            self._last.clear()
        at = np.flatnonzero(pc.is_valid(rows.column("device")).to_numpy())
        if not len(at):
            return
        names = ("device", "ts_us", "seq", "session_id")
        device, ts_us, seq, session = (
            rows.column(name).take(pa.array(at)).to_numpy() for name in names
        )
        order = np.lexsort((seq, ts_us, device))
        device, ts_us, session = device[order], ts_us[order], session[order]
        begins = np.flatnonzero(np.r_[True, device[1:] != device[:-1]])
        ends = np.r_[begins[1:], len(order)] - 1
        opens = np.flatnonzero(
            np.r_[True, (device[1:] != device[:-1]) | (session[1:] != session[:-1])]
        )
        openers = opens[np.searchsorted(opens, ends, "right") - 1]
        first_us = ts_us[begins].tolist()
        last = rows.select(["ts_us", "seq"]).take(at[order[ends]]).to_pylist()
        opened = rows.select([*SHARED, "flags"]).take(at[order[openers]]).to_pylist()
        for since_us, end, row in zip(first_us, last, opened, strict=True):
            held = self._last.get(row["device"])
            if held is not None and held["ts_us"] > since_us:
                self.is_doubtful = True
                if held["ts_us"] > end["ts_us"]:
                    continue
            if held is not None and held["session_id"] == row["session_id"]:
                self._last[row["device"]] = held | end
            else:
                row["is_brought"] = bool(row.pop("flags") & _BRINGS)
                self._last[row["device"]] = row | end
