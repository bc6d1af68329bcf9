"""Touches by person: all of somebody's taken at once, and put back changed, among many millions.

The bulk lies sorted in arrays that are never touched again. What changed since lies in a second,
small set, which speaks alone for the people in it; when it has grown, the two become one.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from touchline.attribution.arrays import Bools, Int64s, Ints
from touchline.attribution.order import ordered

__all__ = ["Rows", "Shelf", "among", "begins_of", "spans"]

SMALL = 1 << 17  # rows of change that are not worth a look at all others


class Rows(NamedTuple):
    """Touches: whose, when, in which order at the same moment, and what (a label's code)."""

    person: Int64s
    ts_us: Int64s
    seq: Int64s
    label: Ints

    @classmethod
    def nothing(cls) -> Self:
        none = np.zeros(0, np.int64)
        return cls(none, none, none, np.zeros(0, np.int32))

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> Self:
        return cls(
            np.concatenate([part.person for part in parts]),
            np.concatenate([part.ts_us for part in parts]),
            np.concatenate([part.seq for part in parts]),
            np.concatenate([part.label for part in parts]),
        )

    def at(self, places: Ints | Bools) -> "Rows":
        return Rows(self.person[places], self.ts_us[places], self.seq[places], self.label[places])

    def in_order(self) -> "Rows":
        """By person, time and seq."""
        people = int(self.person.max(initial=0)) + 1
        if self.person.min(initial=0) >= 0 and people <= max(len(self.person), SMALL):
            return self.at(ordered(self.person, self.ts_us, self.seq, people)[0])
        return self.at(np.lexsort((self.seq, self.ts_us, self.person)))


class _Sorted(NamedTuple):
    """Rows in order, and where those of each person begin (one entry more than people)."""

    rows: Rows
    people: Int64s
    begins: Int64s

    @classmethod
    def of(cls, rows: Rows) -> "_Sorted":
        return cls(rows, *begins_of(rows))

    def of_people(self, people: Int64s) -> Rows:
        place, is_there = among(people, self.people)
        found = place[is_there]
        return self.rows.at(spans(self.begins[found], self.begins[found + 1]))


class Shelf:
    """The touches of everybody. People are whole numbers of the caller's."""

    def __init__(self, rows: Rows) -> None:
        self._settle(rows)

    def __len__(self) -> int:
        old = np.diff(self._bulk.begins)[self._is_old]
        return len(self._bulk.rows.person) - int(old.sum()) + len(self._changed.rows.person)

    @property
    def people(self) -> Int64s:
        """Everybody with a touch, ascending."""
        return np.union1d(self._bulk.people[~self._is_old], self._changed.people)

    def take(self, people: Int64s) -> Rows:
        """All touches of these people (ascending numbers, each once), in order."""
        if not self._is_old.any() and np.array_equal(people, self._bulk.people):
            return self._bulk.rows  # everybody, and nothing has changed
        place, is_there = among(people, self._bulk.people)
        is_there[is_there] = ~self._is_old[place[is_there]]
        parts = [self._bulk.of_people(people[is_there]), self._changed.of_people(people)]
        if not len(parts[1].person):
            return parts[0]
        found = Rows.joined(parts)
        return found.at(np.argsort(found.person, kind="stable"))

    def put(self, people: Int64s, rows: Rows) -> None:
        """These are all touches of these people from now on; there may be none."""
        place, is_there = among(people, self._bulk.people)
        self._is_old[place[is_there]] = True
        kept = self._changed.rows.at(~among(self._changed.rows.person, people)[1])
        both = Rows.joined([kept, rows.in_order()])  # two runs, which a stable sort only merges
        self._changed = _Sorted.of(both.at(np.argsort(both.person, kind="stable")))
        if len(self._changed.rows.person) > max(SMALL, len(self._bulk.rows.person) // 8):
            self._become_one()

    def _become_one(self) -> None:
        is_kept = np.repeat(~self._is_old, np.diff(self._bulk.begins))
        self._settle(Rows.joined([self._bulk.rows.at(is_kept), self._changed.rows]))

    def _settle(self, rows: Rows) -> None:
        self._bulk = _Sorted.of(rows.in_order())
        self._changed = _Sorted.of(Rows.nothing())
        self._is_old = np.zeros(len(self._bulk.people), np.bool_)


def begins_of(rows: Rows) -> tuple[Int64s, Int64s]:
    """The people of rows in order, and where each begins; one entry more than there are people."""
    people = rows.person
    starts = np.flatnonzero(np.append(True, people[1:] != people[:-1]))[: len(people)]
    return people[starts], np.append(starts, len(people))


def among(wanted: Int64s, known: Int64s) -> tuple[Ints, Bools]:
    """The place of each wanted number in the known ones, which ascend, and whether it is there."""
    if not len(known):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted


def spans(starts: Ints, ends: Ints) -> Int64s:
    """All whole numbers from each start up to its end."""
    lengths = (ends - starts).astype(np.int64)
    after = np.cumsum(lengths)
    return np.repeat(starts - (after - lengths), lengths) + np.arange(int(lengths.sum()))
