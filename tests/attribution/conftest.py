import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from touchline.attribution import Journeys, Labels, Touches

TESTS = Path(__file__).parents[1]
DAY_US = 86_400_000_000
Row = tuple[str, float, float, float]


@pytest.fixture(scope="session")
def paths() -> Callable[..., Journeys]:
    """`paths(("A B", 1, 100, 0), …)`: steps, conversions, value, nulls."""

    def make(*rows: Row, channels: str = "") -> Journeys:
        steps = [row[0].split() for row in rows]
        names = tuple(sorted({name for path in steps for name in path} | set(channels.split())))
        code = {name: i for i, name in enumerate(names)}
        return Journeys.from_paths(
            np.cumsum([0, *map(len, steps)]),
            np.array([code[name] for path in steps for name in path], dtype=np.uint16),
            Labels.of_channels(names),
            counts=tuple(np.array([row[i] for row in rows], dtype=float) for i in (1, 2, 3)),
        )

    return make


@pytest.fixture(scope="session")
def people() -> Callable[..., Journeys]:
    """`people([("A/x@1 B@2.5", 100), …], others=["A C"])`: channel/campaign@day, and the value."""

    def make(
        won: Sequence[tuple[str, int]],
        others: Sequence[str] = (),
        counts: Sequence[float] | None = None,
    ) -> Journeys:
        everything = [path.split() for path, _ in won] + [path.split() for path in others]
        names = sorted({touch.partition("@")[0] for path in everything for touch in path})
        channels = tuple(sorted({name.partition("/")[0] for name in names}))
        label = {name: i for i, name in enumerate(names)}
        columns: list[list[tuple[int, int, int]]] = [[], []]
        for number, path in enumerate(everything):
            for touch in path:
                name, _, day = touch.partition("@")
                ts_us = int(float(day or 0) * DAY_US)
                columns[number >= len(won)].append((number, label[name], ts_us))
        first, second = (Touches(*np.array(c, dtype=np.int64).reshape(-1, 3).T) for c in columns)
        of = np.array([channels.index(name.partition("/")[0]) for name in names], dtype=np.int64)
        return Journeys.from_touches(
            first,
            second,
            value=np.array([value for _, value in won], dtype=np.int64),
            labels=Labels(channels, of),
            counts=None if counts is None else np.array(counts, dtype=float),
        )

    return make


@pytest.fixture(scope="session")
def peers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("peers", TESTS / "peers.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def pathdata() -> Path:
    """10,000 real paths; they lie beside the repository, or where TOUCHLINE_DATA points."""
    folder = os.environ.get("TOUCHLINE_DATA") or TESTS.parents[1] / "shared" / "data"
    path = Path(folder) / "pathdata.csv"
    if not path.exists():
        message = f"{path} is missing: set TOUCHLINE_DATA to the folder that holds pathdata.csv"
        if os.environ.get("TOUCHLINE_REQUIRE_PEERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path
