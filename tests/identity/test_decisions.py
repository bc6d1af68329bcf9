"""Decisions of operators: the later one holds, each can be taken back, none is ever changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline import clock
from touchline.identity.decisions import Decision, Overtaken, decided, in_force, newest, record
from touchline.identity.evidence import NO_DECISIONS, Decisions
from touchline.storage import audit

A, B, C = (letter * 16 for letter in (b"a", b"b", b"c"))


def made(*said):
    """Decisions numbered from 1: (kind, what it is about …)."""
    listed = []
    for number, (kind, *about) in enumerate(said, 1):
        undoes = about[0] if kind == "undo" else None
        a, b = (*(() if kind == "undo" else about), None, None)[:2]
        listed.append(Decision(number, kind, a, b, undoes, "ann", "", number))
    return listed


def test_each_kind_says_what_the_resolver_is_to_do():
    said = made(("merge", A, B), ("unmerge", B, C), ("block", C), ("unblock", A))
    assert in_force(said) == Decisions(((A, B),), ((B, C),), (C,), (A,))


def test_the_later_of_two_about_the_same_holds_whichever_way_it_names_them():
    assert in_force(made(("merge", A, B), ("unmerge", B, A))) == Decisions(apart=((A, B),))
    assert in_force(made(("block", A), ("unblock", A))) == Decisions(released=(A,))


def test_what_is_undone_was_never_made_and_what_it_replaced_holds_again():
    said = made(("merge", A, B), ("unmerge", A, B), ("undo", 2))
    assert in_force(said) == Decisions(together=((A, B),))
    assert in_force([*said, *made(*[("undo", 0)] * 3, ("undo", 3))[3:]]) == Decisions(
        apart=((A, B),)
    )


def test_what_was_undone_twice_comes_back_with_one_undo():
    said = made(("block", A), ("undo", 1), ("undo", 1))
    assert in_force(said) == NO_DECISIONS
    more = made(*[("undo", 0)] * 3, ("undo", 2), ("undo", 4))
    assert in_force([*said, more[3]]) == Decisions(quarantined=(A,))
    assert in_force([*said, *more[3:]]) == NO_DECISIONS


def test_a_decision_that_was_judged_without_another_is_refused(lake):
    state = lake.workspace.state
    by = {"about": (A,), "author": "ann", "reason": "so"}
    assert record(state, "block", after=0, **by) == 1
    with pytest.raises(Overtaken):
        record(state, "unblock", after=0, **by)
    assert [one.kind for one in decided(state)] == ["block"]
    assert sum(entry["action"] == "decision.unblock" for entry in audit.entries(state)) == 0
    assert record(state, "unblock", after=newest(state), **by) == newest(state) == 2


kinds = st.sampled_from([("merge", A, B), ("unmerge", A, B), ("merge", B, C), ("block", A)])


@given(st.lists(kinds, max_size=6), kinds)
def test_a_decision_and_its_undo_change_nothing(said, more):
    before = in_force(made(*said))
    assert in_force(made(*said, more, ("undo", len(said) + 1))) == before


@pytest.fixture
def couple(lake):
    lake.put("events", "user_id:ann email:a@b.cn", "user_id:bob phone:+8613800138000")
    return lake


def decide(lake, kind, *names, **more):
    about = [lake.node(name) for name in names]
    record(lake.workspace.state, kind, about=about, author="ann", reason="said so", **more)


def test_people_follow_a_decision_at_once_and_go_back_when_it_is_undone(couple):
    ids = ("email:a@b.cn", "phone:+8613800138000")
    before = list(couple.people().person_ids)
    assert not couple.same(couple.people(), ids)
    decide(couple, "block", "user_id:bob")
    decide(couple, "merge", *ids)
    assert couple.same(couple.people(), ids)
    assert not couple.same(couple.people(), ("user_id:bob", ids[1]))
    for number in (2, 1):
        decide(couple, "undo", undoes=number)
    assert list(couple.people().person_ids) == before


def test_a_value_that_is_released_joins_however_much_it_touches(lake):
    touched = [f"email:{n}@b.cn" for n in range(7)]
    lake.put("events", *(f"anonymous_id:kiosk {name}" for name in touched))
    assert not lake.same(lake.people(), ("anonymous_id:kiosk", touched[0]))
    decide(lake, "unblock", "anonymous_id:kiosk")
    people = lake.people()
    assert sum(lake.same(people, ("anonymous_id:kiosk", name)) for name in touched) == 5  # a limit


def test_an_earlier_day_knows_the_decisions_that_had_been_made(couple, monkeypatch):
    monkeypatch.setattr(clock, "now_us", lambda: 10**18)
    decide(couple, "unmerge", "user_id:ann", "email:a@b.cn")
    state = couple.workspace.state
    assert in_force(decided(state, 10**18 - 1)) == NO_DECISIONS
    assert len(in_force(decided(state, 10**18)).apart) == 1
    assert not couple.same(couple.people(), ("user_id:ann", "email:a@b.cn"))
    assert couple.same(couple.people(as_of_us=10**17), ("user_id:ann", "email:a@b.cn"))
