"""Small worlds for tests: a workspace in a temporary folder, rows put straight into its lake."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa

from touchline import clock
from touchline.model import Flag
from touchline.storage.columns import TABLES
from touchline.storage.workspace import Workspace

DAY = clock.DAY_US
T0 = clock.to_us(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


def workspace(path: Path, **options: Any) -> Workspace:
    return Workspace.init(
        path, write_keys={"web": "w" * 8}, admin_keys=["a" * 8], time_zone="UTC", **options
    )


def node(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def nodes(*names: str) -> list[dict[str, Any]]:
    """`"user_id:ann"` -> a node_ids entry; the id is readable."""
    return [{"type": n.partition(":")[0], "id": node(n), "app": None} for n in names]


class Rows:
    """Collects rows of one workspace and commits them table by table."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.seq = 0
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def event(self, person: str, at: int, name: str = "page", **columns: Any) -> None:
        self.seq += 1
        row = {
            "event_id": self.seq.to_bytes(16),
            "message_id": f"m{self.seq}",
            "source": "web",
            "type": "track",
            "name": name,
            "node_ids": nodes(person),
            "properties": "{}",
            "bot": False,
            "flags": 0,
        }
        self._add("events", row | {"ts_us": at} | columns)

    def touch(self, person: str, at: int, channel: str, **columns: Any) -> None:
        self.event(person, at, channel=channel, flags=int(Flag.EXPLICIT_CHANNEL), **columns)

    def session(self, person: str, at: int, channel: str, **columns: Any) -> None:
        self.event(person, at, channel=channel, flags=int(Flag.OPENS_SESSION), **columns)

    def conversion(self, conversion_id: str, person: str | None, at: int, **columns: Any) -> None:
        self.seq += 1
        row = {
            "conversion_id": conversion_id,
            "source": "conversions",
            "occurred_us": at,
            "ts_us": at,
            "node_ids": nodes(person) if person else [],
            "properties": "{}",
        }
        self._add("conversions", row | columns)

    def rate(self, day: dt.date, base: str, quote: str, rate: str) -> None:
        self.seq += 1
        self._add("rates", {"day": day, "base": base, "quote": quote, "rate": rate, "ts_us": 0})

    def commit(self) -> None:
        for name, rows in self.rows.items():
            schema, partition = TABLES[name]
            rows.sort(key=lambda row: row.get(partition or "seq") or 0)
            getattr(self.workspace.lake, name).commit(pa.Table.from_pylist(rows, schema=schema))
        self.rows.clear()

    def _add(self, table: str, row: dict[str, Any]) -> None:
        row.setdefault("seq", self.seq)
        row.setdefault("known_at_us", T0 + self.seq)
        row.setdefault("local_day", clock.from_us(row["ts_us"]).date())
        self.rows.setdefault(table, []).append(row)
