"""Rows of events, conversions or people → which of them carry which identifier; of a file as well.

Of a file that is made of one column, once: a file never changes. What surprises: an identifier is
known there by its first half, so a row may be named that carries another one; ids are hashes, and
it hardly ever is.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

__all__ = ["Mentions", "ids_in", "mentions_in", "naming", "rows_at"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Mentions(NamedTuple):
    """Halves of identifiers in order, each with a row."""

    half: npt.NDArray[np.uint64]
    row: npt.NDArray[np.int32]

    @property
    def weight(self) -> int:
        return 500 + self.half.nbytes + self.row.nbytes

    def of(self, nodes: Collection[bytes]) -> npt.NDArray[np.int32]:
        """Rows that carry any of these, in order."""
        halves = np.frombuffer(b"".join(node[:8] for node in nodes), ">u8").astype(np.uint64)
        starts = np.searchsorted(self.half, halves)
        ends = np.searchsorted(self.half, halves, "right")
        spans = [self.row[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        return np.unique(np.concatenate([self.row[:0], *spans]))


def ids_in(rows: pa.Table) -> pa.Array:
    """Identifiers that rows carry, one after the other."""
    return pc.struct_field(pc.list_flatten(rows["node_ids"].combine_chunks()), "id")


def naming(rows: pa.Table, nodes: Collection[bytes]) -> pa.Table:
    """Those that carry one of these, in their order."""
    is_named = pc.is_in(ids_in(rows), value_set=pa.array([*nodes], pa.binary()))
    of = pc.list_parent_indices(rows["node_ids"].combine_chunks())
    return rows.take(pc.unique(of.filter(is_named)))


def mentions_in(path: str) -> Mentions:
    """Raises OSError or ArrowInvalid on a damaged file."""
    halves, rows, begin = [np.empty(0, np.uint64)], [np.empty(0, np.int32)], 0
    with pq.ParquetFile(path, memory_map=True) as file:
        for group in range(file.num_row_groups):
            held = file.read_row_group(group, ["node_ids"], use_threads=False)
            lists = held["node_ids"].combine_chunks()
            ids = pc.struct_field(pc.list_flatten(lists), "id")
            of = pc.list_parent_indices(lists).filter(pc.is_valid(ids)).to_numpy()
            both = np.frombuffer(b"".join(ids.drop_null().to_pylist()), ">u8")
            halves.append(both[::2].astype(np.uint64))
            rows.append(of.astype(np.int32) + begin)
            begin += len(lists)
    half, row = np.concatenate(halves), np.concatenate(rows)
    order = np.argsort(half, kind="stable")
    return Mentions(half[order], row[order].astype(np.int32))


def rows_at(path: str, places: npt.NDArray[np.int32], columns: list[str] | None) -> pa.Table:
    """Some rows of a file: groups that hold none are not read. Columns it lacks are left out."""
    found: list[pa.Table] = []
    begin = 0
    with pq.ParquetFile(path, memory_map=True) as file:
        names = file.schema_arrow.names
        wanted = names if columns is None else [name for name in columns if name in names]
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            here = places[(places >= begin) & (places < end)] - begin
            if len(here):
                rows = file.read_row_group(group, wanted, use_threads=False)
                found.append(rows.take(pa.array(here)))
            begin = end
    return pa.concat_tables(found)
