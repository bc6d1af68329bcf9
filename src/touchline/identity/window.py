"""Limits that count within a window: at most N values of a type first seen within W of each other.

A part of a legal whole is legal here as well: it has fewer values in every window. A value that no
dated row has shown may have been first seen at any time, so it counts in every window.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from touchline.identity.evidence import NEVER_US, Ints, Longs, Mask

__all__ = ["breaking", "crowded"]


def crowded(seen_us: Sequence[int], most: int, window_us: int) -> list[int]:
    """Places of those (in order) that lie in one window and are more than `most`. The undated, at
    the end, lie in every one.
    """
    dated = bisect_left(seen_us, NEVER_US)
    undated = range(dated, len(seen_us))
    room = most - len(undated)
    if room < 0:
        return [*undated]
    for last in range(room, dated):
        if seen_us[last] - seen_us[last - room] < window_us:
            return [*range(last - room, last + 1), *undated]
    return []


def breaking(cluster: Ints, seen_us: Longs, most: int, window_us: int) -> Ints:
    """Clusters of which more than `most` values lie in one window; a row a value."""
    order = np.lexsort((seen_us, cluster))
    cluster, seen_us = cluster[order], seen_us[order]
    is_dated = seen_us < NEVER_US
    undated = np.bincount(cluster[~is_dated], minlength=int(cluster.max(initial=-1)) + 1)
    full = np.flatnonzero(undated > most)
    cluster, seen_us = cluster[is_dated], seen_us[is_dated]
    room = most - undated[cluster]
    ahead = np.arange(len(cluster)) + np.maximum(room, 0)
    inside: Mask = (room >= 0) & (ahead < len(cluster))
    here, there = np.flatnonzero(inside), ahead[inside]
    near = (cluster[there] == cluster[here]) & (seen_us[there] - seen_us[here] < window_us)
    return np.unique(np.concatenate([full, cluster[here[near]]])).astype(np.int32)
