"""Where other people's programs and data are: in .venv-peers, or where TOUCHLINE_PEERS points.

Without them a test is skipped; with TOUCHLINE_REQUIRE_PEERS=1 it fails instead, so that continuous
integration cannot skip them by accident.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("TOUCHLINE_PEERS", Path(__file__).parent.parent / ".venv-peers"))
SITE_PACKAGES = "lib/python3*/site-packages"


def peer_file(relative: str) -> Path:
    """A file inside the peers' site-packages, such as lifetimes/datasets/CDNOW_master.txt."""
    return _found(f"{SITE_PACKAGES}/{relative}", relative)


def peer_python() -> Path:
    """The interpreter that has the peers' programs installed."""
    return _found("bin/python", "the peers' Python")


def _found(pattern: str, what: str) -> Path:
    for path in sorted(ROOT.glob(pattern)):
        return path
    message = f"{what} is not in {ROOT}: run `make peers`"
    if os.environ.get("TOUCHLINE_REQUIRE_PEERS") == "1":
        pytest.fail(message)
    pytest.skip(message)
