"""The map of the house names files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|ts))`", MAP)))
assert PLACES


@pytest.mark.parametrize("place", PLACES)
def test_what_the_map_names_is_there(place):
    wanted = place.rstrip("/")
    roots = (ROOT, ROOT / "src/touchline")
    found = any((root / wanted).exists() for root in roots)
    assert found or ("/" not in wanted and any(ROOT.glob(f"[!.]*/**/{wanted}")))
