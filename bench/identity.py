"""Resolving a dirty crowd, beside plain connected components of the same edges in the same run.

    python bench/identity.py [PERSONS]      500000 by default; 3000000 is 10 M edges

A dry run of other rules (one phone less, shared above 3) is what `touchline identity dry-run` does
once it has read the evidence. Says the seconds of each step, the ratio to the components alone, the
largest cluster of both, and how well the pairs of values match the truth. Ratios hold across
machines, seconds do not.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
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


def best(work: Callable[[], T]) -> tuple[float, T]:
    """Least seconds of a few runs, and the last result."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


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


def report(people: Crowd) -> None:
    gather_s, evidence = best(people.evidence)
    plain_s, components = best(lambda: plain(evidence))
    resolve_s, found = best(lambda: resolve(evidence))
    start = time.perf_counter()
    changed = dry_run(people, found)
    dry_s = time.perf_counter() - start
    name_s, _ = best(lambda: list(PersonIds(evidence, found)))
    truth = people.provable()
    said = ", ".join(f"{name} {count:,}" for name, count in changed.items())
    print(f"{len(evidence):,} identifiers, {len(evidence.a):,} pairs")
    print(f"  scipy components   {plain_s:7.2f} s  1.00 x")
    print(f"  resolve            {resolve_s:7.2f} s  {resolve_s / plain_s:.2f} x")
    print(f"  gather the set     {gather_s:7.2f} s  {gather_s / plain_s:.2f} x")
    print(f"  name the persons   {name_s:7.2f} s  {name_s / plain_s:.2f} x")
    print(f"  dry run, gathering {dry_s:6.2f} s  {dry_s / plain_s:.2f} x  ({said})")
    for name, label in (("components", components), ("resolve", found.person)):
        precision, recall, f1 = pair_scores(label, truth)
        print(
            f"  {name:<11} largest {np.bincount(label).max():,}"
            f"  precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}",
        )
    held = int(found.quarantine.held.sum())
    print(f"  held back {held}, pairs refused by a limit {len(found.refused):,}")


if __name__ == "__main__":
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    print("shared by 1 % of persons, 3 % borrow a cookie:")
    report(crowd(persons))
    print("shared by 0.1 %, nobody borrows:")
    report(crowd(persons, shared=0.001, family=0))
    print("shared by 5 %, nobody borrows:")
    report(crowd(persons, shared=0.05, family=0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB, the generator's included")
