"""What an event shows without saying it: device, bot, place, consent, a browser's wishes."""

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.geofile import mmdb
from touchline.collect import segment
from touchline.collect.bots import KINDS, BotRules, bot_of
from touchline.collect.client import client_of
from touchline.collect.consent import consent_of, signals_of
from touchline.collect.geo import Geo
from touchline.collect.quick import Quick
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.model import CONSENTS, RawRequest

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Mobile/15E148 MicroMessenger/8.0.60 NetType/WIFI Language/zh_CN"
)
GPTBOT = "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"
SHENZHEN = {
    "country": {"iso_code": "CN", "names": {"en": "China", "zh-CN": "中国"}},
    "subdivisions": [{"iso_code": "GD", "names": {"en": "Guangdong", "zh-CN": "广东"}}],
    "city": {"names": {"en": "Shenzhen", "zh-CN": "深圳市"}},
}
PLAIN = {"country": "Singapore", "country_code": "SG", "region": "North West", "city": "Yishun"}
NETWORKS = {"1.2.3.0/24": SHENZHEN, "5.6.0.0/16": PLAIN, "2400:3200::/32": SHENZHEN}


@pytest.fixture(scope="module")
def geo(tmp_path_factory):
    path = tmp_path_factory.mktemp("geo") / "places.mmdb"
    path.write_bytes(mmdb(NETWORKS))
    return Geo(path)


def made(site, context=None, **request):
    """The event of a page view, which both ways must make alike, and what it shows."""
    item = {"messageId": "m", "anonymousId": "a", "context": context or {}}
    body = msgspec.json.encode(item)
    sent = RawRequest(1_795_250_000_000_000, "web", "/v1/page", body, b"r" * 16, **request)
    (quick,) = Quick(site).events(sent)
    batch = segment.read(sent)
    event = segment.to_event(batch.items[0], sent, None, site)
    short = {name: msgspec.json.decode(raw) for name, raw in quick.event.context.items()}
    assert short == event.context
    same = ("bot", "consent", "channel", "source_name")
    assert [getattr(quick.event, n) for n in same] == [getattr(event, n) for n in same]
    return event, event.context.get("touchline", {})


def test_a_request_tells_the_device_the_place_and_the_wishes(geo):
    site = Site(workspace="w", geo=geo)
    event, found = made(
        site, user_agent=PHONE, ip="1.2.3.0", headers={"dnt": "1", "sec-gpc": "1", "referer": "x"}
    )
    assert found == {
        "device_type": "phone",
        "brand": "Apple",
        "model": "iPhone",
        "os": "iOS",
        "os_version": "18.5",
        "browser": "WeChat Browser",
        "browser_version": "8.0",
        "app": "wechat",
        "country": "CN",
        "region": "Guangdong",
        "region_zh": "广东",
        "city": "Shenzhen",
        "city_zh": "深圳市",
        "dnt": True,
        "gpc": True,
    }
    assert not event.bot
    assert event.consent is None


def test_the_context_s_own_agent_and_address_come_before_the_connection_s(geo):
    site = Site(workspace="w", geo=geo)
    context = {"userAgent": GPTBOT, "ip": "5.6.7.8", "consent": {"mode": "cookieless"}}
    event, found = made(site, context, user_agent=PHONE, ip="1.2.3.0")
    assert (found["country"], found["city"]) == ("SG", "Yishun")
    assert (found["bot"], found["bot_name"]) == ("ai", "gptbot")
    assert event.bot
    assert event.consent == "cookieless"
    assert event.context["ip"] == "5.6.7.0"


def test_a_server_s_own_program_and_address_say_nothing(geo):
    _, found = made(Site(workspace="w", geo=geo), user_agent="python-requests/2", ip="1.2.3.0")
    assert found == {}


def test_a_sender_s_own_field_of_our_name_is_kept_elsewhere():
    sent = RawRequest(
        1_795_250_000_000_000,
        "web",
        "/v1/page",
        msgspec.json.encode(
            {"messageId": "m", "anonymousId": "a", "context": {"touchline": {"country": "XX"}}}
        ),
        b"r" * 16,
    )
    site = Site(workspace="w")
    assert Quick(site).events(sent) is None
    event = segment.to_event(segment.read(sent).items[0], sent, None, site)
    assert event.context == {"item": {"touchline": {"country": "XX"}}}


def test_a_site_may_count_bots_or_say_who_is_none():
    assert made(Site(workspace="w"), {"userAgent": GPTBOT})[0].bot
    for table in ({"count": True}, {"people": ["gptbot"]}):
        assert not made(Site(workspace="w", bots=BotRules.of(table)), {"userAgent": GPTBOT})[0].bot
    own = Site(workspace="w", bots=BotRules.of({"bots": ["ShopMonitor"]}))
    event, found = made(own, {"userAgent": PHONE + " ShopMonitor/1"})
    assert event.bot
    assert (found["bot"], found["bot_name"]) == ("own", "ShopMonitor")
    with pytest.raises(BadInput, match="bots"):
        BotRules.of({"bot": ["a"]})


def test_every_kind_of_bot_has_its_reason_in_both_languages():
    assert all(en and zh for en, zh in KINDS.values())


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (GPTBOT, "ai"),
        ("Mozilla/5.0 (compatible; PerplexityBot/1.0)", "ai"),
        ("Mozilla/5.0 (Linux) (compatible; Bytespider; https://zhanzhang.toutiao.com/)", "ai"),
        ("facebookexternalhit/1.1", "preview"),
        ("Slackbot-LinkExpanding 1.0", "preview"),
        ("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor"),
        ("Mozilla/5.0 Chrome/120 Safari/537.36 Chrome-Lighthouse", "monitor"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0", "headless"),
        ("sqlmap/1.8", "scanner"),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0)", "seo"),
        ("curl/8.5.0", "tool"),
        ("PHP/8.2", "tool"),
        ("Mozilla/5.0 (compatible; archive.org_bot)", "archive"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "crawler"),
        ("Mozilla/5.0 (compatible; SomeNewSpider/0.1)", "crawler"),
    ],
)
def test_a_bot_is_told_with_its_kind(agent, kind):
    bot = bot_of(agent)
    assert bot is not None
    assert bot.kind == kind


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/137.0.0.0 Safari/537.36"), ("desktop", "Windows", "Chrome")),
        (("Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
         " Version/17.6 Mobile/15E148 Safari/604.1"), ("tablet", "iOS", "Mobile Safari")),
        (("Mozilla/5.0 (Linux; Android 12; HarmonyOS; LIO-AN00) AppleWebKit/537.36 Chrome/114.0"
         " HuaweiBrowser/15.0 Mobile Safari/537.36"), ("phone", "HarmonyOS", "Huawei Browser")),
        (("Mozilla/5.0 (Linux; Android 13; SM-X810) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/130.0 Safari/537.36"), ("tablet", "Android", "Chrome")),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 TV Safari/537.36",
         ("tv", "Tizen", None)),
        ("Mozilla/5.0 (PlayStation 5/SmartTV) AppleWebKit/605.1.15", ("tv", None, None)),
        ("x", (None, None, None)),
    ],
)  # fmt: skip
def test_a_user_agent_names_device_system_and_browser(agent, expected):
    found = client_of(agent)
    device, system, browser = expected
    assert found.get("device_type") == device
    assert system in (None, found.get("os"))
    assert browser in (None, found.get("browser"))


@given(st.text(max_size=300))
def test_no_user_agent_raises(agent):
    client_of(agent)
    bot_of(agent)


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({}, None),
        ({"consent": None}, None),
        *(({"consent": {"mode": word}}, word) for word in CONSENTS),
        ({"consent": {"mode": "what"}}, None),
        ({"consent": True}, "full"),
        ({"consent": False}, "denied"),
        ({"consent": "Opt-Out"}, "denied"),
        ({"consent": ["full"]}, None),
        ({"consent": {"categoryPreferences": {"Ads": True, "Analytics": True}}}, "full"),
        ({"consent": {"categoryPreferences": {"Ads": False, "Analytics": True}}}, "partial"),
        ({"consent": {"categoryPreferences": {"Ads": False}}}, "denied"),
        ({"consent": {"categoryPreferences": {}}}, None),
        ({"consent": {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"}}, "partial"),
        ({"consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"}}, "denied"),
        ({"consentManagement": {"allowedConsentIds": ["a"], "deniedConsentIds": []}}, "full"),
        ({"consentManagement": {"allowedConsentIds": ["a"], "deniedConsentIds": ["b"]}}, "partial"),
        ({"consentManagement": {"deniedConsentIds": ["b"]}}, "denied"),
        ({"consentManagement": {}}, None),
    ],
)
def test_consent_is_one_word_however_it_is_said(context, said):
    assert consent_of(context) == said


@given(st.dictionaries(st.sampled_from(["consent", "consentManagement", "x"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)))  # fmt: skip
def test_consent_is_a_known_word_or_none_whatever_is_said(context):
    assert consent_of(context) in (None, *CONSENTS)


def test_only_a_plain_one_is_a_wish():
    assert signals_of({"dnt": "1", "sec-gpc": "0"}) == {"dnt": True}
    assert signals_of({"dnt": "null"}) == {}


def test_a_network_has_the_place_of_the_file(geo):
    assert geo.problem is None
    assert geo.examined() is None
    assert geo.place("1.2.3.0")["city_zh"] == "深圳市"
    assert geo.place("2400:3200:1::")["country"] == "CN"
    assert geo.place("9.9.9.0") == {}
    assert geo.place("nonsense") == {}


def test_a_file_that_is_cut_short_while_it_is_open_does_no_harm(tmp_path):
    path = tmp_path / "places.mmdb"
    path.write_bytes(mmdb(NETWORKS))
    geo = Geo(path)
    os.truncate(path, 0)
    assert geo.place("1.2.3.0")["country"] == "CN"


def test_a_file_that_is_no_good_is_a_problem_and_never_an_error(tmp_path):
    whole = mmdb(NETWORKS)
    assert Geo(tmp_path / "none.mmdb").examined() == "missing"
    assert Geo(tmp_path).examined() == "damaged"
    for name, raw in {"empty": b"", "text": b"hello", "half": whole[: len(whole) // 2]}.items():
        path = tmp_path / name
        path.write_bytes(raw)
        broken = Geo(path)
        assert broken.examined() == "damaged"
        assert broken.place("1.2.3.0") == {}
    other = tmp_path / "asn"
    other.write_bytes(mmdb({"1.2.3.0/24": {"autonomous_system_number": 4134}}, "Test-ASN"))
    assert Geo(other).examined() == "other"


@given(st.binary(max_size=60), st.integers(min_value=0))
def test_a_damaged_file_never_raises(tmp_path_factory, raw, at):
    whole = bytearray(mmdb(NETWORKS))
    at %= len(whole)
    whole[at : at + len(raw)] = raw
    path = tmp_path_factory.getbasetemp() / "damaged.mmdb"
    path.write_bytes(bytes(whole))
    geo = Geo(path)
    for address in ("1.2.3.0", "5.6.7.0", "2400:3200::"):
        assert isinstance(geo.place(address), dict)
    geo.examined()
