"""What an event says in its own words → what a role may see of it.

A property that the role names is seen by that mask, whatever object it lies in; all others by that
of `properties`, which is hidden as every field that is not named. Where that one lets a text
through, addresses and numbers that stand in it are taken out. Of a page only its path is seen.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from touchline.collect.identifiers import identifier_type
from touchline.collect.mask import masked_value
from touchline.collect.redact import REMOVED
from touchline.model import IDENTIFIER_TYPES
from touchline.storage.principal import OTHERS, Mask
from touchline.storage.vault import Vault
from touchline.storage.workspace import Workspace

__all__ = ["PROPERTIES", "Sight"]

PROPERTIES = "properties"
_QUERY = re.compile(r"[?#;]")
_WORD = r"[^\s@<>\"'(),;:=/?&]"
_ADDRESS = rf"{_WORD}{{1,64}}(?:@|%40){_WORD}{{1,255}}"
_NUMBER = r"(?<![0-9A-Za-z.])\+?\d(?:[\s().-]{0,2}\d){6,14}(?![0-9A-Za-z])"
_TOKEN = rf"(?:{'|'.join(IDENTIFIER_TYPES)}):[0-9a-f]{{32}}"
_TELLING = re.compile(f"{_TOKEN}|{_ADDRESS}|{_NUMBER}")


class Seen(NamedTuple):
    """How a field is seen, and whether the role speaks of this very field."""

    mask: Mask
    is_named: bool


class Sight:
    """Of who sees by these masks."""

    def __init__(self, masks: Mapping[str, Mask], vault: Vault) -> None:
        self._masks = masks
        self._vault = vault

    @classmethod
    def of(cls, workspace: Workspace) -> "Sight | None":
        """None for who sees everything."""
        masks = workspace.principal.masks
        return None if masks is None else cls(masks, workspace.vault)

    def members(self, text: str | None) -> dict[str, Any]:
        """Of an object as it lies in the lake."""
        return self.mapping(msgspec.json.decode(text or "{}"))

    def mapping(self, values: Mapping[str, Any], around: Seen | None = None) -> dict[str, Any]:
        seen = {name: self.value(name, value, around) for name, value in values.items()}
        return {name: value for name, value in seen.items() if value is not None}

    def value(self, name: str, value: Any, around: Seen | None = None) -> Any:
        """None for what is not seen. `around`: how what it lies in is seen, if that has a name."""
        mask, is_named = seen = self._seen(name, around)
        if is_named and mask == "hidden":
            return None
        if type(value) is dict:
            return self.mapping(value, seen if is_named else None) or None
        if type(value) is list:
            found = (self.value(name, one, around) for one in value)
            return [one for one in found if one is not None] or None
        if mask != "full":
            return masked_value(name, value, mask, self._vault)
        return _without_names(value) if type(value) is str and not is_named else value

    def url(self, name: str, url: str | None) -> str | None:
        """A page is seen by its path: what stands behind it is whatever somebody typed in."""
        if url is None or self._seen(name)[0] == "full":
            return self.value(name, url)
        return _without_names(_QUERY.split(url, maxsplit=1)[0])

    def _seen(self, name: str, around: Seen | None = None) -> Seen:
        for own in (name, identifier_type(name)):
            if own is not None and own in self._masks:
                return Seen(self._masks[own], True)
        others = self._masks.get(OTHERS, "hidden")
        return around or Seen(self._masks.get(PROPERTIES, others), False)


def _without_names(text: str) -> str:
    return _TELLING.sub(REMOVED, text)
