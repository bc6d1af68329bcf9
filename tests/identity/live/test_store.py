"""The live store gives what batch gives, to the bit, whatever comes in whatever order."""

import itertools
import os
import random

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchline.identity.change import MERGED, SPLIT
from touchline.identity.evidence import Decisions
from touchline.identity.live import store as live
from touchline.identity.live.map import LiveMap
from touchline.identity.live.part import NOTHING, Part
from touchline.identity.live.rows import node_ids, read_rows
from touchline.identity.live.store import CHANGED, RULED, LiveStore, forget, marks
from touchline.identity.person_map import PersonMap
from touchline.identity.ruled import Ruled
from touchline.identity.rules import DEFAULT, Rules
from touchline.storage import schema
from touchline.storage.state import State

LONG = bool(os.environ.get("TOUCHLINE_LONG"))
SOME = settings(max_examples=1000 if LONG else 40, deadline=None)
NAMES = [f"{letter}{n}" for letter in "uwmkepxcd" for n in range(4)]
NAMES += [f"o{n}@{app}" for n in range(3) for app in "AB"]
NAMES += [f"c_{n}" for n in range(3)]
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
        st.integers(0, 12),
        st.sampled_from([1, 2]),
    ),
    max_size=40,
)
NODES = st.sampled_from(NAMES[:24])
COUPLES = st.lists(st.tuples(NODES, NODES).filter(lambda two: two[0] != two[1]), max_size=3)
FEW = st.lists(NODES, max_size=2)
RULINGS = st.tuples(
    st.sampled_from([DEFAULT, DEFAULT, Rules(quarantine_above=1), Rules(quarantine_above=2)]),
    st.fixed_dictionaries(
        {
            "together": COUPLES,
            "suggested": COUPLES,
            "apart": COUPLES,
            "quarantined": FEW,
            "released": FEW,
            "blocked": FEW,
            "staff": FEW,
            "unlinked": FEW,
        }
    ),
)
MEMORY = "sqlite://"


@pytest.fixture(scope="module")
def database():
    """In memory, for what is asked of it thousands of times."""
    state = State(MEMORY)
    schema.metadata.create_all(state.engine)
    yield state
    state.close()


@pytest.fixture
def store(database):
    return emptied(database)


def emptied(state):
    with state.engine.begin() as connection:
        for name in (
            "identity_component",
            "identity_node",
            "identity_beside",
            "person_change",
            "mark",
        ):
            connection.execute(sa.delete(schema.metadata.tables[name]))
    return state


def ruling(facts, rules, named):
    pairs = ("together", "apart", "suggested")
    couples = {n: [tuple(map(facts.node_id, two)) for two in named[n]] for n in pairs}
    ones = {n: [facts.node_id(one) for one in held] for n, held in named.items() if n not in pairs}
    told = {name: tuple(sorted(set(held))) for name, held in {**couples, **ones}.items()}
    return Ruled(rules, Decisions(**told))


def expected(facts, rows, ruled):
    solved = facts.solve(rows, rules=ruled.rules, decisions=ruled.decisions)
    return PersonMap.of(solved.evidence, solved.people)


def assert_same(mine, batch):
    for one, other in (
        (mine.known.hi, batch.known.hi),
        (mine.known.lo, batch.known.lo),
        (mine.known.rank, batch.known.rank),
        (mine.known.first_seen_us, batch.known.first_seen_us),
        (mine.people.person, batch.people.person),
        (mine.people.anchor, batch.people.anchor),
        (mine.people.quarantine.cause, batch.people.quarantine.cause),
        (mine.people.quarantine.count, batch.people.quarantine.count),
    ):
        assert np.array_equal(one, other)
    assert list(mine.person_ids) == list(batch.person_ids)


def portions(rows, cuts):
    edges = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    return [rows[a:b] for a, b in itertools.pairwise(edges)]


class Followed:
    """A map that is brought up by changed rows, as a reader has it."""

    def __init__(self, state):
        self.state, self.version, self.map = state, 0, LiveMap.none()

    def people(self):
        self.map = self.map.with_rows(read_rows(self.state, after=self.version))
        self.version = marks(self.state).get(CHANGED, 0)
        return self.map.people()


def evidence_of(state):
    return Part(read_rows(state), NOTHING, Ruled()).evidence


@SOME
@given(raw=ROWS, cuts=st.lists(st.integers(0, 40), max_size=8), shuffle=st.randoms())
def test_any_order_and_portions_give_the_people_of_batch(facts, database, raw, cuts, shuffle):
    rows = [facts.Row(*row) for row in raw]
    store = LiveStore(emptied(database))
    again = rows + shuffle.sample(rows, len(rows) // 2)
    shuffle.shuffle(again)
    for portion in portions(again, cuts):
        store.add(facts.told(portion))
    assert_same(store.people(), expected(facts, rows, Ruled()))
    kept, known = evidence_of(database), facts.gathered(rows)
    for name in ("hi", "lo", "rank", "first_seen_us", "a", "b", "kind", "days"):
        assert np.array_equal(getattr(kept, name), getattr(known, name)), name


@SOME
@given(
    raw=ROWS,
    cuts=st.lists(st.integers(0, 40), max_size=6),
    rulings=st.lists(RULINGS, min_size=1, max_size=4),
)
def test_decisions_and_rules_between_portions_do_as_well(facts, database, raw, cuts, rulings):
    rows = [facts.Row(*row) for row in raw]
    store = LiveStore(emptied(database))
    taken, ruled, reader = [], Ruled(), Followed(database)
    for portion, told in itertools.zip_longest(portions(rows, cuts), rulings):
        if portion is not None:
            store.add(facts.told(portion))
            taken += portion
        if told is not None:
            ruled = ruling(facts, *told)
            store.rule(ruled)
            store.judge_all()
        assert_same(store.people(), expected(facts, taken, ruled))
        if len(taken) % 3:  # it need not read each version
            assert_same(reader.people(), store.people())


@pytest.fixture
def small(monkeypatch):
    """All is done in portions of a few rows."""
    monkeypatch.setattr(live, "PORTION", 3)
    monkeypatch.setattr(live, "AT_ONCE", 4)


@settings(
    SOME,
    max_examples=1000 if LONG else 15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    raw=ROWS,
    cuts=st.lists(st.integers(0, 40), max_size=4),
    rulings=st.lists(st.tuples(RULINGS, st.integers(0, 4)), min_size=1, max_size=5),
    restarts=st.sets(st.integers(0, 9)),
)
def test_rules_taken_up_by_portions_and_left_half_done_do_as_well(
    facts, database, small, raw, cuts, rulings, restarts
):
    rows = [facts.Row(*row) for row in raw]
    store, ruled, number = LiveStore(emptied(database)), Ruled(), 0
    for portion, (told, steps) in itertools.zip_longest(
        portions(rows, cuts), rulings, fillvalue=(None, 0)
    ):
        store.add(facts.told(portion if isinstance(portion, list) else []))
        if told is not None:
            ruled = ruling(facts, *told)
            store.rule(ruled)
        for _ in range(steps):  # before all is done come other rules, or the process ends
            store.judge()
        if (number := number + 1) in restarts:
            store = LiveStore(database, ruled)
    store.judge_all()
    assert store.waiting == 0
    assert_same(store.people(), expected(facts, rows, ruled))
    assert marks(database)[RULED] == ruled.number
    beside = database.read(sa.select(schema.identity_beside.c.alone).distinct())
    kept = read_rows(database)
    alone = kept.nodes[np.cumsum(kept.sizes)[kept.is_alone] - 1]
    touched = alone[kept.touches[kept.is_alone].sum(axis=1) > 0]
    assert {row.alone for row in beside} == node_ids(touched)


@pytest.mark.parametrize("seed", range(200 if LONG else 8))
def test_dirty_worlds_row_by_row_are_those_of_batch(facts, database, seed):
    dice = random.Random(seed)
    rows = facts.dirty_rows(dice)
    store, reader = LiveStore(emptied(database)), Followed(database)
    while rows:
        taken = [rows.pop() for _ in range(min(len(rows), dice.choice([1, 1, 3, 20])))]
        store.add(facts.told(taken))
        if dice.random() < 0.1:
            store = LiveStore(database)  # a new process goes on where the last one ended
            reader.people()
    rows = facts.dirty_rows(random.Random(seed))
    assert_same(store.people(), expected(facts, rows, Ruled()))
    assert_same(reader.people(), store.people())


def test_what_is_told_again_writes_nothing(facts, store, monkeypatch):
    kept = LiveStore(store)
    rows = facts.rows("u1 c1 *3", "u1 e1", *(f"u{n} c_kiosk" for n in range(9)))
    kept.add(facts.told(rows))
    before = marks(store)
    assert kept.add(facts.told(rows[::-1])) == []
    assert marks(store) == before


def test_numbers_told_with_facts_are_peoplewith_them(facts, store):
    LiveStore(store).add(facts.told(facts.rows("u1 c1")), {"events": 7})
    assert marks(store)["events"] == 7
    forget(store, {})
    assert marks(store) == {}
    assert len(LiveStore(store).people().known) == 0


def test_a_merge_a_split_and_their_causes_are_rows(facts, store):
    people = LiveStore(store)
    people.add(facts.told(facts.rows("e1 c1", "p1 c2")))
    (merged,) = people.add(facts.told(facts.rows("e1 p1")))
    assert merged.kind == MERGED
    apart = ((facts.node_id("e1"), facts.node_id("p1")),)
    people.rule(Ruled(decisions=Decisions(apart=apart)))
    (split,) = people.judge_all()
    assert (split.kind, split.person_id) == (SPLIT, merged.other_id)
    kept = store.read(sa.select(schema.person_change).order_by(schema.person_change.c.id))
    assert [(row.kind, row.cause) for row in kept] == [(MERGED, "evidence"), (SPLIT, "decision")]


def test_a_person_is_told_of_without_reading_others(facts, store):
    people = LiveStore(store)
    people.add(facts.told(facts.rows("u1 c1", "u2 c2")))
    asked = [facts.node_id(name) for name in ("u1", "c1", "c2", "u9")]
    found = people.map_of(asked)
    assert found[asked[0]] == found[asked[1]] != found[asked[2]]
    assert asked[3] not in found


def test_another_process_with_other_decisions_judges_anew(facts, store):
    LiveStore(store).add(facts.told(facts.rows("u1 c1")))
    ruled = Ruled(decisions=Decisions(quarantined=(facts.node_id("c1"),)))
    people = LiveStore(store, ruled)
    people.judge_all()
    assert_same(people.people(), expected(facts, facts.rows("u1 c1"), ruled))


def test_other_rules_are_asked_of_a_few_rows_at_a_time(facts, store, monkeypatch):
    monkeypatch.setattr(live, "PORTION", 5)
    people = LiveStore(store)
    rows = facts.rows(*(f"u{n} c{n}" for n in range(40)), *(f"u{n} c_kiosk" for n in range(9)))
    people.add(facts.told(rows))
    read, real = list[int](), live.read_rows
    monkeypatch.setattr(live, "read_rows", lambda *a: read.append(len((r := real(*a)).ids)) or r)
    ruled = Ruled(Rules(quarantine_above=9))
    people.rule(ruled)
    people.judge_all()
    assert len(read) > 40 / 5
    assert max(read) == 1 + 9  # the kiosk and all that it touches; else a portion
    assert sorted(read)[-2] <= 5
    assert_same(people.people(), expected(facts, rows, ruled))


def test_a_value_that_very_many_touch_is_let_join_and_held_back_again(facts, store):
    """By no more than what it touches, and within what a few of those take."""
    many = 100_000 if LONG else 3_000
    rows = [facts.Row((f"u{n}", "c_kiosk")) for n in range(many)] + facts.rows("u_other c_other")
    people = LiveStore(store)
    people.add(facts.told(rows))
    kiosk = facts.node_id("c_kiosk")
    (other,) = people.map_of([facts.node_id("u_other")]).values()
    for ruled in (Ruled(decisions=Decisions(released=(kiosk,))), Ruled()):
        people.rule(ruled)
        told = people.judge_all()
        assert other not in {one.person_id for one in told}
        assert_same(people.people(), expected(facts, rows, ruled))


def test_what_ends_in_the_middle_of_a_large_write_says_that_it_is_not_whole(
    facts, store, monkeypatch
):
    monkeypatch.setattr(live, "AT_ONCE", 4)
    people = LiveStore(store)
    people.add(facts.told(facts.rows("u1 c1")))
    assert live.HALF not in marks(store)
    real, written = store.write, []

    def write(*statements):
        written.append(statements)
        if len(written) == 3:
            raise OSError("the disk is gone")
        real(*statements)

    monkeypatch.setattr(store, "write", write)
    with pytest.raises(OSError, match="gone"):
        people.add(facts.told(facts.rows(*(f"u{n} e{n}" for n in range(9)))))
    assert marks(store)[live.HALF] == 1
