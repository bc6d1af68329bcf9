"""What holds for any evidence: it is a set, and people are a function of it."""

import os
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.identity.change import Differences
from touchline.identity.decisions import Decision, in_force
from touchline.identity.evidence import Decisions
from touchline.identity.kruskal import APART
from touchline.identity.person_map import PersonMap
from touchline.identity.rules import DEFAULT, Rules
from touchline.identity.window import crowded
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
PLAIN = [name for name in NAMES if "@" not in name]
COUPLES = st.lists(
    st.tuples(st.sampled_from(PLAIN), st.sampled_from(PLAIN)).filter(lambda two: two[0] != two[1]),
    max_size=4,
)
SINGLES = st.lists(st.sampled_from(PLAIN), max_size=2)
SAID = st.fixed_dictionaries(
    {
        "together": COUPLES,
        "apart": COUPLES,
        "quarantined": SINGLES,
        "released": SINGLES,
        "blocked": SINGLES,
        "staff": SINGLES,
    }
)
RULES = st.builds(
    lambda limits, windows, order, above: Rules(
        limits=tuple(limits),
        # An openid is counted per app, in no window.
        windows_us=tuple(None if n == 7 or limits[n] is None else w for n, w in enumerate(windows)),
        places=tuple(order),
        quarantine_above=above,
    ),
    st.lists(st.sampled_from([None, 1, 2, 3]), min_size=10, max_size=10),
    st.lists(st.sampled_from([None, 3, 8]), min_size=10, max_size=10),
    st.permutations(range(10)),
    st.integers(1, 4),
) | st.just(DEFAULT)
KINDS = st.sampled_from(["merge", "unmerge", "block", "unblock"])
MADE = st.lists(st.tuples(KINDS, st.sampled_from(PLAIN), st.sampled_from(PLAIN)), max_size=5)
LONG = bool(os.environ.get("TOUCHLINE_LONG"))
MANY = settings(max_examples=1000 if LONG else 200, deadline=None)


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


@pytest.mark.parametrize("batch", range(10))
def test_a_thousand_dirty_worlds_do_not_depend_on_order(facts, batch):
    for seed in range(batch * 100, batch * 100 + 100):
        rows = facts.dirty_rows(random.Random(seed))
        shuffle = random.Random(-seed)
        shuffled = shuffle.sample(rows, len(rows)) + shuffle.choices(rows, k=5)
        assert facts.solve(shuffled).bytes() == facts.solve(rows).bytes()


def decisions(facts, said):
    ids = {
        name: tuple(
            tuple(map(facts.node_id, one)) if isinstance(one, tuple) else facts.node_id(one)
            for one in listed
        )
        for name, listed in said.items()
    }
    return Decisions(**ids)


@MANY
@given(raw=ROWS, said=SAID, rules=RULES, shuffle=st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(facts, raw, said, rules, shuffle):
    """Under any rules and decisions. What is cut into batches comes in another order, no more."""
    rows = [facts.Row(*row) for row in raw]
    once = facts.solve(rows, rules=rules, decisions=decisions(facts, said))
    again = rows + shuffle.sample(rows, len(rows) // 2)
    turned = [row._replace(names=row.names[::-1]) for row in again]
    shuffle.shuffle(turned)
    other = {
        name: [one[::-1] if isinstance(one, tuple) else one for one in reversed(listed)]
        for name, listed in said.items()
    }
    again = facts.solve(turned, rules=rules, decisions=decisions(facts, other))
    assert again.bytes() == once.bytes()


@MANY
@given(raw=ROWS, said=SAID, rules=RULES)
def test_limits_windows_and_decisions_hold_for_every_person(facts, raw, said, rules):
    made = decisions(facts, said)
    solved = facts.solve([facts.Row(*row) for row in raw], rules=rules, decisions=made)
    e, person = solved.evidence, solved.people.person.tolist()
    seen = {}
    for node, app in enumerate(e.app.tolist()):
        rank = int(e.rank[node])
        key = (person[node], rank, app if rank == 7 else 0)
        seen.setdefault(key, []).append(int(e.first_seen_us[node]))
    for (_, rank, _), times in seen.items():
        limit, window = rules.limits[rank], rules.windows_us[rank]
        if limit is not None and window is None:
            assert len(times) <= limit
        elif limit is not None:
            assert not crowded(sorted(times), limit, window)
    for a, b in e.apart.tolist():
        assert person[a] != person[b]
    for held in np.flatnonzero(solved.people.quarantine.held).tolist():
        assert person.count(person[held]) == 1
    assert not set(e.released.tolist()) & set(
        np.flatnonzero(solved.people.quarantine.held).tolist()
    ) - set(e.held.tolist())


def numbered(facts, said):
    """Decisions as State keeps them, from 1 on."""
    listed = []
    for kind, a, b in said:
        pair = (facts.node_id(a), facts.node_id(b) if kind in ("merge", "unmerge") else None)
        listed.append(Decision(len(listed) + 1, kind, *pair, None, "ann", "", 0))
    return listed


@MANY
@given(raw=ROWS, before=MADE, more=MADE)
def test_decisions_and_their_undoing_leave_people_as_they_were(facts, raw, before, more):
    rows = [facts.Row(*row) for row in raw]
    made = numbered(facts, before + more)
    last = len(made)
    undone = [
        Decision(last + n, "undo", None, None, one.id, "ann", "", 0)
        for n, one in enumerate(made[len(before) :], 1)
    ]
    was = facts.solve(rows, decisions=in_force(made[: len(before)]))
    now = facts.solve(rows, decisions=in_force([*made, *undone]))
    assert now.bytes() == was.bytes()


@MANY
@given(raw=ROWS, a=st.sampled_from(PLAIN), b=st.sampled_from(PLAIN))
def test_a_merge_and_an_unmerge_of_the_same_two_join_nobody(facts, raw, a, b):
    """Without limits, which let go of one thing when another is torn off."""
    rows = [facts.Row(*row) for row in raw]
    free = Rules(limits=(None,) * len(IDENTIFIER_TYPES), quarantine_above=999)
    said = numbered(facts, [("merge", a, b), ("unmerge", a, b)])
    was = facts.solve(rows, rules=free)
    now = facts.solve(rows, rules=free, decisions=in_force(said))
    maps = [PersonMap.of(one.evidence, one.people) for one in (was, now)]
    assert Differences(*maps).counts["merged"] == 0
