"""Paths as a stream, numbered and put in order here: the same journeys as from sorted rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from touchline.journey.path import paths
from touchline.measure.basis import journeys_of
from touchline.measure.gather import gather
from touchline.settings import Settings
from touchline.storage.engine import View

OTHERS = 1 << 40
PEOPLE, WINDOW = 60, 50


@pytest.fixture
def view(tmp_path: Path):
    with View(None, Settings(), spill=tmp_path) as found:
        yield found


def touches(count):
    rng = np.random.default_rng(7)
    campaigns = [None, "spring", "autumn"]
    return pa.table(
        {
            "person_ix": rng.integers(0, PEOPLE, count),
            "ts_us": rng.integers(0, 300, count),
            "seq": rng.permutation(count),
            "channel": pa.array([f"c{i}" for i in rng.integers(0, 5, count)], pa.string()),
            "campaign": pa.array([campaigns[i] for i in rng.integers(0, 3, count)], pa.string()),
        }
    )


def members(count):
    rng = np.random.default_rng(8)
    return pa.table(
        {
            "conversion_ix": np.arange(count),
            "member_ix": rng.integers(0, PEOPLE + 5, count),
            "converted_us": rng.integers(0, 400, count),
        }
    )


@pytest.mark.parametrize(("size", "won"), [(900, 40), (30, 40), (900, 0), (0, 3)])
def test_a_stream_gives_the_journeys_of_sorted_rows(view, size, won):
    by = ("channel", "campaign")
    points, given = view.given(touches(size)), members(won)
    counted = pa.table({"revenue": np.arange(won) * 100, "count": np.ones(won, dtype=np.int64)})
    rows = paths(points, view.given(given), WINDOW, OTHERS)
    found = gather(view, points, rows, counted, by)
    table = view.fetch(rows.order_by("journey", "ts_us", "seq"))
    split = int(np.searchsorted(table.column("journey").to_numpy(), won))
    wanted, labels = journeys_of(counted, table, split, by)
    assert found.labels == labels
    assert found.journeys.labels.channels == wanted.labels.channels
    for name in ("offsets", "label", "conversions", "value", "nulls", "ts_us"):
        assert np.array_equal(getattr(found.journeys, name), getattr(wanted, name)), name
    assert found.touches.column("ts_us").to_pylist() == table.column("ts_us").to_pylist()[:split]
    others = table.column("journey").to_numpy()[split:] - OTHERS
    assert found.people.tolist() == sorted(set(others.tolist()))
