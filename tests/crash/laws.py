"""What must hold of a workspace: at any moment for whoever reads, in the end for the client.

A law that does not hold raises `BrokenError`, which says which.
"""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from build import HOUR
from crash.world import FILE, Promises, Request, World, marks, reading
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.storage import schema
from touchline.storage.by_node import BUILT, FILED
from touchline.storage.dedup import DedupIndex
from touchline.storage.workspace import Workspace

COLUMNS = (
    "seq",
    "source",
    "message_id",
    "name",
    "event_id",
    "content_hash",
    "node_ids",
    "received_us",
)


class BrokenError(AssertionError):
    """A law that did not hold."""


def check_moment(world: World) -> None:
    """What another process reads now: every finished commit, each row once, none by halves."""
    with reading(world.dir) as workspace:
        _check_rows(workspace, world.told)


def _check_rows(workspace: Workspace, told: Promises) -> list[dict[str, Any]]:
    files = workspace.lake.files("fresh", "events")
    found = marks(workspace, files)
    for name, value in found.items():
        held = told.marks.get(name, 0)
        if value < held:
            raise BrokenError(f"{name} went back from {held} to {value}")
    rows = [row for part in files.tables["events"].read(COLUMNS) for row in part.to_pylist()]
    for part in files.tables["fresh"].read(COLUMNS):
        rows += [row for row in part.to_pylist() if row["seq"] > files.settled_seq]
    seqs, last = Counter(row["seq"] for row in rows), found["lake seq"]
    if +seqs != Counter(range(1, last + 1)):
        many = sorted(seq for seq, count in seqs.items() if count > 1)
        gone = sorted(set(range(1, last + 1)) - seqs.keys())
        more = sorted(seqs.keys() - set(range(1, last + 1)))
        raise BrokenError(f"of rows 1 to {last}: gone {gone}, twice {many}, beyond {more}")
    _check_filed(workspace, rows)
    return rows


def _check_filed(workspace: Workspace, rows: list[dict[str, Any]]) -> None:
    """The copy by identifier holds every event up to the number it tells, under all of its own."""
    table = workspace.lake.by_node
    if not table.exists() or (copy := table.snapshot()).offset(BUILT) != 1:
        return
    upto = copy.offset(FILED)
    parts = (part.to_pylist() for part in copy.read(("node", "seq")))
    found = {(row["node"], row["seq"]) for part in parts for row in part if row["seq"] <= upto}
    filed = [row for row in rows if row["seq"] <= upto]
    expected = {(node["id"], row["seq"]) for row in filed for node in row["node_ids"] or ()}
    if found != expected:
        gone, more = len(expected - found), len(found - expected)
        raise BrokenError(f"filed up to {upto}: {gone} gone, {more} too many")


def check_end(world: World, *, is_settled: bool) -> None:
    """Nothing left to be done: all that was promised is there, once, and the books agree."""
    workspace, writer, told = world.workspace, world.writer, world.told
    assert workspace is not None
    assert writer is not None
    rows = _check_rows(workspace, told)
    held = {(row["source"], row["message_id"]): row["name"] for row in rows}
    if len(held) != len(rows):
        raise BrokenError("an event is stored twice")
    _check_promises(workspace, told, held)
    _check_account(workspace, told, rows)
    _check_state(workspace, writer, rows)
    found = marks(workspace)
    if is_settled and found["settled"] != found["lake seq"]:
        raise BrokenError(f"rows left unsettled: {found}")


def check_whole(world: World) -> None:
    """As `check_end`, by the product's own eyes, which are slower."""
    check_end(world, is_settled=True)
    assert world.workspace is not None
    with world.workspace.view("fresh", "events") as view:
        names = ("seq", "message_id", "source", "name", "session_id")
        rows = view.fetch(view.events(*names)).to_pylist()
    if sorted(row["seq"] for row in rows) != list(range(1, len(rows) + 1)):
        raise BrokenError("the view does not show every row once")
    if findings := examine(world.workspace)["findings"]:
        raise BrokenError(f"doctor: {findings}")


def _check_promises(workspace: Workspace, told: Promises, held: dict[Any, str]) -> None:
    rejects = workspace.state.read(sa.select(schema.reject))
    found: dict[int, Counter[Any]] = {}
    for row in rejects:
        found.setdefault(row.received_us, Counter())[row.source, row.message_id] += 1
    for request in told.requests:
        expected = _rejects_of(request, held)
        kept = found.pop(request.received_us, Counter())
        if request.is_answered and kept != expected:
            raise BrokenError(f"rejects of {request}: {kept} instead of {expected}")
        if kept - expected:
            raise BrokenError(f"rejects of {request}, which nobody was told of: {kept - expected}")
    if found:
        raise BrokenError(f"rejects of no request: {found}")
    for name, rows in told.imported.items():
        if lost := {row for row in rows if name in told.imports_done and (FILE, row) not in held}:
            raise BrokenError(f"imported and lost: {lost}")
    by_id = {row.reject_id.hex(): row for row in rejects}
    for reject_id in told.replayed:
        row = by_id[reject_id]
        if row.replayed_us is None or held.get((row.source, row.message_id)) != "Corrected":
            raise BrokenError(f"replayed and lost: {row.message_id}")


def _rejects_of(request: Request, held: dict[Any, str]) -> Counter[Any]:
    """(source, message id) of what of a request cannot have been stored, by what is."""
    if request.body is not None:
        return Counter([(request.source, None)])
    expected: Counter[Any] = Counter()
    for item in request.items:
        key = (request.source, item["messageId"])
        if "event" not in item:
            expected[key] += 1
        elif key in held:
            expected[key] += held[key] != item["event"]
        elif request.is_answered:
            raise BrokenError(f"answered and lost: {key}")
    return +expected


def _check_account(workspace: Workspace, told: Promises, rows: list[dict[str, Any]]) -> None:
    stored = Counter((row["source"], _hour(row["received_us"])) for row in rows)
    least: Counter[tuple[str, int]] = Counter()
    most: Counter[tuple[str, int]] = Counter()
    for request in told.requests:
        count = 1 if request.body is not None else len(request.items)
        place = (request.source, _hour(request.received_us))
        most[place] += count
        least[place] += count * request.is_answered
        corrections = [item for item in request.items if item["messageId"] in _corrected(told)]
        most[place] += 2 * len(corrections)  # begun, cut short and begun again: a duplicate
    imported = 0
    for row in workspace.state.read(sa.select(schema.intake)):
        place = (row.source, row.hour_us)
        if row.received != row.stored + row.duplicate + row.rejected:
            raise BrokenError(f"unbalanced: {row}")
        if row.stored != stored.pop(place, 0):
            raise BrokenError(f"not as many as said: {row}")
        if row.source == FILE:
            imported += row.received
        elif not least.pop(place, 0) <= row.received <= most[place]:
            raise BrokenError(f"received {row.received} of at most {most[place]}: {place}")
    if +least or stored:
        raise BrokenError(f"unaccounted: {least} {stored}")
    if not sum(told.imports_done.values()) <= imported <= sum(told.imports_begun.values()):
        raise BrokenError(f"imported: {imported}")


def _hour(at_us: int) -> int:
    return at_us - at_us % HOUR


def _corrected(told: Promises) -> set[str]:
    return set(told.corrected.values())


def _check_state(workspace: Workspace, writer: Writer, rows: list[dict[str, Any]]) -> None:
    """The index knows every event of the lake and no other, State every identifier."""
    stored = {row["event_id"]: row["content_hash"] for row in rows}
    for known in (
        writer.store.known,
        DedupIndex(workspace.dir / "dedup", workspace.lake, len(rows)),
    ):
        if len(known) != len(stored) or known.hashes(stored) != stored:
            raise BrokenError(f"the index knows {len(known)} events instead of {len(stored)}")
    known = {row[0] for row in workspace.state.read(sa.select(schema.node.c.node_id))}
    if missing := {node["id"] for row in rows for node in row["node_ids"] or ()} - known:
        raise BrokenError(f"{len(missing)} identifiers without a clear value")
    found = marks(workspace)
    for name in ("log", "seq"):
        if found[f"lake {name}"] != found[f"state {name}"]:
            raise BrokenError(f"lake and State differ: {found}")
