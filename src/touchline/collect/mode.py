"""How visits are read and grouped into channels: by our rules, or as Google Analytics 4 does.

A mode is a data file: what of a visit it reads, which sources are of which kind, and its rules. The
surprise: names of sources are the same in both, only what kind of place they are differs.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from msgspec import Struct

from touchline.errors import BadInput

__all__ = ["DEFAULT", "MODES", "Mode", "mode"]

DEFAULT = "extended"
MODES = {DEFAULT: "channels.toml", "ga4": "ga4.toml"}


class Mode(Struct, frozen=True, eq=False, kw_only=True):
    """`referrer`, `tag`: the medium of a place of a kind, where it is known by its host or by a tag
    without a medium. `click_ids`: those that tell a source, None is all that can; they win over
    tags where `click_ids_first`. `kinds`: a source's kind, word by word; None is that of our table.
    """

    name: str
    apps: bool
    baidu_tags: bool
    referrer: dict[str, str]
    tag: dict[str, str]
    click_ids: frozenset[str] | None
    click_ids_first: bool
    kinds: dict[str, str] | None
    rules: list[dict[str, Any]]


def mode(name: str) -> Mode:
    """A mode by name: always the same object, so that it can be a key of what is remembered."""
    if name not in MODES:
        known = ", ".join(MODES)
        raise BadInput("bad_channel_rule", rule="channel", why=f"mode is none of {known}")
    return _mode(name)


@cache
def _mode(name: str) -> Mode:
    folder = resources.files("touchline.collect").joinpath("data")
    table = tomllib.loads(folder.joinpath(MODES[name]).read_text("utf-8"))
    reading: Mapping[str, Any] = table["reading"]
    ids = reading.get("click_ids")
    return Mode(
        name=name,
        apps=reading["apps"],
        baidu_tags=reading["baidu_tags"],
        referrer=reading["referrer"],
        tag=reading["tag"],
        click_ids=None if ids is None else frozenset(ids),
        click_ids_first=reading.get("click_ids_first", False),
        kinds=_kinds(table["sources"]) if "sources" in table else None,
        rules=table["channel_rule"],
    )


def _kinds(lists: Mapping[str, str]) -> dict[str, str]:
    return {word: kind for kind, words in lists.items() for word in words.split()}
