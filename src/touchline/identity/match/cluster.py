"""Scored pairs → groups of records that are one person's: average link.

Two groups become one while the mean weight over all their pairs is above the cut; a pair that was
never scored counts as a weight against. So one strong pair does not join two groups whose other
members speak against it, as it would if components were taken. What surprises: equal means are
taken in the order of the records, so that the result depends on the pairs alone.
"""

import heapq
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["CUT", "MISSING", "average_link", "forest"]

MISSING = -5.0  # bits, of a pair without a score
CUT = -4.0
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def average_link(
    size: int, a: Ints, b: Ints, weight: Floats, *, missing: float = MISSING, cut: float = CUT
) -> Ints:
    """The group of each of `size` records: the least record in it. `cut` is above `missing`, so
    only groups with a scored pair between them can join.
    """
    label = np.arange(size)
    members = {x: [x] for x in range(size)}
    links: dict[int, dict[int, tuple[float, int]]] = {}
    for x, y, w in zip(a.tolist(), b.tolist(), weight.tolist(), strict=True):
        links.setdefault(x, {})[y] = links.setdefault(y, {})[x] = (w, 1)

    def mean(x: int, y: int) -> float:
        total, scored = links[x][y]
        pairs = len(members[x]) * len(members[y])
        return (total + missing * (pairs - scored)) / pairs

    heap = [(-mean(x, y), x, y) for x in links for y in links[x] if x < y]
    heap = [one for one in heap if -one[0] > cut]
    heapq.heapify(heap)
    while heap:
        against, x, y = heapq.heappop(heap)
        if x not in members or y not in members or y not in links[x] or -against != mean(x, y):
            continue  # one of the two has grown since
        members[x] += members.pop(y)
        for z, (total, scored) in links.pop(y).items():
            del links[z][y]
            if z != x:
                had, before = links[x].get(z, (0.0, 0))
                links[x][z] = links[z][x] = (had + total, before + scored)
        for z in links[x]:
            if (now := mean(x, z)) > cut:
                heapq.heappush(heap, (-now, min(x, z), max(x, z)))
    for least, group in members.items():
        label[group] = least
    return label


def forest(edges: Iterable[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Of edges (weight, a, b) those of a heaviest spanning forest: no pair says what others do."""
    parent: dict[int, int] = {}

    def find(x: int) -> int:
        while (above := parent.get(x, x)) != x:
            parent[x] = x = parent.get(above, above)
        return x

    kept: list[tuple[float, int, int]] = []
    for weight, x, y in sorted(edges, key=lambda edge: (-edge[0], edge[1:])):
        if (p := find(x)) != (q := find(y)):
            parent[q] = p
            kept.append((weight, x, y))
    return kept
