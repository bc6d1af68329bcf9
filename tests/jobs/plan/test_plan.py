"""What goes against the tracking plan is stored, marked and counted, or refused if asked."""

import datetime as dt
from collections import Counter

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build
from build import DAY, T0, Tracker, track
from touchline.collect.nodes import clear_traits
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply, goals_of
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.replay import asked, replay
from touchline.jobs.intake.store import EventStore
from touchline.jobs.intake.writer import Writer
from touchline.model import Flag
from touchline.storage import schema

SIGN_UP = {
    "name": "Signed Up",
    "also": ["signup"],
    "properties": {"plan": {"type": "string", "required": True, "enum": ["free", "pro"]}},
}
ORDER = {"name": "Order Completed", "also": ["下单成功"], "conversion": True}
EVENTS = [SIGN_UP, ORDER]
TODAY = (dt.datetime.fromtimestamp(T0 / 1e6, dt.UTC).date() - dt.date(1970, 1, 1)).days


def commit(workspace):
    Writer(workspace).catch_up()


def planned(workspace, **of_plan):
    apply(workspace, {"plan": of_plan, "event": EVENTS})


def sign_up(number, plan="free", name="Signed Up", **more):
    return track(f"m{number}", name, properties={"plan": plan}, **more)


def counted(workspace):
    """(event, property, reason) -> (stored, rejected), over all days and sources."""
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in workspace.state.read(sa.select(schema.off_plan)):
        key = (row.event, row.property, row.reason)
        stored, rejected = found.get(key, (0, 0))
        found[key] = (stored + row.stored, rejected + row.rejected)
    return found


def stored(workspace):
    """Message id -> whether it is marked, of all events in the lake."""
    with workspace.view() as view:
        rows = view.fetch(view.events("message_id", "flags")).to_pylist()
    return {row["message_id"]: bool(row["flags"] & Flag.OFF_PLAN) for row in rows}


def replayed(workspace, **args):
    done = replay(Writer(workspace), asked(workspace, args), lambda _: None)
    return {name: count for name, count in done.items() if count}


def test_events_against_the_plan_are_stored_marked_and_counted_by_day(workspace):
    planned(workspace)
    tracker = Tracker(workspace)
    tracker.send(sign_up(1), sign_up(2, "gold"), sign_up(3, None), track("m4", "Sign Up"))
    tracker.send(sign_up(5, "gold", "signup"), at=T0 + DAY, source="app")
    commit(workspace)
    assert stored(workspace) == {"m1": False, "m2": True, "m3": True, "m4": True, "m5": True}
    rows = workspace.state.read(sa.select(schema.off_plan).order_by("day", "reason"))
    assert [tuple(row) for row in rows] == [
        (TODAY, "web", "Signed Up", "plan", "missing_property", 1, 0, None),
        (TODAY, "web", "Signed Up", "plan", "not_in_list", 1, 0, '"aaaa"'),
        (TODAY, "web", "Sign Up", "", "unplanned_event", 1, 0, None),
        (TODAY + 1, "app", "Signed Up", "plan", "not_in_list", 1, 0, '"aaaa"'),
    ]
    assert examine(workspace)["findings"] == []


def test_without_a_plan_nothing_is_counted(workspace):
    Tracker(workspace).send(sign_up(1, "gold"), track("m2", "What"))
    commit(workspace)
    assert counted(workspace) == {}
    assert stored(workspace) == {"m1": False, "m2": False}


def test_a_strict_plan_refuses_and_what_it_refused_is_stored_when_the_plan_is_put_right(workspace):
    planned(workspace, strict=True)
    tracker = Tracker(workspace)
    tracker.send(sign_up(1), sign_up(2, "gold"), track("m3", "Demo Booked"))
    commit(workspace)
    assert stored(workspace) == {"m1": False}
    reasons = {r.message_id: r.reason for r in workspace.state.read(sa.select(schema.reject))}
    assert reasons == {"m2": "not_in_list", "m3": "unplanned_event"}
    expected = {
        ("Signed Up", "plan", "not_in_list"): (0, 1),
        ("Demo Booked", "", "unplanned_event"): (0, 1),
    }
    assert counted(workspace) == expected
    assert replayed(workspace, all=True) == {
        "asked": 2,
        "rejected": 2,
        "reasons": {"not_in_list": 1, "unplanned_event": 1},
    }
    assert counted(workspace) == expected
    apply(workspace, {"event": [*EVENTS, {"name": "Demo Booked"}]})
    assert replayed(workspace, all=True)["stored"] == 1
    apply(workspace, {"plan": {"strict": False}})
    assert replayed(workspace, all=True)["stored"] == 1
    assert replayed(workspace, all=True) == {}
    assert stored(workspace) == {"m1": False, "m2": True, "m3": False}
    assert counted(workspace) == expected | {("Signed Up", "plan", "not_in_list"): (1, 1)}
    assert examine(workspace)["findings"] == []


def test_imported_events_are_held_against_the_plan_as_well(workspace, tmp_path):
    planned(workspace, strict=True)
    path = tmp_path / "e.csv"
    path.write_text(
        "message_id,occurred_at,name,user_id,plan\n"
        "a,2026-03-01,Signed Up,u1,free\nb,2026-03-01,Signed Up,u2,gold\nc,2026-03-01,Other,u3,\n"
    )
    writer = Writer(workspace)
    found = run_import(writer, "events", path)
    assert (found["read"], found["stored"], found["rejected"]) == (3, 1, 2)
    assert run_import(writer, "events", path)["stored"] == 0
    assert counted(workspace)["Signed Up", "plan", "not_in_list"] == (0, 1)
    apply(workspace, {"plan": {}})
    assert replayed(workspace, all=True)["stored"] == 2
    assert examine(workspace)["findings"] == []


def test_a_new_version_of_an_order_that_is_refused_is_no_update(workspace, tmp_path):
    path, head = tmp_path / "e.csv", "occurred_at,name,user_id,order_id,revenue\n"
    row = "2026-03-01,Order Completed,u1,{},{}\n"
    path.write_text(head + row.format("o1", 10) + row.format("o2", 10))
    assert run_import(Writer(workspace), "events", path)["stored"] == 2
    order = {"name": "Order Completed", "properties": {"revenue": {"maximum": 15}}}
    apply(workspace, {"plan": {"strict": True}, "event": [order]})
    path.write_text(head + row.format("o1", 12) + row.format("o2", 20) + row.format("o3", 20))
    found = run_import(Writer(workspace), "events", path)
    assert found == {"read": 3, "stored": 0, "duplicate": 0, "updated": 1, "rejected": 2}
    assert examine(workspace)["findings"] == []


ITEM = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["Signed Up", "signup", "Unheard Of", "下单成功"]),
    st.sampled_from(["free", "gold", None]),
)
STEP = st.one_of(st.lists(ITEM, max_size=4), st.sampled_from(["commit", "replay"]))


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, max_size=5), st.booleans())
def test_counts_are_exact_whatever_is_sent_again_or_replayed(tmp_path_factory, steps, is_strict):
    workspace = build.workspace(tmp_path_factory.mktemp("w") / "w")
    planned(workspace, strict=is_strict)
    tracker = Tracker(workspace)
    for step in [*steps, "commit"]:
        if step == "commit":
            commit(workspace)
        elif step == "replay":
            replayed(workspace, all=True)
        elif step:
            # Equal ids come with equal content, so that they are told as duplicates.
            tracker.send(*(sign_up(f"{n}{name}{plan}", plan, name) for n, name, plan in step))
    with workspace.view() as view:
        columns = view.events("name", "properties", "revenue")
        rows = view.fetch(columns).to_pylist()
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        plan = msgspec.json.decode(row["properties"])["plan"]
        if row["name"] in ("Signed Up", "signup") and plan != "free":
            reason = "missing_property" if plan is None else "not_in_list"
            expected["Signed Up", "plan", reason] += 1
        elif row["name"] == "Unheard Of":
            expected["Unheard Of", "", "unplanned_event"] += 1
        elif row["name"] == "下单成功":
            expected["Order Completed", "revenue", "conversion_without_value"] += 1
    found = counted(workspace)
    assert {key: count for key, (count, _) in found.items() if count} == expected
    refused = workspace.state.read(sa.select(schema.reject.c.reason))
    assert Counter(row.reason for row in refused) == Counter(
        {
            reason: sum(n for (_, _, of), (_, n) in found.items() if of == reason)
            for reason in {row.reason for row in refused}
        }
    )
    if not is_strict:
        sent = {
            f"m{n}{name}{plan}"
            for s in steps
            if s not in ("commit", "replay")
            for n, name, plan in s
        }
        assert set(stored(workspace)) == sent
    assert examine(workspace)["findings"] == []
    workspace.close()


@pytest.mark.parametrize("then", [True, False])
def test_a_crash_between_lake_and_state_is_made_good_though_the_plan_has_changed(
    workspace, monkeypatch, then
):
    planned(workspace, strict=not then)
    Tracker(workspace).send(sign_up(1), sign_up(2, "gold"), track("m3", "Other"))
    writer = Writer(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(writer.store, "_to_state", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            writer.commit_once()
    planned(workspace, strict=then)
    commit(workspace)
    assert set(stored(workspace)) == ({"m1", "m2", "m3"} if then else {"m1"})
    assert examine(workspace)["findings"] == []
    rejected = workspace.state.read(sa.select(schema.reject.c.message_id))
    assert {row[0] for row in rejected} == (set() if then else {"m2", "m3"})


def test_what_a_strict_plan_refused_is_not_taken_for_what_was_stored_under_its_id(
    workspace, monkeypatch
):
    planned(workspace, strict=True)
    Tracker(workspace).send(sign_up(1, "gold"), sign_up(1, "pro"))
    writer = Writer(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(writer.store, "_to_state", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            writer.commit_once()
    commit(workspace)
    with workspace.view() as view:
        (row,) = view.fetch(view.events("event_id", "content_hash", "properties")).to_pylist()
    known = EventStore(workspace).known
    assert known.hashes([row["event_id"]]) == {row["event_id"]: row["content_hash"]}
    assert row["properties"] == '{"plan":"pro"}'
    rejected = workspace.state.read(sa.select(schema.reject.c.reason))
    assert [row[0] for row in rejected] == ["not_in_list"]
    assert examine(workspace)["findings"] == []


def test_names_that_nobody_planned_fill_only_so_many_rows(workspace, monkeypatch):
    monkeypatch.setattr("touchline.jobs.intake.off_plan.MOST", 3)
    planned(workspace)
    tracker = Tracker(workspace)
    for start in (0, 4):
        tracker.send(*(track(f"m{n}", f"Event {n}") for n in range(start, start + 4)))
        commit(workspace)
    found = counted(workspace)
    assert found["", "", "unplanned_event"] == (5, 0)
    assert len(found) == 4


def test_an_answer_becomes_a_trait_and_never_an_identifier(workspace):
    survey = {
        "name": "Survey Answered",
        "kind": "survey",
        "trait": [{"name": "skin", "property": "answer", "when": {"question_id": "skin"}}],
    }
    apply(workspace, {"event": [survey]})
    properties = {"survey_id": "s", "question_id": "skin", "answer": "dry", "email": "x@y.cn"}
    Tracker(workspace).send(track("m1", "Survey Answered", properties=properties))
    commit(workspace)
    (person,) = [msgspec.json.decode(p) for p in queries.people(workspace, Registry(workspace), {})]
    assert person["identifiers"] == [{"type": "user_id", "value": "ann"}]
    assert person["traits"] == {"skin": "dry"}


def test_a_conversion_of_the_plan_is_a_goal(workspace):
    lead = {"name": "Lead", "also": ["lead"], "conversion": True}
    apply(workspace, {"event": [ORDER, lead]})
    known = {goal.name: (goal.event, goal.also) for goal in goals_of(workspace)}
    assert known == {
        "default": ("Order Completed", ("下单成功",)),
        "Lead": ("Lead", ("lead",)),
    }
    apply(workspace, {"goal": [{"name": "leads", "event": "lead"}]})
    assert {g.name: g.also for g in goals_of(workspace)} == {
        "leads": ("Lead",),
        "Order Completed": ("下单成功",),
    }


def test_an_event_counts_for_its_goal_under_every_name_it_is_known_by(workspace):
    apply(workspace, {"event": [ORDER]})
    tracker = Tracker(workspace)
    for number, name in enumerate(["Order Completed", "下单成功", "other"]):
        tracker.send(track(f"m{number}", name, properties={"revenue": 10}))
    commit(workspace)
    report = queries.attribution(workspace, Registry(workspace), {"models": "linear"})
    assert report.as_json()["conversions"] == 2


@pytest.mark.parametrize(
    ("documents", "named"),
    [
        ({"event": [{"name": "A", "conversion": "deals"}]}, "no goal deals"),
        (
            {"event": [{"name": "A", "conversion": "g"}], "goal": [{"name": "g", "event": "B"}]},
            "counts something else",
        ),
        (
            {"event": [{"name": "A", "conversion": True}], "goal": [{"name": "A", "event": "B"}]},
            "name the goal",
        ),
        ({"event": [{"name": "A", "type": "page", "conversion": True}]}, "only a track"),
        ({"event": [ORDER], "touchpoint": [{"name": "t", "event": "Pay"}]}, "no event Pay"),
        ({"touchpoint": [{"name": "t"}, {"name": "t"}]}, "twice"),
        ({"touchpoint": [{"name": "t", "campagin": "x"}]}, "campagin"),
        ({"touchpoint": [{"name": "t", "channel": [""]}]}, "channel"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_as_a_whole(workspace, documents, named):
    with pytest.raises(BadInput, match=named):
        apply(workspace, documents)
    assert goals_of(workspace)[0].name == "default"


def test_traits_of_a_reject_that_is_replayed_are_known(workspace):
    answer = {"name": "NPS", "kind": "nps", "trait": [{"name": "nps", "property": "score"}]}
    apply(workspace, {"plan": {"strict": True}, "event": [answer]})
    Tracker(workspace).send(track("m1", "NPS", properties={"score": 12}))
    commit(workspace)
    reject = workspace.state.read(sa.select(schema.reject))[0].reject_id
    right = track("m1", "NPS", properties={"score": 10})
    assert replayed(workspace, edits={reject.hex(): right})["stored"] == 1
    node = workspace.vault.node_id("user_id", "ann")
    (known,) = clear_traits(workspace, [node])[node]
    assert (known.name, known.value, known.is_told) == ("nps", 10, True)
