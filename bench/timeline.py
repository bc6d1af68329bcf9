"""One person's events among many: by the copy filed by identifier, and by all day files.

    python bench/timeline.py [EVENTS] [DIR]      1000000 by default; DIR is kept, and used again

A workspace of 90 days is written, a fifth of the events with a user id beside the cookie, and filed
as it is when a copy is built; then as many events as settle in half a minute arrive and wait. Forty
persons are asked for cold (files dropped from the system's memory, no footer remembered), warm, and
right after two persons became one, which moves no event. Milliseconds are this machine's, ratios
hold elsewhere. What is asked of the person map alone is not counted: it is the same for both.
"""

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from touchline import clock
from touchline.identity.people import person_map
from touchline.identity.person_map import PersonMap
from touchline.identity.timeline import _searched, events_of
from touchline.jobs import filing
from touchline.storage.by_node import ByNode, bucket_of
from touchline.storage.columns import EVENTS
from touchline.storage.lake import SEQ, SETTLED
from touchline.storage.table import shaped
from touchline.storage.workspace import Workspace

# On a machine that others use, the time of its processor tells more: `CPU=1`.
clock_s = time.process_time if os.environ.get("CPU") else time.perf_counter
DAYS, PERSONS, TAIL = 90, 40, 20_000
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
            "flags": np.zeros(count, np.int32),
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


def told(name: str, seconds: list[float]) -> None:
    ordered = sorted(1000 * one for one in seconds)
    p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    print(f"  {name:<24} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")


def asked(
    workspace: Workspace, people: PersonMap, persons: list[int], *, cold: bool
) -> list[float]:
    lake, found = workspace.lake, []
    for person in persons:
        if cold:
            drop_from_memory(lake.root)
            lake.by_node = ByNode(lake.by_node.root)
        with workspace.view("fresh", "events") as view:
            start = clock_s()
            events_of(lake.by_node, view, people, person)
            found.append(clock_s() - start)
    return found


def measure(folder: Path) -> None:
    workspace = Workspace.open(folder)
    copy = workspace.lake.by_node.snapshot()
    size = sum(Path(path).stat().st_size for path in copy.files)
    days = sum(Path(p).stat().st_size for p in workspace.lake.events.snapshot().files)
    depths = [len(bucket_of(path)) % 3 for path in copy.files]
    print(f"{len(copy.files)} files, {size >> 20} MB beside {days >> 20} MB of day files;", end=" ")
    print(f"by depth {[depths.count(depth) for depth in range(3)]}")
    with workspace.view() as view:
        people = person_map(view)
        rng = np.random.default_rng(1)
        persons = rng.integers(0, len(people.people), PERSONS).tolist()
        nodes = [len(people.members(person)) for person in persons]
        rows = [len(events_of(workspace.lake.by_node, view, people, p)) for p in persons[:5]]
        print(f"{len(people.people):,} persons; {statistics.mean(nodes):.1f} identifiers,", end=" ")
        print(f"{statistics.mean(rows):.0f} events each")
    told("copy, cold", asked(workspace, people, persons, cold=True))
    told("copy, warm", asked(workspace, people, persons * 2, cold=False)[PERSONS:])
    merged = people.people.person.copy()
    merged[merged == persons[0]] = persons[1]  # as a decision would, a moment ago
    after = PersonMap(people.known, replace(people.people, person=merged))
    told("copy, after a merge", asked(workspace, after, [persons[1]] * 5, cold=False)[:1])
    seconds = []
    with workspace.view("fresh", "events") as view:
        for person in persons[:3]:
            start = time.perf_counter()
            _searched(view, people, person)
            seconds.append(time.perf_counter() - start)
    told("day files, warm", seconds)
    workspace.close()


if __name__ == "__main__":
    events_wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch) / "w"
        if not place.exists():
            write(place, events_wanted)
        measure(place)
