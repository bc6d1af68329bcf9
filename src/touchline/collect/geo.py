"""A cut address → the country, region and city a .mmdb file of the user's has for its network.

The file is copied into memory of its own when it is opened: one that is replaced or cut short while
a commit reads it would end the process. Nothing here raises: without an answer an event has no
place, and `problem` says what is wrong with the file.
"""

import contextlib
import os
from collections.abc import Generator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

__all__ = ["MAX_FILE", "Geo", "stamp"]

MAX_FILE = 1 << 30
MAX_NAME = 64
MOST_LOOKED_AT = 1000
_UNREADABLE = (OSError, ValueError, TypeError, maxminddb.InvalidDatabaseError)
_LOCAL = "zh-CN"


class Geo:
    """One file as it was when it was opened. `problem`: "missing", "damaged", "large", or None."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._reader: maxminddb.Reader | None = None
        try:
            with _in_memory(path) as copy:
                if copy is None:
                    self.problem = "large"
                else:
                    self._reader = maxminddb.open_database(copy, maxminddb.MODE_AUTO)
        except FileNotFoundError:
            self.problem = "missing"
        except _UNREADABLE:
            self.problem = "damaged"
        self.place = lru_cache(maxsize=1 << 16)(self._place)

    def examined(self) -> str | None:
        """What is wrong with the whole file: a `problem`, or "other" when it knows no place."""
        if self._reader is None:
            return self.problem
        try:
            for number, (_, record) in enumerate(self._reader):
                if _named(record):
                    return None
                if number >= MOST_LOOKED_AT:
                    break
        except _UNREADABLE:
            return "damaged"
        return "other"

    def _place(self, network: str) -> dict[str, str]:
        """The country (its code), region, city, and the Chinese names of these two: those known.

        The answer is shared: do not change it.
        """
        if self._reader is None:
            return {}
        try:
            return _named(self._reader.get(network))
        except _UNREADABLE:
            self.problem = "damaged"
            return {}


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file does; None when there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


@contextlib.contextmanager
def _in_memory(path: Path) -> Generator[str | None]:
    """A path at which the file's bytes stand for as long as somebody has them open."""
    with path.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        if size > MAX_FILE:
            yield None
            return
        memory = os.memfd_create("geo")
        try:
            left = size
            while left and (sent := os.sendfile(memory, source.fileno(), None, left)):
                left -= sent
            yield f"/proc/self/fd/{memory}"
        finally:
            os.close(memory)


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
