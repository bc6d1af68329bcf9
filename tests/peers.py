"""Where other people's programs and data are: in .venv-peers, or where TOUCHLINE_PEERS points.

Without them a test is skipped; with TOUCHLINE_REQUIRE_PEERS=1 it fails instead, so that continuous
integration cannot skip them by accident.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(os.environ.get("TOUCHLINE_PEERS", Path(__file__).parent.parent / ".venv-peers"))
SITE_PACKAGES = "lib/python3*/site-packages"


def peer_file(relative: str) -> Path:
    """A file inside the peers' site-packages, such as lifetimes/datasets/CDNOW_master.txt."""
    return _found(f"{SITE_PACKAGES}/{relative}", relative)


def peer_python() -> Path:
    """The interpreter that has the peers' programs installed."""
    return _found("bin/python", "the peers' Python")


def peer_node(package: str) -> tuple[str, dict[str, str]]:
    """Node, and the environment in which it finds the peers' packages."""
    _found(f"node_modules/{package}/package.json", f"{package} of npm")
    beside_python = Path(sys.executable).parent  # where `make tracker` puts one
    node = shutil.which("node", path=f"{os.environ['PATH']}{os.pathsep}{beside_python}")
    if node is None:
        _missing("node is not installed")
    return node, {**os.environ, "NODE_PATH": str(ROOT / "node_modules")}


def _found(pattern: str, what: str) -> Path:
    found = min(ROOT.glob(pattern), default=None)
    if found is None:
        _missing(f"{what} is not in {ROOT}: run `make peers`")
    return found


def _missing(message: str) -> NoReturn:
    if os.environ.get("TOUCHLINE_REQUIRE_PEERS") == "1":
        pytest.fail(message)
    pytest.skip(message)
