"""Rejects that are read again: stored once, accounted for, at the time they came."""

import contextlib
import json

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build
from build import HOUR, MINUTE, T0, Tracker, track
from touchline import clock
from touchline.collect.visit import not_kept
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.replay import asked, replay
from touchline.jobs.intake.writer import Writer
from touchline.model import RawRequest
from touchline.storage import schema
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

NAMELESS = {"type": "track", "messageId": "n1", "userId": "ann", "timestamp": clock.iso(T0)}


def run(workspace, **args):
    done = replay(Writer(workspace), asked(workspace, args), lambda _: None)
    return {name: count for name, count in done.items() if count}


def commit(workspace):
    Writer(workspace).catch_up()


def lines(workspace, query, **args):
    return [json.loads(line) for line in query(workspace, Registry(workspace), args)]


def rejects(workspace, **args):
    return lines(workspace, queries.rejects, **args)


def events(workspace):
    return {e["message_id"]: e for e in lines(workspace, queries.events)}


def account(workspace):
    """(received, stored, duplicate, rejected) by source and hour; the law holds or it fails."""
    assert examine(workspace)["findings"] == []
    rows = workspace.state.read(sa.select(schema.intake))
    return {
        (r.source, (r.hour_us - T0) // HOUR): (r.received, r.stored, r.duplicate, r.rejected)
        for r in rows
    }


def test_a_count_of_lost_visits_stays_what_it_is(workspace):
    request = RawRequest(T0, "links", "/l/abc", b"{}", b"r" * 16)
    with Log.open(workspace.dir) as log:
        log.append(msgspec.msgpack.encode(not_kept(request, {"disk_full": 9}))).result()
    commit(workspace)
    before = rejects(workspace)
    assert [reject["reason"] for reject in before] == ["not_kept"]
    assert run(workspace, all=True) == {
        "asked": 1,
        "rejected": 1,
        "reasons": {"not_kept": 1},
    }
    assert rejects(workspace) == before


def test_a_corrected_reject_is_stored_as_if_it_had_been_right_at_once(workspace):
    request = RawRequest(
        T0 + 10 * MINUTE,
        "web",
        "/v1/batch",
        msgspec.json.encode({"batch": [NAMELESS], "sentAt": clock.iso(T0 + MINUTE)}),
        b"r" * 16,
        user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
    )
    with Log.open(workspace.dir) as log:
        log.append(msgspec.msgpack.encode(request)).result()
    commit(workspace)
    assert account(workspace) == {("web", 0): (1, 0, 0, 1)}
    (reject,) = rejects(workspace)
    edits = {reject["reject_id"]: {**NAMELESS, "event": "Visit"}}
    assert run(workspace, edits=edits) == {"asked": 1, "stored": 1}
    stored = events(workspace)["n1"]
    assert stored["name"] == "Visit"
    assert stored["received_at"] == clock.iso(T0 + 10 * MINUTE)
    assert stored["timestamp"] == clock.iso(T0 + 9 * MINUTE), "the batch's sentAt corrects it"
    assert "Firefox" in stored["context"]["userAgent"]
    assert account(workspace) == {("web", 0): (1, 1, 0, 0)}


def test_replaying_twice_stores_once(workspace):
    Tracker(workspace).send(NAMELESS)
    commit(workspace)
    (reject,) = rejects(workspace)
    edits = {reject["reject_id"]: {**NAMELESS, "event": "Visit"}}
    run(workspace, edits=edits)
    assert run(workspace, edits=edits) == {"asked": 1, "replayed_before": 1}
    assert run(workspace, all=True) == {}
    assert rejects(workspace) == []
    (replayed,) = rejects(workspace, status="replayed")
    assert replayed["replayed_at"] is not None
    assert rejects(workspace, status="all") == [replayed]
    assert account(workspace) == {("web", 0): (1, 1, 0, 0)}


def test_what_is_still_wrong_stays_a_reject_for_the_reason_that_holds_now(workspace):
    Tracker(workspace).send(NAMELESS)
    commit(workspace)
    (reject,) = rejects(workspace)
    wrong = {**NAMELESS, "event": "Visit", "timestamp": "never"}
    assert run(workspace, edits={reject["reject_id"]: wrong}) == {
        "asked": 1,
        "rejected": 1,
        "reasons": {"bad_timestamp": 1},
    }
    (still,) = rejects(workspace)
    assert still["reason"] == "bad_timestamp"
    assert still["payload"] == reject["payload"], "what came is kept as it came"
    assert account(workspace) == {("web", 0): (1, 0, 0, 1)}


@pytest.mark.parametrize("edit", [b"not json", b"[1]", b"{}", b"null", b"\x1f\x8b", b'{"type":[]}'])
def test_any_edit_is_either_an_event_or_still_a_reject(workspace, edit):
    Tracker(workspace).send(NAMELESS)
    commit(workspace)
    (reject,) = rejects(workspace)
    assert run(workspace, edits={reject["reject_id"]: edit})["rejected"] == 1
    assert account(workspace) == {("web", 0): (1, 0, 0, 1)}


def test_a_rule_that_is_mended_lets_all_of_a_reason_in(workspace, monkeypatch):
    items = [track(f"m{n}", "Visit") for n in range(30)]
    with monkeypatch.context() as patch:
        patch.setattr("touchline.collect.segment.reason_against", lambda *_: "bad_properties")
        patch.setattr("touchline.jobs.intake.writer._made", lambda *_: None)
        Tracker(workspace).send(*items[:20])
        Tracker(workspace).send(*items[20:], at=T0 + HOUR, source="app")
        commit(workspace)
    Tracker(workspace).send(NAMELESS, items[0])
    commit(workspace)
    assert account(workspace) == {("web", 0): (22, 1, 0, 21), ("app", 1): (10, 0, 0, 10)}
    done = run(workspace, reason="bad_properties", source="web")
    assert done == {"asked": 20, "stored": 19, "duplicate": 1}
    done = run(workspace, all=True)
    assert done == {"asked": 11, "stored": 10, "rejected": 1, "reasons": {"missing_event": 1}}
    assert account(workspace) == {("web", 0): (22, 20, 1, 1), ("app", 1): (10, 10, 0, 0)}


def test_a_conflict_is_settled_by_another_id_and_not_by_trying_again(workspace):
    Tracker(workspace).send(track("a", "Visit"), track("a", "Other"))
    commit(workspace)
    (reject,) = rejects(workspace)
    assert run(workspace, all=True)["reasons"] == {"id_conflict": 1}
    assert len(rejects(workspace, status="all")) == 1
    edited = {**reject["payload"], "messageId": "b"}
    assert run(workspace, edits={reject["reject_id"]: edited})["stored"] == 1
    assert events(workspace)["b"]["name"] == "Other"
    assert account(workspace) == {("web", 0): (2, 2, 0, 0)}


def test_an_item_without_an_id_keeps_the_one_it_was_given(workspace):
    Tracker(workspace).send({"type": "track", "userId": "ann"}, {"type": "track", "userId": "ann"})
    commit(workspace)
    first, second = rejects(workspace)
    edit = {"type": "track", "userId": "ann", "event": "Visit"}
    run(workspace, edits={first["reject_id"]: edit, second["reject_id"]: edit})
    assert set(events(workspace)) == {first["message_id"], second["message_id"]}


BATCH = b'{"batch":[{"type":"track","event":"A","messageId":"a","userId":"u"},'
BATCH += b'{"type":"track","messageId":"b","userId":"u"}]}'


@pytest.mark.parametrize(
    ("path", "edit"),
    [
        ("/v1/batch", BATCH),
        ("/v1/track", b'{"event":"A","messageId":"a","userId":"u"}'),
        ("/v1/t/", b'{"event":"A","messageId":"a","userId":"u"}'),
        ("/matomo.php", b"idsite=1&rec=1&url=https%3A%2F%2Fa.cn%2F&_id=0123456789abcdef"),
    ],
)
def test_a_request_nobody_could_read_is_mended_whole(workspace, path, edit):
    request = RawRequest(T0, "web", path, b'{"batch":[', b"r" * 16)
    with Log.open(workspace.dir) as log:
        log.append(msgspec.msgpack.encode(request)).result()
    commit(workspace)
    (reject,) = rejects(workspace)
    assert reject["reason"] == "unreadable_body"
    half = b'{"type":"track","messageId":"x"}'
    assert run(workspace, edits={reject["reject_id"]: half})["rejected"] == 1
    assert run(workspace, edits={reject["reject_id"]: edit})["stored"] == 1
    assert len(events(workspace)) == 1
    left = ["missing_event"] if edit is BATCH else []
    assert [reject["reason"] for reject in rejects(workspace)] == left
    account(workspace)


def test_rows_of_a_file_of_events_are_replayed_and_imported_again_once(workspace, tmp_path):
    path = tmp_path / "visits.csv"
    head = "message_id,occurred_at,name,email,order_id,revenue,店\n"
    bad = "v1,2026-03-02,Visit,,,,A\n,2026-03-02,Order Completed,,o1,10,B\n"
    path.write_text(head + bad, encoding="utf-8")
    run_import(Writer(workspace), "events", path)
    first, second = rejects(workspace)
    edits = {one["reject_id"]: {**one["payload"], "email": "a@b.cn"} for one in (first, second)}
    assert run(workspace, edits=edits) == {"asked": 2, "stored": 2}
    visit = events(workspace)["v1"]
    assert visit["properties"] == {"店": "A"}
    assert visit["received_at"] == first["received_at"]
    path.write_text(head + bad.replace(",,,,A", ",a@b.cn,,,A").replace(",,o1", ",a@b.cn,o1"))
    assert run_import(Writer(workspace), "events", path)["duplicate"] == 2
    assert rejects(workspace) == []
    assert examine(workspace)["findings"] == []


def test_rows_of_other_files_are_imported_again_instead(workspace, tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("date,channel,cost\nnever,Ads,10\n")
    run_import(Writer(workspace), "costs", path)
    assert run(workspace, all=True) == {"asked": 1, "to_import_again": 1}
    assert len(rejects(workspace, kind="costs")) == 1


def test_nothing_is_replayed_that_was_not_asked_for(workspace):
    with pytest.raises(BadInput):
        asked(workspace, {})
    for wrong in ("xyz", "00", ""):
        with pytest.raises(NotFound):
            asked(workspace, {"ids": [wrong]})
    with pytest.raises(NotFound):
        run(workspace, ids=["00" * 16])


def test_no_correction_lies_open_in_the_job(workspace):
    edits = {"ab" * 16: {"email": "ann@shop.cn"}}
    assert b"ann" not in msgspec.json.encode(asked(workspace, {"edits": edits}))


class PowerCutError(Exception):
    pass


@pytest.mark.parametrize("step", range(12))
def test_a_power_cut_while_replaying_loses_nothing_and_doubles_nothing(tmp_path, step):
    workspace = build.workspace(tmp_path / "w")
    Tracker(workspace).send(NAMELESS, {**NAMELESS, "messageId": "n2"}, track("a", "Visit"))
    commit(workspace)
    edits = {r["reject_id"]: {**r["payload"], "event": "Visit"} for r in rejects(workspace)}
    args = asked(workspace, {"edits": edits})
    writer, left = Writer(workspace), step

    def cut(call):
        def run(*given, **options):
            nonlocal left
            left -= 1
            if left < 0:
                raise PowerCutError
            return call(*given, **options)

        return run

    for owner, name in (
        (workspace.state, "write"),
        (workspace.lake.fresh, "_write"),
        (workspace.lake.fresh, "_transact"),
        (workspace.lake.fresh, "_confirm"),
    ):
        setattr(owner, name, cut(getattr(owner, name)))
    with contextlib.suppress(PowerCutError):
        replay(writer, args, lambda _: None)
    workspace.close()
    after = Workspace.open(workspace.dir)
    commit(after)
    assert examine(after)["findings"] == []
    replay(Writer(after), args, lambda _: None)
    commit(after)
    assert set(events(after)) == {"a", "n1", "n2"}
    assert rejects(after) == []
    assert account(after)["web", 0][1] == 3
    after.close()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["Visit", "Other", ""])), max_size=12))
def test_received_is_what_became_of_it_however_often_all_is_replayed(tmp_path_factory, sent):
    workspace = build.workspace(tmp_path_factory.mktemp("h") / "w")
    items = [{**NAMELESS, "messageId": f"m{n}", "event": name} for n, name in sent]
    Tracker(workspace).send(*items, NAMELESS)
    commit(workspace)
    before = account(workspace)
    edits = {
        r["reject_id"]: {**r["payload"], "event": "Visit"}
        for r in rejects(workspace)
        if r["reason"] == "missing_event"
    }
    for _ in range(2):
        run(workspace, edits=edits)
        run(workspace, all=True)
    after = account(workspace)
    assert after["web", 0][0] == before["web", 0][0] == len(items) + 1
    assert after["web", 0][3] == len(rejects(workspace))
    workspace.close()
