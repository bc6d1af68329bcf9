"""A Parquet file → rows, batch by batch.

A column chunk of a few kilobytes may stand for terabytes of repeated text, so texts stay dictionary
coded until their longest value is known, and a batch holds as many rows as fit in memory. The file
is read once through before the first row is given: damage is told before anything is stored.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from touchline.collect.importers.rows import MAX_CELL, MAX_COLUMNS, Row, Rows, cell
from touchline.errors import BadInput

__all__ = ["ParquetFile"]

BATCH_ROWS = 8_192
BATCH_BYTES = 64 << 20
MAX_GROUP = 2 << 30


class ParquetFile:
    """Rows are numbered from 1: a Parquet file has no lines."""

    format = "parquet"
    is_complete = True
    preface = ()
    sheet = None
    alike = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with pq.ParquetFile(path, memory_map=False) as file:
                metadata, schema = file.metadata, file.schema_arrow
                self._total = max(metadata.num_rows, 1)
                self._batch_rows = self._fitting(metadata)
            if len(schema) > MAX_COLUMNS:
                raise BadInput("too_many_columns", path=path, found=len(schema), limit=MAX_COLUMNS)
            self.columns = list(dict.fromkeys(schema.names))
            self._texts = [field.name for field in schema if pa.types.is_string(field.type)]
            self._read = 0
            longest = max((self._longest(batch) for batch in self._batches()), default=0)
            # Decoding gives every row its own copy of the text.
            self._batch_rows = min(self._batch_rows, max(BATCH_BYTES // max(longest, 1), 1))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._unreadable(error) from None
        self.samples = [
            row for row in itertools.islice(self.rows(frozenset()), 5) if isinstance(row, Row)
        ]

    def fraction(self) -> float:
        return self._read / self._total

    def rows(self, measures: frozenset[str]) -> Rows:
        """Every row; nested columns become lists and objects."""
        del measures
        self._read = 0
        for batch in self._batches():
            columns = [_values(column) for column in batch.columns]
            names = batch.schema.names
            for values in zip(*columns, strict=True):
                self._read += 1
                cells = {
                    name: value
                    for name, raw in zip(names, values, strict=True)
                    if raw is not None and (value := cell(raw)) is not None
                }
                if cells:
                    yield Row(self._read, cells)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path, read_dictionary=self._texts) as file:
            yield from file.iter_batches(self._batch_rows, use_threads=False)

    def _fitting(self, metadata: pq.FileMetaData) -> int:
        """How many rows a batch may have, by the widest row group."""
        rows = BATCH_ROWS
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            if group.total_byte_size > MAX_GROUP:
                raise BadInput("file_too_large", path=self.path)
            average = group.total_byte_size // max(group.num_rows, 1) + 1
            rows = min(rows, max(BATCH_BYTES // average, 1))
        return rows

    def _longest(self, batch: pa.RecordBatch) -> int:
        """Bytes of text a row of this batch may hold at most."""
        # Indexes beyond the dictionary and broken UTF-8 would otherwise show while rows are given.
        batch.validate(full=True)
        total = 0
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            values = column.dictionary if pa.types.is_dictionary(column.type) else column
            if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type)):
                continue
            lengths = pc.call_function("binary_length", [values])
            longest = pc.call_function("max", [lengths]).as_py() or 0
            if longest > MAX_CELL:
                raise BadInput("cell_too_large", path=self.path, column=name, limit=MAX_CELL)
            total += longest
        return total

    def _unreadable(self, error: BaseException) -> BadInput:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return BadInput("file_unreadable", path=self.path, format="Parquet", reason=reason)


def _values(column: pa.Array) -> list[object]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    return column.to_pylist()
