"""Events on their way to the lake → rows of the consent ledger, and the events as they may be kept.

What an event says of consent counts for the events behind it, in the same batch as well: somebody
who refuses to be counted is nobody from then on (`stripped`), and somebody again after a new yes.

What surprises: a no is that of every identifier beside it, a yes that of the persons only. A shared
device must not make everybody agree to what one of them wants; and when in doubt it is a no.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from touchline import clock
from touchline.collect.consent_rules import ANALYTICS, ConsentRules
from touchline.collect.consent_said import EXEMPT, acts_of, refuses_analytics, stripped
from touchline.jobs.definitions import consent_rules
from touchline.model import TYPE_RANK, Consent, Event, Identifier, Said
from touchline.storage import definition
from touchline.storage.consent import Refusals, written
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
        overlay: dict[bytes, bool] = {}
        rows: list[Consent] = []
        kept: list[Stored] = []
        for event_id, event in arriving:
            said = acts_of(event, rules) if event.context else ()
            if said:
                own = list(self._rows(event_id, event, said))
                rows += own
                overlay |= {r.node: r.is_granted for r in own if r.purpose == ANALYTICS}
            if self._is_refused(event, refused, overlay):
                event = stripped(event, self._workspace.region)  # noqa: PLW2901  # from here on
            kept.append((event_id, event))
        state = self._workspace.state
        state.write(*written(state, rows))
        return kept

    def countable(self, rows: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
        """`node_ids` of rows that are no events; none of who is not to be counted."""
        refused = self._refusals.now()[ANALYTICS]
        if not refused:
            return rows
        return [[] if any(node["id"] in refused for node in row) else row for row in rows]

    def _is_refused(
        self, event: Event, refused: frozenset[bytes], overlay: dict[bytes, bool]
    ) -> bool:
        if not event.identifiers or event.name.lower() in EXEMPT:
            return False
        if refuses_analytics(event):
            return True
        if not (refused or overlay):
            return False
        nodes = map(self._node, event.identifiers)
        return any(not overlay.get(node, node not in refused) for node in nodes)

    def _rows(self, event_id: bytes, event: Event, said: Iterable[Said]) -> Iterator[Consent]:
        nodes = [(one, self._node(one)) for one in event.identifiers]
        return rows_of(event_id, nodes, said, at_us=event.ts_us, source=f"event:{event.source}")

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
