"""Suggestions as State keeps them: two identifiers, how much speaks for one person, since when.

    sure     joins people by itself, as evidence of the last class
    open     waits for somebody to accept or reject it

What somebody said is a decision (`identity.decisions`) about the same two, so it can be undone, and
the suggestion is then what it was. Rows are ended and not deleted: earlier days keep theirs.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.storage import schema
from touchline.storage.state import State

__all__ = ["STATUSES", "Suggestion", "newest", "renew", "standing", "suggestion", "sure"]

STATUSES = ("open", "sure", "accepted", "rejected")
SAME = 0.5  # bits: a weight that moved by less is what it was
NEWEST = "suggestions"  # mark: how often they were renewed

_table = schema.suggestion.c


class Suggestion(Struct, frozen=True, kw_only=True):
    """`a` < `b`: node ids. `bits`: what was compared → how much it says. `id` 0: not kept yet."""

    a: bytes
    b: bytes
    weight: float
    bits: dict[str, float]
    model: str
    is_sure: bool
    id: int = 0
    known_at_us: int = 0

    @property
    def couple(self) -> tuple[bytes, bytes]:
        return self.a, self.b


def standing(state: State) -> list[Suggestion]:
    """Those that have not ended, the most likely first."""
    order = (_table.weight.desc(), _table.a, _table.b)
    query = sa.select(schema.suggestion).where(_table.ended_us.is_(None)).order_by(*order)
    return [_read(row) for row in state.stream(query)]


def suggestion(state: State, number: int) -> Suggestion | None:
    """One of those that have not ended."""
    query = sa.select(schema.suggestion).where(_table.id == number, _table.ended_us.is_(None))
    rows = state.read(query)
    return _read(rows[0]) if rows else None


def sure(state: State, as_of_us: int | None = None) -> tuple[tuple[bytes, bytes], ...]:
    """What joins people by itself (then)."""
    query = sa.select(_table.a, _table.b).where(_table.is_sure)
    if as_of_us is None:
        query = query.where(_table.ended_us.is_(None))
    else:
        is_over = sa.or_(_table.ended_us.is_(None), _table.ended_us > as_of_us)
        query = query.where(_table.known_at_us <= as_of_us, is_over)
    return tuple(sorted({(bytes(row.a), bytes(row.b)) for row in state.read(query)}))


def renew(
    state: State, found: Sequence[Suggestion], answered: Collection[tuple[bytes, bytes]] = ()
) -> None:
    """What was found takes the place of what stood; what is as it was keeps its number, and what
    was answered stays.
    """
    held = {one.couple: one for one in standing(state)}
    wanted = {one.couple: one for one in found}
    kept = {couple for couple, one in wanted.items() if _is_same(one, held.get(couple))}
    kept |= held.keys() & set(answered)
    now = clock.now_us()
    gone = [{"number": one.id, "now": now} for c, one in held.items() if c not in kept]
    new = [_row(one, now) for couple, one in sorted(wanted.items()) if couple not in kept]
    ending = sa.update(schema.suggestion).where(_table.id == sa.bindparam("number"))
    state.write(
        (ending.values(ended_us=sa.bindparam("now")), gone),
        (sa.insert(schema.suggestion), new),
        (state.upsert(schema.mark, add=["value"]), [{"name": NEWEST, "value": 1}]),
    )


def newest(state: State) -> int:
    """A number that grows whenever they were renewed."""
    return state.mark(NEWEST)


def _is_same(one: Suggestion, other: Suggestion | None) -> bool:
    if other is None or (one.is_sure, one.model) != (other.is_sure, other.model):
        return False
    return abs(one.weight - other.weight) < SAME


def _read(row: sa.Row[Any]) -> Suggestion:
    return Suggestion(
        id=row.id,
        a=bytes(row.a),
        b=bytes(row.b),
        weight=row.weight,
        bits=msgspec.json.decode(row.bits),
        model=row.model,
        is_sure=row.is_sure,
        known_at_us=row.known_at_us,
    )


def _row(one: Suggestion, now: int) -> dict[str, Any]:
    return {
        "a": one.a,
        "b": one.b,
        "weight": one.weight,
        "bits": msgspec.json.encode(one.bits).decode(),
        "model": one.model,
        "is_sure": one.is_sure,
        "known_at_us": now,
        "ended_us": None,
    }
