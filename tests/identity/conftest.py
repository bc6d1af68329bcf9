import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

HERE = Path(__file__).parent


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def facts() -> ModuleType:
    """Rows written as words, and their people."""
    return _module(HERE / "facts.py")


@pytest.fixture(scope="session")
def crowds() -> ModuleType:
    """The benchmark's generator of crowds with known persons."""
    return _module(HERE.parents[1] / "bench" / "crowd.py")


@pytest.fixture
def lake(tmp_path: Path) -> Any:
    """A workspace whose lake takes rows written as words."""
    made = _module(HERE / "lake.py").Lake(tmp_path / "site")
    yield made
    made.workspace.close()


@pytest.fixture
def stored(lake: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Rows of a mirror as another program reads them."""

    def rows(name: str) -> list[dict[str, Any]]:
        files = DeltaTable(str(lake.workspace.lake.root / name)).file_uris()
        read = (pq.read_table(path, partitioning=None) for path in files)
        return [row for table in read for row in table.to_pylist()]

    return rows


@pytest.fixture(scope="session")
def lake_at() -> Any:
    """Makes a workspace whose lake takes rows written as words, in a folder."""
    return _module(HERE / "lake.py").Lake
