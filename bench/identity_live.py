"""The live store on SQLite beside a plain flat union of the same pairs, on a store that is full.

    python bench/identity_live.py [PERSONS]      220000 by default: a million identifiers

Says how long the store takes to be filled, then for pairs that come in (70 % bring a new value,
20 % seen before, 10 % of two persons) the pairs a second in portions of a thousand, and how long
one alone takes. By the clock, less what this thread waited for a processor (Linux counts it), which
is what an idle machine would show; and of CPU. What is left between the two is the disk. Last, how
long it takes to let a value join people that a hundred thousand touch, and to hold it back again.
The union keeps a label a value, the smaller set taking that of the larger: no limits, no splits.
"""

import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from crowd import DAY0_US, Crowd, crowd
from touchline.clock import DAY_US
from touchline.identity.evidence import NO_APP, OBSERVED, Decisions, Nodes
from touchline.identity.live.part import Facts
from touchline.identity.live.store import LiveStore
from touchline.identity.ruled import Ruled
from touchline.model import TYPE_RANK
from touchline.storage.state import State

AT_ONCE = 1000
MANY = 100_000
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
            rates = AT_ONCE * PORTIONS / _timed(add, more).sum(axis=0)
            print(f"  {name}   pairs/s in portions of {AT_ONCE:,}: {_columns(rates, ',.0f')}")
            each = _timed(add, ones) * 1e3
            for part, found in (("median", 50), ("p99", 99)):
                told = _columns(np.percentile(each, found, axis=0), ".2f")
                print(f"    one alone, ms, {part}: {told}")
        size = (Path(folder) / "state.db").stat().st_size
        _let_join(State(f"sqlite:///{Path(folder) / 'shared.db'}"))
        print(f"  State {size / 2**20:.0f} MiB; load {os.getloadavg()[0]:.1f} at the end")
        state.close()


def _let_join(state: State) -> None:
    """A cookie that MANY users touch: an operator lets it join people, and takes that back."""
    state.migrate()
    dice = np.random.default_rng(9)
    hi = dice.integers(0, 2**64, MANY + 1, dtype=np.uint64)
    rank = np.full(MANY + 1, TYPE_RANK["user_id"], np.int8)
    rank[0] = TYPE_RANK["anonymous_id"]
    none = np.full(MANY + 1, NO_APP, np.int32)
    nodes = Nodes(hi, hi, rank, none, np.full(MANY + 1, DAY0_US))
    users = np.arange(1, MANY + 1, dtype=np.int32)
    kind, day = np.full(MANY, OBSERVED, np.int8), np.full(MANY, TODAY, np.int32)
    store = LiveStore(state)
    store.add(Facts(nodes, (), np.zeros(MANY, np.int32), users, kind, day))
    shared = int(hi[0]).to_bytes(8, "big") * 2
    for name, ruled in (
        ("let join", Ruled(decisions=Decisions(released=(shared,)))),
        ("held back again", Ruled()),
    ):
        store.rule(ruled)
        started, used, waited = time.perf_counter(), time.thread_time(), _waited()
        store.judge_all()
        wall = time.perf_counter() - started
        told = (wall, wall - _waited() + waited, time.thread_time() - used)
        print(f"  a value that {MANY:,} touch, {name}: s, {_columns(np.array(told), '.1f')}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  peak memory {peak:.1f} GiB, the generator's included")
    state.close()


def _columns(found: np.ndarray, form: str) -> str:
    names = ("by the clock", "less waiting", "CPU")
    return ", ".join(f"{value:{form}} {name}" for value, name in zip(found, names, strict=True))


def _timed(add: Callable[[Facts], object], portions: list[Facts]) -> np.ndarray:
    """Seconds of each: by the clock, the same less waiting for a processor, and of CPU."""
    seconds: list[tuple[float, float, float]] = []
    for facts in portions:
        started, used, waited = time.perf_counter(), time.thread_time(), _waited()
        add(facts)
        wall, more = time.perf_counter() - started, _waited() - waited
        seconds.append((wall, wall - more, time.thread_time() - used))
    return np.array(seconds)


def _waited() -> float:
    """Seconds that this thread has been ready to run and did not."""
    told = Path("/proc/thread-self/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


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
