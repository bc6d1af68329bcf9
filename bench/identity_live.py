"""The live store on SQLite beside a plain flat union of the same pairs, on a store that is full.

    python bench/identity_live.py [PERSONS]      220000 by default: a million identifiers

Says how long the store takes to be filled, then for pairs that come in (70 % bring a new value,
20 % seen before, 10 % of two persons) the pairs a second in portions of a thousand, and how long
one alone takes; by the clock, and by this process's CPU, which counts on a machine that others use.
The union keeps a label a value, the smaller set taking that of the larger: no limits, no splits.
"""

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from crowd import DAY0_US, Crowd, crowd
from touchline.clock import DAY_US
from touchline.identity.evidence import NO_APP, OBSERVED, Nodes
from touchline.identity.live import LiveStore
from touchline.identity.live_part import Facts
from touchline.model import TYPE_RANK
from touchline.storage.state import State

AT_ONCE = 1000
PORTIONS = 10
SINGLES = 300
FILLED_BY = 1_000_000
TODAY = DAY0_US // DAY_US + 120


def main(persons: int) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        state = State(f"sqlite:///{Path(folder) / 'state.db'}")
        state.migrate()
        store, union = LiveStore(state), Union(Path(folder) / "union.db")
        started = time.perf_counter()
        known = 0
        made = crowd(persons)
        for facts in _filling(made):
            store.add(facts)
            known += len(facts.a)
        filled = time.perf_counter() - started
        print(f"{len(made.truth):,} identifiers, {known:,} pairs: filled in {filled:.0f} s")
        ends = made.pairs
        union.add(_facts(made, ends.a, ends.b, ends.a))
        dice = np.random.default_rng(5)
        more = [_coming(made, AT_ONCE, dice) for _ in range(PORTIONS)]
        ones = [_coming(made, 1, dice) for _ in range(SINGLES)]
        for name, add in (("live store", store.add), ("flat union", union.add)):
            wall, cpu = (AT_ONCE * PORTIONS / s for s in _timed(add, more).sum(axis=0))
            each = _timed(add, ones) * 1e3
            (p50, p99), used = np.percentile(each[:, 0], (50, 99)), each[:, 1].mean()
            print(f"  {name}   {wall:9,.0f} pairs/s ({cpu:,.0f} of CPU) in portions of {AT_ONCE:,}")
            print(f"    one alone: median {p50:.2f} ms, p99 {p99:.2f} ms (CPU {used:.2f} ms)")
        size = (Path(folder) / "state.db").stat().st_size
        print(f"  State {size / 2**20:.0f} MiB; load {os.getloadavg()[0]:.1f} at the end")
        state.close()


def _timed(add: Callable[[Facts], object], portions: list[Facts]) -> np.ndarray:
    """Seconds of each, by the clock and of CPU."""
    seconds: list[tuple[float, float]] = []
    for facts in portions:
        started, used = time.perf_counter(), time.process_time()
        add(facts)
        seconds.append((time.perf_counter() - started, time.process_time() - used))
    return np.array(seconds)


def _filling(made: Crowd) -> Iterator[Facts]:
    """The crowd's pairs, each on so many days, a part at a time."""
    pairs = made.pairs
    order = np.random.default_rng(3).permutation(len(pairs.a))
    for at in range(0, len(order), FILLED_BY):
        rows = order[at : at + FILLED_BY]
        days = np.minimum(pairs.days[rows], 30)
        each = np.repeat(rows, days)
        day = TODAY - 100 + np.arange(len(each)) - np.repeat(np.cumsum(days) - days, days)
        yield _facts(made, pairs.a[each], pairs.b[each], day)


def _coming(made: Crowd, count: int, dice: np.random.Generator) -> Facts:
    """New values beside old ones, pairs seen again, values of two persons."""
    size = len(made.pairs.a)
    again = dice.integers(0, size, count)
    a, b = made.pairs.a[again].copy(), made.pairs.b[again].copy()
    which = dice.choice(3, count, p=(0.7, 0.2, 0.1))
    b[which == 2] = dice.integers(0, len(made.truth), int((which == 2).sum()))
    facts = _facts(made, a, b, np.full(count, TODAY))
    fresh = count + np.flatnonzero(which == 0)
    hi = facts.nodes.hi.copy()
    hi[fresh] = dice.integers(0, 2**64, len(fresh), dtype=np.uint64)
    rank, app = facts.nodes.rank.copy(), facts.nodes.app.copy()
    rank[fresh], app[fresh] = TYPE_RANK["anonymous_id"], NO_APP
    return facts._replace(nodes=facts.nodes._replace(hi=hi, rank=rank, app=app))


def _facts(made: Crowd, a: np.ndarray, b: np.ndarray, day: np.ndarray) -> Facts:
    at, n = np.concatenate([a, b]), len(a)
    nodes = Nodes(*(column[at] for column in made.nodes))
    kind = np.full(n, OBSERVED, np.int8)
    first = np.arange(n, dtype=np.int32)
    return Facts(nodes, ("A", "B", "C"), first, first + n, kind, day.astype(np.int32))


class Union:
    def __init__(self, path: Path) -> None:
        self.base = sqlite3.connect(path)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.base.execute("CREATE TABLE node (id BLOB PRIMARY KEY, label INTEGER) WITHOUT ROWID")
        self.base.execute("CREATE INDEX by_label ON node (label)")
        self.last = 0

    def add(self, facts: Facts) -> None:
        ids = np.column_stack([facts.nodes.hi, facts.nodes.lo]).astype(">u8").tobytes()
        node = [ids[16 * k : 16 * k + 16] for k in range(len(facts.nodes.hi))]
        base = self.base
        for x, y in zip(facts.a.tolist(), facts.b.tolist(), strict=True):
            one, other = self._label(node[x]), self._label(node[y])
            if one != other:
                count = "SELECT count(*) FROM node WHERE label = ?"
                sizes = [base.execute(count, (label,)).fetchone()[0] for label in (one, other)]
                small, large = (one, other) if sizes[0] < sizes[1] else (other, one)
                base.execute("UPDATE node SET label = ? WHERE label = ?", (large, small))
        base.commit()

    def _label(self, node: bytes) -> int:
        found = self.base.execute("SELECT label FROM node WHERE id = ?", (node,)).fetchone()
        if found:
            return found[0]
        self.last += 1
        self.base.execute("INSERT INTO node VALUES (?, ?)", (node, self.last))
        return self.last


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 220_000)
