"""New rows of the lake → the live store → everybody, as a view has them.

The store keeps up to which arrival number of each table it has taken rows in, and how many rows
that were. What surprises: it never has to be right. Where the numbers do not come out (rows were
erased, the lake is another one), or more is missing than a question should wait for, there is no
answer, and whoever asks computes people from all rows; the store is then made anew. An empty one
still knows when rows were last taken out: a view that was opened before brings none of them back.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from touchline.identity.evidence import Decisions
from touchline.identity.live.few import Between, few_told
from touchline.identity.live.map import LiveMap
from touchline.identity.live.part import NO_DAY, Facts
from touchline.identity.live.rows import read_rows
from touchline.identity.live.store import (
    CHANGED,
    RENEW,
    RULED,
    LiveStore,
    forget,
    is_spoilt,
    kept,
    marks,
)
from touchline.identity.person_map import PersonMap
from touchline.identity.ruled import Ruled
from touchline.identity.rules import Rules
from touchline.identity.sources import (
    Extent,
    app_names,
    daily_pairs,
    identifier_sets,
    node_arrays,
    nodes_of,
    positions,
    staff_nodes,
)
from touchline.storage.engine import View
from touchline.storage.state import State

__all__ = ["Follower", "is_level", "renew", "told"]

AT_ONCE = 100_000  # rows of a table in one transaction, which keeps others from writing
ROWS = "rows"  # mark: how many rows were taken in
LEFT = "erased"  # mark: when rows were last taken out, of all tables together
FILLING = "filling"  # mark: it has never been of all rows yet
TRIES = 8  # portions that a question does itself
SOON = 20_000  # rows judged anew that a question waits for


class Follower:
    """For the process that holds the write lock; one thread at a time. After an exception it is
    to be thrown away: what is in State is whole.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._store: LiveStore | None = None
        self._map, self._version = LiveMap.none(), 0
        self._ruled = Ruled()

    def at(self, view: View, rules: Rules, decisions: Decisions) -> PersonMap | None:
        """Everybody, as this view has them; None where that is not to be had soon, or the view was
        opened before the store went on.
        """
        return self._people() if self._is_brought_to(view, rules, decisions) else None

    def around(
        self, view: View, rules: Rules, decisions: Decisions, nodes: Collection[bytes]
    ) -> PersonMap | None:
        """The same of those alone who hang together with these: whoever else there is, it is read
        in a blink.
        """
        is_there = self._is_brought_to(view, rules, decisions)
        return self._store.people(nodes) if is_there and self._store else None

    def _is_brought_to(self, view: View, rules: Rules, decisions: Decisions) -> bool:
        goal, known = Extent.of(view.files), marks(self._state)
        if _is_behind(goal, known) or goal.rows - known.get(ROWS, 0) > AT_ONCE:
            return False
        for _ in range(TRIES):
            if self.follow(view, rules, decisions):
                known = marks(self._state)  # somebody may have emptied it
                return (known.get(ROWS), known.get(LEFT)) == (goal.rows, goal.erased)
            if self.waiting > SOON:
                return False
        return False

    @property
    def waiting(self) -> int:
        """About how many rows other rules and decisions have still to be asked of."""
        return self._store.waiting if self._store else 0

    def follow(self, view: View, rules: Rules, decisions: Decisions) -> bool:
        """Takes in what is new in the lake or of rules, a portion; whether nothing is left. Of a
        view of now: what the store has and the view has not is gone from the lake.
        """
        goal = Extent.of(view.files)
        known = self._known(goal)
        between = {
            name: (known.get(name, 0), min(last, known.get(name, 0) + AT_ONCE))
            for name, last in goal.last.items()
        }
        is_all = all(upto == goal.last[name] for name, (_, upto) in between.items())
        store = self._ruled_by(view, rules, decisions)
        if store.judge() is not None:
            return False
        if any(after < upto for after, upto in between.values()) or ROWS not in known:
            facts, rows = told(view, between)
            is_news = ROWS in known and not known.get(FILLING)
            rows += known.get(ROWS, 0)
            upto = {name: upto for name, (_, upto) in between.items()}
            numbers = {**upto, ROWS: rows, LEFT: goal.erased, FILLING: int(not (is_news or is_all))}
            store.add(facts, numbers, is_news=is_news)
        else:
            rows = known[ROWS]
        if is_all and rows != goal.rows:
            self.forget(goal)
            return False
        return is_all

    def forget(self, goal: Extent) -> None:
        """Empties the store; it is made anew from the first row on. Not by a view that was opened
        before rows were taken out of what is the `goal`.
        """
        forget(self._state, {LEFT: goal.erased})
        self._drop()

    def _drop(self) -> None:
        self._store = None
        self._map, self._version = LiveMap.none(), 0

    def _known(self, goal: Extent) -> dict[str, int]:
        known = marks(self._state)
        if ROWS not in known:  # new, or somebody else emptied it
            self._drop()
        is_other = known.get(LEFT, goal.erased) != goal.erased
        if is_other or is_spoilt(known) or _is_behind(goal, known):
            self.forget(goal)
            known = {}
        return known

    def _ruled_by(self, view: View, rules: Rules, decisions: Decisions) -> LiveStore:
        ruled = _ruled(view, rules, decisions)
        if self._store is None:
            self._store = LiveStore(self._state, ruled)
        elif ruled != self._ruled:
            self._store.rule(ruled)
        self._ruled = ruled
        return self._store

    def _people(self) -> PersonMap:
        version = marks(self._state).get(CHANGED, 0)
        if version != self._version:
            self._map = self._map.with_rows(read_rows(self._state, after=self._version))
            self._version = version
        return self._map.people()


def is_level(state: State, view: View, rules: Rules, decisions: Decisions) -> bool:
    """Whether the store is of the rows of this view, under these rules and decisions."""
    goal, known = Extent.of(view.files), marks(state)
    wanted = {**goal.last, ROWS: goal.rows, LEFT: goal.erased}
    wanted[RULED] = _ruled(view, rules, decisions).number
    is_same = all(known.get(name) == value for name, value in wanted.items())
    return is_same and not is_spoilt(known)


def renew(state: State) -> None:
    """Has it made anew by whoever follows; for those who do not hold the write lock."""
    state.write(*kept({RENEW: 1}))


def _is_behind(goal: Extent, known: Mapping[str, int]) -> bool:
    """Whether the store holds rows that came later."""
    is_beyond = any(known.get(name, 0) > last for name, last in goal.last.items())
    return is_beyond or known.get(LEFT, 0) > goal.erased


def _ruled(view: View, rules: Rules, decisions: Decisions) -> Ruled:
    return Ruled(rules, replace(decisions, staff=staff_nodes(view, rules)))


def told(view: View, between: Between) -> tuple[Facts, int]:
    """What rows of a view say (see `identifier_sets`), and how many they are."""
    nodes, pairs, rows = few_told(view, between) or _queried(view, between)
    day = pairs["local_day"].cast(pa.int32()).combine_chunks()
    facts = Facts(
        node_arrays(nodes),
        tuple(app_names(nodes).to_pylist()),
        positions(pairs["a"], nodes["node_id"]),
        positions(pairs["b"], nodes["node_id"]),
        pairs["kind"].to_numpy().astype(np.int8),
        day.fill_null(NO_DAY).to_numpy().astype(np.int32),
    )
    return facts, rows


def _queried(view: View, between: Between) -> tuple[pa.Table, pa.Table, int]:
    sets = view.keep(identifier_sets(view, between))
    rows = view.fetch(sets.agg(rows=sets.rows.sum()))["rows"][0].as_py()
    return view.fetch(nodes_of(sets)), view.fetch(daily_pairs(sets)), int(rows or 0)
