"""Rejects read again, as they are or as somebody corrected them → events, each stored once.

    stored, duplicate    it is no reject any more; the account of its hour says what it is now
    still rejected       it stays the reject it was, for the reason that holds now

An event is what it would have been had it been taken at once: same id, time of arrival and source.
What surprises: rejected rows of costs, conversions, people and rates are left alone. Importing the
corrected file again changes nothing else, while a row by itself would replace its neighbours or be
taken for the newest word on a deal.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline.collect import protocols
from touchline.collect.body import load
from touchline.collect.importers.cells import Import
from touchline.collect.importers.events import EventRow, read_again
from touchline.collect.item import Item, made_id
from touchline.collect.verdict import message_id_of, reason_against
from touchline.errors import BadInput, NotFound
from touchline.jobs.imports.orders import Orders, history_of
from touchline.jobs.intake.account import intake_rows, open_payload, open_request, replayed_rows
from touchline.jobs.intake.rejected import matching, reject_id_of
from touchline.jobs.intake.store import Arrival
from touchline.jobs.intake.writer import Writer, arrival, why_unread
from touchline.jobs.job import Progress
from touchline.model import Flag, RawRequest, Reject
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = ["asked", "replay"]

CHUNK = 2_000
FILTERS = ("reason", "source")
# `to_import_again`: rows of files other than events.
FATES = ("asked", "stored", "duplicate", "rejected", "replayed_before", "to_import_again")
Row = sa.Row[Any]
Read = Arrival | Reject


def asked(workspace: Workspace, args: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for, as the arguments of a job.

    `ids`, `reason`, `source` choose among the rejects; `all` is every one of them. `edits`: id →
    what shall stand in the place of the payload, which is sealed here, since jobs lie in State.
    """
    edits: dict[str, Any] = args.get("edits") or {}
    if not edits and not any(args.get(name) for name in ("ids", "all", *FILTERS)):
        raise BadInput("replay_what")
    sealed: dict[str, str] = {}
    for name, value in edits.items():
        raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
        reject_id = reject_id_of(name)
        sealed[reject_id.hex()] = workspace.vault.seal(raw, b"edit|" + reject_id).hex()
    found = {name: args[name] for name in FILTERS if args.get(name)}
    ids = [reject_id_of(name).hex() for name in (*(args.get("ids") or ()), *edits)]
    return found | ({"ids": list(dict.fromkeys(ids)), "edits": sealed} if ids else {})


def replay(writer: Writer, args: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """What became of the rejects asked for (`FATES`), and why those that are still rejected are.
    Doing it twice stores nothing twice.
    """
    workspace = writer.workspace
    table = schema.reject.c
    chosen = matching(args).with_only_columns(table.reject_id)
    open_ids = [bytes(row[0]) for row in workspace.state.stream(chosen)]
    counts = Counter(asked=len(open_ids))
    if "ids" in args:
        _count_known(workspace, args["ids"], counts)
    edits = _opened(workspace, args.get("edits") or {})
    reasons: Counter[str] = Counter()
    for start in range(0, len(open_ids), CHUNK):
        chunk = open_ids[start : start + CHUNK]
        rows = workspace.state.lookup(schema.reject.c.reject_id, chunk, *schema.reject.columns)
        rows.sort(key=lambda row: (row.received_us, row.seq))
        _Chunk(writer, rows, edits, counts, reasons).run()
        progress((start + len(chunk)) / len(open_ids))
    return {**{name: counts[name] for name in FATES}, "reasons": dict(reasons)}


def _count_known(workspace: Workspace, ids: Sequence[str], counts: Counter[str]) -> None:
    """Those asked for by id were there, and some may have been replayed before."""
    table = schema.reject.c
    wanted = {bytes.fromhex(name) for name in ids}
    rows = workspace.state.lookup(table.reject_id, wanted, table.reject_id, table.replayed_us)
    missing = wanted - {bytes(row.reject_id) for row in rows}
    if missing:
        raise NotFound("no_such_reject", id=min(missing).hex())
    counts["replayed_before"] = sum(row.replayed_us is not None for row in rows)
    counts["asked"] = len(wanted)


def _opened(workspace: Workspace, edits: Mapping[str, str]) -> dict[bytes, bytes]:
    ids = {bytes.fromhex(name): bytes.fromhex(sealed) for name, sealed in edits.items()}
    return {key: workspace.vault.open(sealed, b"edit|" + key) for key, sealed in ids.items()}


class _Chunk:
    """Some rejects on their way into the store."""

    def __init__(
        self,
        writer: Writer,
        rows: Sequence[Row],
        edits: Mapping[bytes, bytes],
        counts: Counter[str],
        reasons: Counter[str],
    ) -> None:
        self._writer = writer
        self._workspace = writer.workspace
        self._rows = rows
        self._edits = edits
        self._counts = counts
        self._reasons = reasons
        self._arrivals: list[Arrival] = []
        self._rejects: list[Reject] = []
        self._duplicates: list[Row] = []
        self._still: dict[bytes, str] = {}

    def run(self) -> None:
        imported: dict[str, list[Row]] = {}
        for row in self._rows:
            if row.kind != "events":
                self._counts["to_import_again"] += 1
            elif row.reason == "not_kept":  # how many visits were lost: nothing of them is left
                self._still[row.reject_id] = row.reason
            elif row.line is None:
                self._sort(row, self._received(row))
            else:
                imported.setdefault(row.source, []).append(row)
        for source, rows in imported.items():
            self._sort_rows(source, rows)
        self._store()

    def _payload(self, row: Row) -> bytes:
        edited = self._edits.get(row.reject_id)
        return open_payload(self._workspace, row) if edited is None else edited

    def _received(self, row: Row) -> Iterator[Read]:
        """What came over HTTP, as the writer reads it."""
        request, sent_at = open_request(self._workspace, row)
        payload, site = self._payload(row), self._writer.site
        try:
            is_whole = row.message_id is None  # each item has an id, its own or a made one
            if is_whole or protocols.is_defined(request.path):
                again = msgspec.structs.replace(request, body=payload)
                batch = protocols.read(again, site)
                items, sent_at = [_as_named(row, one, again) for one in batch.items], batch.sent_at
            else:
                items = [_item(row, load(payload))]
        except Exception as error:  # noqa: BLE001  # one reject must not stop all that follow
            items = [Item(row.message_id or "", "", why_unread(error), {})]
        for item in items:
            yield arrival(item, request, sent_at, site)

    def _sort(self, row: Row, read: Iterable[Read]) -> None:
        """A reject may hold several items: it is replayed when one of them is an event."""
        found = list(read)
        events = [one for one in found if isinstance(one, Arrival)]
        bad = [one for one in found if isinstance(one, Reject)]
        if not events:
            self._still[row.reject_id] = bad[0].reason if bad else row.reason
            return
        events[0] = msgspec.structs.replace(events[0], reject_id=row.reject_id)
        self._arrivals += events
        self._rejects += bad

    def _sort_rows(self, source: str, rows: Sequence[Row]) -> None:
        """What came in files: told apart from what is known of the same orders."""
        values: list[tuple[int, dict[str, Any]]] = []
        for number, row in enumerate(rows):
            value = _object(self._payload(row))
            if value is None or set(value) == {"text"}:  # a row that could not be read
                self._still[row.reject_id] = row.reason
            else:
                values.append((number, value))
        about = Import(self._writer.site, source, "events", 0)
        orders: Orders | None = None
        told: list[tuple[EventRow, str]] = []
        for found in read_again(values, about):
            if isinstance(found, Reject):
                self._still[rows[found.line or 0].reject_id] = found.reason
            elif found.event.flags & Flag.VERSION:
                orders = orders or Orders("events", history_of(self._workspace))
                told += orders.add(found)
            else:
                told.append((found, "stored"))
        told += () if orders is None else orders.rest()
        for found, fate in told:
            self._take(rows[found.line], found, fate)

    def _take(self, row: Row, found: EventRow, fate: str) -> None:
        if fate == "duplicate":
            self._duplicates.append(row)
            return
        event = msgspec.structs.replace(found.event, received_us=row.received_us)
        content = msgspec.Raw(found.content)
        self._arrivals.append(Arrival(event, content, row.line, reject_id=row.reject_id))

    def _store(self) -> None:
        if self._arrivals:
            tally = self._writer.store.store(self._arrivals, self._rejects)
            self._counts["stored"] += tally.stored
            self._counts["duplicate"] += tally.duplicate
            self._still |= tally.refused
        self._settle_duplicates()
        self._counts["rejected"] += len(self._still)
        self._reasons.update(self._still.values())
        table = schema.reject
        corrected = sa.update(table).where(table.c.reject_id == sa.bindparam("still_id"))
        rows = [{"still_id": name, "reason": reason} for name, reason in self._still.items()]
        self._workspace.state.write((corrected.values(reason=sa.bindparam("reason")), rows))

    def _settle_duplicates(self) -> None:
        """Rows that tell what is known of their order already."""
        state = self._workspace.state
        places = {row.reject_id: (row.source, row.received_us) for row in self._duplicates}
        again = ((source, received_us, "duplicate") for source, received_us in places.values())
        state.write(intake_rows(state, again), *replayed_rows(state, places))
        self._counts["duplicate"] += len(places)


def _as_named(row: Row, item: Item, request: RawRequest) -> Item:
    """An item that has no id of its own keeps the one it was given at first."""
    is_own = row.message_id is None or item.message_id != made_id(request, 0)
    return item if is_own else msgspec.structs.replace(item, message_id=row.message_id)


def _item(row: Row, value: Any) -> Item:
    if not isinstance(value, dict):
        return Item(row.message_id or "", "", "not_an_object", {"item": value})
    data: dict[str, Any] = {name: of for name, of in value.items() if name != "writeKey"}
    own = message_id_of(data)
    kind = data.get("type")
    return Item(
        own or row.message_id or row.reject_id.hex(),
        kind if isinstance(kind, str) else "",
        reason_against(data, own),
        data,
    )


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        value = load(payload)
    except BadInput:
        return None
    return value if isinstance(value, dict) else None
