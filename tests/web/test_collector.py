"""The collector as an ASGI app: verdicts, keys, limits, CORS, and nothing told before the sync."""

import asyncio
import base64
import contextlib
import gzip
import json

import msgspec
import pytest

from sender import Store, as_json, basic, call, event
from touchline.collect.context import cut_ip
from touchline.errors import Unavailable
from touchline.model import RawRequest
from touchline.storage.log import Log, read
from touchline.web import collector as collector_module
from touchline.web import sender as sender_module
from touchline.web.collector import PATHS, Collector
from touchline.web.keys import Keys, basic_user

pytestmark = pytest.mark.filterwarnings("error")


class GatedLog:
    """A log whose disk answers when told to."""

    def __init__(self):
        self.flights = []
        self.kept = []

    def payload(self, offset):
        return self.kept[offset]

    def extend(self, payloads, done):
        self.flights.append((list(payloads), done))

    def land(self, result=None):
        payloads, done = self.flights.pop(0)
        if result is None:
            result = range(len(self.kept), len(self.kept) + len(payloads))
            self.kept += payloads
        done(result)


@pytest.fixture
def ask(tmp_path):
    """ask(body, ...) sends one call to a collector on a real log and returns the answer."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Log.open(tmp_path))
        runner = stack.enter_context(asyncio.Runner())

        async def make():
            return Collector(log, Keys(Store()))

        app = runner.run(make())

        def ask(body=b"", **options):
            body = body if isinstance(body, bytes) else as_json(body)
            return runner.run(call(app, body, **options))

        ask.logged = lambda: [
            msgspec.msgpack.decode(frame.payload, type=RawRequest)
            for frame in read(tmp_path, 0, 1 << 30)
        ]
        yield ask


def test_an_event_is_answered_with_its_verdict_and_is_in_the_log(ask):
    answer = ask(event(), headers=basic() | {"user-agent": b"sdk/1"})
    assert answer.status == 200
    assert answer.json == {
        "success": True,
        "results": [{"message_id": "m1", "status": "stored", "reason": None}],
    }
    (logged,) = ask.logged()
    assert (logged.source, logged.path, logged.user_agent) == ("web", "/v1/track", "sdk/1")
    assert logged.ip == "203.0.113.0"
    assert json.loads(logged.body) == event()


def test_each_item_of_a_batch_has_its_own_verdict_in_order(ask):
    batch = {
        "batch": [
            event("a", type="track"),
            {"type": "track", "messageId": "b", "userId": "u"},
            {"type": "page", "messageId": "c", "name": "home"},
            "nonsense",
            event("a", type="track"),
            event("a", type="track", event="Other"),
            {"type": "identify", "userId": "u9"},
        ]
    }
    answer = ask(batch, path="/v1/batch", headers=basic())
    assert answer.status == 200
    assert [(status, reason) for _, status, reason in answer.verdicts] == [
        ("stored", None),
        ("rejected", "missing_event"),
        ("rejected", "missing_id"),
        ("rejected", "not_an_object"),
        ("duplicate", None),
        ("rejected", "id_conflict"),
        ("stored", None),
    ]
    assert [message_id for message_id, _, _ in answer.verdicts][:3] == ["a", "b", "c"]
    assert all(message_id for message_id, _, _ in answer.verdicts)
    assert len(ask.logged()) == 1


def test_a_repeated_event_is_a_duplicate_only_with_equal_content_and_in_its_own_source(ask):
    first = event(timestamp="2026-11-21T08:00:00Z")
    assert (
        ask(first | {"sentAt": "2026-11-21T08:00:01Z"}, headers=basic()).verdicts[0][1] == "stored"
    )
    again = ask(first | {"sentAt": "2026-11-21T08:09:00Z"}, headers=basic())
    assert again.verdicts == [("m1", "duplicate", None)]
    other = ask(first | {"event": "Sign out"}, headers=basic())
    assert other.verdicts == [("m1", "rejected", "id_conflict")]
    assert ask(first, headers=basic("k2")).verdicts == [("m1", "stored", None)]
    assert len(ask.logged()) == 4  # all of them are counted at commit


def test_the_key_is_taken_from_header_then_query_then_body(ask):
    for number, options in enumerate(
        [
            {"headers": basic("k2"), "query": b"writeKey=k1"},
            {"query": b"a=b&writeKey=k2"},
            {"headers": {"authorization": b"Bearer token"}, "query": b"writeKey=k2"},
        ]
    ):
        answer = ask(event(f"m{number}", writeKey="k1"), **options)
        assert answer.status == 200
    assert ask(event("m8", writeKey="k2")).status == 200
    assert (
        ask({"batch": [event("m9", type="track")], "writeKey": "k2"}, path="/v1/batch").status
        == 200
    )
    assert [logged.source for logged in ask.logged()] == ["crm"] * 5


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"headers": basic("nobody")},
        {"headers": {"authorization": b"Basic !!!"}},
        {"headers": {"authorization": b"Basic " + base64.b64encode(b"\xff\xfe:")}},
        {"query": b"writeKey=nobody"},
        {"query": b"&".join(b"a=%d" % n for n in range(200))},
    ],
)
def test_an_unknown_key_is_refused_and_nothing_is_logged(ask, options):
    answer = ask(event(), **options)
    assert answer.status == 401
    assert answer.json["code"] == "unknown_key"
    assert not ask.logged()


def test_a_header_with_an_unknown_key_is_not_saved_by_the_body(ask):
    assert ask(event(writeKey="k1"), headers=basic("nobody")).status == 401


def test_gzip_is_believed_by_its_bytes_not_by_its_headers(ask):
    packed = gzip.compress(as_json({"batch": [event("z", type="track")]}))
    for headers in (
        {"content-encoding": b"gzip"},
        {"content-type": b"application/x-www-form-urlencoded"},
    ):
        answer = ask(packed, path="/v1/batch", headers=basic() | headers)
        assert answer.status == 200
    assert ask.logged()[0].body == packed


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1", b"not json", b'"text"', b"\x1f\x8bbroken", b"\xff\xff", b"null", b"{}" * 2],
)
def test_an_unreadable_body_is_refused_with_a_reason(ask, body):
    answer = ask(body, headers=basic())
    assert answer.status == 400
    assert answer.json["code"] == "unreadable_body"
    assert answer.json["message"]
    assert not ask.logged()


def test_too_large_is_413_in_one_piece_in_parts_or_unpacked(ask):
    limit = collector_module.MAX_BODY
    big = b'"' + b"x" * limit + b'"'
    assert ask(big, headers=basic()).status == 413
    assert ask(parts=[b"x" * 65536] * 100, headers=basic()).status == 413
    bomb = gzip.compress(bytes(64 << 20))
    answer = ask(bomb, headers=basic())
    assert answer.status == 413
    assert answer.json["code"] == "body_too_large"
    assert not ask.logged()


def test_a_large_body_in_many_parts_is_taken(ask):
    whole = as_json(
        {"batch": [event(f"m{n}", type="track", properties={"x": "y" * 900}) for n in range(3000)]}
    )
    parts = [whole[start : start + 65536] for start in range(0, len(whole), 65536)]
    answer = ask(
        parts=parts, path="/v1/batch", headers=basic() | {"content-length": b"%d" % len(whole)}
    )
    assert answer.status == 200
    assert len(answer.verdicts) == 3000
    assert {status for _, status, _ in answer.verdicts} == {"stored"}


def test_a_sender_that_hangs_up_gets_no_answer_and_leaves_nothing(ask):
    assert not ask(parts=[b"{", b"}"], hangs_up=True, headers=basic()).was_sent
    assert not ask.logged()


def test_preflight_allows_what_browsers_ask_for(ask):
    answer = ask(
        method="OPTIONS",
        headers={
            "origin": b"https://shop.example",
            "access-control-request-method": b"POST",
            "access-control-request-headers": b"authorization,content-type,x-retry-count",
        },
    )
    assert answer.status == 204
    assert answer.body == b""
    assert answer.headers[b"access-control-allow-origin"] == b"https://shop.example"
    assert (
        answer.headers[b"access-control-allow-headers"]
        == b"authorization,content-type,x-retry-count"
    )
    assert b"POST" in answer.headers[b"access-control-allow-methods"]
    assert int(answer.headers[b"access-control-max-age"]) > 0


def test_every_cross_origin_answer_can_be_read_by_the_page(ask):
    for status, options in ((200, {"headers": basic()}), (401, {"headers": {}})):
        options["headers"] = options["headers"] | {"origin": b"https://shop.example"}
        answer = ask(event(), **options)
        assert answer.status == status
        assert answer.headers[b"access-control-allow-origin"] == b"https://shop.example"
        assert answer.headers[b"access-control-expose-headers"] == b"Retry-After"
        assert answer.headers[b"vary"] == b"Origin"


def test_hostile_origins_and_header_names_are_not_echoed(ask):
    answer = ask(
        method="OPTIONS",
        headers={"origin": b"a b\x7f", "access-control-request-headers": b"x: y"},
    )
    assert b"access-control-allow-origin" not in answer.headers
    assert b"access-control-allow-headers" not in answer.headers


def test_other_methods_are_told_what_to_use(ask):
    answer = ask(method="GET")
    assert answer.status == 405
    assert answer.headers[b"allow"] == b"POST, OPTIONS"


def test_a_complaint_speaks_the_senders_language(ask):
    answer = ask(b"{", headers=basic() | {"accept-language": b"zh-CN,zh;q=0.9"})
    assert "请" in answer.json["message"]


def gated():
    log = GatedLog()
    return log, Collector(log, Keys(Store()))


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def test_nothing_is_answered_before_the_sync():
    async def story():
        log, app = gated()
        task = asyncio.create_task(call(app, as_json(event()), headers=basic()))
        await settle()
        assert len(log.flights) == 1
        assert not task.done()
        log.land()
        assert (await task).status == 200

    asyncio.run(story())


def test_a_second_copy_waits_for_the_first_and_is_stored_when_that_one_failed():
    async def story():
        log, app = gated()
        first = asyncio.create_task(call(app, as_json(event()), headers=basic()))
        await settle()
        second = asyncio.create_task(call(app, as_json(event()), headers=basic()))
        await settle()
        assert len(log.flights) == 1
        assert not second.done()
        log.land(Unavailable("disk_full", path="/secret/place"))
        refused = await first
        assert refused.status == 503
        assert refused.headers[b"retry-after"] == b"1"
        assert refused.json["code"] == "disk_full"
        assert b"secret" not in refused.body
        await settle()
        log.land()
        assert (await second).verdicts == [("m1", "stored", None)]
        third = asyncio.create_task(call(app, as_json(event()), headers=basic()))
        await settle()
        log.land()
        assert (await third).verdicts == [("m1", "duplicate", None)]

    asyncio.run(story())


def test_copies_in_one_group_are_judged_in_log_order():
    async def story():
        log, app = gated()
        tasks = [
            asyncio.create_task(call(app, as_json(event(event=name)), headers=basic()))
            for name in ("A", "B", "A")
        ]
        await settle()
        assert [len(payloads) for payloads, _ in log.flights] == [3]
        log.land()
        statuses = [(await task).verdicts[0][1] for task in tasks]
        assert statuses == ["stored", "rejected", "duplicate"]

    asyncio.run(story())


def test_requests_that_arrive_during_a_sync_share_the_next_one():
    async def story():
        log, app = gated()

        def send(number):
            return asyncio.create_task(call(app, as_json(event(f"m{number}")), headers=basic()))

        tasks = [send(0)]
        await settle()
        tasks += [send(number) for number in range(1, 40)]
        await settle()
        log.land()
        await settle()
        assert [len(payloads) for payloads, _ in log.flights] == [39]
        log.land()
        assert {(await task).status for task in tasks} == {200}

    asyncio.run(story())


def test_bodies_in_memory_are_bounded_over_all_connections(monkeypatch):
    monkeypatch.setattr(sender_module, "MAX_HELD", 1000)

    async def story():
        log, app = gated()
        body = as_json(event(properties={"x": "y" * 500}))
        headers = basic() | {"content-length": b"%d" % len(body)}
        first = asyncio.create_task(call(app, body, headers=headers))
        await settle()
        assert (await call(app, body, headers=headers)).status == 503
        log.land()
        assert (await first).status == 200
        third = asyncio.create_task(call(app, body, headers=headers))
        await settle()
        log.land()
        assert (await third).status == 200

    asyncio.run(story())


def test_a_body_that_dribbles_is_cut_off(monkeypatch):
    monkeypatch.setattr(collector_module, "BODY_S", 0.05)

    async def receive():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def story():
        _, app = gated()
        sent = []

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/track",
            "query_string": b"",
            "headers": [(b"authorization", basic()["authorization"])],
            "client": None,
        }
        await app(scope, receive, send)
        assert sent[0]["status"] == 408

    asyncio.run(story())


def test_a_key_added_while_serving_is_found_and_a_removed_one_forgotten(monkeypatch):
    from touchline.web import keys as keys_module

    monkeypatch.setattr(keys_module, "PAUSE_S", 0.0)

    async def story():
        store = Store(web="k1")
        keys = Keys(store)
        assert await keys.source("k1", b"header") == "web"
        assert keys.by_header(b"header") == "web"
        assert await keys.source("new") is None
        store.keys = {"shop": "new"}
        assert await keys.source("new") == "shop"
        assert keys.by_header(b"header") is None
        assert await keys.source("k1") is None

    asyncio.run(story())


def test_keys_stay_good_while_state_cannot_be_read(monkeypatch):
    from touchline.web import keys as keys_module

    monkeypatch.setattr(keys_module, "STALE_S", -1.0)

    async def story():
        store = Store(web="k1")
        keys = Keys(store)
        await keys.source("k1", b"header")

        def broken():
            raise OSError

        store.write_keys = broken
        for _ in range(3):
            assert keys.by_header(b"header") == "web"
            await asyncio.sleep(0.01)

    asyncio.run(story())


def test_only_a_basic_header_names_a_user():
    assert basic_user(b"Basic " + base64.b64encode(b"key:")) == "key"
    assert basic_user(b"basic " + base64.b64encode(b"key")) == "key"
    assert basic_user(b"Basic " + base64.b64encode(b":x")) is None
    assert basic_user(b"Bearer key") is None


@pytest.mark.parametrize(
    ("address", "cut"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("unix", None),
        ("", None),
    ],
)
def test_addresses_are_cut_to_a_region(address, cut):
    assert cut_ip(address) == cut


def test_paths_are_those_of_the_protocol():
    for call_name in ("track", "identify", "page", "screen", "group", "alias", "batch"):
        assert f"/v1/{call_name}" in PATHS


def test_a_busy_collector_on_a_real_log_answers_everything_once(tmp_path):
    total = 500

    async def story(log):
        app = Collector(log, Keys(Store()))
        answers = await asyncio.gather(
            *(call(app, as_json(event(f"m{n % 400}")), headers=basic()) for n in range(total))
        )
        statuses = [answer.verdicts[0][1] for answer in answers]
        assert statuses.count("stored") == 400
        assert statuses.count("duplicate") == 100

    with Log.open(tmp_path) as log:
        asyncio.run(story(log))
    assert len(list(read(tmp_path, 0, 1 << 30))) == total
