"""`[[role]]` and the key somebody shows → the principal who asks.

    [[role]]
    name = "analyst"
    keys = ["looker"]                                # names of admin keys
    fields = { email = "partial", phone = "hash", "*" = "hidden" }

A key that no role names sees everything, as ever. What surprises: a key of two roles sees of each
field the lesser part.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from touchline.errors import BadInput, Forbidden
from touchline.storage import definition, schema
from touchline.storage.principal import MASKS, OTHERS, Mask, Principal
from touchline.storage.workspace import Workspace

__all__ = ["Role", "check", "principal_of", "roles"]

MOST = 100
# They hold values as they came, or lead to them.
UNMASKED = frozenset(("export_person", "preferences_link", "rejects", "replay"))
KEYS = frozenset(("create_key", "revoke_key", "rotate_key"))
_key = schema.access_key.c


class Role(Struct, frozen=True, forbid_unknown_fields=True):
    """`fields`: of an identifier type or trait, what is seen; "*" is all others."""

    name: str
    keys: list[str]
    fields: dict[str, Mask]


def roles(documents: Mapping[str, Any]) -> list[Role]:
    """From a site's documents. BadInput("bad_role") says what is wrong."""
    try:
        found = msgspec.convert(documents.get("role", []), list[Role])
    except msgspec.ValidationError as error:
        raise BadInput("bad_role", why=str(error)) from None
    if len({role.name for role in found}) < len(found) or len(found) > MOST:
        raise BadInput("bad_role", why=f"each needs a name of its own; {MOST} at most")
    return found


def principal_of(workspace: Workspace, actor: str) -> Principal:
    """Who an actor of the API is: `key:` and how the hash of the key begins."""
    held = roles(definition.current(workspace.state))
    kind, _, start = actor.partition(":")
    if not held or kind != "key" or not start:
        return Principal(name=actor)
    query = sa.select(_key.name).where(_key.kind == "admin", _key.key_hash.startswith(start))
    names = {row.name for row in workspace.state.read(query)}
    own = [role for role in held if names.intersection(role.keys)]
    if not own:
        return Principal(name=actor)
    return Principal(role="+".join(role.name for role in own), masks=_least(own), name=actor)


def check(principal: Principal, asked: str, args: Mapping[str, Any]) -> None:
    """Raises Forbidden for what would show a masked role whole values, or take its mask off. Whose
    patterns are tried on values reads them off, a digit at a time.
    """
    if principal.masks is None:
        return
    identity = args.get("identity")
    tries_patterns = isinstance(identity, dict) and "blocked" in identity
    unmasks = asked == "apply" and "role" in args
    if asked in UNMASKED or asked in KEYS or tries_patterns or unmasks:
        raise Forbidden("masked_role")


def _least(own: Sequence[Role]) -> dict[str, Mask]:
    fields = {name for role in own for name in role.fields} | {OTHERS}
    seen = [Principal(masks=role.fields) for role in own]
    levels = {name: max(MASKS.index(one.mask(name)) for one in seen) for name in fields}
    return {name: MASKS[level] for name, level in levels.items()}
