"""Identifiers → node ids. Clear values stop here and go to State, sealed under keys of their own.

One `NodeBook` serves a writer for its lifetime. It remembers which nodes State already holds, so an
ordinary event costs one HMAC per identifier and no query.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from touchline import clock
from touchline.collect.mail_domain import domain_rows
from touchline.collect.mask import masked, masked_value
from touchline.errors import BadInput
from touchline.model import TYPE_RANK, Identifier
from touchline.storage import schema
from touchline.storage.state import Statement
from touchline.storage.vault import TOMBSTONES, Vault, seal, unseal
from touchline.storage.workspace import Workspace

__all__ = [
    "ERASED",
    "ORDER",
    "TOMBSTONES",
    "TRAITS",
    "NodeBook",
    "Trait",
    "clear_traits",
    "clear_values",
    "heard",
    "is_erased",
    "opened",
]

TRAITS = "traits"  # mark in State: how often traits were written
ERASED = "erased"  # why a row is refused, and what stands for a value of somebody who was erased
ORDER = "order_id"  # an order of theirs is known again like an identifier
# They tell a browser, which others use as well: a row loses those and is taken.
DEVICES = ("anonymous_id", "device")

REMEMBERED = 2_000_000
ROWS_REMEMBERED = 50_000
FEW = 8

_node = schema.node.c
_HEARD = (
    sa.update(schema.node)
    .where(_node.node_id == sa.bindparam("of"))
    .where(_node.heard_us.is_(None) | (_node.heard_us < sa.bindparam("before")))
    .values(heard_us=sa.bindparam("at"))
)


class Trait(msgspec.Struct, frozen=True):
    """One trait value as it came in, hung on the strongest identifier beside it. `is_told`: they
    said it of themselves, when asked.
    """

    node_id: bytes
    name: str
    value: Any
    ts_us: int
    source: str
    is_told: bool = False


class NodeBook:
    """Turns identifiers into node ids and knows which of them State must still learn."""

    def __init__(self, workspace: Workspace) -> None:
        from touchline.collect.blocked import Blocklist  # which opens values by means of ours

        self._workspace = workspace
        self._blocklist = Blocklist(workspace)
        self._known: set[bytes] = set()
        self._met: dict[bytes, Identifier] = {}
        self._heard: set[bytes] = set()  # of these no row need come
        self._rows: dict[tuple[Identifier, ...], list[dict[str, Any]]] = {}
        self._tombstones: frozenset[bytes] = frozenset()
        self._tombstones_at = 0
        self._admitted: dict[tuple[Identifier, ...], tuple[Identifier, ...] | None] = {}
        self.refresh()

    def refresh(self) -> None:
        """Learns who was erased since, and then forgets whom it knew. Not while nodes wait to be
        saved.
        """
        state = self._workspace.state
        number = state.mark(TOMBSTONES)
        if number != self._tombstones_at:
            rows = state.read(sa.select(schema.tombstone.c.hash))
            self._tombstones = frozenset(bytes(row[0]) for row in rows)
            self._tombstones_at = number
            self._known.clear()
            self._rows.clear()
            self._admitted.clear()

    def admitted(
        self, identifiers: Sequence[Identifier], order_id: str | None = None
    ) -> Sequence[Identifier] | None:
        """Those of a row that were not erased; None when the row is to be refused: it names
        somebody who was, or nobody any more, or nobody beside an order of theirs.
        """
        if not self._tombstones:
            return identifiers
        key = tuple(identifiers)
        if key not in self._admitted:
            if len(self._admitted) >= ROWS_REMEMBERED:
                self._admitted.clear()
            self._admitted[key] = self._left(key)
        left = self._admitted[key]
        is_anothers = left is not None and any(one.type not in DEVICES for one in left)
        if order_id and not is_anothers and self._is_erased(Identifier(ORDER, order_id)):
            return None
        return left

    def _left(self, identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...] | None:
        erased = {one for one in identifiers if self._is_erased(one)}
        left = tuple(one for one in identifiers if one not in erased)
        names = any(one.type not in DEVICES for one in erased)
        return None if names or (erased and not left) else left

    def _is_erased(self, identifier: Identifier) -> bool:
        vault = self._workspace.vault
        node = vault.node_id(identifier.type, identifier.value)
        return node not in self._known and vault.tombstone(node) in self._tombstones

    def ids(self, identifiers: Sequence[Identifier]) -> list[dict[str, Any]]:
        """The `node_ids` column of a row: strongest type first, each value once."""
        key = tuple(identifiers)  # most events of a visitor bring the same ones
        if len(key) > FEW:
            return self._ids(key)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= ROWS_REMEMBERED:
                self._rows.clear()
            row = self._rows[key] = self._ids(key)
        return row

    def _ids(self, identifiers: tuple[Identifier, ...]) -> list[dict[str, Any]]:
        found: dict[bytes, dict[str, Any]] = {}
        for identifier in sorted(identifiers, key=_strength):
            node = self.node_id(identifier)
            if node not in found:
                found[node] = {"type": identifier.type, "id": node, "app": identifier.app}
        return list(found.values())

    def node_id(self, identifier: Identifier) -> bytes:
        node = self._workspace.vault.node_id(identifier.type, identifier.value)
        if node not in self._known:
            self._met[node] = identifier
        return node

    def named(self, identifier: Identifier) -> bytes:
        """The node of whom an operator names. Raises BadInput for somebody who was erased."""
        if self._tombstones and self._is_erased(identifier):
            raise BadInput("person_erased")
        node = self.node_id(identifier)
        self._heard.add(node)
        return node

    def token(self, kind: str, value: str) -> str:
        """What stands in the lake where an identifier value stood in free text."""
        if self._tombstones and self._is_erased(Identifier(kind, value)):
            return f"{kind}:{ERASED}"
        return f"{kind}:{self.node_id(Identifier(kind, value)).hex()}"

    def save(self, traits: Iterable[Trait] = ()) -> None:
        """Writes what State does not know yet: new nodes, newer traits. Safe to repeat."""
        state, vault = self._workspace.state, self._workspace.vault
        newest: dict[tuple[bytes, str, str, bool], Trait] = {}
        for trait in traits:
            key = (trait.node_id, trait.name, trait.source, trait.is_told)
            if key not in newest or trait.ts_us >= newest[key].ts_us:
                newest[key] = trait
        nodes = schema.node.c
        held = {row.node_id for row in state.lookup(nodes.node_id, self._met.keys(), nodes.node_id)}
        new = {node: known for node, known in self._met.items() if node not in held}
        self._blocklist.note(new)
        keys: dict[bytes, AESGCM] = {}
        rows: list[dict[str, Any]] = []
        for node, identifier in new.items():
            keys[node], wrapped = vault.new_key(node)
            clear = msgspec.json.encode(identifier.value)
            rows.append(
                {
                    "node_id": node,
                    "type": identifier.type,
                    "wrapped_key": wrapped,
                    "sealed_value": seal(keys[node], clear, b"value|" + node),
                    "heard_us": None,
                },
            )
        wanted = {trait.node_id for trait in newest.values()} - keys.keys()
        for row in state.lookup(nodes.node_id, wanted, nodes.node_id, nodes.wrapped_key):
            keys[row.node_id] = vault.unwrap(row.node_id, row.wrapped_key)
        state.write(
            (state.upsert(schema.node), rows),
            heard(self._heard, clock.now_us()),
            (state.upsert(schema.mail_domain), domain_rows(vault, new)),
            (
                state.upsert(schema.trait, newest_by="ts_us"),
                [_sealed(trait, keys[trait.node_id]) for trait in newest.values()],
            ),
            (
                state.upsert(schema.mark, add=["value"]),
                [{"name": TRAITS, "value": 1}] if newest else [],
            ),
        )
        self._blocklist.note(new, is_again=True)
        self._remember()

    def _remember(self) -> None:
        if len(self._known) + len(self._met) > REMEMBERED:
            self._known.clear()
        self._known.update(self._met)
        self._met.clear()
        self._heard.clear()


def heard(nodes: Iterable[bytes], at_us: int) -> Statement:
    """Puts down when these were last heard of, where no row may tell it."""
    return _HEARD, [{"of": node, "at": at_us, "before": at_us} for node in nodes]


def is_erased(workspace: Workspace, node: bytes) -> bool:
    """Whether whoever was known by an identifier asked to be erased, and has not come back."""
    there = schema.tombstone.c.hash
    stone = workspace.vault.tombstone(node)
    return bool(workspace.state.read(sa.select(there).where(there == stone)))


def clear_values(workspace: Workspace, nodes: Iterable[bytes]) -> dict[bytes, Identifier]:
    """Node ids back to identifiers, as whoever asks may see them; an erased node is absent."""
    table = schema.node.c
    rows = workspace.state.lookup(
        table.node_id, set(nodes), table.node_id, table.type, table.wrapped_key, table.sealed_value
    )
    principal = workspace.principal
    found: dict[bytes, Identifier] = {}
    for row in rows:
        seen = masked(opened(workspace.vault, row), principal.mask(row.type), row.node_id)
        if seen is not None:
            found[row.node_id] = seen
    return found


def opened(vault: Vault, row: Any) -> Identifier:
    """What a row of `node` says in clear."""
    key = vault.unwrap(row.node_id, row.wrapped_key)
    value = msgspec.json.decode(unseal(key, row.sealed_value, b"value|" + row.node_id))
    return Identifier(row.type, value)


def clear_traits(workspace: Workspace, nodes: Iterable[bytes]) -> dict[bytes, list[Trait]]:
    """All traits that hang on these nodes, of each source its latest value, as whoever asks may see
    them. What of it is in force: `identity.profile_rules`.
    """
    node, trait = schema.node.c, schema.trait.c
    wanted = set(nodes)
    keys = {
        row.node_id: workspace.vault.unwrap(row.node_id, row.wrapped_key)
        for row in workspace.state.lookup(node.node_id, wanted, node.node_id, node.wrapped_key)
    }
    found: dict[bytes, list[Trait]] = {}
    for row in workspace.state.lookup(trait.node_id, wanted, *schema.trait.columns):
        if row.node_id in keys:
            place = b"trait|" + row.name.encode() + b"|" + row.node_id
            value = msgspec.json.decode(unseal(keys[row.node_id], row.sealed_value, place))
            mask = workspace.principal.mask(row.name)
            if mask != "full":
                value = masked_value(row.name, value, mask, workspace.vault)
                if value is None:
                    continue
            known = Trait(row.node_id, row.name, value, row.ts_us, row.source, row.is_told)
            found.setdefault(row.node_id, []).append(known)
    return found


def _sealed(trait: Trait, key: AESGCM) -> dict[str, Any]:
    place = b"trait|" + trait.name.encode() + b"|" + trait.node_id
    return {
        "node_id": trait.node_id,
        "name": trait.name,
        "sealed_value": seal(key, msgspec.json.encode(trait.value), place),
        "ts_us": trait.ts_us,
        "source": trait.source,
        "is_told": trait.is_told,
    }


def _strength(identifier: Identifier) -> int:
    return TYPE_RANK[identifier.type]
