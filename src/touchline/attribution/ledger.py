"""Who did what, and what it came to → statistics that follow each change at its own cost.

    ledger.fold(touches, bought, members)     a day: what is new
    ledger.fold(bought=…, members=…)          a deal closed, or its amount changed, months later
    ledger.move({2: 1})                       person 2 turned out to be person 1
    ledger.put(people, touches, …)            they are two after all: what each of them has
    ledger.erase(people)                      their touches go; what they bought stays, nobody's

A change reaches the journeys of the people and conversions in it and no others. Their statistics
are taken away as they were and added as they are, so after any changes in any order `statistics`
are, to the last bit, those of a ledger made anew from what is in it.

The surprise: a touch leads nowhere only as long as no conversion has it in its window. So a deal
that closes late takes touches out of its people's other path, which is why that is adjusted too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from touchline.attribution.arrays import Int64s, Ints
from touchline.attribution.inputs import Options
from touchline.attribution.shelf import Rows, Shelf, among
from touchline.attribution.statistics import Label, Statistics
from touchline.attribution.walk import Bought, Members, channels_of, walk

__all__ = ["Bought", "Ledger", "Members", "Terms"]


@dataclass(frozen=True)
class Terms:
    """What is asked: the models, how long before a conversion a touch counts, their options."""

    models: tuple[str, ...]
    window_us: int
    options: Options = field(default_factory=Options)


class Ledger:
    """People and conversions are numbers of the caller's. Not for two threads at once."""

    def __init__(
        self,
        terms: Terms,
        touches: Rows | None = None,
        bought: Bought | None = None,
        members: Members | None = None,
        *,
        labels: tuple[Label, ...] = (),
    ) -> None:
        self.terms, self.labels = terms, labels
        self._shelf = Shelf(touches or Rows.nothing())
        self._bought, self._members = Bought.nothing(), Members.nothing()
        self._take_in(bought or Bought.nothing(), members or Members.nothing())
        everybody = np.union1d(self._shelf.people, self._members.person)
        self.statistics = self._of(self._bought.number, everybody)

    def codes(self, labels: list[Label]) -> Ints:
        """The codes of labels; new ones get new codes."""
        place = {label: code for code, label in enumerate(self.labels)}
        for label in labels:
            place.setdefault(label, len(place))
        self.labels = tuple(place)
        return np.array([place[label] for label in labels], dtype=np.int32)

    def fold(
        self,
        touches: Rows | None = None,
        bought: Bought | None = None,
        members: Members | None = None,
    ) -> None:
        """Touches beside those there are; conversions that are new, or known ones told anew, whose
        members are those given now.
        """
        touches = touches or Rows.nothing()
        people = np.unique(touches.person)
        self.put(people, Rows.joined([self._shelf.take(people), touches]), bought, members)

    def put(
        self,
        people: Int64s,
        touches: Rows,
        bought: Bought | None = None,
        members: Members | None = None,
    ) -> None:
        """All touches that these people have, in place of what they had; conversions as in `fold`.
        What has no more people is given as one of no members.
        """
        people = np.unique(people)
        bought, members = bought or Bought.nothing(), members or Members.nothing()
        told = np.unique(bought.number)
        numbers = np.union1d(told, self._numbers_of(people))
        around = np.concatenate([people, self._people_of(told), members.person])
        around = np.unique(around)
        before = self._of(numbers, around)
        self._shelf.put(people, touches)
        self._take_in(bought, members)
        self.statistics = self.statistics - before + self._of(numbers, around)

    def move(self, people: Mapping[int, int]) -> None:
        """The touches and conversions of some people become those of others."""
        old = np.array(sorted(people), dtype=np.int64)
        new = np.array([people[one] for one in old.tolist()], dtype=np.int64)
        everyone = np.union1d(old, new)
        touches = self._shelf.take(everyone)
        place, is_moved = among(touches.person, old)
        touches = touches._replace(person=np.where(is_moved, new[place], touches.person))
        numbers = self._numbers_of(old)
        members = self._members_of(numbers)
        place, is_moved = among(members.person, old)
        members = members._replace(person=np.where(is_moved, new[place], members.person))
        self.put(everyone, touches, self._bought_of(numbers), members)

    def erase(self, people: Int64s) -> None:
        """No touch of these people is left, here or in the statistics; their conversions stay."""
        people = np.unique(people)
        numbers = self._numbers_of(people)
        members = self._members_of(numbers)
        is_left = ~among(members.person, people)[1]
        left = Members(members.number[is_left], members.person[is_left])
        self.put(people, Rows.nothing(), self._bought_of(numbers), left)

    def _take_in(self, bought: Bought, members: Members) -> None:
        told = np.unique(bought.number)
        is_kept = ~among(self._bought.number, told)[1]
        both = [
            np.concatenate([old[is_kept], new])
            for old, new in zip(self._bought, bought, strict=True)
        ]
        order = np.argsort(both[0], kind="stable")
        self._bought = Bought(*(column[order] for column in both))
        is_kept = ~among(self._members.number, told)[1]
        new = np.unique(np.stack(members), axis=1)
        self._members = Members(
            np.concatenate([self._members.number[is_kept], new[0]]),
            np.concatenate([self._members.person[is_kept], new[1]]),
        )

    def _numbers_of(self, people: Int64s) -> Int64s:
        return np.unique(self._members.number[among(self._members.person, people)[1]])

    def _people_of(self, numbers: Int64s) -> Int64s:
        return self._members_of(numbers).person

    def _members_of(self, numbers: Int64s) -> Members:
        is_asked = among(self._members.number, numbers)[1]
        return Members(self._members.number[is_asked], self._members.person[is_asked])

    def _bought_of(self, numbers: Int64s) -> Bought:
        is_asked = among(self._bought.number, numbers)[1]
        return Bought(*(column[is_asked] for column in self._bought))

    def _of(self, numbers: Int64s, people: Int64s) -> Statistics:
        """Statistics of the journeys of these conversions, and of these people's other paths."""
        rows = self._shelf.take(np.union1d(people, self._people_of(numbers)))
        is_near = among(self._members.number, numbers)[1]
        is_near |= among(self._members.person, people)[1]
        near = Members(self._members.number[is_near], self._members.person[is_near])
        found = walk(
            rows,
            self._bought,
            near,
            labels=channels_of(self.labels),
            window_us=self.terms.window_us,
            asked=numbers[among(numbers, self._bought.number)[1]],
            people=people,
        )
        terms = self.terms
        return Statistics.of(found.journeys, self.labels, terms.models, **terms.options)
