"""Rows in any order → their order by (group, time, seq), in time that grows with the rows alone.

Millions of touches come out of a lake in long runs that are sorted by time, and are wanted by
journey. Timsort, which is numpy's stable sort, merges runs without looking inside them; after that
counting the rows of each group says where it begins, and dealing the rows out keeps their order.

The surprise: groups are never compared, so it is no matter how many there are.
"""

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Int64s, Ints

__all__ = ["ordered"]


def ordered(
    group: Ints, ts_us: Int64s, seq: Int64s, groups: int, label: Ints | None = None
) -> tuple[Ints, Ints]:
    """Places of the rows in order of (group, ts_us, seq, label), and where each group begins.

    The second has one more entry than there are groups: group g is `places[at[g]:at[g + 1]]`.
    """
    rows = _by_time(ts_us, (seq,) if label is None else (label, seq))
    shape = (groups, max(len(rows), 1))
    # A table of one column a row, turned by counting from rows to groups.
    table = sparse.coo_array((np.zeros(len(rows), np.int8), (group[rows], rows)), shape=shape)
    table.has_canonical_format = True  # no row is named twice: nothing is to be added up
    dealt = table.tocsr()
    return dealt.indices, dealt.indptr


def _by_time(ts_us: Int64s, ties: tuple[Ints, ...]) -> Ints:
    """The rows in order of time; those of one moment by the last of `ties` first."""
    narrow = np.int32 if len(ts_us) < 2**31 else np.int64
    if np.all(ts_us[1:] >= ts_us[:-1]):
        rows = np.arange(len(ts_us), dtype=narrow)
    else:
        rows = np.argsort(ts_us, kind="stable").astype(narrow)
    is_tied = ts_us[rows[1:]] == ts_us[rows[:-1]]
    tied = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied)[: len(rows)])
    among = rows[tied]
    rows[tied] = among[np.lexsort((*(tie[among] for tie in ties), ts_us[among]))]
    return rows
