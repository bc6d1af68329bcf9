"""Visitors on their way: short links and mails at the collector, as an ASGI app."""

import asyncio
import contextlib
import json
import re
from collections import Counter

import msgspec
import pytest

from sender import Store, call
from touchline import clock
from touchline.collect import protocols
from touchline.collect.campaign import Labels
from touchline.collect.event import to_event
from touchline.collect.link import Link
from touchline.collect.mail import Mailed, Signer
from touchline.collect.protocol import GIF, Guide
from touchline.collect.site import Site
from touchline.errors import Unavailable
from touchline.model import TOUCH, Flag, Identifier, RawRequest
from touchline.storage.log import Log, read
from touchline.web import collector as collector_module
from touchline.web import lost
from touchline.web.collector import Collector
from touchline.web.group import Group
from touchline.web.keys import Keys
from touchline.web.sender import Senders

PHONE = b"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"
ANN = Identifier("email", "ann@shop.cn")
SPRING = Labels(source="wechat", medium="kol", campaign="spring", content="夏")
TO = "https://www.shop.cn/p?a=1&utm_source=wechat&utm_medium=kol&utm_campaign=spring"
LINKS = {
    "abc": Link(code="abc", target="https://www.shop.cn/p?a=1", labels=SPRING, label="门店"),
    "own": Link(code="own", target="https://www.shop.cn/", labels=Labels(), channel="私域"),
    "ann": Link(code="ann", target="https://www.shop.cn/", labels=SPRING, person=ANN),
    "old": Link(code="old", target="https://www.shop.cn/", labels=SPRING, expires_us=1),
}
NODE = b"a" * 16
SIGNER = Signer(b"k" * 32)
MAILED = Mailed("m-1", NODE, "spring", "crm", "hero", "https://www.shop.cn/p")
SITE = Site(workspace="w")


class Away:
    """State that may be away."""

    is_away = False
    asked = ()

    async def link(self, code):
        self.asked = (*self.asked, code)
        if self.is_away:
            raise Unavailable("busy")
        return LINKS.get(code)

    async def identifier(self, node):
        if self.is_away:
            raise Unavailable("busy")
        return ANN if node == NODE else None


class FullLog:
    """A log without space."""

    def extend(self, payloads, done):
        done(Unavailable("disk_full", path="x"))

    def payload(self, offset):
        raise AssertionError(offset)


@pytest.fixture
def ask(tmp_path):
    """ask(path, ...) is one visit; `ask.events()` what it left."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Log.open(tmp_path))
        runner = stack.enter_context(asyncio.Runner())
        state = Away()

        async def make(disk, keeps_visitors):
            guide = Guide(state.link, state.identifier, SIGNER, keeps_visitors)
            return Collector(disk, Keys(Store()), guide=guide)

        def ask(path, *, disk=log, keeps_visitors=True, agent=PHONE, method="GET", **more):
            app = runner.run(make(disk, keeps_visitors))
            given = {"host": b"go.shop.cn", "user-agent": agent, **more.pop("headers", {})}
            headers = {name: value for name, value in given.items() if value is not None}
            return runner.run(call(app, path=path, method=method, headers=headers, **more))

        def logged():
            frames = read(tmp_path, 0, 1 << 30)
            return [msgspec.msgpack.decode(frame.payload, type=RawRequest) for frame in frames]

        def events():
            found = []
            for request in logged():
                (item,) = protocols.read(request).items
                assert item.reason is None
                found.append(to_event(item, request, None, SITE))
            return found

        ask.logged, ask.events, ask.state = logged, events, state
        yield ask


def location(answer):
    return answer.headers[b"location"].decode()


def cookie_of(answer):
    return re.match(r"tl_id=([\w-]{36});", answer.headers[b"set-cookie"].decode())[1]


def test_a_click_is_led_on_and_is_a_touch_with_campaign_and_visitor(ask):
    answer = ask("/l/abc", headers={"referer": b"https://mp.weixin.qq.com/s/1"})
    assert (answer.status, answer.body) == (302, b"")
    assert location(answer) == f"{TO}&utm_content=%E5%A4%8F"
    assert answer.headers[b"cache-control"] == b"no-store"
    (event,) = ask.events()
    assert (event.name, event.type, event.source) == ("Link Clicked", "track", "links")
    assert (event.source_name, event.medium, event.campaign) == ("wechat", "kol", "spring")
    assert event.content == "夏"
    assert event.flags & TOUCH
    assert event.flags & Flag.CHANNEL_BY_RULE
    assert event.channel == SITE.channels.channel("wechat", "kol", "spring")
    assert event.identifiers == (Identifier("anonymous_id", cookie_of(answer)),)
    assert event.page_url == location(answer)
    assert event.properties["code"] == "abc"
    assert event.properties["label"] == "门店"
    assert event.referrer_host == "mp.weixin.qq.com"
    assert event.context["ip"] == "203.0.113.0"
    assert not event.bot


def test_who_has_the_trackers_cookie_keeps_it(ask):
    answer = ask("/l/abc", headers={"cookie": b"a=b; tl_id=d6c9a1f0-1; x=y"})
    assert b"set-cookie" not in answer.headers
    assert ask.events()[0].identifiers[0].value == "d6c9a1f0-1"
    assert b"d6c9a1f0-1" not in str(ask.logged()[0].headers).encode()


@pytest.mark.parametrize("cookie", [b"tl_id=", b"tl_id=short", b"tl_id=%22a%22aaaaaa", b"tl_id"])
def test_a_cookie_that_is_none_of_ours_is_replaced(ask, cookie):
    answer = ask("/l/abc", headers={"cookie": cookie})
    assert ask.events()[0].identifiers[0].value == cookie_of(answer)


@pytest.mark.parametrize(
    ("headers", "attributes"),
    [
        ({"host": b"go.shop.cn"}, "; Domain=shop.cn"),
        ({"host": b"go.shop.cn:8443", "x-forwarded-proto": b"https"}, "; Domain=shop.cn; Secure"),
        ({"host": b"10.0.0.1", "x-forwarded-host": b"go.shop.cn"}, "; Domain=shop.cn"),
        ({"host": b"short.example"}, ""),
        ({"host": b"127.0.0.1:8700"}, ""),
        ({"host": b"localhost"}, ""),
        ({"host": b"[::1"}, ""),
        ({"host": None}, ""),
    ],
)
def test_a_cookie_is_for_the_page_too_where_both_are_one_site(ask, headers, attributes):
    set_ = ask("/l/abc", headers=headers).headers[b"set-cookie"].decode()
    assert set_.split("; ", 1)[1] == "Path=/; Max-Age=34560000; SameSite=Lax" + attributes


@pytest.mark.parametrize(
    "headers", [{"dnt": b"1"}, {"sec-gpc": b"1"}, {"cookie": b"tl_id=12345678; tl_consent=off"}]
)
def test_who_does_not_want_to_be_known_is_not(ask, headers):
    answer = ask("/l/ann", headers=headers)
    assert answer.status == 302
    assert b"set-cookie" not in answer.headers
    (event,) = ask.events()
    assert [one.type for one in event.identifiers] == ["anonymous_id"]
    assert event.identifiers[0].value != "12345678"
    assert event.flags & TOUCH


def test_a_site_may_keep_nobody(ask):
    assert b"set-cookie" not in ask("/l/ann", keeps_visitors=False).headers
    assert ANN in ask.events()[0].identifiers


def test_a_link_of_one_person_says_so_without_showing_it(ask):
    answer = ask("/l/ann")
    assert "ann" not in location(answer)
    (event,) = ask.events()
    assert event.identifiers == (Identifier("anonymous_id", cookie_of(answer)), ANN)


def test_a_link_with_a_channel_has_that_one(ask):
    ask("/l/own")
    (event,) = ask.events()
    assert event.channel == "私域"
    assert event.flags & Flag.EXPLICIT_CHANNEL
    assert not event.flags & Flag.CHANNEL_BY_RULE


def test_a_click_id_goes_on_to_the_page_and_stands_in_the_event(ask):
    answer = ask("/l/abc", query=b"bd_vid=v1&utm_campaign=other&x=1")
    assert location(answer).endswith("&bd_vid=v1&x=1")
    (event,) = ask.events()
    assert event.click_ids == {"bd_vid": "v1"}
    assert event.campaign == "spring"


def test_codes_are_read_in_capitals_too(ask):
    assert ask("/l/ABC").status == 302


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/l/nobody", 404, ("leads nowhere", "链接不存在")),
        ("/l/%2e%2e", 404, ("leads nowhere", "链接不存在")),
        ("/l/old", 410, ("expired", "链接已失效")),
        ("/c/forged", 404, ("leads nowhere", "链接不存在")),
    ],
)
def test_a_link_that_leads_nowhere_says_so_in_the_visitors_language(ask, path, status, words):
    for accepted, word in zip((b"en", b"zh-CN,zh;q=0.9"), words, strict=True):
        answer = ask(path, headers={"accept-language": accepted})
        assert answer.status == status
        assert b"location" not in answer.headers
        assert b"set-cookie" not in answer.headers
        assert word in answer.body.decode()
        assert b"default-src 'none'" in answer.headers[b"content-security-policy"]
    assert not ask.logged()


@pytest.mark.parametrize(
    "code", ["x" * 65, "a", "..", "a b", "夏天", "\ufffd\ufffd", "a\0b", "l;x"]
)
def test_what_can_be_no_code_is_not_even_looked_up(ask, code):
    assert ask(f"/l/{code}").status == 404
    assert ask.state.asked == ()


@pytest.mark.parametrize(
    "query", [b"url=https://evil.cn", b"target=//evil.cn", b"/../https://evil.cn", b"%0d%0aX:1"]
)
def test_no_request_says_where_it_leads(ask, query):
    for path in ("/l/abc", "/c/" + SIGNER.click_path(MAILED)[3:]):
        to = location(ask(path, query=query))
        assert to.startswith("https://www.shop.cn/p?")
        assert "\r" not in to
        assert "\n" not in to


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"agent": b"WhatsApp/2.23.20.0 A"}, "preview"),
        ({"agent": b"facebookexternalhit/1.1"}, "bot"),
        ({"headers": {"sec-purpose": b"prefetch"}}, "prefetch"),
        ({"headers": {"sec-fetch-dest": b"image"}}, "embedded"),
    ],
)
def test_a_program_that_looks_is_led_on_and_is_no_touch(ask, more, why):
    answer = ask("/l/ann", **more)
    assert (answer.status, location(answer)[:24]) == (302, "https://www.shop.cn/?utm")
    assert b"set-cookie" not in answer.headers
    (event,) = ask.events()
    assert (event.name, event.properties["reason"]) == ("Link Previewed", why)
    assert not event.flags & (TOUCH | Flag.IN_SESSION)
    assert event.channel is None
    assert ANN not in event.identifiers


def test_head_is_led_on_and_leaves_nothing(ask):
    assert ask("/l/abc", method="HEAD").status == 302
    assert ask("/c/" + SIGNER.click_path(MAILED)[3:], method="HEAD").status == 302
    assert not ask.logged()


def test_other_methods_are_told_what_to_use(ask):
    answer = ask("/l/abc", method="POST")
    assert (answer.status, answer.headers[b"allow"]) == (405, b"GET, HEAD, OPTIONS")


def test_no_page_of_another_origin_reads_where_a_link_leads(ask):
    answer = ask("/l/abc", headers={"origin": b"https://evil.cn"})
    assert b"access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/l/abc", "/c/" + SIGNER.click_path(MAILED)[3:]])
def test_visits_that_cannot_be_kept_are_led_on_counted_and_told_once_it_can(
    tmp_path, path, monkeypatch
):
    monkeypatch.setattr(lost, "TELL_S", 0.05)
    state = Away()

    class Sometimes:
        """A log whose disk is full at first."""

        def __init__(self, log):
            self.log, self.is_full = log, True

        def extend(self, payloads, done):
            (FullLog() if self.is_full else self.log).extend(payloads, done)

    async def visits(log):
        disk = Sometimes(log)
        guide = Guide(state.link, state.identifier, SIGNER)
        app = Collector(disk, Keys(Store()), senders=Senders(0.5), guide=guide)
        for _ in range(9):  # the allowance of five is spent, and nothing kept
            answer = await call(app, path=path, method="GET", headers={"host": b"go.shop.cn"})
            assert answer.status == 302
        await asyncio.sleep(0.2)
        disk.is_full = False
        await asyncio.sleep(0.2)

    with Log.open(tmp_path) as log:
        asyncio.run(visits(log))
    (request,) = [
        msgspec.msgpack.decode(frame.payload, type=RawRequest)
        for frame in read(tmp_path, 0, 1 << 30)
    ]
    (item,) = protocols.read(request).items
    assert (item.reason, item.data["not_kept"]) == ("not_kept", 9)
    assert item.data["why"].keys() == {"too_many_requests", "disk_full"}
    assert (request.ip, request.user_agent, request.headers) == (None, None, {})


@pytest.mark.parametrize("waited", [0, 0.1])
def test_a_server_that_stops_tells_first_what_it_could_not_keep(tmp_path, waited, monkeypatch):
    """Also when it is just telling, and of what came meanwhile."""
    monkeypatch.setattr(lost, "TELL_S", 0.05 if waited else 60.0)
    request = RawRequest(0, "links", "/l/abc", b"{}", b"r" * 16)

    async def stop(log):
        group, is_held = Group(log), asyncio.Event()

        async def keep(request):
            if waited:
                await is_held.wait()
            await group.append(Packed(request))

        counts = lost.Lost(keep)
        counts.add(request, Counter(disk_full=2))
        await asyncio.sleep(waited)
        counts.add(request, Counter(disk_full=1))
        asyncio.get_running_loop().call_later(0.01, is_held.set)
        await counts.close()

    class Packed:
        def __init__(self, request):
            self.request = request

        def payload(self):
            return msgspec.msgpack.encode(self.request)

        def told(self, offset):
            return offset

    with Log.open(tmp_path) as log:
        asyncio.run(stop(log))
    told = [
        protocols.read(msgspec.msgpack.decode(frame.payload, type=RawRequest)).items[0].data
        for frame in read(tmp_path, 0, 1 << 30)
    ]
    assert sum(one["not_kept"] for one in told) == 3


def test_a_full_disk_keeps_nobody_from_the_page(ask):
    assert location(ask("/l/abc", disk=FullLog())).startswith(TO)
    assert ask("/c/" + SIGNER.click_path(MAILED)[3:], disk=FullLog()).status == 302
    assert ask("/o/" + SIGNER.open_path(MAILED)[3:], disk=FullLog()).body == GIF


def test_a_disk_that_hangs_keeps_nobody_for_long(ask, monkeypatch):
    monkeypatch.setattr(collector_module, "LEAD_S", 0.01)

    class Hanging(FullLog):
        def extend(self, payloads, done):
            pass

    assert ask("/l/abc", disk=Hanging()).status == 302


def test_a_flood_of_clicks_is_led_on_and_not_logged(ask, tmp_path):
    async def story():
        (tmp_path / "other").mkdir()
        with Log.open(tmp_path / "other") as log:
            guide = Guide(ask.state.link, ask.state.identifier, SIGNER)
            app = Collector(log, Keys(Store()), senders=Senders(0.1), guide=guide)
            answers = [await call(app, path="/l/abc", method="GET") for _ in range(5)]
            kept = len(list(read(tmp_path / "other", 0, 1 << 20)))
            return {answer.status for answer in answers}, kept

    statuses, kept = asyncio.run(story())
    assert statuses == {302}
    assert 1 <= kept < 5


def test_while_state_is_away_a_link_asks_for_patience_and_a_mail_leads_on(ask):
    ask.state.is_away = True
    answer = ask("/l/abc", headers={"accept-language": b"zh"})
    assert (answer.status, answer.headers[b"retry-after"]) == (503, b"1")
    assert "请稍候" in answer.body.decode()
    assert ask("/c/" + SIGNER.click_path(MAILED)[3:]).status == 302
    (event,) = ask.events()
    assert [one.type for one in event.identifiers] == ["anonymous_id"]


def test_a_link_in_a_mail_is_a_touch_of_its_recipient(ask):
    answer = ask(SIGNER.click_path(MAILED), query=b"gclid=g")
    assert location(answer) == (
        "https://www.shop.cn/p?utm_source=crm&utm_medium=email&utm_campaign=spring"
        "&utm_content=hero&gclid=g"
    )
    (event,) = ask.events()
    assert (event.name, event.source) == ("Email Link Clicked", "email")
    assert (event.source_name, event.medium, event.campaign) == ("crm", "email", "spring")
    assert event.channel == "Email"
    assert event.flags & TOUCH
    assert event.identifiers == (Identifier("anonymous_id", cookie_of(answer)), ANN)
    assert event.properties["email_id"] == "m-1"


def test_an_opened_mail_is_an_event_and_no_touch(ask):
    answer = ask(SIGNER.open_path(MAILED), headers={"sec-fetch-dest": b"image"})
    assert (answer.status, answer.body) == (200, GIF)
    assert answer.headers[b"cache-control"] == b"no-store"
    assert b"set-cookie" not in answer.headers
    (event,) = ask.events()
    assert event.name == "Email Opened"
    assert ANN in event.identifiers
    assert not event.flags & (TOUCH | Flag.IN_SESSION)
    assert event.properties == {
        "email_id": "m-1",
        "campaign": "spring",
        "source": "crm",
        "medium": "email",
        "content": "hero",
    }


@pytest.mark.parametrize(
    ("agent", "more"),
    [
        (b"Mozilla/5.0", {"proxy": "apple", "is_prefetch": True}),
        (b"Mozilla/5.0 (via ggpht.com GoogleImageProxy)", {"proxy": "gmail"}),
        (b"curl/8.5", {"is_prefetch": True}),
        (PHONE, {}),
    ],
)
def test_an_open_says_who_fetched_it(ask, agent, more):
    ask(SIGNER.open_path(MAILED), agent=agent)
    (event,) = ask.events()
    found = {k: v for k, v in event.properties.items() if k in ("proxy", "is_prefetch")}
    assert found == more
    # The program and the place of a mail service are nobody's.
    assert ("userAgent" in event.context) == ("proxy" not in more)
    assert ("ip" in event.context) == (agent == PHONE or agent == b"curl/8.5")


def test_a_forged_image_is_an_image_and_leaves_nothing(ask):
    for path in ("/o/forged.gif", "/o/" + SIGNER.click_path(MAILED)[3:] + ".gif"):
        assert ask(path).body == GIF
    assert not ask.logged()


def test_a_recipient_who_was_erased_is_nobody(ask):
    gone = Mailed("m-2", b"z" * 16, target="https://www.shop.cn/")
    assert ask(SIGNER.click_path(gone)).status == 302
    assert len(ask.events()[0].identifiers) == 1


def test_a_visit_is_logged_whole_so_that_reading_it_again_gives_the_same(ask):
    ask("/l/ann")
    (request,) = ask.logged()
    assert request.path == "/l/ann"
    assert request.headers == {}
    body = json.loads(request.body)
    assert body["properties"]["touchpoint"] is True
    assert ask.events() == ask.events()
    assert abs(request.received_us - clock.now_us()) < 60 * clock.US


def test_a_disk_that_stands_still_keeps_no_server_from_stopping(monkeypatch, capsys):
    monkeypatch.setattr(collector_module, "LATE_S", 0.05)

    class Still:
        def extend(self, payloads, done):
            """Never done."""

        def payload(self, offset):
            return None

    async def stop():
        app = Collector(Still(), Keys(Store()))
        request = RawRequest(0, "links", "/l/abc", b"{}", b"r" * 16)
        app._lost.add(request, Counter(disk_full=3))
        await asyncio.wait_for(app.close(), 20)

    asyncio.run(stop())
    assert "3 visits" in capsys.readouterr().err
