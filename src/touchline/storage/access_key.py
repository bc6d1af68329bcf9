"""Keys in State: who may send under which name, and what an admin key may do.

A key itself is never stored, only its SHA-256: whoever reads State learns no key. Looking one up by
its hash tells nothing by how long it takes, since nobody can choose what a hash begins with; admin
keys are compared in constant time all the same.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.storage import schema
from touchline.storage.state import State

__all__ = [
    "SCOPES",
    "AccessKey",
    "admin_scopes",
    "alias_form",
    "all_keys",
    "key_hash",
    "key_rows",
    "write_aliases",
    "write_keys",
]

# Of an admin key: see everything; change what is stored or in force; make and revoke keys; answer
# people who ask for their data, or for its end.
SCOPES = ("read", "write", "keys", "privacy")
# Sites whose name is the same in capitals and in small letters.
_CASELESS = ("plausible:", "umami:")

_key, _alias = schema.access_key.c, schema.key_alias.c


class AccessKey(Struct, frozen=True):
    """A key as it may be shown. `id` is the beginning of its hash, enough to name it by."""

    id: str
    kind: str
    name: str
    scopes: tuple[str, ...]
    aliases: tuple[str, ...]
    created_us: int | None
    revoked_us: int | None
    key_hash: str


def key_hash(key: str) -> str:
    """Keys are stored and looked up by this, so that no copy of State gives them away."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def alias_form(alias: str) -> str:
    """An alias as it is stored and looked up."""
    return alias.lower() if alias.lower().startswith(_CASELESS) else alias


def key_rows(
    kind: str, keys: Iterable[tuple[str, str]], scopes: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Rows of State for keys (name, value)."""
    now = clock.now_us()
    return [
        {
            "key_hash": key_hash(value),
            "kind": kind,
            "name": name,
            "scopes": ",".join(scope for scope in SCOPES if scope in scopes) or None,
            "created_us": now,
        }
        for name, value in keys
    ]


def all_keys(state: State) -> list[AccessKey]:
    """Every key there ever was, oldest first."""
    named: dict[str, list[str]] = {}
    for row in state.read(sa.select(schema.key_alias).order_by(_alias.alias)):
        named.setdefault(row.key_hash, []).append(row.alias)
    query = sa.select(schema.access_key).order_by(_key.created_us, _key.kind, _key.name)
    return [
        AccessKey(
            id=row.key_hash[:12],
            kind=row.kind,
            name=row.name,
            scopes=_scopes(row.scopes) if row.kind == "admin" else (),
            aliases=tuple(named.get(row.key_hash, ())),
            created_us=row.created_us,
            revoked_us=row.revoked_us,
            key_hash=row.key_hash,
        )
        for row in state.read(query)
    ]


def write_keys(state: State) -> dict[str, str]:
    """Hash of each write key in force -> the name of its source."""
    query = sa.select(_key.key_hash, _key.name).where(_in_force("write"))
    return {row.key_hash: row.name for row in state.read(query)}


def write_aliases(state: State) -> Mapping[str, str]:
    """What other protocols call the site of a write key in force -> the hash of that key."""
    query = (
        sa.select(_alias.alias, _alias.key_hash)
        .join_from(schema.key_alias, schema.access_key, _alias.key_hash == _key.key_hash)
        .where(_in_force("write"))
    )
    return {row.alias: row.key_hash for row in state.read(query)}


def admin_scopes(state: State, key: str) -> frozenset[str]:
    """What an admin key may do; nothing when it is none, or revoked."""
    asked = key_hash(key).encode()
    found: frozenset[str] = frozenset()
    query = sa.select(_key.key_hash, _key.scopes).where(_in_force("admin"))
    for row in state.read(query):
        if hmac.compare_digest(asked, row.key_hash.encode()):
            found = frozenset(_scopes(row.scopes))
    return found


def _in_force(kind: str) -> sa.ColumnElement[bool]:
    return sa.and_(_key.kind == kind, _key.revoked_us.is_(None))


def _scopes(stored: str | None) -> tuple[str, ...]:
    return SCOPES if stored is None else tuple(stored.split(","))
