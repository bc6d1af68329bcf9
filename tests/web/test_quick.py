"""The way without ASGI: it is taken, and nobody can tell it from the other by what is answered or
logged, whatever is sent, in whatever pieces and whatever happens on the way.
"""

import asyncio
import base64
import gzip
import itertools
import json
from types import SimpleNamespace

import pytest
import uvicorn
from hypothesis import event as noted
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from sender import Store, as_json, event
from touchline import clock
from touchline.errors import Unavailable
from touchline.web import collector as collector_module
from touchline.web import group as group_module
from touchline.web import keys as keys_module
from touchline.web import sender as sender_module
from touchline.web.collector import Collector
from touchline.web.dispatch import Dispatch
from touchline.web.head import HEAD_S, Head, end_slow
from touchline.web.keys import Keys
from touchline.web.quick import SMALL
from touchline.web.script import Script
from touchline.web.sender import Senders
from touchline.web.server import Connection

DATE = b"Sun, 22 Nov 2026 11:00:00 GMT"
ROUNDS = 40  # of the loop, after which nothing moves by itself


class Disk:
    """A log that answers when told to."""

    def __init__(self):
        self.kept = []
        self.flights = []

    def extend(self, payloads, done):
        self.flights.append((payloads, done))

    def payload(self, offset):
        return self.kept[offset]

    async def land(self, *, fails=False):
        while self.flights:
            payloads, done = self.flights.pop(0)
            start = len(self.kept)
            if fails:
                done(Unavailable("disk_full", path="/x"))
            else:
                self.kept += payloads
                done(range(start, len(self.kept)))
            await rest()


class Wire(asyncio.Transport):
    """What a client sends and hears; behaves as a socket where both ways look."""

    def __init__(self, loop, address="127.0.0.1"):
        super().__init__({"peername": (address, 5555), "sockname": ("127.0.0.1", 80)})
        self.loop = loop
        self.heard = b""
        self.waiting = []
        self.is_paused = self.is_over = False

    def attach(self, protocol):
        self.protocol = protocol
        protocol.connection_made(self)

    def send(self, data):
        self.waiting.append(data)
        self._deliver()

    def _deliver(self):
        while self.waiting and not self.is_paused and not self.is_over:
            self.protocol.data_received(self.waiting.pop(0))

    def write(self, data):
        if not self.is_over:
            self.heard += data

    def is_closing(self):
        return self.is_over

    def close(self):
        if not self.is_over:
            self.is_over = True
            self.loop.call_soon(self.protocol.connection_lost, None)

    def abort(self):
        self.close()

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False
        self.loop.call_soon(self._deliver)


async def rest():
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


async def nothing_here(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class World:
    """One connection to a collector, by `kind` of protocol."""

    def __init__(self, kind, rate=0):
        loop = asyncio.get_running_loop()
        collector_module._COUNT = itertools.repeat(7)
        self.disk = Disk()
        self.senders = Senders(rate)
        self.keys = Keys(Store())
        self.collector = Collector(self.disk, self.keys, senders=self.senders)
        self.app = Dispatch(self.collector, nothing_here, Script())
        config = uvicorn.Config(
            self.app, http=kind, lifespan="off", ws="none", access_log=False, log_level="critical"
        )
        config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", DATE)]
        self.wire = Wire(loop)
        self.connection = kind(config, self.state, {}, loop)
        self.wire.attach(self.connection)

    async def knows(self, key):
        await self.keys.source(key, basic(key))

    async def lives(self, steps):
        """What was heard and logged in the end."""
        for step in steps:
            if isinstance(step, bytes):
                self.wire.send(step)
                continue
            await rest()  # whatever happens, it happens to both at the same moment
            if step in ("land", "fail"):
                await self.disk.land(fails=step == "fail")
            elif step == "stop":
                self.connection.shutdown()
            elif step == "gone":
                self.wire.close()
        await rest()
        await self.disk.land()
        self.wire.close()
        await rest()
        assert (self.senders.held, self.state.tasks, self.state.connections) == (0, set(), set())
        return self.wire.heard, self.disk.kept


def basic(key):
    return b"Basic " + base64.b64encode(key.encode() + b":")


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """Nothing takes time, and no answer depends on it."""

    async def at_once(work, *given):
        return work(*given)

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    monkeypatch.setattr(clock, "now_us", lambda: 1_763_000_000_000_000)
    monkeypatch.setattr(sender_module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    monkeypatch.setattr(collector_module, "PAUSE_S", 0.0)
    monkeypatch.setattr(keys_module, "PAUSE_S", 0.0)
    monkeypatch.setattr(group_module, "GATHER_S", 0.0)


def request(body, *more, path=b"/v1/track", key="k1", method=b"POST", version=b"1.1"):
    head = [b"%s %s HTTP/%s" % (method, path, version), b"Host: x", *more]
    if key is not None:
        head.append(b"Authorization: " + basic(key))
    if CHUNKED in more:
        return b"\r\n".join(
            (*head, b"", b"%x" % len(body), body, *([b"0", b""] if body else ()), b"")
        )
    return b"\r\n".join((*head, b"Content-Length: %d" % len(body), b"", body))


CHUNKED = b"Transfer-Encoding: chunked"
PLAIN = request(as_json(event()))
HEAD = PLAIN.partition(b"{")[0]
FORWARDED = b"X-Forwarded-For: 198.51.100.7, 127.0.0.1"


def heard(kind, steps, rate=0):
    async def story():
        world = World(kind, rate)
        await world.knows("k1")
        return await world.lives(steps)

    return asyncio.run(story())


def test_a_body_that_does_not_begin_is_as_slow_as_a_head_that_does_not_end():
    async def story():
        world = World(Connection)
        await world.knows("k1")
        world.wire.send(HEAD)
        await rest()
        late = asyncio.get_running_loop().time() + HEAD_S
        assert not world.connection.is_slow(late - 5)
        assert world.connection.is_slow(late + 1)
        world.wire.send(PLAIN[len(HEAD) :])
        await rest()
        assert not world.connection.is_slow(late + 1e9)  # it waits for the disk, not for its body
        await world.disk.land()
        await rest()
        world.wire.send(HEAD)
        await rest()
        end_slow(world.state.connections, late + 5)
        assert world.wire.is_closing()

    asyncio.run(story())


def test_a_plain_request_is_answered_without_asgi(monkeypatch):
    async def never(*_):
        raise AssertionError

    monkeypatch.setattr(Collector, "__call__", never)
    ordinary = (
        [PLAIN],
        [PLAIN[:30], HEAD[30:], "rest", PLAIN[len(HEAD) :]],
        [request(as_json(event()), FORWARDED, b"Origin: https://shop.example", b"DNT: 1")],
        [request(b"not json", b"Connection: keep-alive")],
        [request(as_json(event(writeKey="k2")), b"Origin: null", key=None)],
    )
    for steps in ordinary:
        answer, _ = heard(Connection, steps)
        assert answer.startswith(b"HTTP/1.1 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["success"] is (b"not" not in steps[0])


ODD = [
    b"Connection: keep-alive",
    b"Connection: close",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    CHUNKED,
    b"Origin: https://shop.example",
    b"Origin: a b",
    b"oRiGiN: null",
    FORWARDED,
    b"X-Forwarded-For: nonsense, [::1]:9, 2001:db8::7",
    b"X-Forwarded-For:",
    b"X-Forwarded-Proto: https",
    b"Accept-Language: zh-CN",
    b"DNT: 1",
    b"Sec-GPC: 1\r\nsec-gpc: 0",
    b"User-Agent: \xff" + b"a" * 300,
    b"X-Write-Key: k2",
    b"Content-Type: text/plain",
    b"Content-Type: application/octet-stream; charset=utf-16",
    b"Content-Encoding: gzip",
    b"Cookie: a=" + b"b" * 900,
    b"X:y z",
]
# What ends a connection at once; on the way with others it is a matter of luck which of them do.
HOSTILE = [
    b"garbage\r\n\r\n",
    request(b"{}", b"Bad Header: x"),
    request(b"{}", b"Content-Length: 3"),
    request(b"{}", b"Transfer-Encoding:chunked"),
    request(b"{}", b"Connection: Upgrade\r\nUpgrade: h2c"),
    PLAIN + b"garbage\r\n\r\n",
    PLAIN[:-5],
    PLAIN[:40],
]
PATHS = [
    *[b"/v1/track", b"/v1/t", b"/v1/batch", b"/v1/identify", b"/beacon/v1/batch", b"/v1/alias"],
    *[b"/v1/track?writeKey=k2", b"/v1/tr%61ck", b"/v1/track/", b"http://x/v1/track", b"/e/", b"/"],
    *[b"/i", b"/v1/track#a", b"*"],
]
BODIES = [
    as_json(event()),
    as_json(event("m2", writeKey="k2")),
    as_json(event("m1", event="Other")),
    as_json(event("", revenue="x")),
    as_json({"batch": [{"type": "track", **event(f"m{n}")} for n in range(12)]}),
    as_json({"batch": [{"type": "track"}, 3, {"type": "page", **event("m3")}]}),
    as_json(event("m4", properties={"text": "x" * SMALL})),
    json.dumps(event("会员", properties={"a": "\ud800"})).encode(),
    gzip.compress(as_json(event("m5"))),
    b"\x1f\x8b",
    b"",
    b"{",
    b"null",
    b"\xff\x00",
    b"[" * 3000,
]


@st.composite
def requests(draw):
    body = draw(st.sampled_from(BODIES))
    if draw(st.booleans()):
        return request(body)
    return request(
        body,
        *draw(st.lists(st.sampled_from(ODD), max_size=3)),
        path=draw(st.sampled_from(PATHS)),
        key=draw(st.sampled_from(["k1", "k1", "k1", "k2", "nobody", None])),
        method=draw(st.sampled_from([b"POST", b"POST", b"POST", b"OPTIONS", b"GET", b"PUT"])),
        version=draw(st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0"])),
    )


@st.composite
def streams(draw):
    """Steps of a client that sends requests, some at once, others one after the other in any
    pieces, and of what happens meanwhile. How much of pieces that come before an answer is read
    before it is a matter of luck as well.
    """
    happens = [*["rest"] * 4, *["land"] * 3, "fail", "stop", "gone"]
    steps = []
    for sent in draw(st.lists(st.lists(requests(), min_size=1, max_size=3), max_size=3)):
        data = b"".join(sent)
        cuts = draw(st.lists(st.integers(0, len(data)), max_size=3)) if len(sent) == 1 else []
        for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
            steps += [data[start:end]] if start < end else []
            steps += draw(st.lists(st.sampled_from(happens), max_size=1))
        steps.append("land")
    return steps + draw(st.lists(st.sampled_from(HOSTILE), max_size=1))


@settings(max_examples=100, deadline=None)
@given(streams(), st.sampled_from([0, 0, 1]))
@example([PLAIN + PLAIN + PLAIN], 0)
@example([PLAIN, "rest", "stop", "land"], 0)
@example([PLAIN[:-3], "stop", PLAIN[-3:]], 0)
@example([HEAD, "stop", PLAIN[len(HEAD) :], "land"], 0)
@example([HEAD, "stop", b"{", b"}" * 54], 0)
@example([PLAIN, "rest", PLAIN, "gone"], 0)
@example([PLAIN, "fail", PLAIN], 0)
@example([request(BODIES[4])] + [PLAIN, "land"] * 3, 1)
def test_both_ways_say_and_log_the_same(steps, rate):
    long, short = (heard(kind, steps, rate) for kind in (Head, Connection))
    noted(f"answers: {short[0].count(b'HTTP/1.1 ')}")
    assert short == long
