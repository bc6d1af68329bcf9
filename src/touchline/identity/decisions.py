"""What operators decided → Decisions, as the resolver takes them: evidence, only ever added to.

    merge a b      the two values belong to one person, as far as limits allow
    unmerge a b    they are not one person's, whatever joins them
    block a        the value joins nobody, whatever it touches
    unblock a      it joins people, however much it touches
    undo n         decision n was never made; an undo can be undone, too

Of two decisions about the same value, or the same two, the later one holds. As of an earlier day
those hold that had been made by then.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.identity.evidence import Decisions
from touchline.storage import audit, schema
from touchline.storage.audit import Entry
from touchline.storage.state import State

__all__ = ["KINDS", "Decision", "decided", "holding", "in_force", "newest", "record"]

KINDS = ("merge", "unmerge", "block", "unblock", "undo")
PAIRS = ("merge", "unmerge")

_table = schema.decision.c


class Decision(Struct, frozen=True):
    """A row of State. `a`, `b`: node ids; `undoes`: the id of another one."""

    id: int
    kind: str
    a: bytes | None
    b: bytes | None
    undoes: int | None
    author: str
    reason: str
    known_at_us: int


def record(
    state: State,
    kind: str,
    *,
    about: Sequence[bytes] = (),
    undoes: int | None = None,
    author: str,
    reason: str,
    actor: str | None = None,
) -> int:
    """Adds one, as it was asked for: what it is about has been checked. `actor`: who wrote it down,
    where that is somebody else than the author. Returns its number.
    """
    a, b = (*about, None, None)[:2]
    row: dict[str, Any] = {
        "kind": kind,
        "a": a,
        "b": b,
        "undoes": undoes,
        "author": author,
        "reason": reason,
        "known_at_us": clock.now_us(),
    }
    # What it is about, and why, stand in the row itself, which goes when the person is erased.
    done = Entry(f"decision.{kind}", actor or author, {} if undoes is None else {"undoes": undoes})
    audit.write(state, done, (sa.insert(schema.decision), [row]))
    same = [_table[name] == value for name, value in row.items()]  # NULL as well
    return state.read(sa.select(sa.func.max(_table.id).label("number")).where(*same))[0].number


def decided(state: State, as_of_us: int | None = None) -> list[Decision]:
    """All that was decided (by then), in the order it was."""
    query = sa.select(*schema.decision.columns).order_by(_table.id)
    if as_of_us is not None:
        query = query.where(_table.known_at_us <= as_of_us)
    return [Decision(*row) for row in state.read(query)]


def newest(state: State) -> int:
    """A number that grows with every decision."""
    return state.read(sa.select(sa.func.max(_table.id).label("newest")))[0].newest or 0


def in_force(made: Sequence[Decision]) -> Decisions:
    """What of them holds, as the resolver takes it."""
    kinds: dict[str, list[tuple[bytes, ...]]] = {kind: [] for kind in KINDS}
    for about, one in sorted(_newest(made).items()):
        kinds[one.kind].append(about)
    return Decisions(
        together=tuple((a, b) for a, b in kinds["merge"]),
        apart=tuple((a, b) for a, b in kinds["unmerge"]),
        quarantined=tuple(a for (a,) in kinds["block"]),
        released=tuple(a for (a,) in kinds["unblock"]),
    )


def holding(made: Sequence[Decision]) -> set[int]:
    """Numbers of those that hold: neither undone nor replaced by a later one."""
    return {one.id for one in _newest(made).values()}


def _newest(made: Sequence[Decision]) -> dict[tuple[bytes, ...], Decision]:
    """The one that holds of each value, or two."""
    undone: set[int | None] = set()
    newest: dict[tuple[bytes, ...], Decision] = {}
    for one in reversed(made):
        if one.id in undone:
            continue
        if one.kind == "undo":
            undone.add(one.undoes)
        else:
            newest.setdefault(_about(one), one)
    return newest


def _about(one: Decision) -> tuple[bytes, ...]:
    return tuple(sorted(node for node in (one.a, one.b) if node is not None))
