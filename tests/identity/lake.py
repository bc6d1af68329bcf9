"""A workspace with rows in its lake, written by names: `"user_id:ann"`, `"openid:x@app"`."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

import build
from touchline import clock
from touchline.collect.nodes import NodeBook, Trait
from touchline.identity.people import PersonMap, Registry
from touchline.model import Identifier
from touchline.storage.columns import TABLES
from touchline.storage.workspace import Workspace

T0 = clock.to_us(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


class Lake:
    def __init__(self, path: Path) -> None:
        self.workspace: Workspace = build.workspace(path)
        self.registry = Registry(self.workspace)
        self.book = NodeBook(self.workspace)
        self.seq = 0

    def put(self, table: str, *rows: str | tuple[str, dict[str, Any]]) -> None:
        """Commits rows of a table; a row is its identifiers, or those and further columns."""
        schema, partition = TABLES[table]
        given = [(row, {}) if isinstance(row, str) else row for row in rows]
        full = [self._row(names.split(), extra) for names, extra in given]
        full.sort(key=lambda row: row[partition or "seq"])
        self.book.save()
        columns = pa.Table.from_pylist(full, schema=schema)
        getattr(self.workspace.lake, table).commit(columns)

    def trait(self, name: str, trait: str, value: Any, ts_us: int = T0, **more: Any) -> None:
        node = self.book.node_id(named(name))
        more = {"source": "test", **more}
        self.book.save([Trait(node, trait, value, ts_us, **more)])

    def people(self, **options: Any) -> PersonMap:
        with self.workspace.view(**options) as view:
            return self.registry.at(view)

    def node(self, name: str) -> bytes:
        known = named(name)
        return self.workspace.vault.node_id(known.type, known.value)

    def same(self, people: PersonMap, names: Sequence[str]) -> bool:
        found = people.person_of([self.node(name) for name in names])
        assert None not in found
        return len(set(found)) == 1

    def _row(self, names: list[str], extra: dict[str, Any]) -> dict[str, Any]:
        self.seq += 1
        at = extra.pop("at", T0)
        day = None if at is None else clock.from_us(at).date()
        row = {"seq": self.seq, "known_at_us": T0, "ts_us": at, "occurred_us": at}
        nodes = self.book.ids([named(name) for name in names])
        return row | {"local_day": day, "node_ids": nodes, **extra}


def named(name: str) -> Identifier:
    kind, value = name.split(":", 1)
    value, _, app = value.partition("@") if kind == "openid" else (value, "", "")
    return Identifier(kind, value, app or None)
