"""Maps that come with Touchline (maps/*.toml) → which export a file is, by its columns' names.

A platform's own export names no channel, since all of it is one: so a file that names a channel or
source of its own is somebody's summary, and no map of a platform is laid over it unasked.
"""

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any

from msgspec import Struct

from touchline.collect.importers.fields import guessed, plain

__all__ = ["GENERIC", "Shipped", "is_known", "recognised", "shipped"]

GENERIC = "generic"  # asked for by name: no map at all, only guesses
PLATFORM_KINDS = ("costs",)


class Shipped(Struct, frozen=True):
    """`signs`: of each group a column must be there for a file to be recognised. `words`: all that
    the map speaks of.
    """

    name: str
    kind: str
    title: dict[str, str]
    signs: tuple[frozenset[str], ...]
    ignored: frozenset[str]
    columns: frozenset[str]
    words: frozenset[str]
    text: str

    def fits(self, columns: frozenset[str]) -> bool:
        return not any(columns.isdisjoint(group) for group in self.signs)


@cache
def shipped() -> dict[str, Shipped]:
    """Name → map, in order of names."""
    folder = resources.files("touchline.collect.importers").joinpath("maps")
    found = (path for path in folder.iterdir() if path.name.endswith(".toml"))
    texts = {path.name.removesuffix(".toml"): path.read_text("utf-8") for path in found}
    return {name: _shipped(name, text) for name, text in sorted(texts.items())}


def recognised(kind: str, columns: Sequence[str]) -> Shipped | None:
    """The map whose signs a file shows; of several the one with the most columns in it."""
    here = frozenset(map(plain, columns))
    fitting = [one for one in shipped().values() if one.kind == kind and one.fits(here)]
    if kind in PLATFORM_KINDS:
        fitting = [one for one in fitting if not _names_channel(kind, columns, one)]
    return max(fitting, key=lambda one: len(here & one.words), default=None)


def is_known(kind: str, column: str) -> bool:
    """Whether a map of this kind speaks of such a column."""
    return plain(column) in _words(kind)


def _names_channel(kind: str, columns: Sequence[str], one: Shipped) -> bool:
    own = (column for column in columns if plain(column) not in one.columns | one.ignored)
    return any(not {"channel", "source"}.isdisjoint(guessed(kind, column)) for column in own)


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(word for one in shipped().values() if one.kind == kind for word in one.columns)


def _shipped(name: str, text: str) -> Shipped:
    document: dict[str, dict[str, Any]] = tomllib.loads(text)
    about = document["map"]
    signs = tuple(_plain(group) for group in about["signs"])
    ignored = _plain(about.get("ignore", ()))
    columns = frozenset[str]().union(*map(_plain, document["columns"].values()))
    return Shipped(
        name=name,
        kind=about["kind"],
        title={"en": about["title"], "zh": about["title_zh"]},
        signs=signs,
        ignored=ignored,
        columns=columns,
        words=columns.union(ignored, *signs),
        text=text,
    )


def _plain(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(plain, names))
