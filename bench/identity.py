"""Resolving a dirty crowd, beside plain connected components of the same edges in the same run.

    python bench/identity.py [PERSONS] [--one] [--splink]

500000 persons by default; 3000000 is 10 M edges. A dry run of other rules (one phone less, shared
above 3) is what `touchline identity dry-run` does once it has read the evidence. `--one`: only the
first crowd, and each step once; `--splink`: Splink's SQL components of the same edges as well. Says
how long each step takes by the clock and of processor time, and its ratio to components alone; the
largest cluster of both, and how well the pairs of values match the truth. Ratios hold across
machines, seconds do not; where others are at work only processor time says anything.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from crowd import Crowd, crowd, pair_scores
from touchline.identity.change import Differences
from touchline.identity.evidence import Evidence
from touchline.identity.person import PersonIds
from touchline.identity.person_map import PersonMap
from touchline.identity.resolve import People, resolve
from touchline.identity.rules import Rules

T = TypeVar("T")
REPEATS = 3
CHANGED = Rules.from_document({"identity": {"quarantine_above": 3, "limits": {"phone": 2}}})


class Took(NamedTuple):
    """Seconds by the clock, and of processor time of all threads."""

    wall: float
    cpu: float

    def line(self, name: str, base: "Took", more: str = "") -> str:
        ratios = f"{self.wall / base.wall:5.2f} x {self.cpu / base.cpu:5.2f} x"
        return f"  {name:<18} {self.wall:7.2f} s {self.cpu:7.2f} s CPU  {ratios}{more}"


def timed(work: Callable[[], T]) -> tuple[Took, T]:
    start, used = time.perf_counter(), time.process_time()
    result = work()
    return Took(time.perf_counter() - start, time.process_time() - used), result


def best(work: Callable[[], T], runs: int) -> tuple[Took, T]:
    """The least of a few runs, and the last result."""
    found = [timed(work) for _ in range(runs)]
    wall, cpu = (min(column) for column in zip(*(took for took, _ in found), strict=True))
    return Took(wall, cpu), found[-1][1]


def plain(evidence: Evidence) -> np.ndarray:
    size = len(evidence)
    ends = (evidence.a, evidence.b)
    graph = coo_array((np.ones(len(evidence.a)), ends), shape=(size, size))
    return connected_components(graph.tocsr(), directed=False)[1]


def dry_run(people: Crowd, found: People) -> dict[str, int]:
    """What would change under CHANGED, and the largest changes."""
    evidence = people.evidence()
    before, after = (PersonMap.of(evidence, one) for one in (found, resolve(evidence, CHANGED)))
    told = Differences(before, after)
    list(told.changes(20))
    return told.counts


def splink_components(evidence: Evidence) -> int:
    """How many components Splink finds by its SQL on DuckDB, of the values that have a pair."""
    import duckdb
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold as cluster

    nodes = pa.table({"value": np.unique(np.concatenate([evidence.a, evidence.b]))})
    edges = pa.table({"value_l": evidence.a, "value_r": evidence.b})
    connection = duckdb.connect()
    base = DuckDBAPI(connection)
    found = cluster(base.register(nodes), base.register(edges), base, "value")
    query = f"SELECT count(DISTINCT cluster_id) FROM {found.physical_name}"
    return connection.execute(query).fetchone()[0]


def report(people: Crowd, runs: int, has_splink: bool) -> None:
    gathered, evidence = best(people.evidence, runs)
    base, components = best(lambda: plain(evidence), runs)
    resolved, found = best(lambda: resolve(evidence), runs)
    dry, changed = timed(lambda: dry_run(people, found))
    named, _ = best(lambda: list(PersonIds(evidence, found)), runs)
    truth = people.provable()
    said = ", ".join(f"{name} {count:,}" for name, count in changed.items())
    print(
        f"{len(evidence):,} identifiers, {len(evidence.a):,} pairs; load {os.getloadavg()[0]:.1f}"
    )
    print(base.line("scipy components", base))
    print(resolved.line("resolve", base))
    print(gathered.line("gather the set", base))
    print(named.line("name the persons", base))
    print(dry.line("dry run, gathering", base, f"  ({said})"))
    if has_splink:
        took, count = timed(lambda: splink_components(evidence))
        known = np.unique(np.concatenate([evidence.a, evidence.b]))
        assert count == len(np.unique(components[known]))
        more = (
            f"  {took.wall / resolved.wall:.1f} x resolve, {took.cpu / resolved.cpu:.1f} x of CPU"
        )
        print(took.line("Splink components", base, more))
    for name, label in (("components", components), ("resolve", found.person)):
        precision, recall, f1 = pair_scores(label, truth)
        print(
            f"  {name:<11} largest {np.bincount(label).max():,}"
            f"  precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}",
        )
    held = int(found.quarantine.held.sum())
    print(f"  held back {held}, pairs refused by a limit {len(found.refused):,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("persons", type=int, nargs="?", default=500_000)
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--splink", action="store_true")
    asked = parser.parse_args()
    runs = 1 if asked.one else REPEATS
    print("shared by 1 % of persons, 3 % borrow a cookie:")
    report(crowd(asked.persons), runs, asked.splink)
    if not asked.one:
        print("shared by 0.1 %, nobody borrows:")
        report(crowd(asked.persons, shared=0.001, family=0), runs, asked.splink)
        print("shared by 5 %, nobody borrows:")
        report(crowd(asked.persons, shared=0.05, family=0), runs, asked.splink)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB, the generator's included")
