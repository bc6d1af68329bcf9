"""Who did or saw what, when and why: a chain of rows in State that is only ever added to.

Each row carries the hash of the one before, so that a row changed, taken out or put in between is
found by whoever reads the chain (`broken`). The number of a row is its key: of two processes that
add the same one, the second is refused by the database and takes the next, so a chain never forks.

No row names a person in clear, nor by a node: `reference` is a hash of its own of the person_id.
What was erased is then nowhere in here, and whoever knows the person_id still finds the rows.
"""

import getpass
import hmac
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from touchline import clock
from touchline.storage import schema
from touchline.storage.principal import Principal
from touchline.storage.state import State, Statement
from touchline.storage.vault import Vault

__all__ = ["Entry", "actor_of", "broken", "canonical", "entries", "head", "reference", "write"]

START = b"\0" * 32  # what the first row has for the hash of the one before
LENGTH = "audit"  # mark: the number of the last row, so that rows cut off at the end are missed

_table = schema.audit.c


class Entry(Struct, frozen=True):
    """`about`: what it was done to, without anything personal."""

    action: str
    actor: str
    about: dict[str, Any] = {}
    reason: str | None = None


def write(state: State, entry: Entry, *statements: Statement) -> None:
    """Adds a row in the transaction of these statements: what is done and that it was done."""
    while True:
        number, before = head(state)
        row = _row(entry, number + 1, before)
        try:
            state.write(*statements, (sa.insert(schema.audit), [row]), _moved(state, number + 1))
        except IntegrityError:
            if head(state)[0] == number:  # it was not the chain that grew meanwhile
                raise
        else:
            return


def head(state: State) -> tuple[int, bytes]:
    """The number and the hash of the last row."""
    query = sa.select(_table.id, _table.hash).order_by(_table.id.desc()).limit(1)
    found = state.read(query)
    return (int(found[0].id), bytes(found[0].hash)) if found else (0, START)


def entries(state: State, query: sa.Select[Any] | None = None) -> Iterator[dict[str, Any]]:
    """Rows as they are shown, the oldest first."""
    query = sa.select(schema.audit).order_by(_table.id) if query is None else query
    for row in state.stream(query):
        yield {
            "number": row.id,
            "at": clock.iso(row.at_us),
            "actor": row.actor,
            "action": row.action,
            "about": msgspec.json.decode(row.about),
            "reason": row.reason,
            "hash": bytes(row.hash).hex(),
        }


def broken(state: State) -> int | None:
    """The number of the first row that is not what was written, or is gone; None: all are."""
    number, before = 0, START
    last = state.mark(LENGTH)  # asked first: rows may be added while the chain is read
    for row in state.stream(sa.select(schema.audit).order_by(_table.id)):
        number += 1
        told = msgspec.json.decode(row.about)
        entry = Entry(row.action, row.actor, told, row.reason)
        is_next = row.id == number and bytes(row.previous) == before
        if not is_next or _hash(entry, number, row.at_us, before) != bytes(row.hash):
            return number
        before = bytes(row.hash)
    return number + 1 if number < last else None


def reference(vault: Vault, person_id: str) -> str:
    """What stands for a person in the chain."""
    return hmac.digest(vault.derived("audit"), person_id.encode(), "sha256")[:16].hex()


def actor_of(principal: Principal) -> str:
    """Who acts: a key of the API, or whoever runs the command."""
    if principal.name:
        return principal.name
    try:
        return f"local:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in a container
        return "local"


def canonical(value: Any) -> bytes:
    """The one way to write a value as JSON: keys in order, no blanks, UTF-8."""
    return msgspec.json.encode(value, order="deterministic")


def _row(entry: Entry, number: int, before: bytes) -> dict[str, Any]:
    now = clock.now_us()
    return {
        "id": number,
        "at_us": now,
        "actor": entry.actor,
        "action": entry.action,
        "about": canonical(entry.about).decode(),
        "reason": entry.reason,
        "previous": before,
        "hash": _hash(entry, number, now, before),
    }


def _hash(entry: Entry, number: int, at_us: int, before: bytes) -> bytes:
    told = {**msgspec.structs.asdict(entry), "number": number, "at_us": at_us}
    return blake2b(canonical({**told, "previous": before.hex()}), digest_size=32).digest()


def _moved(state: State, number: int) -> Statement:
    return state.set_mark(LENGTH, number)
