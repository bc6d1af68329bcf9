"""Rows in any order → their order by (group, time, seq), in time that grows with the rows alone.

Millions of touches come out of a lake nearly sorted by time, and are wanted by journey. Counting
the rows of each group says where each group begins, and dealing the rows out keeps the order in
which they came: for most groups that is the order of time already.

The surprise: only the groups for which it is not are sorted, after a look at the neighbours.
"""

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Int64s, Ints

__all__ = ["ordered"]


def ordered(group: Ints, ts_us: Int64s, seq: Int64s, groups: int) -> tuple[Ints, Ints]:
    """Places of the rows in order of (group, ts_us, seq), and where each of the groups begins.

    The second has one more entry than there are groups: group g is `places[at[g]:at[g + 1]]`.
    """
    places, at = _dealt(group, groups)
    late = _late(places, ts_us, seq)
    late[at[:-1][at[:-1] < len(late)]] = False  # the first of a group follows nobody
    if late.any():
        unsorted = np.unique(group[places[late]])
        lengths = at[unsorted + 1] - at[unsorted]
        ends = np.cumsum(lengths)
        spots = np.repeat(at[unsorted] - (ends - lengths), lengths) + np.arange(ends[-1])
        rows = places[spots]
        places[spots] = rows[np.lexsort((seq[rows], ts_us[rows], group[rows]))]
    return places, at


def _dealt(group: Ints, groups: int) -> tuple[Ints, Ints]:
    """The rows of each group in the order in which they came: a table of one column a row,
    turned from rows to groups by counting.
    """
    count = len(group)
    rows = np.arange(count, dtype=np.int32 if count < 2**31 else np.int64)
    table = sparse.coo_array((np.zeros(count, np.int8), (group, rows)), shape=(groups, count))
    table.has_canonical_format = True  # no row is named twice: nothing is to be added up
    dealt = table.tocsr()
    return dealt.indices, dealt.indptr


def _late(places: Ints, ts_us: Int64s, seq: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows belong before the row in front of them."""
    late = np.zeros(len(places), dtype=np.bool_)
    at = ts_us[places]
    late[1:] = at[1:] < at[:-1]
    ties = np.flatnonzero(at[1:] == at[:-1])
    late[ties + 1] = seq[places[ties + 1]] < seq[places[ties]]
    return late
