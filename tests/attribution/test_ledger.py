"""Whatever happened, and in which order: statistics are those of a ledger made anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import shelf
from touchline.attribution.figures import figures
from touchline.attribution.ledger import Ledger, Terms
from touchline.attribution.shelf import Rows, Shelf
from touchline.attribution.walk import Bought, Members

DAY_US = 86_400_000_000
TERMS = Terms(
    ("first_touch", "last_touch", "linear", "time_decay", "markov_1", "markov_2", "shapley_rate"),
    10 * DAY_US,
)
LABELS = (("Search", None), ("Search", "brand"), ("Social", None), ("Store", None))
PEOPLE = st.integers(0, 4)
TOUCH = st.tuples(PEOPLE, st.integers(0, 30), st.integers(0, 3))
DEAL = st.tuples(
    st.integers(0, 5),
    st.integers(0, 40),
    st.integers(-300, 900),
    st.sampled_from([0, 1, 1]),
    st.sets(PEOPLE, max_size=3),
)
DAY = st.tuples(st.just("fold"), st.lists(TOUCH, max_size=6), st.lists(DEAL, max_size=2))
MERGE = st.tuples(st.just("move"), PEOPLE, PEOPLE)
SPLIT = st.tuples(st.just("put"), PEOPLE, st.lists(TOUCH, max_size=4))
ERASURE = st.tuples(st.just("erase"), st.sets(PEOPLE, min_size=1))
CHANGES = st.lists(st.one_of(DAY, MERGE, SPLIT, ERASURE), max_size=6)


class Story:
    """The same changes to plain lists, from which a ledger is made anew."""

    def __init__(self):
        self.touches, self.deals, self.seq = [], {}, 0

    def fold(self, touches, deals):
        new = []
        for person, day, label in touches:
            self.seq += 1
            new.append((person, day * DAY_US, self.seq, label))
        self.touches += new
        deals = {deal[0]: deal for deal in deals}
        self.deals |= deals
        return rows(new), *conversions(deals.values())

    def move(self, old, new):
        self.touches = [(new if t[0] == old else t[0], *t[1:]) for t in self.touches]
        self.deals = {
            n: (*d[:4], {new if p == old else p for p in d[4]}) for n, d in self.deals.items()
        }

    def put(self, person, touches):
        kept = [t for t in self.touches if t[0] != person]
        self.touches = []
        found, _, _ = self.fold([(person, *t[1:]) for t in touches], [])
        self.touches += kept
        return found

    def erase(self, people):
        self.touches = [t for t in self.touches if t[0] not in people]
        self.deals = {n: (*d[:4], d[4] - people) for n, d in self.deals.items()}

    def ledger(self):
        made = conversions(self.deals.values())
        return Ledger(TERMS, rows(self.touches), *made, labels=LABELS)


def rows(touches):
    person, ts_us, seq, label = np.array(touches, dtype=np.int64).reshape(-1, 4).T
    return Rows(person, ts_us, seq, label.astype(np.int32))


def conversions(deals):
    deals = list(deals)
    table = np.array([deal[:4] for deal in deals], dtype=np.int64).reshape(-1, 4).T
    pairs = [(deal[0], person) for deal in deals for person in deal[4]]
    number, person = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Bought(table[0], table[1] * DAY_US, table[2], table[3]), Members(number, person)


def told(ledger, story, change):
    what, *rest = change
    if what == "fold":
        ledger.fold(*story.fold(*rest))
    elif what == "move":
        ledger.move({rest[0]: rest[1]})
        story.move(*rest)
    elif what == "put":
        ledger.put(np.array([rest[0]]), story.put(*rest))
    else:
        ledger.erase(np.array(sorted(rest[0])))
        story.erase(rest[0])


@given(CHANGES)
def test_all_changes_together_are_a_ledger_made_anew(changes):
    story, ledger = Story(), Ledger(TERMS, labels=LABELS)
    for change in changes:
        told(ledger, story, change)
    assert ledger.statistics.is_same(story.ledger().statistics)


def test_a_deal_closed_180_days_later_takes_its_touches_out_of_the_path_that_led_nowhere():
    story = Story()
    terms = Terms(("linear", "markov_1"), 365 * DAY_US)
    touches, _, _ = story.fold([(1, 0, 1), (2, 3, 2), (3, 5, 3)], [])
    ledger = Ledger(terms, touches, labels=LABELS)
    assert ledger.statistics.totals[0] == 0
    ledger.fold(None, *conversions([(7, 183, 90_000, 1, {1, 2})]))
    found = figures(ledger.statistics, ["linear", "markov_1"])
    linear = dict(zip(found["linear"].channels, found["linear"].channel_revenue, strict=True))
    assert linear == {"Search": 45_000, "Social": 45_000, "Store": 0}
    assert found["markov_1"].removal_effect.tolist() == [1, 1, 0]


def test_an_amount_that_changes_is_credited_as_it_is_now():
    story = Story()
    touches, bought, members = story.fold([(1, 0, 1)], [(7, 1, 100, 1, {1})])
    ledger = Ledger(TERMS, touches, bought, members, labels=LABELS)
    ledger.fold(None, bought._replace(value=np.array([250])), members)
    assert figures(ledger.statistics, ["linear"])["linear"].channel_revenue.tolist() == [250]


def test_labels_nobody_had_yet_get_codes():
    ledger = Ledger(TERMS, labels=LABELS[:1])
    code = ledger.codes([LABELS[2], LABELS[0], ("Radio", None)])
    assert code.tolist() == [1, 0, 2]
    found = rows([(1, 5, 1, code[2])])
    ledger.fold(found, *conversions([(1, 1, 100, 1, {1})]))
    assert ledger.statistics.labels == (("Radio", None),)


@given(st.lists(st.tuples(st.sets(PEOPLE), st.lists(TOUCH, max_size=6)), max_size=8))
def test_a_shelf_gives_back_what_was_put_last(changes):
    kept, seq = {}, 0
    found = Shelf(Rows.nothing())
    small, shelf.SMALL = shelf.SMALL, 4
    try:
        for people, touches in changes:
            mine = [(p, day, seq + n, label) for n, (p, day, label) in enumerate(touches)]
            seq += len(mine)
            mine = [touch for touch in mine if touch[0] in people]
            kept |= {p: sorted(t for t in mine if t[0] == p) for p in people}
            found.put(np.array(sorted(people), dtype=np.int64), rows(mine))
    finally:
        shelf.SMALL = small
    wanted = [touch for person in sorted(kept) for touch in kept[person]]
    taken = found.take(np.arange(5))
    assert [tuple(map(int, touch)) for touch in zip(*taken, strict=True)] == wanted
    assert len(found) == len(wanted)
    assert found.people.tolist() == [person for person in sorted(kept) if kept[person]]
