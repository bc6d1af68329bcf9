"""What a flood of one source gets to hear, and that the others do not hear of it."""

import asyncio
import base64
import json
import threading

import pytest

from sender import Store, as_json, basic, call, event
from touchline.collect.makers.makers import makers
from touchline.collect.protocols import webhook
from touchline.collect.site import Site
from touchline.storage.log import Log
from touchline.web import collector as module
from touchline.web import sender as sender_module
from touchline.web.collector import Collector
from touchline.web.keys import Keys
from touchline.web.rules import Rules
from touchline.web.sender import BURST_S, Senders


@pytest.fixture
def story(tmp_path, monkeypatch):
    """story(tells, rate) runs a coroutine on a collector whose sources may send `rate` a second."""
    monkeypatch.setattr(module, "PAUSE_S", 0.0)

    def story(tells, rate=1):
        async def run():
            with Log.open(tmp_path) as log:
                return await tells(Collector(log, Keys(Store()), senders=Senders(rate)))

        return asyncio.run(run())

    return story


def batch(count, key=None, **more):
    value = {"batch": [{"type": "track", **event(f"m{n}", **more)} for n in range(count)]}
    return as_json({**value, "writeKey": key} if key else value)


def test_a_flood_is_told_when_to_come_again_and_the_others_are_served(story):
    async def tells(app):
        first = await call(app, batch(50), path="/v1/batch", headers=basic())
        flood = [await call(app, as_json(event()), headers=basic()) for _ in range(3)]
        in_body = await call(app, batch(1, key="k1"), path="/v1/batch")
        in_query = await call(app, as_json(event()), query=b"writeKey=k1")
        other = await call(app, as_json(event()), headers=basic("k2"))
        return first, [*flood, in_body, in_query], other

    first, refused, other = story(tells)
    assert (first.status, other.status) == (200, 200)
    for answer in refused:
        assert answer.status == 429
        assert 30 < int(answer.headers[b"retry-after"]) <= 50 - BURST_S + 1
        assert answer.json["code"] == "too_many_requests"
        assert "Retry-After" in answer.json["message"]


def test_what_is_refused_is_not_read(story):
    async def tells(app):
        await call(app, batch(50), path="/v1/batch", headers=basic())
        sent = []

        async def receive():
            raise AssertionError

        async def send(message):
            sent.append(message)

        header = b"Basic " + base64.b64encode(b"k1:")
        scope = {"type": "http", "method": "POST", "path": "/v1/batch", "query_string": b""}
        await app({**scope, "headers": [(b"authorization", header)], "client": None}, receive, send)
        return sent[0]["status"]

    assert story(tells) == 429


def test_pages_of_other_origins_may_read_when_to_come_again(story):
    async def tells(app):
        await call(app, batch(50), path="/v1/batch", headers=basic())
        headers = {**basic(), "origin": b"https://shop.example.com"}
        return await call(app, as_json(event()), headers=headers)

    answer = story(tells)
    assert answer.headers[b"access-control-expose-headers"] == b"Retry-After"


def test_one_source_does_not_take_all_the_memory_for_bodies(story, monkeypatch):
    monkeypatch.setattr(sender_module, "MAX_HELD", 1000)
    monkeypatch.setattr(sender_module, "MAX_SHARE", 500)

    async def tells(app):
        small = as_json(event())
        large = as_json(event(properties={"text": "x" * 600}))
        refused = await call(app, large, headers=basic())
        return refused.status, (await call(app, small, headers=basic())).status

    assert story(tells, rate=0) == (429, 200)


def test_large_batches_are_told_of_whatever_turn_they_were_read_in(story, monkeypatch):
    async def tells(app):
        body = batch(100, properties={"text": "x" * 400})
        calls = (call(app, body, path="/v1/batch", headers=basic()) for _ in range(8))
        return await asyncio.gather(*calls)

    for large in (module.SMALL, module.LARGE):
        monkeypatch.setattr(module, "LARGE", large)
        answers = story(tells, rate=0)
        told = [json.loads(answer.body)["results"][0]["status"] for answer in answers]
        assert sorted(told) == ["duplicate"] * 7 + ["stored"]


HOOK = {"name": "calls", "secret": "correct horse", "fields": {"name": "Call", "phone": "$.from"}}
FORM = {
    "name": "demo",
    "title": "T",
    "field": [{"name": "note", "required": True}],
}
KNOWS = {"x-webhook-token": b"correct horse"}


@pytest.fixture
def defined(tmp_path, monkeypatch):
    """defined(tells, rate): as a story, on a collector whose site has webhooks and forms."""
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    documents = {
        "webhook": [HOOK, {**HOOK, "name": "other"}],
        "form": [FORM, {**FORM, "name": "other-form"}],
    }
    site = Site(workspace="w", makers=makers(documents, lambda sealed, _: sealed))

    def defined(tells, rate=1):
        async def run():
            with Log.open(tmp_path) as log:
                rules = Rules(lambda number: None if number == 1 else (1, site))
                return await tells(
                    Collector(log, Keys(Store()), senders=Senders(rate), rules=rules)
                )

        return asyncio.run(run())

    return defined


@pytest.mark.parametrize(
    ("path", "status", "others"),
    [
        ("/hooks/calls", 401, {"/hooks/other": 401, "/f/demo": 422}),
        ("/f/demo", 422, {"/f/other-form": 422, "/hooks/calls": 401}),
    ],
)
def test_what_comes_to_nothing_is_limited_by_what_it_was_sent_to(defined, path, status, others):
    async def tells(app):
        flood = [(await call(app, b"{}", path=path)).status for _ in range(3)]
        return flood, {other: (await call(app, b"{}", path=other)).status for other in others}

    flood, heard = defined(tells, rate=1 / BURST_S)
    assert (flood[0], flood[-1]) == (status, 429)
    assert heard == others


def test_slow_bodies_to_one_webhook_leave_room_for_all_others(defined, monkeypatch):
    monkeypatch.setattr(sender_module, "MAX_SHARE", 500)

    async def tells(app):
        begun, slow = asyncio.Event(), asyncio.Event()

        async def receive():
            if not parts:
                begun.set()
                await slow.wait()
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(_):
            raise AssertionError

        parts = [{"type": "http.request", "body": b"x" * 450, "more_body": True}]
        scope = {"type": "http", "method": "POST", "query_string": b"", "headers": []}
        task = asyncio.create_task(
            app({**scope, "path": "/hooks/calls", "client": None}, receive, send)
        )
        await begun.wait()
        body = as_json({"from": "13800138000", "note": "x" * 100})
        paths = ("/hooks/calls", "/hooks/other", "/f/demo")
        heard = [(await call(app, body, path=path, headers=KNOWS)).status for path in paths]
        slow.set()
        await task
        return heard

    assert defined(tells, rate=0) == [429, 200, 200]


def test_what_nobody_defined_is_not_read(defined):
    async def tells(app):
        return [(await call(app, path=path, parts=[])).status for path in ("/hooks/x", "/f/x")]

    assert defined(tells) == [404, 404]


def test_the_loop_is_free_while_items_of_a_webhook_are_read(defined, monkeypatch):
    threads = set()
    real = webhook.read

    def seen(*given):
        threads.add(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(webhook, "read", seen)

    async def tells(app):
        body = as_json({"from": "13800138000"})
        return (await call(app, body, path="/hooks/calls", headers=KNOWS)).status

    assert defined(tells) == 200
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("path", ["/v1/track", "/f/demo", "/hooks/calls", "/l/ann"])
def test_a_method_that_is_not_taken_is_told_of_those_that_are(defined, path):
    async def tells(app):
        return await call(app, path=path, method="PUT")

    answer = defined(tells)
    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert "Allow" in answer.json["message"]
    assert "only" not in answer.json["message"]
    assert answer.headers[b"allow"]
