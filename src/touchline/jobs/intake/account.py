"""What became of every item received: the conservation law, written down per source and hour.

received = stored + duplicate + rejected. Rejects keep their payload, sealed, with the reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.model import RawRequest, Reject
from touchline.storage import schema
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = [
    "Tally",
    "intake_rows",
    "open_payload",
    "open_request",
    "reject_rows",
    "replayed_rows",
]

HOUR_US = 3600 * clock.US
COUNTED = ("received", "stored", "duplicate", "rejected")
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
    return state.upsert(schema.intake, add=COUNTED), list(sums.values())


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
                "sealed_request": _sealed_request(workspace, reject, reject_id),
            },
        )
    moved = workspace.state.set_mark(REJECTS, last + len(rows))
    return (workspace.state.upsert(schema.reject), rows), moved


def replayed_rows(
    state: State, replayed: Mapping[bytes, tuple[str, int]]
) -> tuple[Statement, Statement]:
    """Statements that make rejects (source, received_us) replayed ones, and take them off the
    account of their hour: what they are now has been added to it.
    """
    table = schema.reject
    done = sa.update(table).where(table.c.reject_id == sa.bindparam("replayed_id"))
    now = clock.now_us()
    rows = [{"replayed_id": reject_id, "replayed_us": now} for reject_id in replayed]
    fates = ((source, received_us, "rejected") for source, received_us in replayed.values())
    correct, added = intake_rows(state, fates)
    taken_off = [{n: -v if n in COUNTED else v for n, v in row.items()} for row in added]
    return (done.values(replayed_us=sa.bindparam("replayed_us")), rows), (correct, taken_off)


def open_payload(workspace: Workspace, row: sa.Row[Any]) -> bytes:
    return workspace.vault.open(row.sealed_payload, b"reject|" + row.reject_id)


def open_request(workspace: Workspace, row: sa.Row[Any]) -> tuple[RawRequest, Any]:
    """The request a reject came with, less its body, and when its batch said it was sent."""
    if row.sealed_request is None:
        return RawRequest(row.received_us, row.source, "/v1/batch", b"", b""), None
    told = workspace.vault.open(row.sealed_request, b"request|" + row.reject_id)
    return msgspec.json.decode(told, type=tuple[RawRequest, Any])


def _sealed_request(workspace: Workspace, reject: Reject, reject_id: bytes) -> bytes | None:
    if reject.request is None:
        return None
    told = (msgspec.structs.replace(reject.request, body=b""), reject.sent_at)
    return workspace.vault.seal(msgspec.json.encode(told), b"request|" + reject_id)
