"""What became of every item received: the conservation law, written down per source and hour.

received = stored + duplicate + rejected. Rejects keep their payload, sealed, with the reason.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.model import Reject
from touchline.storage import schema
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = ["Tally", "intake_rows", "open_payload", "reject_rows"]

HOUR_US = 3600 * clock.US
REJECTS = "rejects"  # mark: the last number given to a reject, which pages of them go by
Statement = tuple[sa.Executable, Sequence[dict[str, Any]]]


class Tally(msgspec.Struct, frozen=True):
    """Counts of one batch or import."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0


def intake_rows(state: State, fates: Iterable[tuple[str, int, str]]) -> Statement:
    """A statement that adds (source, received_us, "stored" | "duplicate" | "rejected") counts."""
    sums: dict[tuple[str, int], dict[str, Any]] = {}
    for source, received_us, fate in fates:
        hour = received_us - received_us % HOUR_US
        row = sums.get((source, hour))
        if row is None:
            row = sums[source, hour] = {
                "source": source,
                "hour_us": hour,
                "received": 0,
                "stored": 0,
                "duplicate": 0,
                "rejected": 0,
            }
        row["received"] += 1
        row[fate] += 1
    counted = ("received", "stored", "duplicate", "rejected")
    return state.upsert(schema.intake, add=counted), list(sums.values())


def reject_rows(workspace: Workspace, rejects: Sequence[Reject]) -> tuple[Statement, Statement]:
    """Statements that keep rejects, and the last number given to one, for the same transaction.

    A reject that is read again from log or file is kept once.
    """
    last = workspace.state.mark(REJECTS)
    rows: list[dict[str, Any]] = []
    seen: Counter[tuple[Any, ...]] = Counter()
    for number, reject in enumerate(rejects, 1):
        # A line of a file is the same whenever it is read; a request is another one each time.
        when = reject.received_us if reject.line is None else 0
        what = (reject.source, reject.kind, when, reject.line, reject.payload)
        seen[what] += 1
        name = msgspec.msgpack.encode((*what, seen[what]))
        reject_id = blake2b(name, digest_size=16).digest()
        rows.append(
            {
                "reject_id": reject_id,
                "source": reject.source,
                "kind": reject.kind,
                "message_id": reject.message_id,
                "reason": reject.reason,
                "sealed_payload": workspace.vault.seal(reject.payload, b"reject|" + reject_id),
                "received_us": reject.received_us,
                "seq": last + number,
                "line": reject.line,
            },
        )
    moved = workspace.state.set_mark(REJECTS, last + len(rows))
    return (workspace.state.upsert(schema.reject), rows), moved


def open_payload(workspace: Workspace, row: sa.Row[Any]) -> bytes:
    return workspace.vault.open(row.sealed_payload, b"reject|" + row.reject_id)
