"""The consent ledger in State: rows in, rows out, and who refuses a purpose right now.

Nothing is changed or taken away: what somebody agreed to and when they took it back stays to be
shown. Writing an act twice is writing it once.
"""

import threading
from collections.abc import Generator, Iterable, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from touchline import clock
from touchline.model import LIFTED, Consent
from touchline.storage import schema
from touchline.storage.state import State, Statement
from touchline.storage.vault import TOMBSTONES

__all__ = [
    "Refusals",
    "last_said",
    "ledger",
    "of_acts",
    "refusals",
    "refusing",
    "shown_text",
    "text_hash",
    "texts",
    "version",
    "written",
]

_table = schema.consent.c
_NAMES = Consent.__struct_fields__
_COLUMNS = [_table[name] for name in _NAMES]
Row = TypeVar("Row", bound=Any)  # of the ledger, or of a query with its columns
CONSENT = "consent"  # mark: how often rows were written


def written(state: State, rows: Iterable[Consent]) -> tuple[Statement, Statement]:
    """Statements for `State.write`. A row that is there already stays as it is. The mark is moved
    first: so two writers wait for each other, and numbers become visible in order.
    """
    is_postgres = state.engine.dialect.name == "postgresql"
    insert = (postgresql if is_postgres else sqlite).insert(schema.consent)
    made = [msgspec.structs.asdict(row) for row in rows]
    moved = [{"name": CONSENT, "value": 1}] if made else []
    return (
        (state.upsert(schema.mark, add=["value"]), moved),
        (insert.on_conflict_do_nothing(), made),
    )


def ledger(state: State, nodes: Iterable[bytes], as_of_us: int | None = None) -> list[Consent]:
    """All that these identifiers said (and was known by then), oldest first."""
    found = state.lookup(_table.node, set(nodes), *_COLUMNS)
    rows = [Consent(**dict(zip(_NAMES, row, strict=True))) for row in found]
    known = [row for row in rows if as_of_us is None or row.known_at_us <= as_of_us]
    return sorted(known, key=lambda row: (row.at_us, row.known_at_us, row.node, row.channel))


def of_acts(state: State, acts: Iterable[bytes]) -> set[bytes]:
    """The identifiers that took part in these acts."""
    return {row.node for row in state.lookup(_table.act, set(acts), _table.node)}


def refusing(state: State, purpose: str, nodes: Iterable[bytes] | None = None) -> frozenset[bytes]:
    """Those of the identifiers (of all without) that refuse a purpose which has no channels, each
    for itself: what `model.permission` says, for many at once.
    """
    columns = (_table.node, _table.is_granted, _table.at_us, _table.known_at_us)
    is_about = sa.and_(_table.purpose == purpose, _table.channel == "")
    if nodes is None:
        once = sa.select(_table.node).where(is_about, _table.is_granted.is_(False))
        rows = state.read(sa.select(*columns).where(is_about, _table.node.in_(once)))
    else:
        found = state.lookup(_table.node, nodes, *columns, _table.purpose, _table.channel)
        rows = [row for row in found if (row.purpose, row.channel) == (purpose, "")]
    return frozenset(refusals(rows))


def refusals(rows: Iterable[Row]) -> dict[bytes, Row]:
    """Rows of a purpose that has no channels → of those identifiers whose last word is a no, it."""
    last: dict[bytes, Row] = {}
    for row in rows:
        if row.node not in last or _moment(row) > _moment(last[row.node]):
            last[row.node] = row
    return {node: row for node, row in last.items() if not row.is_granted}


def _moment(row: Any) -> tuple[int, bool]:
    return min(row.at_us, row.known_at_us), not row.is_granted


def last_said(state: State) -> Generator[sa.Row[Any]]:
    """Of each identifier, purpose and channel the row that holds now: the latest, of one moment
    the no. In the order of identifiers.
    """
    moment = sa.case((_table.at_us < _table.known_at_us, _table.at_us), else_=_table.known_at_us)
    own = (_table.node, _table.purpose, _table.channel)
    nth = sa.func.row_number().over(
        partition_by=own, order_by=(moment.desc(), _table.is_granted, _table.id.desc())
    )
    rows = sa.select(
        _table.node.label("node_id"),
        *(_table[name] for name in ("purpose", "channel", "is_granted", "basis")),
        moment.label("at_us"),
        nth.label("nth"),
    ).subquery()
    order = (rows.c.node_id, rows.c.purpose, rows.c.channel)
    is_last = sa.and_(rows.c.nth == 1, rows.c.basis != LIFTED)
    return state.stream(sa.select(rows).where(is_last).order_by(*order))


def version(state: State) -> int:
    """Grows whenever rows are written, or taken away with somebody who is erased."""
    return sum(state.marks(CONSENT, TOMBSTONES).values())


class Refusals:
    """Who refuses some purposes, brought up to date at little cost; anew after an erasure."""

    def __init__(self, state: State, *purposes: str) -> None:
        self._state = state
        self._held: dict[str, frozenset[bytes]] = dict.fromkeys(purposes, frozenset())
        self._marks: dict[str, int] | None = None
        self._last = 0
        self._turn = threading.Lock()

    def now(self) -> dict[str, frozenset[bytes]]:
        """Purpose → the identifiers that refuse it."""
        with self._turn:
            return self._renewed()

    def _renewed(self) -> dict[str, frozenset[bytes]]:
        before, self._marks = self._marks, self._state.marks(CONSENT, TOMBSTONES)
        if self._marks == before:
            return self._held
        if before is None or before[TOMBSTONES] != self._marks[TOMBSTONES]:
            query = sa.select(sa.func.max(_table.id).label("id"))
            self._last = self._state.read(query)[0].id or 0
            self._held = {name: refusing(self._state, name) for name in self._held}
            return self._held
        new = self._state.read(sa.select(_table.id, _table.node).where(_table.id > self._last))
        self._last = max((row.id for row in new), default=self._last)
        touched = frozenset(row.node for row in new)
        self._held = {
            name: held - touched | refusing(self._state, name, touched)
            for name, held in self._held.items()
        }
        return self._held


def text_hash(text: str, locale: str) -> str:
    """The name of a text in one language."""
    return sha256(f"{locale}\0{text}".encode("utf-8", "replace")).hexdigest()


def texts(state: State, shown: Sequence[tuple[str, str]]) -> Statement:
    """A statement that keeps (text, locale) to be read later by their hash."""
    now = clock.now_us()
    rows = [
        {"hash": text_hash(text, locale), "locale": locale, "text": text, "known_at_us": now}
        for text, locale in dict.fromkeys(shown)
    ]
    return state.upsert(schema.consent_text), rows


def shown_text(state: State, hashes: Iterable[str]) -> dict[str, str]:
    """Hash → the words."""
    kept = schema.consent_text.c
    return {
        row.hash: row.text for row in state.lookup(kept.hash, set(hashes), kept.hash, kept.text)
    }
