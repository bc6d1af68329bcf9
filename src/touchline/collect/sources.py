"""Places visitors come from: a host or a label as somebody tagged it → one name, one kind.

`xhs`, `XHS`, `小红书` and a link from xhslink.com are all the source `xiaohongshu`, kind `social`.
The table is data/sources.toml; a workspace adds its own names and kinds.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from msgspec import Struct

__all__ = ["KINDS", "ClickId", "Known", "Sources", "click_id", "in_app", "table"]

KINDS = ("search", "social", "private", "video", "shopping", "ai", "email", "payment")
# Of these our own table says who they are, whoever else has another list.
_OURS = ("payment",)
# Places with many hosts, known by their name: what a list says of the name holds for its hosts.
_BY_NAME = ("search", "ai")


class Known(Struct, frozen=True, gc=False):
    """A place by its one name, and what kind of place it is (None: nobody said)."""

    name: str
    kind: str | None


class ClickId(Struct, frozen=True, gc=False):
    """What a link parameter of an ad system tells by itself."""

    name: str
    source: str | None
    medium: str | None
    is_paid: bool


class Sources:
    """Look-up of labels and hosts. Immutable once built.

    `kinds`: somebody else's list of kinds by label or host, instead of those of our table.
    """

    def __init__(self, kinds: Mapping[str, str] | None = None) -> None:
        self._kinds = kinds
        self._own: set[str] = set()  # names whose kind the site says itself
        self._names: dict[str, Known] = {}
        self._hosts: dict[str, Known] = {}
        self._paths: list[tuple[str, Known]] = []
        for kind in KINDS:
            for name, spellings in table()[kind].items():
                self._add(Known(name, kind), [name, *spellings])

    @classmethod
    def extended(
        cls,
        aliases: Iterable[tuple[str, list[str]]],
        kinds: Iterable[tuple[str, list[str]]],
        listed: Mapping[str, str] | None = None,
    ) -> "Sources":
        """The standard table, plus (kind, labels or hosts) and (name, further spellings);
        `listed`: see the class.
        """
        sources = cls(listed)
        for kind, labels in kinds:
            for label in labels:
                known = sources._named(folded(label))
                sources._own.add(known.name)
                sources._add(Known(known.name, kind), [known.name, label])
        for name, spellings in aliases:
            known = sources._named(folded(name))
            sources._add(known, [name, *spellings])
        return sources

    def _add(self, known: Known, spellings: Iterable[str]) -> None:
        for spelling in spellings:
            key = folded(spelling)
            if "/" in key:
                self._paths.append((key, known))
            elif "." in key:
                self._hosts[key] = known
            self._names[key] = known

    def named(self, label: str) -> Known:
        """The place meant by a tag such as utm_source; an unknown one is known by its own name."""
        key = folded(label)
        return self._of_kind(self._named(key), key)

    def _named(self, key: str) -> Known:
        known = self._names.get(key)
        if known is None and "." in key:
            known = self._at(key)
        return known or Known(key, None)

    def at(self, host: str, path: str = "") -> Known | None:
        """The known place a host (lower case) belongs to; subdomains belong to their domain."""
        known = self._at(host, path)
        if self._kinds is None or (known is None and host not in self._kinds):
            return known
        return self._of_kind(known or Known(host, None), host)

    def _of_kind(self, known: Known, label: str) -> Known:
        """The place as the other list has it, where there is one."""
        if self._kinds is None or known.kind in _OURS or known.name in self._own:
            return known
        by_name = self._kinds.get(known.name)
        # Not all hosts of a shop are the engine that has its name: item.rakuten.com.
        is_engine = "." in label and by_name in _BY_NAME and known.kind == by_name
        kind = by_name if is_engine else self._kinds.get(label)
        return Known(known.name, kind)

    def _at(self, host: str, path: str = "") -> Known | None:
        for start, known in self._paths:
            if path and (host + path).startswith(start):
                return known
        labels = host.split(".")
        for index in range(len(labels) - 1):
            known = self._hosts.get(".".join(labels[index:]))
            rest = labels[index + 1 :]
            if known is None and len(rest) <= 2 and all(len(label) <= 3 for label in rest):
                known = self._hosts.get(f"{labels[index]}.*")
            if known is not None:
                return known
        return None


@lru_cache(maxsize=8192)
def folded(label: str) -> str:
    """A label as it is compared and stored: one width, one case, no margins, no www."""
    return unicodedata.normalize("NFKC", label).strip().lower().removeprefix("www.")


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """data/sources.toml as it stands."""
    return tomllib.loads(
        resources.files("touchline.collect").joinpath("data/sources.toml").read_text("utf-8")
    )


@lru_cache(maxsize=1)
def _click_ids() -> dict[str, ClickId]:
    return {
        name.lower(): ClickId(
            name, group.get("source"), group.get("medium"), group.get("paid", False)
        )
        for group in table()["click_id"]
        for name in group["names"]
    }


def click_id(parameter: str) -> ClickId | None:
    """The click id a link parameter (lower case) is, or None."""
    return _click_ids().get(parameter)


@lru_cache(maxsize=1)
def _app_marks() -> list[tuple[str, str]]:
    # The table's order is the order of trial: WeCom also says MicroMessenger.
    return [(mark, name) for name, marks in table()["in_app"].items() for mark in marks]


@lru_cache(maxsize=1 << 14)
def in_app(user_agent: str) -> str | None:
    """The source whose app's built-in browser a user agent is, or None."""
    text = user_agent[:1024].lower()
    return next((name for mark, name in _app_marks() if _is_word(mark, text)), None)


def _is_word(mark: str, text: str) -> bool:
    """Whether a mark stands in a text, and not at the end of a longer word."""
    at = text.find(mark)
    while at >= 0:
        if at == 0 or not "a" <= text[at - 1] <= "z":
            return True
        at = text.find(mark, at + 1)
    return False
