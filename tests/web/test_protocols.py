"""Other protocols at the collector: keys, images, settings, and visitors without a cookie."""

import asyncio
import base64
import contextlib
import hashlib
import json

import msgspec
import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sender import Store, basic, call
from touchline.clock import DAY_US
from touchline.collect.protocol import GIF
from touchline.collect.visitor import Visitors
from touchline.model import RawRequest
from touchline.storage.log import Log, read
from touchline.web.collector import Collector
from touchline.web.keys import Keys

NOON = 1_795_233_600_000_000  # 2026-11-21T04:00:00Z, noon in Shanghai
AGENT = {"user-agent": b"Mozilla/5.0 (X11)"}
VIEW = {"n": "pageview", "d": "k1", "u": "https://ours.cn/"}


def keyed(kind, value):
    return hashlib.sha256(f"{kind}\0{value}".encode()).digest()[:16]


@pytest.fixture
def ask(tmp_path):
    """ask(body, ...) sends one call to a collector on a real log and returns the answer."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Log.open(tmp_path))
        runner = stack.enter_context(asyncio.Runner())

        async def make():
            return Collector(log, Keys(Store()), Visitors(keyed, "Asia/Shanghai"))

        app = runner.run(make())

        def ask(body=b"", *, behind=(), **options):
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            front = ProxyHeadersMiddleware(app, list(behind)) if behind else app
            return runner.run(call(front, body, **options))

        ask.logged = lambda: [
            msgspec.msgpack.decode(frame.payload, type=RawRequest)
            for frame in read(tmp_path, 0, 1 << 30)
        ]
        yield ask


def test_a_write_key_may_stand_in_a_header_of_its_own(ask):
    one = {"event": "E", "userId": "u"}
    assert ask(one, headers={"x-write-key": b"k2"}).status == 200
    assert ask(one, headers={"x-write-key": b"nobody"}).status == 401
    assert ask(one, headers={"x-write-key": b"k2"} | basic("k1")).status == 200
    assert [logged.source for logged in ask.logged()] == ["crm", "web"]


def test_a_call_in_a_form_is_a_call(ask):
    packed = base64.b64encode(json.dumps({"event": "E", "userId": "u"}).encode())
    answer = ask(b"data=" + packed, headers=basic() | {"content-type": b"text/plain"})
    assert answer.verdicts[0][1] == "stored"


def test_a_pixel_is_an_image_whether_its_call_is_kept_or_not(ask):
    for query in (b"writeKey=k1&event=Opened&userId=u", b"writeKey=nobody", b"", b"data=%%%"):
        answer = ask(path="/pixel/v1/track", method="GET", query=query)
        assert (answer.status, answer.body) == (200, GIF)
        assert answer.headers[b"content-type"] == b"image/gif"
        assert answer.headers[b"cache-control"] == b"no-store"
    assert len(ask.logged()) == 1


def test_settings_name_the_host_that_was_asked_and_log_nothing(ask):
    headers = {"host": b"t.shop.cn", "x-forwarded-proto": b"https", "origin": b"https://shop.cn"}
    answer = ask(path="/v1/projects/k1/settings", method="GET", headers=headers)
    assert answer.json["integrations"]["Segment.io"]["apiHost"] == "t.shop.cn/v1"
    assert answer.headers[b"access-control-allow-origin"] == b"https://shop.cn"
    assert not ask.logged()


def test_a_source_of_rudderstack_is_told_to_who_has_its_key(ask):
    path = {"path": "/sourceConfig", "method": "GET"}
    assert ask(headers=basic("nobody"), **path).status == 401
    assert ask(headers=basic("k1"), query=b"writeKey=k1", **path).json["source"]["name"] == "web"
    assert ask(path="/sourceConfig", method="HEAD").status == 200


def test_the_measurement_protocol_hears_204_unless_its_id_is_unknown(ask):
    body = {"client_id": "1.2", "events": [{"name": "x"}]}
    for sent in (body, {"events": 7}, b"{"):
        answer = ask(sent, path="/mp/collect", query=b"measurement_id=k1&api_secret=s")
        assert (answer.status, answer.body) == (204, b"")
    assert ask(body, path="/mp/collect", query=b"measurement_id=G-1").status == 401
    assert len(ask.logged()) == 3
    debugged = ask({}, path="/debug/mp/collect").json["validationMessages"]
    assert {found["fieldPath"] for found in debugged} == {"measurement_id", "client_id", "events"}


def sent_by(ask, client, *, behind=(), **headers):
    """The name a visitor is given. `behind`: proxies that are trusted."""
    given = AGENT | {name.replace("_", "-"): value for name, value in headers.items()}
    more = {"headers": given, "client": (client, 5), "behind": behind}
    answer = ask(VIEW, path="/api/event", **more)
    assert (answer.status, answer.body) == (202, b"ok")
    return ask.logged()[-1].headers["visitor"]


def test_visitors_without_a_cookie_are_told_apart_by_their_whole_address(ask):
    first = sent_by(ask, "203.0.113.7")
    assert first == sent_by(ask, "203.0.113.7")
    assert first != sent_by(ask, "203.0.113.8")
    assert {logged.ip for logged in ask.logged()} == {"203.0.113.0"}


def test_only_a_trusted_proxy_says_whose_visit_it_passes_on(ask):
    own = sent_by(ask, "198.51.100.9")
    assert sent_by(ask, "198.51.100.9", x_forwarded_for=b"203.0.113.7") == own
    assert {logged.ip for logged in ask.logged()} == {"198.51.100.0"}
    given = {"behind": ("10.0.0.1", "192.168.0.0/16")}
    passed = sent_by(ask, "10.0.0.1", x_forwarded_for=b"1.2.3.4, 203.0.113.7,192.168.7.7", **given)
    assert passed == sent_by(ask, "203.0.113.7")
    assert ask.logged()[-1].ip == "203.0.113.0"
    assert sent_by(ask, "10.0.0.2", x_forwarded_for=b"203.0.113.7", **given) != passed


def test_nobody_names_himself(ask):
    assert sent_by(ask, "203.0.113.7", visitor=b"me") == sent_by(ask, "203.0.113.7")


def test_a_script_may_send_its_token_back_from_another_origin(ask):
    wanted = {"origin": b"https://shop.cn", "access-control-request-headers": b"x-umami-cache"}
    answer = ask(path="/api/send", method="OPTIONS", headers=wanted)
    assert answer.headers[b"access-control-allow-headers"] == b"x-umami-cache"
    body = {"type": "event", "payload": {"website": "k1"}}
    first = ask(body, path="/api/send").json
    again = {"x-umami-cache": first["cache"].encode()}
    elsewhere = ask(body, path="/api/send", headers=again, client=("198.51.100.1", 5)).json
    assert elsewhere["sessionId"] == first["sessionId"]


def test_a_name_lasts_a_local_day_or_month():
    visitors = Visitors(keyed, "Asia/Shanghai")

    def name(period, days=0.0, agent="A"):
        return visitors.name(period, "203.0.113.7", agent, NOON + round(days * DAY_US))

    assert name("day") == name("day", 0.49) != name("day", 0.51)
    assert name("month") == name("month", 9.49) != name("month", 9.51)
    assert name("day") != name("day", agent="B") != name("day", agent=None)
    assert "203.0.113.7" not in name("day")
