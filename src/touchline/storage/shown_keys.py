"""Write keys in clear → DIR/write-keys.json, so that a site's snippet can be shown again.

State keeps hashes only, and they alone decide what a key may do. A write key stands in every page
that uses it, so it is no secret; admin keys are never in here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchline.storage.disk import put

__all__ = ["keep", "shown"]

_NAME = "write-keys.json"


def keep(directory: Path, keys: Mapping[str, str]) -> None:
    """Adds them; a name that is there gets its new key."""
    if not keys:
        return
    told = json.dumps({**shown(directory), **keys}, indent=1)
    put(directory / _NAME, told.encode(), 0o600)


def shown(directory: Path) -> dict[str, str]:
    """Source name → key; empty when nothing readable was kept."""
    try:
        kept: Any = json.loads((directory / _NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(key) for name, key in kept.items()} if isinstance(kept, dict) else {}
