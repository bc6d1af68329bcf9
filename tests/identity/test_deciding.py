"""Decisions asked for by name: told before and after, refused with the reason, taken back whole."""

import json

import pyarrow.parquet as pq
import pytest

from touchline.errors import Ambiguous, BadInput, NotFound
from touchline.identity.decisions import decided
from touchline.identity.mirror import write_map
from touchline.identity.people import person_map
from touchline.jobs import definitions
from touchline.jobs.people import identity
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.storage import audit

ANN, BOB = "email:a@b.cn", "phone:+8613800138000"


@pytest.fixture
def couple(lake):
    lake.put("events", f"user_id:ann {ANN}", f"anonymous_id:c1 {BOB}")
    return lake


def decide(lake, kind, *names, **more):
    asked = {"kind": kind, "names": names, "reason": "a call", **more}
    return identity.decide(lake.workspace, lake.registry, asked)


def ids(lake, *names):
    people = lake.people()
    found = people.person_of([lake.node(name) for name in names])
    return [people.person_ids[ix] for ix in found]


def mirrored(lake):
    """Rows of the tables that other programs read."""
    with lake.workspace.view() as view:
        mark, people = lake.registry.marked(view)
    write_map(lake.workspace.lake, people, mark)
    tables = lake.workspace.lake.mirrors
    return {
        name: [
            row for path in tables[name].snapshot().files for row in pq.read_table(path).to_pylist()
        ]
        for name in ("map", "quarantine")
    }


def listed(lake):
    lines = identity.decisions(lake.workspace, lake.registry, {})
    return [json.loads(line) for line in lines]


def test_a_merge_tells_who_goes_into_whom_before_and_after(couple):
    (bob,) = ids(couple, BOB)
    (ann,) = ids(couple, ANN)
    trial = decide(couple, "merge", "ann", "13800138000", is_trial=True)
    assert (trial["decision"], trial["merged"], trial["split"]) == (None, 1, 0)
    assert (trial["persons_before"], trial["persons_after"]) == (2, 1)
    change = {"kind": "person_merged", "person_id": bob, "other_id": ann, "values": 2}
    assert trial["changes"] == [change]
    assert [one["person_id"] for one in trial["about"]] == [ann, bob]
    assert not couple.same(couple.people(), (ANN, BOB))
    assert decided(couple.workspace.state) == []
    done = decide(couple, "merge", ann, bob)
    assert {**done, "decision": None, "is_trial": True} == trial
    assert done["decision"] == 1
    assert couple.same(couple.people(), (ANN, BOB))


def test_ids_of_before_a_merge_take_it_apart(couple):
    (ann,) = ids(couple, ANN)
    (bob,) = ids(couple, BOB)
    couple.put("events", f"{ANN} anonymous_id:c1")
    assert couple.same(couple.people(), (ANN, BOB))
    told = decide(couple, "unmerge", ann, bob)
    assert told["split"] == 1
    assert ids(couple, ANN, BOB) != [ann, ann]


def test_two_that_a_merge_by_hand_joins_are_told_to_undo_it(couple):
    couple.put("events", f"{ANN} device:x", f"{BOB} device:y", f"{ANN} user_id:ann")
    (ann,), (bob,) = ids(couple, ANN), ids(couple, BOB)
    before = mirrored(couple)
    decide(couple, "merge", ANN, BOB)
    for pair in ((ann, bob), ("user_id:ann", "device:y")):
        with pytest.raises(BadInput) as caught:
            decide(couple, "unmerge", *pair)
        assert (caught.value.code, caught.value.params["number"]) == ("joined_by_hand", 1)
    assert decide(couple, "unmerge", "device:y", BOB, is_trial=True)["split"] == 1
    decide(couple, "unmerge", BOB, ANN)  # the very two: it takes the place of the merge
    assert mirrored(couple) == before


def test_what_was_computed_for_the_answer_is_not_computed_again(couple, monkeypatch):
    decide(couple, "merge", ANN, BOB)
    monkeypatch.setattr("touchline.identity.people.person_map", None)
    assert couple.same(couple.people(), (ANN, BOB))


def test_every_decision_can_be_taken_back_and_leaves_nothing(couple):
    before = mirrored(couple)
    steps = [("merge", ANN, BOB), ("block", ANN), ("unblock", ANN), ("unmerge", ANN, "user_id:ann")]
    for step in steps:
        decide(couple, *step)
        assert mirrored(couple) != before
    for number in range(len(steps), 0, -1):
        decide(couple, "undo", undoes=number)
    assert mirrored(couple) == before
    made = listed(couple)
    assert [one["is_in_force"] for one in made] == [False] * 8
    assert made[-1]["about"][1] == {
        "type": "phone", "value": "+8613800138000", "person_id": ids(couple, BOB)[0],
    }  # fmt: skip
    assert made[0]["undoes"] == 1
    assert made[-1]["author"].startswith("local")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("merge", ANN, "a@b.cn"), "same_value"),
        (("merge", ANN, "user_id:ann"), "already_one_person"),
        (("unmerge", ANN, BOB), "not_one_person"),
        (("unblock", ANN), "not_held_back"),
    ],
)
def test_what_would_change_nothing_is_said_so(couple, asked, code):
    with pytest.raises(BadInput) as caught:
        decide(couple, *asked)
    assert caught.value.code == code
    assert decided(couple.workspace.state) == []


def test_what_cannot_be_is_told_with_what_forbids_it(couple):
    couple.put("events", f"user_id:bob {BOB}")
    with pytest.raises(BadInput, match="limit is 1 user_id"):
        decide(couple, "merge", ANN, BOB)
    decide(couple, "block", BOB)
    with pytest.raises(BadInput, match="held back"):
        decide(couple, "merge", ANN, BOB)
    with pytest.raises(BadInput, match="blocked already"):
        decide(couple, "block", BOB)


def test_two_that_a_decision_keeps_apart_are_not_joined_by_a_third(couple):
    couple.put("events", f"{ANN} anonymous_id:c1")
    decide(couple, "unmerge", "anonymous_id:c1", ANN)
    with pytest.raises(BadInput, match="keeps them apart"):
        decide(couple, "merge", "user_id:ann", BOB)


def test_names_that_are_nobody_or_several_are_refused(couple):
    couple.put("events", "user_id:42 device:x", "member_code:42 device:y")
    with pytest.raises(Ambiguous):
        decide(couple, "merge", "42", ANN)
    with pytest.raises(NotFound):
        decide(couple, "block", "user_id:nobody")
    with pytest.raises(NotFound):
        decide(couple, "undo", undoes=7)
    decide(couple, "block", ANN)
    decide(couple, "undo", undoes=1)
    with pytest.raises(BadInput, match="not in force"):
        decide(couple, "undo", undoes=1)
    for name in ("", "\N{PERSON WITH BALL}" * 601, "a\tb", "x" * 1_000_000):
        with pytest.raises((BadInput, NotFound)):
            decide(couple, "block", name)
    for reason in ("", " ", "a\nb", "x" * 1001):
        with pytest.raises(BadInput, match="reason"):
            decide(couple, "block", ANN, reason=reason)


def test_the_audit_log_names_who_acted_not_who_is_said_to_have_decided(couple):
    decide(couple, "block", ANN, author="the boss")
    assert listed(couple)[0]["author"] == "the boss"
    done = [
        one for one in audit.entries(couple.workspace.state) if one["action"] == "decision.block"
    ]
    assert [one["actor"][:5] for one in done] == ["local"]


def test_a_limit_in_force_counts_not_the_usual_one(couple):
    couple.put("events", f"user_id:bob {BOB}")
    definitions.apply(couple.workspace, {"identity": {"limits": {"user_id": 2}}}, "test")
    assert decide(couple, "merge", ANN, BOB)["merged"] == 1


OTHER = "phone:+8613800138001"


def overtaken(lake, monkeypatch, *asked, **more):
    """Somebody else decides this, in another process, while the next decision is judged."""
    registry = KeepingRegistry(lake.workspace)

    def judged_slowly(*given):
        monkeypatch.setattr(identity, "judge", judge)
        other = {"kind": asked[0], "names": asked[1:], "reason": "another call", **more}
        identity.decide(lake.workspace, registry, other)
        return judge(*given)

    judge = identity.judge
    monkeypatch.setattr(identity, "judge", judged_slowly)


def everybody(lake, registry):
    with lake.workspace.view() as view:
        people = registry.at(view)
    return people.people.person.tolist()


def test_of_two_operators_at_once_neither_loses_what_the_other_decided(couple, monkeypatch):
    couple.put("events", f"anonymous_id:c2 {OTHER}")
    couple.registry = KeepingRegistry(couple.workspace)
    overtaken(couple, monkeypatch, "merge", "anonymous_id:c2", "anonymous_id:c1")
    assert decide(couple, "merge", ANN, BOB)["decision"] == 2
    with couple.workspace.view() as view:
        true = person_map(view, *couple.registry.ruled(view)).people.person.tolist()
    assert set(true) == {0}
    assert everybody(couple, couple.registry) == true
    assert everybody(couple, KeepingRegistry(couple.workspace)) == true  # from the mirror


def test_a_merge_that_another_one_made_impossible_is_refused(couple, monkeypatch):
    couple.put("events", f"user_id:bob {OTHER}")
    overtaken(couple, monkeypatch, "merge", BOB, OTHER)
    with pytest.raises(BadInput) as caught:
        decide(couple, "merge", ANN, BOB)
    assert caught.value.code == "merge_over_limit"
    assert len(decided(couple.workspace.state)) == 1


def test_what_another_has_just_undone_is_not_undone_again(couple, monkeypatch):
    decide(couple, "block", ANN)
    overtaken(couple, monkeypatch, "undo", undoes=1)
    with pytest.raises(BadInput) as caught:
        decide(couple, "undo", undoes=1)
    assert caught.value.code == "decision_not_in_force"
    assert decide(couple, "undo", undoes=2)["held_back"] == 1
