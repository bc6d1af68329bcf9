"""Small worlds for tests: a workspace in a temporary folder, rows put straight into its lake."""

import atexit
import datetime as dt
import functools
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from touchline import clock
from touchline.identity.login import THINGS
from touchline.identity.people import Registry
from touchline.identity.speaker import Speakers, stays_in
from touchline.journey.goal import DEFAULT, Goal
from touchline.measure.basis import Question
from touchline.measure.report import Report, report
from touchline.model import Flag, RawRequest
from touchline.storage.columns import TABLES
from touchline.storage.engine import View
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

MINUTE = 60 * clock.US
HOUR = 60 * MINUTE
DAY = clock.DAY_US
T0 = clock.to_us(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


def workspace(path: Path, **options: Any) -> Workspace:
    """A workspace that counts days in UTC. Without options it is a copy of one made earlier, which
    is ten times faster; copies share their id and secrets.
    """
    if options:
        return _init(path, **options)
    shutil.copytree(_template(), path)
    return Workspace.open(path)


def _init(path: Path, **options: Any) -> Workspace:
    options = {
        "time_zone": "UTC",
        "write_keys": {"web": "w" * 8},
        "admin_keys": ["a" * 8],
    } | options
    return Workspace.init(path, **options)


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="touchline-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _init(folder / "w").close()
    return folder / "w"


def speakers(view: View, *names: str, quarantined: Sequence[str] = ()) -> Speakers:
    """Persons 0, 1, 2 … of these identifiers, each by itself."""
    columns = {
        "node_id": pa.array([node(name) for name in names], pa.binary()),
        "node_person_ix": pa.array(range(len(names)), pa.int64()),
        "is_quarantined": pa.array([name in quarantined for name in names]),
        "is_shared_device": pa.array(
            [name in quarantined and name.partition(":")[0] in THINGS for name in names]
        ),
    }
    nodes = pa.table(columns)
    return Speakers.given(view, nodes, stays_in(view, nodes))


def node(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def nodes(*names: str) -> list[dict[str, Any]]:
    """`"user_id:ann"` -> a node_ids entry; the id is readable. Strongest first, as stored."""
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

    def refund(self, order_id: str, at: int, **columns: Any) -> None:
        self.event("user_id:desk", at, "Order Refunded", order_id=order_id, **columns)

    def order(self, person: str, at: int, order_id: str | None = None, **columns: Any) -> None:
        """An order as a tracker tells of it."""
        row = {"revenue": 10_000, "currency": "CNY"} | columns
        self.event(person, at, "Order Completed", order_id=order_id, **row)

    def cost(self, day: dt.date, channel: str, cost: int, **columns: Any) -> None:
        self.seq += 1
        row = {"day": day, "channel": channel, "cost": cost, "currency": "CNY", "kind": "media"}
        row |= {"source": "costs", "batch": 1, "known_at_us": T0 + self.seq}
        self.rows.setdefault("costs", []).append(row | columns)

    def people(self, *names: str, **columns: Any) -> None:
        self.seq += 1
        self._add("people", {"node_ids": nodes(*names), "source": "people", "ts_us": T0} | columns)

    def rate(self, day: dt.date, base: str, quote: str, rate: str) -> None:
        self.seq += 1
        self._add("rates", {"day": day, "base": base, "quote": quote, "rate": rate, "ts_us": 0})

    def commit(self) -> None:
        for name, rows in self.rows.items():
            schema, partition = TABLES[name]
            rows.sort(key=lambda row: row.get(partition or "seq") or 0)
            getattr(self.workspace.lake, name).commit(pa.Table.from_pylist(rows, schema=schema))
        self.rows.clear()

    def report(
        self,
        models: str = "all",
        *,
        goal: Goal = DEFAULT,
        as_of_us: int | None = None,
        **asked: Any,
    ) -> Report:
        """What the rows so far, committed, amount to."""
        self.commit()
        question = Question(goal=goal, currency=self.workspace.currency, **asked)
        with self.workspace.view(as_of_us=as_of_us) as view:
            people = Registry(self.workspace).at(view)
            return report(view, people, question, models)

    def _add(self, table: str, row: dict[str, Any]) -> None:
        row.setdefault("seq", self.seq)
        row.setdefault("known_at_us", T0 + self.seq)
        row.setdefault("local_day", clock.from_us(row["ts_us"]).date())
        self.rows.setdefault(table, []).append(row)


class Tracker:
    """Sends calls of the Segment API to a workspace's log, as the collector would write them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def send(self, *items: dict[str, Any], at: int = T0, source: str = "web") -> None:
        """One request of several items, received at `at`."""
        self.raw(msgspec.json.encode({"batch": items}), at=at, source=source)

    def raw(self, body: bytes, *, at: int = T0, source: str = "web") -> None:
        request = RawRequest(at, source, "/v1/batch", body, os.urandom(16))
        log = Log.open(self.workspace.dir)
        log.append(msgspec.msgpack.encode(request)).result()
        log.close()


def track(message_id: str, name: str, *, at: int = T0, **more: Any) -> dict[str, Any]:
    """A track call of Ann's; `more` are further fields."""
    call = {"type": "track", "messageId": message_id, "event": name, "userId": "ann"}
    return call | {"timestamp": clock.iso(at)} | more


def page(message_id: str, url: str, *, at: int = T0, **more: Any) -> dict[str, Any]:
    """A page view of the device `d1`; `more` are further fields."""
    call = {"type": "page", "messageId": message_id, "anonymousId": "d1"}
    context = {"page": {"url": url}}
    return call | {"timestamp": clock.iso(at), "context": context} | more
