"""What holds for any evidence: it is a set, and people are a function of it."""

import itertools
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.identity.kruskal import APART
from touchline.identity.rules import DEFAULT
from touchline.model import IDENTIFIER_TYPES

# Few values of each type, so that rows collide and limits break.
NAMES = [f"{letter}{n}" for letter in "uwmkepxcd" for n in range(4)]
NAMES += [f"o{n}@{app}" for n in range(3) for app in "AB"]
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
        st.integers(0, 12),
        st.sampled_from([1, 2]),
    ),
    max_size=60,
)
MANY = settings(max_examples=200, deadline=None)


@MANY
@given(raw=ROWS, shuffle=st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(facts, raw, shuffle):
    rows = [facts.Row(*row) for row in raw]
    again = rows + shuffle.sample(rows, len(rows) // 2)
    shuffle.shuffle(again)
    turned = [row._replace(names=row.names[::-1]) for row in again]
    assert facts.solve(turned).bytes() == facts.solve(rows).bytes()


@MANY
@given(raw=ROWS, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_batches_together_equal_one_batch(facts, raw, cuts):
    rows = [facts.Row(*row) for row in raw]
    edges = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    batches = [rows[a:b] for a, b in itertools.pairwise(edges)]
    rejoined = [row for batch in reversed(batches) for row in batch]
    assert facts.solve(rejoined).bytes() == facts.solve(rows).bytes()


@MANY
@given(raw=ROWS)
def test_every_person_keeps_every_limit(facts, raw):
    solved = facts.solve([facts.Row(*row) for row in raw])
    e, person = solved.evidence, solved.people.person
    held = Counter(zip(person.tolist(), e.rank.tolist(), e.app.tolist(), strict=True))
    for (_, rank, _), count in held.items():
        assert count <= (DEFAULT.limits[rank] or count)


@MANY
@given(raw=ROWS, more=ROWS)
def test_more_evidence_never_releases_a_value(facts, raw, more):
    rows = [facts.Row(*row) for row in raw]
    before, after = facts.solve(rows), facts.solve(rows + [facts.Row(*row) for row in more])
    assert before.held() <= after.held()


@MANY
@given(raw=ROWS)
def test_every_pair_is_joined_refused_or_held_back(facts, raw):
    solved = facts.solve([facts.Row(*row) for row in raw])
    person, held = solved.people.person, solved.people.quarantine.held
    a, b = solved.evidence.a, solved.evidence.b
    refused = set(solved.people.refused.tolist())
    for edge in range(len(a)):
        ends = (person[a[edge]], person[b[edge]])
        if held[a[edge]] or held[b[edge]]:
            assert edge not in refused
            assert ends[0] != ends[1]
        else:
            assert (ends[0] != ends[1]) == (edge in refused)
    assert all(0 <= limit < len(IDENTIFIER_TYPES) for limit in solved.people.limit.tolist())
    assert len(IDENTIFIER_TYPES) == APART


@MANY
@given(raw=ROWS)
def test_a_person_is_named_by_its_first_seen_strongest_value(facts, raw):
    solved = facts.solve([facts.Row(*row) for row in raw])
    e, p = solved.evidence, solved.people
    for number, anchor in enumerate(p.anchor.tolist()):
        members = np.flatnonzero(p.person == number).tolist()
        assert anchor == min(members, key=lambda n: (e.first_seen_us[n], e.rank[n], e.node_id(n)))
    assert list(p.anchor) == sorted(p.anchor)


@MANY
@given(raw=ROWS, at=st.integers(0, 60))
def test_taking_evidence_back_undoes_what_it_caused(facts, raw, at):
    rows = [facts.Row(*row) for row in raw]
    without = rows[:at] + rows[at + 1 :]
    merged = facts.solve(rows)
    assert facts.solve(without).bytes() == facts.solve(list(without)).bytes()
    assert facts.solve([*without, *rows[at : at + 1]]).bytes() == merged.bytes()


@pytest.mark.parametrize("batch", range(10))
def test_a_thousand_dirty_worlds_do_not_depend_on_order(facts, batch):
    for seed in range(batch * 100, batch * 100 + 100):
        rows = dirty_rows(facts, random.Random(seed))
        shuffle = random.Random(-seed)
        shuffled = shuffle.sample(rows, len(rows)) + shuffle.choices(rows, k=5)
        assert facts.solve(shuffled).bytes() == facts.solve(rows).bytes()


def dirty_rows(facts, rng):
    """A few persons whose identifiers leak into each other's rows, beside values all share."""
    size = rng.choice([3, 6, 12])
    rows = []
    for _ in range(rng.randint(20, 120)):
        who = rng.randrange(size)
        own = [f"{letter}{who}" for letter in "uemcp" if rng.random() < 0.4]
        shared = [rng.choice(["e_null", "c_kiosk", "p_shop", "d_family"])] * (rng.random() < 0.2)
        stray = [f"c{rng.randrange(size)}"] * (rng.random() < 0.1)
        names = tuple(dict.fromkeys(own + shared + stray))
        if names:
            rows.append(facts.Row(names, rng.randrange(30)))
    return rows
