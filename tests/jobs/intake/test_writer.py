"""The log → events: everything in it has a fate, and nothing stops what follows."""

import gzip
import threading

import msgspec
import pyarrow.parquet as pq
import pytest

from build import HOUR, T0, Tracker, page, track
from touchline.errors import Unavailable
from touchline.identity.people import Registry
from touchline.jobs import access, queries
from touchline.jobs.access import reading, writing
from touchline.jobs.definitions import apply
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake import writer as writer_module
from touchline.jobs.intake.replay import asked, replay
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rebuild import rebuild
from touchline.model import Flag
from touchline.storage.lake import LOG
from touchline.storage.log import Log


def ask(workspace, query, **args):
    return [msgspec.json.decode(line) for line in query(workspace, Registry(workspace), args)]


def test_a_call_becomes_an_event_with_its_times_ids_and_words(workspace):
    item = track("m1", "下单", at=T0, anonymousId="d1", properties={"颜色": "红"})
    Tracker(workspace).send(item, at=T0 + HOUR)
    Writer(workspace).catch_up()
    (event,) = ask(workspace, queries.events)
    assert event["message_id"] == "m1"
    assert (event["type"], event["name"], event["source"]) == ("track", "下单", "web")
    assert (event["user_id"], event["anonymous_id"]) == ("ann", "d1")
    assert event["timestamp"] == "2026-03-01T00:00:00.000Z"
    assert event["received_at"] == "2026-03-01T01:00:00.000Z"
    assert event["properties"] == {"颜色": "红"}


def test_what_cannot_be_read_is_kept_and_what_follows_is_stored(workspace):
    tracker = Tracker(workspace)
    tracker.raw(b"{not json")
    tracker.raw(gzip.compress(b'{"batch": 5}'))
    log = Log.open(workspace.dir)
    log.append(b"not even a request").result()
    log.close()
    tracker.send(track("m1", "A"), {"type": "track", "userId": "u", "messageId": "m2"}, "no object")
    Writer(workspace).catch_up()
    assert [event["message_id"] for event in ask(workspace, queries.events)] == ["m1"]
    rejects = ask(workspace, queries.rejects)
    found = [(row["source"], row["reason"]) for row in rejects]
    assert sorted(found) == [
        ("log", "unreadable_body"),
        ("web", "missing_event"),
        ("web", "not_an_object"),
        ("web", "unreadable_body"),
        ("web", "unreadable_body"),
    ]
    assert {row["payload"] for row in rejects if isinstance(row["payload"], str)} >= {
        "{not json",
        "not even a request",
        "no object",
    }


def test_an_item_that_breaks_us_is_kept_as_an_internal_error(workspace, monkeypatch):
    found = writer_module.to_event

    def brittle(item, *rest):
        return 1 / 0 if item.message_id == "m2" else found(item, *rest)

    monkeypatch.setattr(writer_module, "to_event", brittle)
    monkeypatch.setattr(writer_module.Quick, "events", lambda *_: 1 / 0)
    Tracker(workspace).send(track("m1", "A"), track("m2", "A"), track("m3", "A"))
    Writer(workspace).catch_up()
    assert [event["message_id"] for event in ask(workspace, queries.events)] == ["m1", "m3"]
    (row,) = ask(workspace, queries.rejects)
    assert (row["message_id"], row["reason"]) == ("m2", "internal_error")
    assert row["payload"]["event"] == "A"


@pytest.mark.parametrize("error", [OverflowError("int too large"), RecursionError(), KeyError(1)])
def test_a_request_that_breaks_its_protocol_is_kept_and_what_follows_is_stored(
    workspace, monkeypatch, error
):
    def brittle(request, site):
        if b'"m2"' in request.body:
            raise error
        return read(request, site)

    read = writer_module.protocols.read
    monkeypatch.setattr(writer_module.Quick, "events", lambda *_: None)
    tracker = Tracker(workspace)
    for name in ("m1", "m2", "m3"):
        tracker.send(track(name, "A"))
    writer = Writer(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(writer_module.protocols, "read", brittle)
        writer.catch_up()
        told = replay(writer, asked(workspace, {"all": True}), lambda _: None)
        assert told["reasons"] == {"unreadable_body": 1}
    assert [event["message_id"] for event in ask(workspace, queries.events)] == ["m1", "m3"]
    assert replay(writer, asked(workspace, {"all": True}), lambda _: None)["stored"] == 1
    assert len(ask(workspace, queries.events)) == 3


def test_an_event_is_read_once_from_the_moment_it_is_committed(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    seen = []
    for n in range(3):
        tracker.send(track(f"m{n}", "A"), track("m0", "A"), at=T0 + n)
        writer.commit_once()
        seen.append([event["message_id"] for event in ask(workspace, queries.events)])
        if n == 1:
            writer.settle()
            seen.append([event["message_id"] for event in ask(workspace, queries.events)])
    assert seen == [["m0"], ["m0", "m1"], ["m0", "m1"], ["m0", "m1", "m2"]]


def test_commits_take_some_of_the_log_at_a_time(workspace, monkeypatch):
    monkeypatch.setattr(writer_module, "BATCH_BYTES", 1)
    tracker, writer = Tracker(workspace), Writer(workspace)
    for n in range(3):
        tracker.send(track(f"m{n}", "A"))
    assert [writer.commit_once() for _ in range(4)] == [1, 1, 1, 0]


def test_a_job_that_catches_up_beside_the_commit_loop_counts_nothing_twice(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    for n in range(20):
        tracker.send(track(f"m{n}", "A"), {"type": "track", "userId": "u", "messageId": f"r{n}"})
    threads = [threading.Thread(target=writer.catch_up) for _ in range(2)]
    threads += [threading.Thread(target=writer.commit_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert examine(workspace) == {
        "findings": [],
        "sources": [
            {"source": "web", "received": 40, "stored": 20, "duplicate": 0, "rejected": 20}
        ],
    }


def test_a_writer_may_be_told_to_forget_in_the_middle_of_reading(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)

    class Place:
        """Stands where a file of places would; is compared with what it was."""

        def __eq__(self, _):
            writer.forget(())
            return True

        __hash__ = object.__hash__

    writer._places.now = Place
    for n in range(2):
        tracker.send(track(f"m{n}", "A"))
        assert writer.commit_once() == 1


def test_a_late_event_makes_provisional_sessions_doubtful_until_settled(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    tracker.send(page("a", "https://shop.cn/", at=T0 + HOUR), at=T0 + HOUR)
    writer.commit_once()
    writer.settle()
    assert not writer.needs_settling()
    tracker.send(page("b", "https://shop.cn/", at=T0), at=T0 + HOUR)
    writer.commit_once()
    assert writer.needs_settling()
    writer.settle()
    assert not writer.needs_settling()


def test_rules_apply_to_what_comes_next_and_by_rebuild_to_what_was(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    rule = {"channel": "私域", "source": "shequn"}
    url = "https://shop.cn/?utm_source=shequn&utm_medium=social"
    tracker.send(page("a", url), page("a2", "https://shop.cn/b", at=T0 + 1))
    tracker.send(track("e", "Visit", properties={"channel": "Store"}))
    writer.catch_up()
    apply(workspace, {"channel_rule": [rule]})
    tracker.send(page("b", url, anonymousId="d2"))
    writer.catch_up()

    def channels():
        return {e["message_id"]: e["channel"] for e in ask(workspace, queries.events)}

    before = channels()
    assert before["b"] == "私域" != before["a"] == before["a2"]
    shares = []
    done = rebuild(writer, shares.append)
    assert done == {"days": 1, "events": 4}
    assert shares[-1] == 1
    assert channels() == {"a": "私域", "a2": "私域", "b": "私域", "e": "Store"}


def test_rebuild_changes_nothing_while_rules_stay(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    urls = ("?utm_source=a", "?gclid=1", "", "#x", "?utm_term=only")
    for n, tail in enumerate(urls):
        context = {"page": {"url": f"https://shop.cn/{tail}", "referrer": "https://www.baidu.com/"}}
        agent = {"userAgent": "Mozilla/5.0 MicroMessenger/8.0"} if n % 2 else {}
        tracker.send(page(f"p{n}", "", at=T0 + n * HOUR, context=context | agent))
        tracker.send(page(f"q{n}", "https://shop.cn/x", at=T0 + n * HOUR + 5, context=agent))
    writer.catch_up()
    with workspace.view() as view:
        before = view.fetch(view.events().order_by("seq"))
    people = list(Registry(workspace).at(workspace.view()).person_ids)
    rebuild(writer, lambda _: None)
    with workspace.view() as view:
        assert view.fetch(view.events().order_by("seq")).equals(before)
    assert list(Registry(workspace).at(workspace.view()).person_ids) == people


def test_rebuild_makes_the_index_of_ids_anew(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    tracker.send(track("a", "A"))
    writer.catch_up()
    writer.store.known._young.clear()
    rebuild(writer, lambda _: None)
    tracker.send(track("a", "A"))
    writer.catch_up()
    assert len(ask(workspace, queries.events)) == 1


def test_labels_inherited_from_a_session_do_not_open_one(workspace):
    tracker, writer = Tracker(workspace), Writer(workspace)
    tracker.send(page("a", "https://shop.cn/?utm_source=x&utm_campaign=c"))
    tracker.send(page("b", "https://shop.cn/2", at=T0 + 60_000_000))
    writer.catch_up()
    with workspace.view() as view:
        rows = view.fetch(view.events("message_id", "campaign", "flags").order_by("message_id"))
    found = [(r["campaign"], bool(r["flags"] & Flag.OPENS_SESSION)) for r in rows.to_pylist()]
    assert found == [("c", True), ("c", False)]


# Commands


def test_a_reading_command_first_takes_in_what_the_log_holds(workspace):
    Tracker(workspace).send(track("m1", "A"))
    with reading(workspace.dir) as opened:
        assert [event["message_id"] for event in ask(opened, queries.events)] == ["m1"]
        assert opened.state.mark(LOG) > 0
    # Nothing is behind now, so no lock is needed.
    with workspace.write_lock(), reading(workspace.dir) as opened:
        assert len(ask(opened, queries.events)) == 1


def test_a_reading_command_that_is_behind_waits_for_the_lock_and_then_gives_up(
    workspace, monkeypatch
):
    monkeypatch.setattr(access, "WAIT_S", 0.1)
    Tracker(workspace).send(track("m1", "A"))
    with workspace.write_lock(), pytest.raises(Unavailable) as caught, reading(workspace.dir):
        pass
    assert (caught.value.code, caught.value.exit_code) == ("workspace_locked", 3)


def test_a_writing_command_works_alone_under_the_lock(workspace, monkeypatch):
    monkeypatch.setattr(access, "WAIT_S", 0.1)
    Tracker(workspace).send(track("m1", "A"))
    documents = {"goal": [{"name": "g", "event": "A"}]}
    asked = {"documents": documents, "author": "ann"}
    assert writing(workspace.dir, "apply", asked, lambda _: None) == ["goal"]
    assert len(ask(workspace, queries.events)) == 1
    with workspace.write_lock(), pytest.raises(Unavailable):
        writing(workspace.dir, "apply", asked, lambda _: None)


def test_an_orders_total_is_its_revenue_in_files_as_over_http(workspace, tmp_path):
    head = "message_id,occurred_at,name,user_id,order_id,total,revenue\n"
    rows = (
        "o1,2026-03-01,Order Completed,u,o1,12.50,\no2,2026-03-01,Order Completed,u,o2,12.50,7\n"
        "r1,2026-03-02,Order Refunded,u,o1,2.5,\nx,2026-03-02,Viewed,u,,9,\n"
    )
    (tmp_path / "e.csv").write_text(head + rows, encoding="utf-8")
    writer = Writer(workspace)
    run_import(writer, "events", tmp_path / "e.csv")
    bought = {"order_id": "o3", "total": 3}
    Tracker(workspace).send(track("o3", "Order Completed", properties=bought))
    writer.catch_up()
    with workspace.view() as view:
        found = view.fetch(view.events("message_id", "revenue", "properties")).to_pylist()
    worth = {row["message_id"]: row["revenue"] for row in found}
    assert worth == {"o1": 1250, "o2": 700, "r1": 250, "x": None, "o3": 300}


# Secrets


CLEAR = ("ann@shop.cn", "13800138000", "member-0042", "u-77001", "wx-open-1", "dev-9", "王小明")


def test_no_clear_identifier_is_in_any_file_of_the_lake(workspace, tmp_path):
    who = {"email": "Ann@Shop.cn", "phone": "138 0013 8000", "memberCode": "member-0042"}
    tracker, writer = Tracker(workspace), Writer(workspace)
    url = "https://shop.cn/p/ann@shop.cn?email=ann%40shop.cn&mobile=13800138000&uid=u-77001&x=1"
    url += "&utm_source=letter&utm_content=ann%40shop.cn"
    tracker.send(
        {"type": "identify", "messageId": "i", "userId": "u-77001", "anonymousId": "dev-9"}
        | {"traits": who | {"name": "王小明", "openid": "wx-open-1"}},
        page("p", url, anonymousId="dev-9")
        | {"context": {"page": {"url": url, "referrer": url}, "traits": who}},
        track("t", "Signed Up", userId="u-77001")
        | {
            "properties": who
            | {"list": [who], "note": "ann@shop.cn", "link": url, "deep": {"a": who}}
        },
        track("o", "Order Completed", userId="u-77001")
        | {"properties": {"order_id": "o1", "revenue": 5, "user_id": "u-77001"}},
        {"type": "group", "messageId": "g", "userId": "u-77001", "groupId": "acme", "traits": who},
        {"type": "alias", "messageId": "l", "userId": "u-77001", "previousId": "dev-9"},
    )
    files = {
        "events": "message_id,occurred_at,name,email,phone,note,联系电话\n"
        "e1,2026-03-01,Call,ann@shop.cn,13800138000,ann@shop.cn,13800138000\n",
        "conversions": "conversion_id,occurred_at,amount,email,member_code,备注\n"
        "c1,2026-03-02,10,ann@shop.cn,member-0042,ann@shop.cn\n",
        "people": "user_id,email,phone,name\nu-77001,ann@shop.cn,13800138000,王小明\n",
    }
    for kind, text in files.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        done = run_import(writer, kind, tmp_path / f"{kind}.csv")
        assert done["stored"] == 1, (kind, done)
    writer.catch_up()
    workspace.state.engine.dispose()
    found = []
    for path in (workspace.dir / "lake").rglob("*"):
        if path.suffix == ".parquet":
            for row in pq.ParquetFile(path).read().to_pylist():
                said = repr({name: value for name, value in row.items() if name != "message_id"})
                found += [(path.parent.name, value) for value in CLEAR if value in said.lower()]
        elif path.is_file():
            raw = path.read_bytes().decode("utf-8", "replace")
            found += [(path.name, value) for value in CLEAR if value in raw]
    for path in workspace.dir.glob("state.db*"):
        raw = path.read_bytes()
        found += [(path.name, value) for value in CLEAR if value.encode() in raw]
    assert found == []
    (person,) = ask(workspace, queries.people)
    values = {identifier["value"] for identifier in person["identifiers"]}
    assert {"ann@shop.cn", "+8613800138000", "member-0042", "u-77001", "dev-9"} <= values
