"""A cut address → the country, region and city a .mmdb file of the user's has for its network.

The file is read into memory by the reader written in Python: the faster one, in C, ends the process
when a file is damaged, or cut short while it is open. Networks repeat, so each is looked up once.
Nothing here raises: without an answer an event has no place, and `problem` says what is wrong.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

__all__ = ["MAX_FILE", "Geo", "stamp"]

MAX_FILE = 1 << 30
MAX_NAME = 64
MOST_LOOKED_AT = 1000
REMEMBERED = 1 << 16
_LOCAL = "zh-CN"

# (modification time, size, inode): other when the file is.
Stamp = tuple[int, int, int]


class Geo:
    """One file as it was when it was opened. `problem`: "missing", "damaged", "large", or None."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._reader: Any = None
        try:
            if path.stat().st_size > MAX_FILE:
                self.problem = "large"
            else:
                self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        except FileNotFoundError:
            self.problem = "missing"
        except Exception:  # noqa: BLE001  # whatever a damaged file does to its reader
            self.problem = "damaged"
        self.place = lru_cache(REMEMBERED)(self._place)

    def examined(self) -> str | None:
        """What is wrong with the file: a `problem`, or "other" when it knows no place."""
        if self._reader is None:
            return self.problem
        try:
            known = (_named(record) for _, record in islice(self._reader, MOST_LOOKED_AT))
            return None if any(known) else "other"
        except Exception:  # noqa: BLE001  # see above
            return "damaged"

    def _place(self, network: str) -> dict[str, str]:
        """The country (its code), region, city, and the Chinese names of these two: those known.

        The answer is shared: do not change it.
        """
        if self._reader is None:
            return {}
        try:
            return _named(self._reader.get(network))
        except Exception:  # noqa: BLE001  # see above
            self.problem = "damaged"
            return {}


def stamp(path: Path) -> Stamp | None:
    """What tells a file from the one that was here before; None when there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


def _named(record: Any) -> dict[str, str]:
    """Understands MaxMind's form, which DB-IP and IP2Location share, and IPinfo's plain one."""
    if not isinstance(record, Mapping):
        return {}
    parts = record.get("subdivisions")
    region = parts[0] if isinstance(parts, list) and parts else record.get("region")
    city = record.get("city")
    found = {
        "country": _code(record),
        "region": _name(region, "en"),
        "region_zh": _name(region, _LOCAL),
        "city": _name(city, "en"),
        "city_zh": _name(city, _LOCAL),
    }
    return {name: value[:MAX_NAME] for name, value in found.items() if value}


def _code(record: Mapping[str, Any]) -> str | None:
    for name in ("country", "registered_country"):
        country = record.get(name)
        if isinstance(country, Mapping) and isinstance(code := country.get("iso_code"), str):
            return code
    plain = record.get("country_code") or record.get("country")
    return plain if isinstance(plain, str) else None


def _name(place: Any, language: str) -> str | None:
    if isinstance(place, str):
        return place if language == "en" else None
    names = place.get("names") if isinstance(place, Mapping) else None
    name = names.get(language) if isinstance(names, Mapping) else None
    return name if isinstance(name, str) else None
