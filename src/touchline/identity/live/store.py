"""The live store of people: brought up to date by new facts alone, exactly as if made of all.

    new facts → the components they touch → `resolve` on those → rows changed, persons merged, split

Identifiers of different components never meet in `resolve`, so a part that is whole components has
the people that the whole would give it. Facts are a set: what is told twice changes nothing, in
whatever order and portions it comes. Other rules or decisions are taken up a portion at a time as
well (`judge`). What surprises: until that is done the store is of neither, and says so in its mark.
One process writes, under the lock of the workspace.
"""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from touchline import clock
from touchline.identity.change import Change, Differences
from touchline.identity.live.part import NOTHING, Facts, Part
from touchline.identity.live.rows import (
    beside,
    components_of,
    node_ids,
    numbers_after,
    read_rows,
)
from touchline.identity.live.write import Puts, Written
from touchline.identity.person_map import PersonMap
from touchline.identity.ruled import Ruled
from touchline.storage import schema
from touchline.storage.state import State, Statement

__all__ = [
    "CHANGED",
    "HALF",
    "PORTION",
    "RENEW",
    "RULED",
    "LiveStore",
    "forget",
    "is_spoilt",
    "kept",
    "marks",
]

PREFIX = "live:"  # of the marks in State
CHANGED = "version"  # mark: grows with each change of a row
RULED = "ruled"  # mark: a hash of what all rows were judged by, or UNSETTLED
UNSETTLED = 0
RENEW = "renew"  # mark: somebody found that it is not what it should be
HALF = "half"  # mark: a large write is not whole
EVIDENCE, DECISION, RULES = "evidence", "decision", "rules"  # why somebody became somebody else
PORTION = 10_000  # rows judged at once
AT_ONCE = 200_000  # rows written in one transaction, which keeps others from writing

_change = schema.person_change
_TELL = sa.insert(_change)
_FORGET = sa.delete(schema.mark).where(schema.mark.c.name == sa.bindparam("gone"))
_KEEP = sa.insert(schema.mark)
TABLES = (schema.identity_component, schema.identity_node, schema.identity_beside)


class LiveStore:
    """People of all facts added so far, under rules and decisions."""

    def __init__(self, state: State, ruled: Ruled | None = None) -> None:
        self._state = state
        self._ruled = ruled or Ruled()
        self._put = Puts.of(state)
        known = marks(state)
        self._version = known.get(CHANGED, 0)
        query = sa.select(sa.func.max(schema.identity_component.c.id).label("last"))
        self._last = state.read(query)[0].last or 0
        # What waits to be judged anew: numbers of rows, nodes, and values that join people again.
        self._between: tuple[int, int] | None = None
        self._nodes: list[bytes] = []
        self._joining: dict[bytes, int] = {}
        if known.get(RULED, self._ruled.number) != self._ruled.number:
            self._between = (0, self._last)

    def add(
        self, facts: Facts, told: Mapping[str, int] | None = None, *, is_news: bool = True
    ) -> list[Change]:
        """Takes facts in. `told`: numbers to keep in the same transaction. Not `is_news`: of people
        known before, so that nobody is told who became whom.
        """
        changes = self.judge_all()
        nodes = self._ruled.with_partners(facts.node_ids())
        part = self._part(components_of(self._state, nodes).values(), facts)
        return changes + self._write(part, EVIDENCE if is_news else None, told or {})

    def rule(self, ruled: Ruled) -> None:
        """Judges by other rules and decisions from now on; of the past, as `judge` goes on."""
        before, self._ruled = self._ruled, ruled
        self._joining.clear()
        if self._between or not before.is_same_rule(ruled):
            self._between = (0, self._last)
        elif before != ruled:
            new = ruled.with_partners(before.differing(ruled))
            self._nodes = sorted(new.union(self._nodes))

    @property
    def waiting(self) -> int:
        """About how many rows are still to be judged anew."""
        after, upto = self._between or (0, 0)
        return upto - after + len(self._nodes) + sum(self._joining.values())

    def judge(self) -> list[Change] | None:
        """Judges a portion anew that other rules or decisions may change; None: nothing is left."""
        if self._joining:
            return self._join_again()
        if not self._between and not self._nodes:
            return None
        cause = RULES if self._between else DECISION
        numbers = self._next()
        part = self._part(numbers)
        if part.joining:  # the portion has its turn when these have had theirs
            self._joining = part.joining
            return []
        if self._between:
            is_last = len(numbers) < PORTION
            self._between = None if is_last else (max(numbers), self._between[1])
            self._nodes = [] if is_last else self._nodes
        else:
            del self._nodes[:PORTION]
        return self._write(part, cause, {})

    def judge_all(self) -> list[Change]:
        """All that waits to be judged anew, however much it is."""
        found: list[Change] = []
        while (changes := self.judge()) is not None:
            found += changes
        return found

    def map_of(self, nodes: Collection[bytes]) -> dict[bytes, str]:
        """person_id of each of these that is known."""
        people = self.people(nodes)
        found = zip(nodes, people.person_of(list(nodes)), strict=True)
        return {node: people.person_ids[person] for node, person in found if person is not None}

    def people(self, nodes: Collection[bytes] | None = None) -> PersonMap:
        """Everybody, or those alone who hang together with these."""
        numbers = None if nodes is None else components_of(self._state, nodes).values()
        return Part(read_rows(self._state, numbers), NOTHING, Ruled()).before()

    def _next(self) -> list[int]:
        """Rows that are to be judged now."""
        if self._between:
            return numbers_after(self._state, *self._between, PORTION)
        nodes = self._ruled.with_partners(self._nodes[:PORTION])
        return sorted(set(components_of(self._state, nodes).values()))

    def _join_again(self) -> list[Change]:
        """Lets some values join people that joined nobody: judges all that they touch."""
        freed, count = list[bytes](), 0
        while self._joining and (not freed or count < PORTION):
            node, touched = self._joining.popitem()
            freed.append(node)
            count += touched
        nodes = self._ruled.with_partners({*freed, *beside(self._state, freed)})
        numbers = components_of(self._state, nodes).values()
        part = self._part(numbers, freed=frozenset(freed))
        return self._write(part, RULES if self._between else DECISION, {})

    def _part(
        self, numbers: Iterable[int], facts: Facts = NOTHING, freed: frozenset[bytes] = frozenset()
    ) -> Part:
        rows = read_rows(self._state, numbers)
        if self._between and self._ruled.is_joining:
            known = node_ids(rows.nodes)
            if more := self._ruled.with_partners(known) - known:
                others = components_of(self._state, more).values()
                rows = read_rows(self._state, {*rows.ids, *others})
        return Part(rows, facts, self._ruled, freed)

    def _write(self, part: Part, cause: str | None, told: Mapping[str, int]) -> list[Change]:
        written = Written.of(part, self._last, self._version + 1)
        changes = list[Change]()
        if cause and part.rows.ids:
            changes = list(Differences(part.before(), part.after()).changes())
        at_us = clock.now_us()
        rows = [
            {
                "at_us": at_us,
                "kind": one.kind,
                "person_id": one.person_id,
                "other_id": one.other_id,
                "identifiers": one.values,
                "cause": cause,
            }
            for one in changes
        ]
        self._version += bool(written.components)
        self._last = written.last
        ruled = UNSETTLED if self.waiting else self._ruled.number
        numbers = {**told, CHANGED: self._version, RULED: ruled}
        self._commit([*written.statements(self._put), (_TELL, rows)], numbers)
        return changes

    def _commit(self, statements: list[Statement], numbers: Mapping[str, int]) -> None:
        """In one transaction, or in several if others would wait too long for it: then what is
        there is marked as half done until the last of them.
        """
        if sum(len(rows) for _, rows in statements) <= AT_ONCE:
            self._state.write(*statements, *kept(numbers))
            return
        self._state.write(*kept({HALF: 1}))
        for statement, rows in statements:
            for at in range(0, len(rows), AT_ONCE):
                self._state.write((statement, rows[at : at + AT_ONCE]))
        self._state.write((_FORGET, [{"gone": PREFIX + HALF}]), *kept(numbers))


def marks(state: State) -> dict[str, int]:
    """Numbers that the store was last written with."""
    table = schema.mark.c
    found = state.read(sa.select(schema.mark).where(table.name.startswith(PREFIX)))
    return {row.name.removeprefix(PREFIX): row.value for row in found}


def is_spoilt(known: Mapping[str, int]) -> bool:
    """Whether it is to be made anew, by its marks."""
    return RENEW in known or HALF in known


def forget(state: State, numbers: Mapping[str, int]) -> None:
    """Empties it but for these marks, so that it is made anew. What was told of persons stays."""
    with state.engine.begin() as connection:
        for table in TABLES:
            connection.execute(sa.delete(table))
        connection.execute(sa.delete(schema.mark).where(schema.mark.c.name.startswith(PREFIX)))
        for statement, rows in kept(numbers) if numbers else ():
            connection.execute(statement, rows)


def kept(numbers: Mapping[str, int]) -> list[Statement]:
    """Marks, for `State.write`; smaller than they were, if need be."""
    rows = [{"name": PREFIX + name, "value": value} for name, value in numbers.items()]
    return [(_FORGET, [{"gone": row["name"]} for row in rows]), (_KEEP, rows)]
