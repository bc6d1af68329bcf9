"""User agent → is it a program that reads pages by itself, and which? Words are matched whole: a
CUBOT phone is a phone.

Bots are flagged, never dropped. By `[bots]` a site says otherwise of single words, or counts them
all.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

from touchline.errors import BadInput

__all__ = ["KINDS", "Bot", "BotRules", "bot_of", "is_bot"]

MAX_AGENT = 512
OWN = "own"  # the kind of what a site itself calls a bot

# Links and phrases by which programs explain themselves.
_PHRASES = r"screaming frog|\+https?://[^)\s]*bot|compatible; *crawl"
_PHONE = re.compile(r"\bcubot(?![a-z])")


class Bot(Struct, frozen=True, gc=False):
    """`kind` is the reason, one of KINDS; `name` what the user agent says."""

    kind: str
    name: str


class BotRules(Struct, frozen=True, eq=False, kw_only=True, forbid_unknown_fields=True):
    """What a site says of bots. `count`: they count like anybody; `people`, `bots`: words of user
    agents that are none, and further ones that are.
    """

    count: bool = False
    people: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Any) -> "BotRules":
        try:
            return msgspec.convert(table, cls)
        except msgspec.ValidationError as error:
            raise BadInput("bad_bots", why=error) from error

    def bot(self, user_agent: str | None) -> Bot | None:
        """The bot a user agent is, as this site has it."""
        if not user_agent or not (self.people or self.bots):
            return bot_of(user_agent)
        text = user_agent[:MAX_AGENT].lower()
        if any(word and word.lower() in text for word in self.people):
            return None
        own = next((word for word in self.bots if word and word.lower() in text), None)
        return Bot(OWN, own) if own else bot_of(user_agent)

    def is_left_out(self, user_agent: str | None) -> bool:
        """Whether what it does is no touchpoint and no conversion."""
        return not self.count and self.bot(user_agent) is not None


def _table() -> list[dict[str, Any]]:
    text = resources.files("touchline.collect").joinpath("data/bots.toml").read_text("utf-8")
    return tomllib.loads(text)["bot"]


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {group["kind"]: _pattern(group) for group in _table()}


def _pattern(group: Mapping[str, Any]) -> re.Pattern[str]:
    # A dot stands for whatever joins two words.
    words = [re.escape(word).replace(r"\.", r"[. ]") for word in group["words"].split()]
    parts = [rf"(?<![a-z0-9])(?:{'|'.join(words)})(?![a-z])"]
    if ends := group.get("ends"):
        parts += [rf"[\w.\-]*(?:{'|'.join(ends.split())})(?![a-z])", _PHRASES]
    return re.compile("|".join(parts))


# (English, Chinese) by kind.
KINDS: Mapping[str, tuple[str, str]] = {
    **{group["kind"]: (group["en"], group["zh"]) for group in _table()},
    OWN: ("this site's own definition calls it a bot", "本站定义为爬虫"),
}


def bot_of(user_agent: str | None) -> Bot | None:
    """The bot a user agent says it is; None for a person's. None and empty say nothing."""
    return _bot(user_agent[:MAX_AGENT]) if user_agent else None


@lru_cache(maxsize=1 << 14)
def _bot(agent: str) -> Bot | None:
    text = _PHONE.sub(" ", agent.lower())
    for kind, pattern in _patterns().items():
        if found := pattern.search(text):
            return Bot(kind, found.group()[:64])
    return None


def is_bot(user_agent: str | None) -> bool:
    """Whether a user agent says it is no person's browser."""
    return bot_of(user_agent) is not None
