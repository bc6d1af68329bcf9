"""What an event says in its own words → what a role may see of it.

A property that the role names is seen by that mask, whatever object it lies in; all others by that
of `properties`, which is hidden as every field that is not named. Where that one lets a text
through, addresses and numbers that stand in it are taken out. Of a page only its path is seen.
"""

import re
from collections.abc import Mapping
from typing import Any

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
_ADDRESS = r"[^\s@<>\"'(),;:=/?&]+(?:@|%40)[^\s@<>\"'(),;:=/?&]+"
_NUMBER = r"(?<![\w.])\+?\d(?:[\s().-]{0,2}\d){6,14}(?![\w])"
_TOKEN = rf"(?:{'|'.join(IDENTIFIER_TYPES)}):[0-9a-f]{{32}}"
_TELLING = re.compile(f"{_TOKEN}|{_ADDRESS}|{_NUMBER}")


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

    def mapping(self, values: Mapping[str, Any]) -> dict[str, Any]:
        seen = {name: self.value(name, value) for name, value in values.items()}
        return {name: value for name, value in seen.items() if value is not None}

    def value(self, name: str, value: Any) -> Any:
        """None for what is not seen."""
        mask, is_named = self._mask(name)
        if mask == "hidden" or value is None or (is_named and mask == "full"):
            return None if mask == "hidden" else value
        if type(value) is dict:
            return self.mapping(value)
        if type(value) is list:
            return [seen for one in value if (seen := self.value(name, one)) is not None]
        if mask != "full":
            return masked_value(name, value, mask, self._vault)
        return _without_names(value) if type(value) is str else value

    def url(self, name: str, url: str | None) -> str | None:
        """A page is seen by its path: what stands behind it is whatever somebody typed in."""
        if url is None or self._mask(name)[0] == "full":
            return self.value(name, url)
        return _without_names(_QUERY.split(url, maxsplit=1)[0])

    def _mask(self, name: str) -> tuple[Mask, bool]:
        """And whether the role speaks of this very field."""
        for own in (name, identifier_type(name)):
            if own is not None and own in self._masks:
                return self._masks[own], True
        others = self._masks.get(OTHERS, "hidden")
        return self._masks.get(PROPERTIES, others), False


def _without_names(text: str) -> str:
    return _TELLING.sub(REMOVED, text)
