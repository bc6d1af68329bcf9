"""What operators decided → Decisions, as the resolver takes them: evidence, only ever added to.

    merge a b      the two values belong to one person, as far as limits allow
    unmerge a b    they are not one person's, whatever joins them
    block a        the value joins nobody, whatever it touches
    unblock a      it joins people, however much it touches
    undo n         decision n was never made; an undo can be undone, too

Of two decisions about the same value, or the same two, the later one holds. As of an earlier day
those hold that had been made by then. What surprises: whoever adds one says by which decisions it
was judged. Of two operators at once the second is refused by the database, and judges again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from touchline import clock
from touchline.identity.evidence import Decisions
from touchline.storage import audit, schema
from touchline.storage.audit import Entry
from touchline.storage.state import State

__all__ = [
    "KINDS",
    "Decision",
    "Overtaken",
    "decided",
    "holding",
    "in_force",
    "newest",
    "record",
    "supposing",
]

KINDS = ("merge", "unmerge", "block", "unblock", "undo")
NEWEST = "decisions"  # mark: the last number given out, also if an erasure took its row

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


class Overtaken(Exception):
    """Somebody else decided meanwhile: what was to be added was judged without it."""


def record(
    state: State,
    kind: str,
    *,
    about: Sequence[bytes] = (),
    undoes: int | None = None,
    author: str,
    reason: str,
    after: int | None = None,
) -> int:
    """Adds one, as it was asked for: what it is about has been checked. Returns its number.

    `after`: `newest` before the decisions were read that it was judged by. Raises Overtaken when
    there is another one by now.
    """
    last = newest(state) if after is None else after
    a, b = (*about, None, None)[:2]
    row: dict[str, Any] = {
        "id": last + 1,
        "kind": kind,
        "a": a,
        "b": b,
        "undoes": undoes,
        "author": author,
        "reason": reason,
        "known_at_us": clock.now_us(),
    }
    # What it is about, and why, stand in the row itself, which goes when the person is erased.
    actor = audit.actor_of(state.principal)  # the author may be somebody else
    done = Entry(f"decision.{kind}", actor, {} if undoes is None else {"undoes": undoes})
    try:
        moved = state.set_mark(NEWEST, last + 1)
        audit.write(state, done, (sa.insert(schema.decision), [row]), moved)
    except IntegrityError as error:
        if newest(state) == last:
            raise
        raise Overtaken from error
    return last + 1


def decided(state: State, as_of_us: int | None = None) -> list[Decision]:
    """All that was decided (by then), in the order it was."""
    query = sa.select(*schema.decision.columns).order_by(_table.id)
    if as_of_us is not None:
        query = query.where(_table.known_at_us <= as_of_us)
    return [Decision(*row) for row in state.read(query)]


def newest(state: State) -> int:
    """A number that grows with every decision."""
    return state.mark(NEWEST)


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


def supposing(now: Decisions, made: Sequence[Decision]) -> Decisions:
    """What holds now, had this been decided."""
    said = in_force(made)
    return replace(
        now,
        together=said.together,
        apart=said.apart,
        quarantined=said.quarantined,
        released=said.released,
    )


def holding(made: Sequence[Decision]) -> set[int]:
    """Numbers of those that hold: neither undone nor replaced by a later one."""
    return {one.id for one in _newest(made).values()}


def _newest(made: Sequence[Decision]) -> dict[tuple[bytes, ...], Decision]:
    """The one that holds of each value, or two."""
    undone = _undone(made)
    standing = (one for one in made if one.kind != "undo" and one.id not in undone)
    return {_about(one): one for one in standing}


def _undone(made: Sequence[Decision]) -> set[int]:
    """Numbers of those that were taken back. To take back what is so already says nothing, so what
    two operators undid at once comes back with one undo.
    """
    undone: set[int] = set()
    undoes: dict[int, int] = {}
    for one in made:
        number, is_undone = one.undoes, True
        if number is None or number in undone:
            continue
        undoes[one.id] = number
        while number is not None:  # what an undo took back is there again, and so on
            (undone.add if is_undone else undone.discard)(number)
            number, is_undone = undoes.get(number), not is_undone
    return undone


def _about(one: Decision) -> tuple[bytes, ...]:
    return tuple(sorted(node for node in (one.a, one.b) if node is not None))
