"""What is asked of one person among many events: a timeline, why, a merge and its undoing.

    python bench/timeline.py [EVENTS] [DIR]      1000000 by default; DIR is kept, and used again

A workspace of 90 days is written (EVENTS may be 100000000: 16 GB and an hour), a fifth of the
events with a user id beside the cookie, and filed as when a copy is built; then as many events as
settle in half a minute arrive and wait. Forty persons are asked for: cold (files dropped from the
system's memory, nothing remembered), with files in memory, again, and right after an unmerge. All
that answers is counted but the socket: finding the person, the audit log, rows, clear values, JSON.
Every tenth event is a touch; right after an unmerge journeys are asked for as well, as a report
does: the touches of everybody, of which those under the two are taken. Beside the time of the clock
stands that of the processor, which tells more on a machine that others use.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from touchline import clock
from touchline.collect.nodes import NodeBook
from touchline.identity.profile import find_person
from touchline.jobs import queries
from touchline.jobs.intake import filing
from touchline.jobs.people import identity, known
from touchline.jobs.people.live import SharedRegistry
from touchline.journey.touchpoint import touches
from touchline.model import Flag, Identifier
from touchline.storage.by_node import bucket_of
from touchline.storage.columns import EVENTS
from touchline.storage.lake import SEQ, SETTLED
from touchline.storage.table import shaped
from touchline.storage.workspace import Workspace

DAYS, PERSONS, TAIL = 90, 40, 20_000
TOUCHED = 10  # one event in so many is a touch
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
KIND = pa.DictionaryArray.from_arrays  # of repeated texts, at the cost of numbers


class Crowd:
    """Customers and their identifiers: `user_id:u7`, `anonymous_id:c7`."""

    def __init__(self, workspace: Workspace, people: int) -> None:
        of, numbers = workspace.vault.node_id, range(people)
        told = [of("user_id", f"u{n}") for n in numbers]
        told += [of("anonymous_id", f"c{n}") for n in numbers]
        self.people = people
        self._ids = np.frombuffer(b"".join(told), "V16")

    def nodes(self, number: np.ndarray) -> pa.Array:
        return binary(self._ids[number])


def binary(ids: np.ndarray) -> pa.Array:
    size = ids.dtype.itemsize
    fixed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(size), len(ids), [None, pa.py_buffer(ids.tobytes())]
    )
    return fixed.cast(pa.binary())


def events(rng: np.random.Generator, count: int, crowd: Crowd, day: int, seq: int) -> pa.Table:
    """A day: who comes often comes by a power law, as people do."""
    people = crowd.people
    who = (people * rng.random(count) ** 2).astype(np.int64)
    logged_in = rng.random(count) < 0.2
    lengths = 1 + logged_in
    at = np.cumsum(lengths) - lengths
    ids = np.empty(int(lengths.sum()), np.int64)
    ids[at + logged_in] = who + people  # the cookie, last
    ids[at[logged_in]] = who[logged_in]
    kinds = np.ones(len(ids), np.int32)
    kinds[at[logged_in]] = 0
    kind = KIND(pa.array(kinds), pa.array(["user_id", "anonymous_id"])).cast(pa.string())
    parts = pa.StructArray.from_arrays(
        [kind, crowd.nodes(ids), pa.nulls(len(ids), pa.string())], ["type", "id", "app"]
    )
    offsets = pa.array(np.append(at, len(ids)), pa.int32())
    ts_us = START_US + day * clock.DAY_US + np.sort(rng.integers(0, clock.DAY_US, count))
    number = seq + 1 + np.arange(count)
    is_touch = number % TOUCHED == 0
    channel = KIND(pa.array(np.zeros(count, np.int32), mask=~is_touch), ["Paid Search"])
    page = KIND(
        pa.array((number % 500).astype(np.int32)),
        pa.array([f"https://shop.example/goods/{n}?from=home" for n in range(500)]),
    ).cast(pa.string())
    context = KIND(
        pa.array((who % 300).astype(np.int32)),
        pa.array(
            [
                f'{{"ip":"10.0.{n}.0","userAgent":"Mozilla/5.0 (Linux; Android 14; Model {n}) '
                'AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36","locale":"zh-CN"}}'
                for n in range(300)
            ]
        ),
    ).cast(pa.string())
    table = pa.table(
        {
            "event_id": binary(number.astype(">u8")),
            "message_id": pa.array(number).cast(pa.string()),
            "source": KIND(pa.array(np.zeros(count, np.int32)), ["web"]).cast(pa.string()),
            "type": KIND(pa.array(np.zeros(count, np.int32)), ["page"]).cast(pa.string()),
            "name": KIND(pa.array(np.zeros(count, np.int32)), ["page"]).cast(pa.string()),
            "ts_us": ts_us,
            "received_us": ts_us,
            "local_day": pa.array((ts_us // clock.DAY_US).astype(np.int32)).cast(pa.date32()),
            "seq": number,
            "device": who,
            "session_id": who,
            "node_ids": pa.ListArray.from_arrays(offsets, parts),
            "page_url": page,
            "context": context,
            "properties": KIND(pa.array(np.zeros(count, np.int32)), ["{}"]).cast(pa.string()),
            "flags": np.where(is_touch, int(Flag.EXPLICIT_CHANNEL), 0).astype(np.int32),
            "channel": channel.cast(pa.string()),
            "bot": np.zeros(count, np.bool_),
            "content_hash": binary(number.astype(">u8")),
            "known_at_us": ts_us,
        }
    )
    return shaped(table, EVENTS)


def write(folder: Path, count: int) -> None:
    workspace = Workspace.init(folder, time_zone="UTC")
    rng = np.random.default_rng(20_261_122)
    crowd, a_day = Crowd(workspace, max(count // 20, 1)), count // DAYS
    for day in range(DAYS):
        rows = events(rng, a_day, crowd, day, day * a_day)
        workspace.lake.events.commit(rows, offsets={SETTLED: (day + 1) * a_day})
    seq = DAYS * a_day
    start = time.perf_counter()
    filing.build(workspace, float("inf"))
    seconds = time.perf_counter() - start
    print(f"filed {seq:,} events in {seconds:.0f} s, {seq / seconds:,.0f} a second")
    for _ in range(20):  # commits of a second each
        rows = events(rng, TAIL // 20, crowd, DAYS, seq)
        seq += len(rows)
        workspace.lake.fresh.commit(rows, offsets={SEQ: seq})
    workspace.close()


def drop_from_memory(root: Path) -> None:
    for path in root.rglob("*.parquet"):
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def told(name: str, took: list[tuple[float, float]]) -> None:
    said = []
    for unit, seconds in zip(("ms", "of the processor"), zip(*took, strict=True), strict=True):
        ordered = sorted(1000 * one for one in seconds)
        p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
        said.append(f"p50 {p50:7.1f}  p95 {p95:7.1f} {unit}")
    print(f"  {name:<28} {'   '.join(said)}", flush=True)


def timed(ask: Callable[[], object]) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - start, time.process_time() - cpu


class Asker:
    """One who asks in the process that holds the workspace, as its worker answers."""

    def __init__(self, workspace: Workspace, people: int) -> None:
        self.workspace = workspace
        self.registry = SharedRegistry(workspace)
        rng = np.random.default_rng(1)
        drawn = np.unique((people * rng.random(4 * PERSONS) ** 2).astype(np.int64))
        with workspace.view() as view:
            found = self.registry.at(view)
        book, vault = NodeBook(workspace), workspace.vault
        ids = [vault.node_id("user_id", f"u{n}") for n in drawn]
        met = np.flatnonzero(found.known.find(ids) >= 0)
        self.persons = rng.permutation(drawn[met])[:PERSONS].tolist()
        for n in self.persons:
            book.node_id(Identifier("user_id", f"u{n}"))
            book.node_id(Identifier("anonymous_id", f"c{n}"))
        book.save()
        numbers = found.person_of([vault.node_id("user_id", f"u{n}") for n in self.persons])
        self.ids = [found.person_ids[person] for person in numbers if person is not None]

    def timeline(self, person: str) -> int:
        asked = {"person": person}
        found = queries.timeline(self.workspace, self.registry, asked)
        msgspec.json.encode(found)
        return len(found["events"])

    def journeys(self, *names: str) -> list[int]:
        """How many touches stand under each of these."""
        with self.workspace.view() as view:
            people = self.registry.at(view)
            persons = [find_person(self.workspace, people, name) for name in names]
            rows = touches(view, people.speakers(view), ("channel",))
            found = view.fetch(rows.filter(rows.person_ix.isin(persons)))["person_ix"].to_pylist()
        return [found.count(person) for person in persons]

    def why(self, a: str, b: str) -> bool:
        asked = {"a": a, "b": b, "language": "zh"}
        return known.why(self.workspace, self.registry, asked)["same_person"]

    def decide(self, kind: str, *names: str, **more: object) -> None:
        asked = {"kind": kind, "names": names, "reason": "bench", **more}
        self.made = identity.decide(self.workspace, self.registry, asked)["decision"]


def measure(folder: Path) -> None:
    workspace = Workspace.open(folder)
    events, copy = workspace.lake.events.snapshot(), workspace.lake.by_node.snapshot()
    size, days = (sum(Path(p).stat().st_size for p in one.files) for one in (copy, events))
    depths = [len(bucket_of(path)) % 3 for path in copy.files]
    print(f"{events.rows:,} events; copy of {len(copy.files)} files,", end=" ")
    print(f"{size >> 20} MB beside {days >> 20} MB;", end=" ")
    print(f"by depth {[depths.count(depth) for depth in range(3)]}; load {os.getloadavg()[0]:.1f}")
    asker = Asker(workspace, max(events.rows // 20, 1))
    told("the first person_id", [timed(partial(asker.timeline, asker.ids[0]))])
    cold = []
    for person in asker.ids:
        drop_from_memory(workspace.lake.root)
        workspace.lake.forget()
        cold.append(timed(partial(asker.timeline, person)))
    told("timeline, cold", cold)
    told("timeline, files in memory", [timed(partial(asker.timeline, p)) for p in asker.ids])
    told("timeline, again", [timed(partial(asker.timeline, p)) for p in asker.ids])
    workspace.lake.forget()
    pairs = [(f"user_id:u{n}", f"anonymous_id:c{n}") for n in asker.persons]
    told("why, first", [timed(partial(asker.why, *two)) for two in pairs])
    told("why, again", [timed(partial(asker.why, *two)) for two in pairs])
    apart = [(a, d) for (a, _), (_, d) in pairwise(pairs)]
    told("why not", [timed(partial(asker.why, *two)) for two in apart])
    decided(asker, pairs)
    workspace.close()


def decided(asker: Asker, pairs: list[tuple[str, str]]) -> None:
    """An unmerge and its undoing, each until what was decided is seen."""
    unmerged, seen, journeys, undone = [], [], [], []
    for a, b in pairs[:10]:
        whole, touched = asker.timeline(a), asker.journeys(a)
        unmerged.append(timed(partial(asker.decide, "unmerge", a, b)))
        seen.append(timed(partial(asker.timeline, b)))
        journeys.append(timed(partial(asker.journeys, a, b)))
        assert asker.timeline(a) < whole
        assert sum(asker.journeys(a, b)) == touched[0]
        undone.append(timed(partial(asker.decide, "undo", undoes=asker.made)))
        assert asker.timeline(a) == whole
    told("unmerge", unmerged)
    told("timeline right after it", seen)
    told("journeys right after it", journeys)
    told("its undoing", undone)


if __name__ == "__main__":
    events_wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch) / "w"
        if not place.exists():
            write(place, events_wanted)
        measure(place)
