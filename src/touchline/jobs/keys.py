"""Keys made, listed and revoked: what the command line and the API do alike.

A value is shown once, when it is made; afterwards a key is named by its id. Revoking is for good.
An alias names one key: another key of the same source takes it over, so that a key can be replaced
without a moment in which trackers are refused.
"""

import secrets
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.errors import Ambiguous, BadInput, NotFound
from touchline.jobs.audited import done
from touchline.storage import access_key, schema, shown_keys
from touchline.storage.access_key import SCOPES, AccessKey, alias_form, key_hash
from touchline.storage.state import State, Statement
from touchline.storage.workspace import Workspace

__all__ = ["ALIASES", "Wanted", "check_line", "create", "keys", "revoke"]

# Protocols that call a site by a name of their own.
ALIASES = (
    "ga4",
    "jitsu",
    "matomo",
    "mixpanel",
    "plausible",
    "posthog",
    "snowplow",
    "umami",
)
KINDS = ("write", "admin")
MAX_NAME = 200
MAX_ALIAS = 300
PREFIX = {"write": "tlw_", "admin": "tla_"}


class Wanted(Struct, frozen=True, kw_only=True):
    """A key to be made. `value` None: one is made up. `name` of a write key is its source."""

    kind: str = "write"
    value: str | None = None
    name: str | None = None
    aliases: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


def keys(workspace: Workspace) -> list[dict[str, Any]]:
    """Every key there ever was, oldest first, none by its value."""
    return [_shown(key) for key in access_key.all_keys(workspace.state)]


def create(workspace: Workspace, wanted: Wanted) -> dict[str, Any]:
    """Makes a key; one that is in force already gets the aliases. Answers with its value."""
    _check(wanted)
    known = access_key.all_keys(workspace.state)
    value = wanted.value or PREFIX[wanted.kind] + secrets.token_urlsafe(24)
    own = next((key for key in known if key.key_hash == key_hash(value)), None)
    if own is not None:
        _check_same(own, wanted)
    name = own.name if own else wanted.name or _free_name(wanted.kind, known)
    made = access_key.key_rows(wanted.kind, [(name, value)], wanted.scopes)
    aliases = [alias_form(alias) for alias in wanted.aliases]
    done(
        workspace,
        "key.create",
        (workspace.state.upsert(schema.access_key), made),
        *_aliased(workspace.state, aliases, key_hash(value), name, known),
        key=key_hash(value)[:12],
        kind=wanted.kind,
        name=name,
    )
    if wanted.kind == "write":
        shown_keys.keep(workspace.dir, {name: value})
    return {**_shown(_by_hash(workspace, key_hash(value))), "key": value}


def revoke(workspace: Workspace, named: str) -> dict[str, Any]:
    """Ends a key, named by its id, its value or a name that only it has."""
    found = [k for k in access_key.all_keys(workspace.state) if k.revoked_us is None]
    whole = [key for key in found if key_hash(named) == key.key_hash or named == key.id]
    found = whole or [key for key in found if key.name == named]
    if not found:
        raise NotFound("no_such_key", key=named)
    if len(found) > 1:
        raise Ambiguous("several_keys", key=named, ids=", ".join(key.id for key in found))
    (key,) = found
    table = schema.access_key
    ended = sa.update(table).where(table.c.key_hash == sa.bindparam("revoked_hash"))
    ended = ended.values(revoked_us=sa.bindparam("now_us"))
    rows = [{"revoked_hash": key.key_hash, "now_us": clock.now_us()}]
    done(workspace, "key.revoke", (ended, rows), key=key.id, kind=key.kind, name=key.name)
    return _shown(_by_hash(workspace, key.key_hash))


def _check(wanted: Wanted) -> None:
    if wanted.kind not in KINDS:
        raise _bad("kind", wanted.kind, f"is none of {', '.join(KINDS)}.")
    if wanted.kind == "admin" and wanted.aliases:
        raise _bad("alias", wanted.aliases[0], "is for write keys.")
    if wanted.kind == "write" and wanted.scopes:
        raise _bad("scope", wanted.scopes[0], "is for admin keys: a write key can only write.")
    for scope in wanted.scopes:
        if scope not in SCOPES:
            raise _bad("scope", scope, f"is none of {', '.join(SCOPES)}.")
    for name, text in (("value", wanted.value), ("name", wanted.name)):
        if text is not None:
            check_line(name, text)
    for alias in wanted.aliases:
        protocol, _, site = alias.partition(":")
        if protocol not in ALIASES or not site or not _is_line(alias, MAX_ALIAS):
            raise BadInput("bad_alias", alias=repr(alias[:80]), known=", ".join(ALIASES))


def check_line(name: str, text: str) -> None:
    """Raises BadInput, naming the argument, for what is no key and no name of one."""
    if not _is_line(text, MAX_NAME):
        raise _bad(name, text, f"must be one line of at most {MAX_NAME} characters.")


def _is_line(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable() and text == text.strip()


def _bad(name: str, value: str, why: str) -> BadInput:
    return BadInput("bad_argument", name=name, value=value[:80], why=why)


def _check_same(own: AccessKey, wanted: Wanted) -> None:
    """A value that is known may only be given more aliases."""
    if own.revoked_us is not None:
        raise BadInput("key_revoked")
    is_other = own.kind != wanted.kind or wanted.name not in (None, own.name)
    if is_other or (wanted.scopes and set(wanted.scopes) != set(own.scopes)):
        raise BadInput("key_taken", kind=own.kind, name=own.name)


def _free_name(kind: str, known: Collection[AccessKey]) -> str:
    if kind == "admin":
        return "admin"
    taken = {key.name for key in known}
    return next(name for n in range(1, len(known) + 2) if (name := f"key{n}") not in taken)


def _aliased(
    state: State, aliases: Sequence[str], own: str, source: str, known: Collection[AccessKey]
) -> list[Statement]:
    """Statements that give the aliases to a key, from another one of its source or a dead one."""
    for key in known:
        for alias in key.aliases:
            if alias in aliases and key.revoked_us is None and key.name != source:
                raise BadInput("alias_taken", alias=alias, name=key.name)
    rows = [{"alias": alias, "key_hash": own} for alias in dict.fromkeys(aliases)]
    return [(state.upsert(schema.key_alias, newest_by="alias"), rows)]


def _by_hash(workspace: Workspace, hashed: str) -> AccessKey:
    return next(k for k in access_key.all_keys(workspace.state) if k.key_hash == hashed)


def _shown(key: AccessKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "kind": key.kind,
        "name": key.name,
        "scopes": list(key.scopes),
        "aliases": list(key.aliases),
        "created_at": None if key.created_us is None else clock.iso(key.created_us),
        "revoked_at": None if key.revoked_us is None else clock.iso(key.revoked_us),
    }
