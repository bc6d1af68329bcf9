"""Events on their way to the lake → rows of the consent ledger, and the events as they may be kept.

What an event says of consent counts for the events behind it, in the same batch as well: somebody
who refuses to be counted is nobody from then on (`stripped`), and somebody again after a new yes.

What surprises: a no is that of every identifier beside it, a yes that of the persons only. A shared
device must not make everybody agree to what one of them wants: a no of it is lifted, no more.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.consent_rules import ANALYTICS, ConsentRules
from touchline.collect.consent_said import EXEMPT, acts_of, proof, refuses_analytics, stripped
from touchline.jobs.definitions import consent_rules
from touchline.model import LIFTED, TYPE_RANK, Consent, Event, Identifier, Said
from touchline.storage import definition
from touchline.storage.consent import Refusals, ledger, refusals, written
from touchline.storage.workspace import Workspace

__all__ = ["Consented", "rows_of"]

_DEVICES = TYPE_RANK["anonymous_id"]
Stored = tuple[bytes, Event]


class Consented:
    """For one writer, which asks in turn."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._refusals = Refusals(workspace.state, ANALYTICS)
        self._held: tuple[int, ConsentRules] | None = None

    def taken(self, arriving: Sequence[Stored]) -> list[Stored]:
        """The events as they are kept; what they said stands in the ledger."""
        rules, refused = self._rules(), self._refusals.now()[ANALYTICS]
        rows = [self._rows(event_id, event, rules) for event_id, event in arriving]
        said = self._said({(row.node, row.purpose) for own in rows for row in own})
        is_new: dict[bytes, bool] = {}
        new: list[Consent] = []
        kept: list[Stored] = []
        for (event_id, event), own in zip(arriving, rows, strict=True):
            for row in own:
                before = said[row.node, row.purpose]
                if row.basis == LIFTED and all(one.is_granted for one in before):
                    continue  # there is no no to lift
                before.append(row)
                new.append(row)
                if row.purpose == ANALYTICS:
                    is_new[row.node] = bool(refusals(before))
            is_refused = self._is_refused(event, refused, is_new)
            kept.append((event_id, self._unidentified(event) if is_refused else event))
        self._workspace.state.write(*written(self._workspace.state, new))
        return kept

    def countable(self, rows: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
        """`node_ids` of rows that are no events; none of who is not to be counted."""
        refused = self._refusals.now()[ANALYTICS]
        if not refused:
            return rows
        return [[] if any(node["id"] in refused for node in row) else row for row in rows]

    def _said(self, about: set[tuple[bytes, str]]) -> dict[tuple[bytes, str], list[Consent]]:
        """What (identifier, purpose) said before: an old yes may come behind a newer no."""
        found: dict[tuple[bytes, str], list[Consent]] = {one: [] for one in about}
        for row in ledger(self._workspace.state, {node for node, _ in about}):
            if (row.node, row.purpose) in found:
                found[row.node, row.purpose].append(row)
        return found

    def _is_refused(
        self, event: Event, refused: frozenset[bytes], is_new: dict[bytes, bool]
    ) -> bool:
        """`is_new`: of whom the batch says something, whether they refuse from then on."""
        if not event.identifiers:
            return False
        if refuses_analytics(event):
            return True
        if not (refused or is_new):
            return False
        nodes = map(self._node, event.identifiers)
        return any(is_new.get(node, node in refused) for node in nodes)

    def _unidentified(self, event: Event) -> Event:
        if event.name.lower() in EXEMPT:
            return proof(event)
        return stripped(event, self._workspace.region)

    def _rows(self, event_id: bytes, event: Event, rules: ConsentRules) -> list[Consent]:
        said = acts_of(event, rules) if event.context else ()
        if not said:
            return []
        nodes, source = [(o, self._node(o)) for o in event.identifiers], f"event:{event.source}"
        own = [*rows_of(event_id, nodes, said, at_us=event.ts_us, source=source)]
        persons = {row.node for row in own if row.is_granted}
        lifted = [
            msgspec.structs.replace(row, node=node, basis=LIFTED)
            for row in own
            if row.is_granted
            for _, node in nodes
            if node not in persons
        ]
        return [*own, *dict.fromkeys(lifted)]

    def _node(self, identifier: Identifier) -> bytes:
        return self._workspace.vault.node_id(identifier.type, identifier.value)

    def _rules(self) -> ConsentRules:
        number = definition.newest(self._workspace.state)
        if self._held is None or self._held[0] != number:
            self._held = (number, consent_rules(self._workspace))
        return self._held[1]


def rows_of(
    act: bytes,
    nodes: Sequence[tuple[Identifier, bytes]],
    said: Iterable[Said],
    *,
    at_us: int,
    source: str,
) -> Iterator[Consent]:
    """Rows of the ledger of one act of somebody known by these identifiers."""
    now = clock.now_us()
    persons = [pair for pair in nodes if TYPE_RANK[pair[0].type] < _DEVICES]
    for one in said:
        for _, node in (persons or nodes) if one.is_granted else nodes:
            told_us = min(at_us if one.at_us is None else one.at_us, now)
            yield one.row(node, act=act, source=source[:220], at_us=told_us, known_at_us=now)
