"""Cleaned records → scored pairs, by Splink: Fellegi–Sunter, trained on the very records.

It runs in a database of its own, in memory; nothing is written and nothing leaves the process. With
few records there is nothing to learn from, and the starting weights hold. What surprises: a pair's
score is a weight in bits (log2 of the odds), not a probability.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from touchline.identity.match.blocks import keyed
from touchline.identity.match.clean import COLUMNS
from touchline.identity.match.comparisons import settings
from touchline.identity.match.extra import needed

__all__ = ["VERSION", "Scored", "score"]

VERSION = "1"  # of what is compared and how: a suggestion says by which it was made
LEAST = -6.6  # bits; 1 %: what is less likely is not kept
TRAINED_FROM = 1_000  # records
DUPLICATES = 0.2  # of records that have another of the same person, before anything is known
SEED = 1
MOST_PAIRS = 2e6
# Two groups of pairs, of which each trains the comparisons that the other takes for granted.
TRAINING = (("birthday",), ("surname_sound", "given_sound"))
FEW = 300  # pairs, from which nothing can be learnt
# What Splink puts before the name of a comparison, and before its correction for frequent values.
BITS = "mw_"
FREQUENCY = "tf_adj_"
Row = Mapping[str, str | None]


class Scored(NamedTuple):
    """Places of two records (a < b), and how much speaks for one person, in bits. `bits`: what
    was compared → how much of it that is, below 0 where the two differ, 0 where one says nothing.
    """

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    bits: dict[str, npt.NDArray[np.float64]]


def score(rows: Sequence[Row]) -> Scored:
    """All pairs that may be of one person."""
    blocks = keyed(rows)
    if not blocks:
        return Scored(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64), {})
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    said = [name for name, values in columns.items() if any(values)]
    table = pa.table(
        {
            "record": pa.array(range(len(rows)), pa.int64()),
            **{name: pa.array(values, pa.string()) for name, values in columns.items()},
            **{name: pa.array(keys, pa.string()) for name, keys in blocks.items()},
        }
    )
    share = min(DUPLICATES / max(len(rows) - 1, 1), 0.1)
    are_many = len(rows) >= TRAINED_FROM
    linker = _linker(table, settings(said, blocks, share, has_frequencies=are_many))
    if are_many:
        _train(linker, columns)
    return _predicted(linker)


def _linker(table: pa.Table, asked: dict[str, Any]) -> Any:
    splink = needed("splink")
    logging.getLogger("splink").setLevel(logging.CRITICAL)  # it tells of values
    database = splink.DuckDBAPI()
    return splink.Linker(database.register(table), asked, log_level=None)


def _train(linker: Any, columns: Mapping[str, Sequence[str | None]]) -> None:
    block_on = needed("splink").block_on
    training = linker.training
    rules = [block_on(*names) for names in TRAINING if _pairs(columns, names) >= FEW]
    sure = [block_on(*TRAINING[0], *TRAINING[1])]
    sure += [block_on(name) for name in ("national_id", "email", "phone") if any(columns[name])]
    if _pairs(columns, (*TRAINING[0], *TRAINING[1])) >= FEW:
        training.estimate_probability_two_random_records_match(sure, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=MOST_PAIRS, seed=SEED)
    for rule in rules:
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=MOST_PAIRS
        )


def _pairs(columns: Mapping[str, Sequence[str | None]], names: Sequence[str]) -> int:
    """How many pairs of records agree in all of these."""
    sizes: dict[tuple[str | None, ...], int] = {}
    for key in zip(*(columns[name] for name in names), strict=True):
        if all(key):
            sizes[key] = sizes.get(key, 0) + 1
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _predicted(linker: Any) -> Scored:
    found = linker.inference.predict(threshold_match_weight=LEAST).as_pyarrow_table()
    a, b = found["record_l"].to_numpy(), found["record_r"].to_numpy()
    weight = found["match_weight"].to_numpy().astype(np.float64)
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((high, low))
    bits: dict[str, npt.NDArray[np.float64]] = {}
    for column in found.column_names:
        if column.startswith(BITS):
            name = column.removeprefix(BITS).removeprefix(FREQUENCY)
            bits[name] = bits.get(name, 0.0) + found[column].to_numpy()[order].astype(np.float64)
    return Scored(low[order], high[order], weight[order], bits)
