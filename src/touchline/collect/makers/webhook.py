"""A webhook as a site writes it down → one ready for use.

    [[webhook]]
    name = "calls"                         # POST /hooks/calls
    secret = "…"
    [webhook.fields]
    name = "Call Received"
    phone = "$.caller.number"
    occurred_at = "$.started_at"

Fields have the names they have in files of events; `properties.X` and `traits.X` say where a value
of another name goes. How items are made of what is sent: `makers.record`.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.importers.fields import KINDS
from touchline.collect.makers.path import Path, path
from touchline.collect.makers.place import Place, place
from touchline.collect.makers.proof import Cipher, Proof, is_kept, kept, proof
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES

__all__ = ["Unsealing", "Webhook", "sealed", "webhooks"]

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
MAX_HOOKS = 200
_FIELDS = frozenset((*KINDS["events"].fields, "app_id"))
_PREFIXES = ("properties.", "traits.")


# Seals bytes, or opens them, at a place; see `storage.vault`.
Unsealing = Callable[[bytes, bytes], bytes]


class _Written(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a definition file may say."""

    name: str
    secret: str
    source: str = ""
    check: str = "token"
    header: str | None = None
    query: str | None = None
    prefix: str = ""
    items: str | None = None
    drop: list[str] = []
    fields: dict[str, Any]


class Webhook(Struct, frozen=True, kw_only=True):
    """A definition ready for use. `source` names what it stores, like a write key's name."""

    name: str
    source: str
    proof: Proof
    items: Path | None
    drop: tuple[Path, ...]
    fields: dict[str, Place]


def webhooks(documents: Any, opened: Unsealing) -> dict[str, Webhook]:
    """The `webhook` documents by name. BadInput("bad_webhook") names the one at fault, and why."""
    if not isinstance(documents, list) or len(documents) > MAX_HOOKS:
        raise BadInput("bad_webhook", name="webhook", why="write each as [[webhook]], 200 at most")
    found: dict[str, Webhook] = {}
    for number, document in enumerate(documents, 1):
        named = document.get("name") if isinstance(document, dict) else None
        name = named if isinstance(named, str) else f"number {number}"
        try:
            hook = _webhook(document, opened)
        except (ValueError, msgspec.ValidationError) as error:
            raise BadInput("bad_webhook", name=name[:80], why=str(error)) from None
        if hook.name in found:
            raise BadInput("bad_webhook", name=name[:80], why="there are two of this name")
        found[hook.name] = hook
    return found


def _webhook(document: Any, opened: Unsealing) -> Webhook:
    said = msgspec.convert(document, _Written)
    _check_names(said)
    fields = {}
    for name, spec in said.fields.items():
        try:
            fields[name] = place(spec)
        except ValueError as error:
            raise ValueError(f"fields.{name}: {error}") from None
    return Webhook(
        name=said.name,
        source=said.source or said.name,
        proof=_proof(said, opened),
        items=None if said.items is None else path(said.items),
        drop=tuple(path(one) for one in said.drop),
        fields=fields,
    )


def _proof(said: _Written, opened: Unsealing) -> Proof:
    at = _sealing_place(said.name)
    cipher: Cipher = lambda raw: opened(raw, at)  # noqa: E731  # typed, where a def would be longer
    return proof(said.check, said.secret, said.header, said.query, said.prefix, cipher)


def _sealing_place(name: str) -> bytes:
    return b"webhook|" + name.encode("utf-8", "replace")


def sealed(documents: list[Any], held: list[Any], seal: Unsealing, opened: Unsealing) -> list[Any]:
    """Checked documents with their secrets as they are stored; one that is stored already is kept,
    so that writing the same file again changes nothing.
    """
    before = {hook.get("name"): hook for hook in held}
    return [_sealed(hook, before.get(hook["name"]), seal, opened) for hook in documents]


def _sealed(hook: dict[str, Any], held: Any, seal: Unsealing, opened: Unsealing) -> dict[str, Any]:
    secret, check, at = hook["secret"], hook.get("check", "token"), _sealing_place(hook["name"])
    if is_kept(secret):
        return hook
    stored = held["secret"] if held and held.get("check", "token") == check else None
    if stored is not None:
        said = msgspec.convert(hook, _Written)
        known = msgspec.convert(held, _Written)
        if _proof(said, opened).secret == _proof(known, opened).secret:
            return {**hook, "secret": stored}
    return {**hook, "secret": kept(check, secret, lambda raw: seal(raw, at))}


def _check_names(said: _Written) -> None:
    if not NAME.fullmatch(said.name):
        raise ValueError("a name is made of a-z, 0-9, - and _, at most 64 of them")
    if said.items is not None and said.items.startswith("@"):
        raise ValueError("items: starts at the body, so with $")
    for name in said.fields:
        prefix = next((p for p in _PREFIXES if name.startswith(p)), "")
        if name not in _FIELDS and not name.removeprefix(prefix).strip():
            raise ValueError(f"fields.{name}: it needs a name")
        if name not in _FIELDS and not prefix:
            raise ValueError(
                f"fields.{name} is no field; write properties.{name} to keep it as a property"
            )
    if "name" not in said.fields and "type" not in said.fields:
        raise ValueError('fields: it needs name = "what happened"')
    if not any(name in said.fields for name in IDENTIFIER_TYPES):
        raise ValueError(f"fields: it needs one of {', '.join(IDENTIFIER_TYPES)}")
