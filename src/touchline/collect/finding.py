"""What an event shows without saying it (its program, its place, its browser's wishes) → one object
in its context, under `touchline`: the one name there that is ours.
"""

from collections.abc import Mapping
from typing import Any

from touchline.collect.client import client_of
from touchline.collect.site import Site

__all__ = ["NAME", "Key", "found_again", "found_of"]

NAME = "touchline"
_PLACE = ("country", "region", "region_zh", "city", "city_zh")

# What decides the answer: user agent, cut address, signals.
Key = tuple[str | None, str | None, tuple[str, ...]]


def found_of(site: Site, key: Key) -> dict[str, Any]:
    """Device, system, browser, app; bot and why; country, region, city; dnt, gpc: those known."""
    agent, network, signals = key
    found: dict[str, Any] = dict(client_of(agent)) if agent else {}
    if (bot := site.bots.bot(agent)) is not None:
        found |= {"bot": bot.kind, "bot_name": bot.name}
    if network is not None and site.geo is not None:
        found |= site.geo.place(network)
    return found | dict.fromkeys(signals, True)


def found_again(site: Site, key: Key, before: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a stored event, whose signals and, without a file of places, place stay."""
    found = found_of(site, key)
    kept = ("dnt", "gpc") if site.geo is not None else ("dnt", "gpc", *_PLACE)
    return found | {name: before[name] for name in kept if name in before}
