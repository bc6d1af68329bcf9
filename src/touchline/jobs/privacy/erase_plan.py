"""A person → all that is theirs in a workspace, by place: what an erasure has to take away.

A row is theirs if the identifier that speaks for it (the strongest that is not quarantined) is one
of their nodes. Of other people's rows only what names them is taken: a cookie that several used, a
token in a text. What surprises: rows that may be a conversion stay, with nothing in them that leads
back to anybody, so that the numbers of the past stay what they were.

The plan is made once, while everything is still there, and kept sealed in State: an erasure that
was cut short goes on with the same.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import sqlalchemy as sa
from msgspec import Struct

from touchline.collect.nodes import clear_values
from touchline.collect.quick import Quick
from touchline.collect.redact import Veil
from touchline.collect.site import Site
from touchline.identity.person import person_id
from touchline.identity.person_map import PersonMap
from touchline.jobs.definitions import goals_of
from touchline.jobs.intake.account import HOUR_US, open_payload
from touchline.jobs.intake.fates import Arrival
from touchline.jobs.intake.rejected import identifiers_in
from touchline.jobs.intake.writer import items_of, opened
from touchline.jobs.privacy import erase_state
from touchline.jobs.privacy.erase_map import LAKE, Fate, columns_of
from touchline.jobs.privacy.erase_words import Knife, by_itself, forms, is_chosen
from touchline.model import Event
from touchline.storage import schema
from touchline.storage.lake import LOG, SEQ
from touchline.storage.log import Frame, read
from touchline.storage.search import Wanted, cells, in_rows
from touchline.storage.table import Table
from touchline.storage.workspace import Workspace

__all__ = [
    "Plan",
    "Reader",
    "names_in_lake",
    "paid_names",
    "plan",
    "searched",
    "shared_name",
]

ASKED = (
    *("seq", "node_ids", "source", "name", "received_us", "device"),
    *("revenue", "order_id", "conversion_id", "account_id"),
)
LOG_BYTES = 8 << 20  # of the log, read at once
NAMES = columns_of(Fate.NAME, Fate.LABEL)
UNTOUCHED = columns_of(Fate.NAME, Fate.SEALED)
ORDERS = {"events": "order_id", "fresh": "order_id", "conversions": "conversion_id"}
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Plan(Struct):
    """`clear`: identifiers as (type, value); `common`: those that are names of the site's own, too.
    `orders`: those that nobody else has a part in. `gone`, `kept`: numbers of rows by table, those
    that are deleted and those that stay without a person. `hours`: how many (events, rejects) of
    each source and hour are deleted. `rejects`: their ids. `frames`: offsets in the log, which was
    read up to `log_end`. `places`: by table and file the rows that hold them; `seen`: the files
    that were looked into. `tables`, `shredded`, `cut`: what is told of it, of lake and State.
    `keys`: the data keys that go, by hashes.
    """

    nodes: list[bytes]
    person_ids: list[str]
    clear: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    orders: list[str] = []
    gone: dict[str, list[int]] = {}
    kept: dict[str, list[int]] = {}
    hours: dict[str, tuple[int, int]] = {}
    rejects: list[bytes] = []
    frames: list[int] = []
    devices: list[int] = []
    places: dict[str, dict[str, list[int]]] = {}
    seen: dict[str, list[str]] = {}
    tables: dict[str, dict[str, int]] = {}
    shredded: dict[str, int] = {}
    cut: dict[str, int] = {}
    keys: list[str] = []
    log_end: int = 0

    @property
    def wanted(self) -> Wanted:
        common = set(self.common)
        given = [form for one in self.clear if not is_chosen(one[0]) for form in forms(*one)]
        chosen = [form for one in self.clear if is_chosen(one[0]) for form in forms(*one)]
        own = {form for one in common for form in forms(*one)}
        return Wanted(
            self.nodes,
            [*given, *self.person_ids],
            [form for form in chosen if form not in own and form not in given],
        )


def shared_name(table: str) -> str:
    """Rows move from `fresh` to `events` and keep their numbers."""
    return "events" if table == "fresh" else table


def plan(workspace: Workspace, site: Site, people: PersonMap, asked: Plan) -> Plan:
    """The plan of an erasure, of which the nodes are known."""
    clear = clear_values(workspace, asked.nodes)
    found = msgspec.structs.replace(
        asked,
        # Each identifier may have been what the person was named after, once.
        person_ids=[person_id(node) for node in asked.nodes],
        clear=sorted((known.type, known.value) for known in clear.values()),
        log_end=workspace.state.mark(LOG),
    )
    found.common = _common(workspace, found.clear)
    rows = _Rows(workspace, people, found)
    for name, table in workspace.lake.tables.items():
        rows.sort(name, table)
    found.orders = sorted(rows.orders - _shared(workspace, found, rows.orders))
    reader = Reader(workspace, site, found)
    found.rejects = list(reader.rejects())
    found.frames = list(reader.frames(0, found.log_end))
    for row in workspace.state.lookup(
        schema.reject.c.reject_id,
        found.rejects,
        *(schema.reject.c[n] for n in ("kind", "replayed_us", "source", "received_us")),
    ):
        if row.kind == "events" and row.replayed_us is None:
            rows.hours[_hour(row.source, row.received_us), 1] += 1
    there = erase_state.found(workspace.state, found.wanted)
    found.shredded, found.cut = {**there.gone, "reject": len(found.rejects)}, dict(there.cut)
    found.keys = _keys(workspace, found.nodes)
    places = {place for place, _ in rows.hours}
    found.hours = {p: (rows.hours[p, 0], rows.hours[p, 1]) for p in sorted(places)}
    return found


def searched(shape: pa.Schema) -> pa.Schema:
    """Fields that nothing of theirs may be left in."""
    return pa.schema([field for field in shape if field.name not in UNTOUCHED])


def names_in_lake(
    workspace: Workspace, words: Sequence[str]
) -> Iterator[tuple[str, dict[str, int]]]:
    """Columns of names that hold any of these words: text → rows."""
    for name, table in workspace.lake.all.items():
        texts = [one.name for one in table.schema if pa.types.is_string(one.type)]
        if table.exists() and (held := [name for name in texts if name in NAMES]):
            there = cells(table.snapshot().files, held, words, workspace.settings)
            yield from ((f"{name}.{column}", rows) for column, rows in there.items())


def _common(workspace: Workspace, clear: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Chosen identifiers that are names of the site's own, or stand in its settings."""
    told = {one: forms(*one) for one in clear if is_chosen(one[0])}
    words = sorted({form for own in told.values() for form in own})
    if not words:
        return []
    whole = {column.name for table in schema.metadata.sorted_tables for column in table.columns}
    whole |= {*schema.metadata.tables, *LAKE}
    for _, rows in names_in_lake(workspace, words):
        whole |= {text.lower() for text in rows}
    texts: list[str] = []
    for _, fate, rows in erase_state.names(workspace.state, words):
        texts += rows if fate is Fate.NAME else ()
        whole |= {text.lower() for text in rows}
    return [
        one
        for one, own in told.items()
        if not whole.isdisjoint(form.lower() for form in own)
        or any(re.search(by_itself(form), text, re.IGNORECASE) for form in own for text in texts)
    ]


def _shared(workspace: Workspace, found: Plan, orders: set[str]) -> set[str]:
    """Those of these orders that rows of others name."""
    wanted, others = pa.array(sorted(orders), pa.string()), set[str]()
    for name, column in ORDERS.items() if orders else ():
        place = shared_name(name)
        own = pa.array([*found.gone.get(place, ()), *found.kept.get(place, ())], pa.int64())
        for path in workspace.lake.tables[name].snapshot().files:
            with pq.ParquetFile(path) as file:
                rows = file.read([column, SEQ])
            rows = rows.filter(pc.is_in(rows[column], value_set=wanted))
            rows = rows.filter(pc.invert(pc.is_in(rows[SEQ], value_set=own)))
            others.update(rows[column].to_pylist())
    return others


def paid_names(workspace: Workspace) -> set[str]:
    """Names of events that may be a conversion."""
    goals = goals_of(workspace)
    own = {name for goal in goals for name in (goal.event, *goal.also) if name}
    return {"Order Completed", "Order Refunded"} | own


class _Rows:
    """Sorts the rows of the lake that hold anything of theirs."""

    def __init__(self, workspace: Workspace, people: PersonMap, found: Plan) -> None:
        self._workspace = workspace
        self._nodes = frozenset(found.nodes)
        self._found = found
        self._wanted = found.wanted
        self._held = _quarantined(people)
        self.orders = set[str]()
        self._paid = paid_names(workspace)
        self.hours: Counter[tuple[str, int]] = Counter()

    def sort(self, name: str, table: Table) -> None:
        snapshot, shape = table.snapshot(), table.schema
        beside = pa.schema([shape.field(column) for column in ASKED if column in shape.names])
        wanted, settings = self._wanted, self._workspace.settings
        held = in_rows(snapshot.files, searched(shape), wanted, settings, beside)
        counts = Counter[str]()
        self._found.seen[name] = snapshot.files
        places = self._found.places.setdefault(name, {})
        for row in held.to_pylist():
            places.setdefault(row["filename"], []).append(row["file_row_number"])
            fate = self._fate(name, row)
            counts[fate] += 1
            self._note(name, row, fate)
        told = {"rows": snapshot.rows} | {
            fate: counts[fate] for fate in ("deleted", "anonymised", "redacted")
        }
        if name != shared_name(name):  # one table to whoever reads
            known = self._found.tables.get(shared_name(name), {})
            told = {key: value + known.get(key, 0) for key, value in told.items()}
        elif name in self._found.tables:
            told = {key: value + self._found.tables[name][key] for key, value in told.items()}
        self._found.tables[shared_name(name)] = told

    def _fate(self, name: str, row: dict[str, Any]) -> str:
        ids = [node["id"] for node in row.get("node_ids") or ()]
        speaker = next((node for node in ids if node not in self._held), ids[0] if ids else None)
        if speaker not in self._nodes:
            return "redacted"
        if name == "conversions":
            return "anonymised"
        is_paid = row.get("revenue") is not None or row.get("order_id") is not None
        is_event = shared_name(name) == "events"
        return "anonymised" if is_event and (is_paid or row["name"] in self._paid) else "deleted"

    def _note(self, name: str, row: dict[str, Any], fate: str) -> None:
        if fate == "redacted":
            return
        found, place = self._found, shared_name(name)
        (found.gone if fate == "deleted" else found.kept).setdefault(place, []).append(row["seq"])
        if place == "events":
            if fate == "deleted":
                self.hours[_hour(row["source"], row["received_us"]), 0] += 1
            if row.get("device") is not None:
                found.devices.append(row["device"])
        order = row.get("conversion_id") or row.get("order_id")
        if order is not None and row.get("account_id") is None:  # a company's goes on
            self.orders.add(order)


class Reader:
    """Finds what of the log and of rejects is theirs: read as it was when it came, and searched
    for their values as well.
    """

    def __init__(self, workspace: Workspace, site: Site, found: Plan) -> None:
        self._workspace = workspace
        self._site = site
        self._quick = Quick(site)
        self._nodes = frozenset(found.nodes)
        self._veil = Veil(self._token, workspace.region)
        wanted = found.wanted
        words = [*wanted.texts, *wanted.chosen]
        self._forms = [form.lower().encode("utf-8", "surrogatepass") for form in words]
        self._words, self._knife = wanted.words(), Knife(wanted)

    def rejects(self) -> Iterator[bytes]:
        for row in self._workspace.state.stream(sa.select(schema.reject)):
            raw = open_payload(self._workspace, row)
            known = identifiers_in(self._workspace, raw)
            told = row.message_id or ""
            if not self._nodes.isdisjoint(known) or self._tells(raw) or self._words.search(told):
                yield row.reject_id

    def frames(self, start: int, end: int) -> Iterator[int]:
        """Offsets of requests that hold anything of theirs. Those of other people's in the same
        request go with it: they are in the lake.
        """
        directory, before = self._workspace.dir, -1
        while before < start < end:
            before = start
            for frame in read(directory, start, LOG_BYTES):
                start = frame.next_offset
                if start <= end and self._is_theirs(frame):
                    yield frame.offset

    def _is_theirs(self, frame: Frame) -> bool:
        request = opened(frame)
        if request is None:
            return self._speaks(frame.payload)
        if self._speaks(msgspec.msgpack.encode(request)):
            return True
        items = items_of(frame, request, self._site, self._quick)
        return any(
            self._holds(item.event)
            if isinstance(item, Arrival)
            else not self._nodes.isdisjoint(identifiers_in(self._workspace, item.payload))
            for item in items
        )

    def _holds(self, event: Event) -> bool:
        """Whether an event names them, or would in the lake."""
        node_id = self._workspace.vault.node_id
        if any(node_id(one.type, one.value) in self._nodes for one in event.identifiers):
            return True
        texts = [self._veil.text_of(event.properties), self._veil.text_of(event.context)]
        texts.append(self._veil.url(event.page_url) if event.page_url else "")
        return any(node.hex() in text for node in self._nodes for text in texts)

    def _token(self, kind: str, value: str) -> str:
        return self._workspace.vault.node_id(kind, value).hex()

    def _tells(self, raw: bytes) -> bool:
        """Whether JSON names them other than in its keys."""
        text = raw.decode("utf-8", "replace") if self._speaks(raw) else ""
        return bool(text) and self._knife.cut(Fate.JSON, text) != text

    def _speaks(self, raw: bytes) -> bool:
        lowered = raw.lower()
        return any(form in lowered for form in self._forms)


def _keys(workspace: Workspace, nodes: Sequence[bytes]) -> list[str]:
    node = schema.node.c
    rows = workspace.state.lookup(node.node_id, nodes, node.wrapped_key)
    return sorted(blake2b(row.wrapped_key, digest_size=8).hexdigest() for row in rows)


def _quarantined(people: PersonMap) -> frozenset[bytes]:
    held = people.people.quarantine.held.nonzero()[0].tolist()
    return frozenset(people.known.node_id(node) for node in held)


def _hour(source: str, received_us: int) -> str:
    return f"{received_us - received_us % HOUR_US} {source}"
