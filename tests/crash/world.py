"""A workspace under the simulator: the tail of a collector, the writer of a worker, and a client.

The client knows what it was promised (`Promises`), which outlives every crash.
"""

import contextlib
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from build import DAY, HOUR, MINUTE
from touchline import clock
from touchline.errors import TouchlineError
from touchline.identity.people import Registry
from touchline.jobs.intake.account import open_payload
from touchline.jobs.intake.replay import asked, replay
from touchline.jobs.intake.store import Arrival
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people.mirror import write_mirrors
from touchline.model import Event, Identifier, RawRequest
from touchline.storage import schema
from touchline.storage.lake import LOG, SEQ, LakeFiles
from touchline.storage.log import Tail
from touchline.storage.workspace import Workspace

T0 = 2_208_988_800 * clock.US  # in 2040: the age of a file that is swept at once
SOURCES = ("web", "app")
FILE = "file"
STEPS = ("send", "commit", "settle", "drop")
MORE = ("mirror", "restart", "restart_worker", "import_file", "replay_some")


@dataclass
class Request:
    """What a client sent at one time; it is sent again until it is answered."""

    received_us: int
    source: str
    items: list[dict[str, Any]]
    is_answered: bool = False
    is_given_up: bool = False  # sent again under another time of arrival
    body: bytes | None = None  # in the place of items: one that nobody can read


@dataclass
class Promises:
    now_us: int = T0
    serial: int = 0
    requests: list[Request] = field(default_factory=list)
    imported: dict[str, list[str]] = field(default_factory=dict)  # file → names of its rows
    imports_done: dict[str, int] = field(default_factory=dict)
    imports_begun: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)  # reject_id → message id
    replayed: set[str] = field(default_factory=set)
    log_end: int = 0  # behind the last frame that was answered
    marks: dict[str, int] = field(default_factory=dict)

    def sum(self) -> tuple[Any, ...]:
        """Differs when more has been promised."""
        done = sum(self.imports_done.values())
        return (self.log_end, tuple(self.marks.values()), done, len(self.replayed))

    def number(self) -> int:
        self.serial += 1
        return self.serial


class World:
    """One life of a workspace's processes, from a start to a crash or the end."""

    def __init__(self, folder: Path, promises: Promises, rng: random.Random) -> None:
        self.dir = folder
        self.told = promises
        self.rng = rng
        self.workspace: Workspace | None = None
        self.writer: Writer | None = None
        self.tail: Tail | None = None
        self._is_overtaken = False

    # Processes

    def open(self) -> None:
        if self.workspace is None:
            self.workspace = Workspace.open(self.dir)
        if self.tail is None:
            lake, state = self.workspace.lake, self.workspace.state
            floor = max(state.mark(LOG), lake.log_offset())
            self.tail = Tail.recover(self.dir / "log", floor, _Overtaking(self))
        if self.writer is None:
            self.writer = Writer(self.workspace)

    def close(self) -> None:
        if self.tail is not None:
            self.tail.close()
        if self.workspace is not None:
            self.workspace.close()
        self.workspace = self.writer = self.tail = None

    def step(self, name: str) -> None:
        """One thing happens, or fails as the disk likes; the worker then begins anew."""
        self.told.now_us += self.rng.choice((1_000, MINUTE, HOUR, 26 * HOUR, -MINUTE, -HOUR))
        try:
            self.open()
            getattr(self, name)()
            self._note_marks()
        except (OSError, TouchlineError, sa.exc.OperationalError):
            self.writer = None
            if name == "restart":
                self.close()

    # Steps

    def send(self) -> None:
        for request in [r for r in self.told.requests if not r.is_answered | r.is_given_up]:
            request.is_given_up = True
            self._new_request(request.items, request.source, request.body)
        for _ in range(self.rng.randrange(1, 4)):
            source, count = self.rng.choice(SOURCES), self.rng.randrange(1, 5)
            if self.rng.random() < 0.1:
                self._new_request([], source, b"{no json %d" % self.told.number())
            else:
                self._new_request([self._item(source) for _ in range(count)], source)
        waiting = [r for r in self.told.requests if not r.is_answered | r.is_given_up]
        self._is_overtaken = self.rng.random() < 0.3
        offsets = self.tail.write([_packed(request) for request in waiting])
        assert offsets[0] >= max(self.told.log_end, self.told.marks.get("state log", 0)), (
            "an offset was given twice"
        )
        assert offsets == sorted(set(offsets))
        self.told.log_end = self.tail.base + self.tail.size
        for request in waiting:
            request.is_answered = True

    def commit(self) -> None:
        self.writer.commit_once()

    def settle(self) -> None:
        self.writer.settle()

    def drop(self) -> None:
        self.writer.drop_log(self.told.now_us)

    def mirror(self) -> None:
        write_mirrors(self.workspace, Registry(self.workspace))

    def restart(self) -> None:
        self.close()
        self.open()

    def restart_worker(self) -> None:
        self.writer = None
        self.open()

    def import_file(self) -> None:
        """A file, or one that was imported before."""
        if self.told.imported and self.rng.random() < 0.3:
            name = self.rng.choice(sorted(self.told.imported))
        else:
            name = f"file{self.told.number()}"
            self.told.imported[name] = [f"{name}-{n % 3}" for n in range(self.rng.randrange(1, 5))]
        self._import(name)

    def replay_some(self) -> None:
        table = schema.reject.c
        query = sa.select(schema.reject).where(
            table.reason == "missing_event", table.replayed_us.is_(None)
        )
        rows = self.workspace.state.read(query.order_by(table.received_us, table.seq).limit(3))
        edits: dict[str, Any] = {}
        for row in rows:
            item = msgspec.json.decode(open_payload(self.workspace, row))
            edits[row.reject_id.hex()] = {**item, "event": "Corrected"}
            self.told.corrected[row.reject_id.hex()] = item["messageId"]
        if edits:
            self._replay(edits)

    def finish(self, *, is_settled: bool) -> None:
        """The client sends again what was not answered, until nothing is left to be done."""
        self.told.now_us += 3 * DAY
        self.open()
        self.send()
        for name in self.told.imported:
            if name not in self.told.imports_done:
                self._import(name)
        while self.writer.commit_once():
            pass
        edits = {
            reject_id: {"type": "track", "messageId": name, "event": "Corrected", "userId": "u"}
            for reject_id, name in self.told.corrected.items()
            if reject_id not in self.told.replayed
        }
        if edits:
            self._replay(edits)
        if is_settled:
            self.writer.settle()

    def overtake(self) -> None:
        """A reader takes over what is written and not yet synced."""
        if self._is_overtaken and self.writer is not None:
            self._is_overtaken = False
            try:
                self.writer.commit_once()
            except (OSError, TouchlineError, sa.exc.OperationalError):
                self.writer = None

    def _import(self, name: str) -> None:
        names = self.told.imported[name]
        count = len(names)
        self.told.imports_begun[name] = self.told.imports_begun.get(name, 0) + count
        received_us = clock.now_us()
        self.writer.store.store([_imported(message_id, received_us) for message_id in names])
        self.told.imports_done[name] = self.told.imports_done.get(name, 0) + count

    def _replay(self, edits: dict[str, Any]) -> None:
        args = asked(self.workspace, {"edits": edits})
        done = replay(self.writer, args, lambda _: None)
        assert done["rejected"] == 0, done
        self.told.replayed.update(edits)

    def _new_request(
        self, items: list[dict[str, Any]], source: str, body: bytes | None = None
    ) -> None:
        self.told.requests.append(Request(clock.now_us(), source, items, body=body))

    def _item(self, source: str) -> dict[str, Any]:
        """A new event, one sent before, another under a known id, or one that is none."""
        kind = self.rng.choices(("new", "again", "other", "bad"), (6, 1, 1, 1))[0]
        known = [
            item
            for request in self.told.requests
            if request.source == source
            for item in request.items
            if "event" in item
        ]
        if kind == "bad":
            return {"type": "track", "messageId": f"bad{self.told.number()}", "userId": "u"}
        if kind == "new" or not known:
            late_us = self.rng.choice((0, 0, MINUTE, HOUR, 30 * HOUR, 200 * DAY))
            return {
                "type": "track",
                "messageId": f"m{self.told.number()}",
                "event": "First",
                "userId": f"u{self.rng.randrange(4)}",
                "anonymousId": f"d{self.rng.randrange(4)}",
                "timestamp": clock.iso(self.told.now_us - late_us),
                "context": {"page": {"url": "https://shop.cn/"}},
            }
        item = self.rng.choice(known)
        return item if kind == "again" else {**item, "event": "Other"}

    def _note_marks(self) -> None:
        for name, value in marks(self.workspace).items():
            held = self.told.marks.get(name, 0)
            assert value >= held, f"{name} went back from {held} to {value}"
            self.told.marks[name] = value


class _Overtaking:
    """`os` for the log, with a reader that may be quicker than the sync."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777, /) -> int:
        return os.open(path, flags & ~os.O_DSYNC, mode)

    def write(self, fd: int, data: memoryview, /) -> int:
        written = os.write(fd, data)
        self._world.overtake()
        os.fdatasync(fd)
        return written


def marks(workspace: Workspace, files: LakeFiles | None = None) -> dict[str, int]:
    """Numbers that never go back."""
    files = files or workspace.lake.files("fresh", "events")
    fresh = files.tables["fresh"]
    return {
        "lake log": fresh.offset(LOG),
        "lake seq": fresh.offset(SEQ),
        "settled": files.settled_seq,
        "state log": workspace.state.mark(LOG),
        "state seq": workspace.state.mark(SEQ),
    }


def _packed(request: Request) -> bytes:
    body = request.body
    if body is None:
        body = msgspec.json.encode({"batch": request.items})
    id_ = request.received_us.to_bytes(16)
    raw = RawRequest(request.received_us, request.source, "/v1/batch", body, id_)
    return msgspec.msgpack.encode(raw)


def _imported(message_id: str, received_us: int) -> Arrival:
    event = Event(
        source=FILE,
        message_id=message_id,
        type="track",
        name="First",
        ts_us=T0,
        received_us=received_us,
        identifiers=(Identifier("user_id", "u1"),),
        content_hash=message_id.encode().ljust(16)[:16],
    )
    return Arrival(event, {"messageId": message_id})


@contextlib.contextmanager
def reading(folder: Path):
    """The workspace as another process reads it."""
    workspace = Workspace.open(folder)
    try:
        yield workspace
    finally:
        workspace.close()
