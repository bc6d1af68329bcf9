"""A value in clear → what a role may see of it: all, a little, a name for it, or nothing.

full       ann@shop.cn
partial    a***@shop.cn       enough for who knows it already
hash       #4f0c2a9d1b77e210  the same for the same value, and not to be turned back
hidden     nothing at all
"""

from typing import Any

from touchline.model import Identifier
from touchline.storage.principal import Mask
from touchline.storage.vault import Vault

__all__ = ["in_part", "masked", "masked_value"]


def masked(who: Identifier, mask: Mask, node: bytes) -> Identifier | None:
    """An identifier as it may be seen; None when it may not."""
    if mask == "full":
        return who
    if mask == "hidden":
        return None
    value = in_part(who) if mask == "partial" else f"#{node.hex()[:16]}"
    return Identifier(who.type, value, who.app)


def masked_value(name: str, value: Any, mask: Mask, vault: Vault) -> Any:
    """A trait as it may be seen; None when it may not. Only of a text can a part be seen."""
    if mask == "full":
        return value
    if mask == "hidden" or value is None or isinstance(value, dict | list):
        return None
    if mask == "hash":
        return f"#{vault.node_id(f'trait {name}', str(value)).hex()[:16]}"
    return in_part(Identifier(name, value)) if isinstance(value, str) else None


def in_part(who: Identifier) -> str:
    """Enough of a value to know whose it is, for those who know it."""
    head, at, host = who.value.partition("@")
    if at:
        return f"{head[:1]}***@{host}"
    return f"{who.value[:3]}***{who.value[-2:]}" if len(who.value) > 7 else f"{who.value[:1]}***"
