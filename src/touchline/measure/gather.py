"""Paths of millions of touches → journeys as arrays, at a few bytes a touch.

Names are numbered by the engine, so that no text leaves it, and rows come as a stream that is put
in order here: the engine would sort all columns of all rows, where counting is enough.

The surprise: journeys that convert are few, and are fetched as a table with all that is told of
them; of the others, which are most of the rows, no more than codes in order is ever kept.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline.attribution.arrays import Int64s, Ints, dense
from touchline.attribution.journeys import Journeys, Labels
from touchline.attribution.order import ordered
from touchline.storage.engine import Expression, View

__all__ = ["Gathered", "Label", "gather", "named", "numbered_labels"]

BATCH_ROWS = 100_000
FREE = ("journey", "ts_us", "seq", "label")
Label = tuple[str | None, ...]
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Gathered(NamedTuple):
    """`touches` are the rows of converting journeys, in the order of the touch arrays; `people`
    whose the other journeys are, in their order.
    """

    journeys: Journeys
    labels: list[Label]
    touches: pa.Table
    people: Int64s


def gather(
    view: View, points: Expression, rows: Expression, counted: pa.Table, by: tuple[str, ...]
) -> Gathered:
    """The paths of the counted conversions (which have revenue and count) and of nobody's.

    `rows` are those of `path.paths` with a person_ix, in any order; `points` the touches that they
    were made from. Journeys below `len(counted)` are conversions, all others paths of persons.
    """
    names = view.fetch(points.select(*by).distinct())
    code, labels = numbered_labels(names)
    # Narrow codes: each byte of them is a byte for every touch.
    dtype = np.int16 if len(labels) < 2**15 else np.int32
    coded = view.given(names.append_column("label", pa.array(code.astype(dtype))))
    won = _labelled(rows.filter(rows.journey < len(counted)), coded, by)
    # Two claims of one order come at one moment with one number: they stand as their labels do.
    won = view.fetch(won.order_by("journey", "ts_us", "seq", "label"))
    free = rows.filter(rows.journey >= len(counted))
    free = _labelled(free.mutate(journey=free.person_ix.cast("int32")), coded, by).select(*FREE)
    label, lengths, people = _of_nobody(view.batches(free, BATCH_ROWS), view.count(points), dtype)
    journey = _numbers(won, "journey")
    code = np.concatenate([won.column("label").to_numpy(), label])
    lengths = np.concatenate([np.bincount(journey, minlength=len(counted)), lengths])
    code, labels = _occurring(code, labels)
    nulls = np.ones(len(lengths))
    nulls[: len(counted)] = 0
    journeys = Journeys(
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        label=code,
        labels=named(labels),
        conversions=counted.column("count").to_numpy().astype(np.float64, copy=False),
        value=_numbers(counted, "revenue"),
        nulls=nulls,
        ts_us=_numbers(won, "ts_us"),
    )
    return Gathered(journeys, labels, won.drop_columns(["label"]), people)


def numbered_labels(columns: pa.Table) -> tuple[Ints, list[Label]]:
    """Codes of the distinct label tuples, in the order of their values: equal data, equal codes."""
    code = np.zeros(len(columns), dtype=np.int64)
    labels: list[Label] = [()]
    for column in columns.columns:
        names = sorted(
            pc.unique(column).to_pylist(), key=lambda name: (name is not None, name or "")
        )
        ranks = pc.index_in(column, pa.array(names, pa.string())).to_numpy()
        size = max(len(names), 1)
        # Numbered anew at each column: the product of all sizes would not fit into 64 bits.
        distinct, code = dense(code * size + ranks, len(labels) * size)
        labels = [(*labels[i // size], names[i % size]) for i in distinct.tolist()]
    return code, labels


def _labelled(rows: Expression, coded: Expression, by: Sequence[str]) -> Expression:
    """The rows with the code of their label; two nulls are the same name."""
    same = [rows[name].identical_to(coded[name]) for name in by]
    return rows.inner_join(coded, same).select(*rows.columns, "label")


def _of_nobody(
    batches: Iterable[pa.RecordBatch], most: int, dtype: type[np.signedinteger[Any]]
) -> tuple[Ints, Ints, Int64s]:
    """Labels of the rows of a stream, journey by journey and in order of time; the lengths of the
    journeys, and whose they are.
    """
    journey, label = np.empty(most, np.int32), np.empty(most, dtype)
    ts_us, seq = np.empty(most, np.int64), np.empty(most, np.int64)
    end = 0
    for batch in batches:
        start, end = end, end + len(batch)
        found = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
        journey[start:end], ts_us[start:end], seq[start:end], label[start:end] = found
    journey, ts_us, seq, label = journey[:end], ts_us[:end], seq[:end], label[:end]
    places, at = ordered(journey, ts_us, seq, int(journey.max(initial=-1)) + 1, label)
    lengths = np.diff(at)
    people = np.flatnonzero(lengths)
    return label[places], lengths[people], people


def _occurring(code: Ints, labels: list[Label]) -> tuple[Ints, list[Label]]:
    """Only the labels that a journey has, numbered anew in the same order."""
    occurs = np.bincount(code, minlength=len(labels)) > 0
    if not occurs.all():
        dtype = np.min_scalar_type(max(len(labels), 1))
        code = (np.cumsum(occurs) - 1).astype(dtype)[code]
    return code, [label for label, is_there in zip(labels, occurs, strict=True) if is_there]


def named(labels: list[Label]) -> Labels:
    """Channels of the labels, by name, and which is whose."""
    channels = tuple(sorted({str(label[0]) for label in labels}))
    place = {name: number for number, name in enumerate(channels)}
    return Labels(channels, np.array([place[str(label[0])] for label in labels], dtype=np.int64))


def _numbers(table: pa.Table, name: str) -> Int64s:
    return table.column(name).to_numpy().astype(np.int64, copy=False)
