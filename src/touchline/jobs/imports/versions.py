"""Imported conversions, people, costs and rates → new versions in the lake, in one commit a file.

Nothing is overwritten: a row is a version, and what is in force is decided by readers (see
`storage.columns`). A row equal to the version in force is a duplicate, another one is an update. A
file that tells a deal's whole history is compared with the whole history that is stored, so that
importing it again changes nothing although only its last row is in force.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import ibis
import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from touchline import clock
from touchline.collect.nodes import Trait
from touchline.collect.redact import values_without_identifiers
from touchline.collect.time import local_day
from touchline.jobs.intake.consented import rows_of
from touchline.jobs.intake.store import EventStore
from touchline.model import Consent, Conversion, Identifier, Person, Rate
from touchline.storage.columns import CONVERSIONS, PEOPLE, RATES
from touchline.storage.consent import written
from touchline.storage.lake import SEQ
from touchline.storage.workspace import Workspace

__all__ = ["Ledger", "Verdicts", "conversion_ledger", "people_ledger", "rate_ledger", "verdicts"]

CHUNK = 10_000

_encoder = msgspec.json.Encoder()
Digests = dict[Hashable, list[Hashable]]
Wanted = Collection[Hashable]


class Verdicts(Struct, frozen=True):
    """What became of the rows of a file."""

    stored: int = 0
    duplicate: int = 0
    updated: int = 0


def verdicts(
    arriving: Sequence[tuple[Hashable, Hashable]], held: Digests
) -> tuple[list[bool], Verdicts]:
    """Which rows (key, digest) are new versions, against the versions held, oldest first."""
    history: Digests = {}
    for key, digest in arriving:
        told = history.setdefault(key, [])
        if told[-1:] != [digest]:
            told.append(digest)
    known = {key: _known(held.get(key, []), told) for key, told in history.items()}
    newest = {key: held[key][-1] for key in history if held.get(key)}
    said: dict[Hashable, Hashable] = {}
    is_new: list[bool] = []
    counts = Counter[str]()
    for key, digest in arriving:
        is_repeat = said.get(key) == digest
        is_known = is_repeat or known[key] > 0
        known[key] -= not is_repeat
        counts["duplicate" if is_known else "updated" if key in newest else "stored"] += 1
        is_new.append(not is_known)
        said[key] = newest[key] = digest
    return is_new, Verdicts(**counts)


def _known(held: list[Hashable], arriving: list[Hashable]) -> int:
    """How many of the arriving versions are the newest held ones again, in their order.

    In neither list is a version followed by its like.
    """
    for count in range(min(len(held), len(arriving)), 0, -1):
        if held[-count:] == arriving[:count]:
            return count
    return 0


class Ledger:
    """Gathers the rows of one file for one table and commits the new versions among them.

    `columns` makes a chunk's columns; `key` names what a row is a version of.
    """

    def __init__(
        self,
        name: str,
        schema: pa.Schema,
        columns: Callable[[Sequence[Any]], dict[str, list[Any]]],
        held: Callable[[Wanted], Digests],
    ) -> None:
        self.name = name
        self._schema = schema
        self._columns = columns
        self._held = held
        self._waiting: list[Any] = []
        self._digests: list[tuple[Hashable, Hashable]] = []
        self._chunks: list[pa.Table] = []

    def add(self, row: Any) -> None:
        self._waiting.append(row)
        if len(self._waiting) == CHUNK:
            self._gather()

    def commit(self, workspace: Workspace) -> Verdicts:
        """One commit of all that is new; none when nothing is."""
        self._gather()
        is_new, found = verdicts(self._digests, self._held({key for key, _ in self._digests}))
        if any(is_new):
            table = getattr(workspace.lake, self.name)
            rows = pa.concat_tables(self._chunks).filter(pa.array(is_new))
            last = table.snapshot().offset(SEQ)
            numbers = np.arange(last + 1, last + 1 + len(rows))
            rows = _with(rows, "seq", pa.array(numbers, pa.int64()))
            known = pa.array(np.full(len(rows), clock.now_us()), pa.int64())
            table.commit(_with(rows, "known_at_us", known), offsets={SEQ: last + len(rows)})
        return found

    def _gather(self) -> None:
        if not self._waiting:
            return
        columns = self._columns(self._waiting)
        self._digests += zip(columns.pop("key"), columns.pop("digest"), strict=True)
        missing = [None] * len(self._waiting)
        self._chunks.append(
            pa.table(
                {name: columns.get(name, missing) for name in self._schema.names},
                schema=self._schema,
            )
        )
        self._waiting.clear()


def _with(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, values)


def conversion_ledger(store: EventStore, source: str) -> Ledger:
    """Versions by conversion_id, whichever source they came from."""
    workspace = store.workspace
    zone, region = workspace.time_zone, workspace.region

    def columns(rows: Sequence[Conversion]) -> dict[str, list[Any]]:
        with store.turn:
            found = _plain(rows, CONVERSIONS.names)
            token = store.nodes.token
            clean = [
                values_without_identifiers(
                    {"properties": row.properties, "lines": list(row.lines)}, token, region
                )
                for row in rows
            ]
            nodes = [store.nodes.ids(row.identifiers) for row in rows]
            store.nodes.save()
            found["node_ids"] = store.consented.countable(nodes)
        return found | {
            "source": [source] * len(rows),
            "local_day": [clock.from_day(local_day(row.occurred_us, zone)) for row in rows],
            "properties": [_encoder.encode(values["properties"]).decode() for values in clean],
            "lines": [
                _encoder.encode(values["lines"]).decode() if values["lines"] else None
                for values in clean
            ],
            "key": [row.conversion_id for row in rows],
            "digest": [row.content_hash for row in rows],
        }

    def held(wanted: Wanted) -> Digests:
        return _held(workspace, "conversions", ["conversion_id"], "content_hash", wanted)

    return Ledger("conversions", CONVERSIONS, columns, held)


def people_ledger(store: EventStore, source: str) -> Ledger:
    """Versions by the strongest identifier of a row, within one source; traits go to State."""
    workspace = store.workspace
    zone = workspace.time_zone

    def columns(rows: Sequence[Person]) -> dict[str, list[Any]]:
        with store.turn:
            nodes = [store.nodes.ids(row.identifiers) for row in rows]
            store.nodes.save(_traits(rows, nodes, source))
            state = store.workspace.state
            state.write(*written(state, _said(rows, nodes, source)))
        found = _plain(rows, PEOPLE.names)
        return found | {
            "node_ids": nodes,
            "source": [source] * len(rows),
            "local_day": [
                None
                if row.occurred_us is None
                else clock.from_day(local_day(row.occurred_us, zone))
                for row in rows
            ],
            "key": [(source, ids[0]["id"]) for ids in nodes],
            "digest": [row.content_hash for row in rows],
        }

    def held(wanted: Wanted) -> Digests:
        return _held(workspace, "people", ["source", "node"], "content_hash", wanted)

    return Ledger("people", PEOPLE, columns, held)


def rate_ledger(store: EventStore, _source: str) -> Ledger:
    """Versions by day and pair of currencies."""

    def columns(rows: Sequence[Rate]) -> dict[str, list[Any]]:
        found = _plain(rows, RATES.names)
        found["day"] = [clock.from_day(row.day) for row in rows]
        keys = list(zip(found["day"], found["base"], found["quote"], strict=True))
        return found | {"key": keys, "digest": found["rate"]}

    def held(wanted: Wanted) -> Digests:
        return _held(store.workspace, "rates", ["day", "base", "quote"], "rate", wanted)

    return Ledger("rates", RATES, columns, held)


def _held(
    workspace: Workspace, name: str, columns: Sequence[str], digest: str, wanted: Wanted
) -> Digests:
    """The digests of the stored versions of the wanted keys, oldest first."""
    found: Digests = {}
    with workspace.view(name) as view:
        rows = view.table(name)
        if "node" in columns:
            rows = rows.mutate(node=rows.node_ids[0]["id"])
        rows = rows.order_by(ibis.asc("seq")).select(*columns, digest=rows[digest])
        for batch in view.batches(rows):
            *keys, digests = (batch.column(at).to_pylist() for at in range(batch.num_columns))
            named = keys[0] if len(keys) == 1 else zip(*keys, strict=True)
            for key, held in zip(named, digests, strict=True):
                if key in wanted:
                    found.setdefault(key, []).append(held)
    return found


def _plain(rows: Sequence[Struct], names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns that are an attribute of the row under the same name."""
    own = [name for name in rows[0].__struct_fields__ if name in names]
    return {name: [getattr(row, name) for row in rows] for name in own}


def _traits(
    rows: Sequence[Person], nodes: Sequence[list[dict[str, Any]]], source: str
) -> Iterator[Trait]:
    now = clock.now_us()
    for row, ids in zip(rows, nodes, strict=True):
        moment = now if row.occurred_us is None else row.occurred_us
        for name, value in row.traits.items():
            yield Trait(ids[0]["id"], name, value, moment, source)


def _said(
    rows: Sequence[Person], nodes: Sequence[list[dict[str, Any]]], source: str
) -> Iterator[Consent]:
    """Of every version of a row once, however often it is imported."""
    for row, ids in zip(rows, nodes, strict=True):
        if row.said:
            named = source.encode() + b"\0" + ids[0]["id"] + row.content_hash
            act = blake2b(named, digest_size=16).digest()
            who = [(Identifier(one["type"], ""), one["id"]) for one in ids]
            yield from rows_of(act, who, row.said, at_us=clock.now_us(), source=f"import:{source}")
