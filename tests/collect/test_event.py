import json

import pytest
from calls import RECEIVED, SITE, event, request, track

from touchline.collect.channel import ChannelRules
from touchline.collect.segment import content_hash, read, to_event
from touchline.collect.site import Site
from touchline.model import Flag

SECOND = 1_000_000
HOUR = 3600 * SECOND


def ids(made):
    return {(found.type, found.value) for found in made.identifiers}


def has(made, flag):
    return bool(made.flags & flag)


def test_time_is_corrected_by_what_the_client_s_clock_was_off():
    made = event(track(timestamp="2026-11-21T08:00:00.000Z", sentAt="2026-11-21T08:00:02.000Z"))
    assert made.ts_us == RECEIVED - 2 * SECOND
    assert made.original_us == RECEIVED - 1805 * SECOND
    assert made.sent_us == RECEIVED - 1803 * SECOND
    assert made.received_us == RECEIVED
    assert not has(made, Flag.CLOCK_SUSPECT)


def test_original_timestamp_comes_before_timestamp():
    made = event(
        track(
            originalTimestamp="2026-11-21T08:30:00Z",
            timestamp="2020-01-01T00:00:00Z",
            sentAt="2026-11-21T08:30:05Z",
        )
    )
    assert made.ts_us == RECEIVED - 5 * SECOND


def test_the_batch_s_sent_at_serves_items_without_one():
    call = request(
        {
            "sentAt": "2026-11-21T08:30:05Z",
            "batch": [
                track(timestamp="2026-11-21T08:30:00Z"),
                track(timestamp="2026-11-21T08:30:00Z", sentAt="2026-11-21T08:30:01Z"),
            ],
        }
    )
    batch = read(call)
    made = [to_event(item, call, batch.sent_at, SITE) for item in batch.items]
    assert [one.ts_us - RECEIVED for one in made] == [-5 * SECOND, -1 * SECOND]


def test_without_sent_at_the_client_s_time_stands_and_without_any_the_arrival():
    assert event(track(timestamp="2026-11-21T08:00:00+08:00")).ts_us == RECEIVED - (
        8 * HOUR + 1805 * SECOND
    )
    assert event(track()).ts_us == RECEIVED
    assert event(track(sentAt="2026-11-21T08:00:00Z")).ts_us == RECEIVED


def test_backdating_survives_the_correction():
    made = event(track(timestamp="2026-08-01T00:00:00Z", sentAt="2026-11-21T08:30:05Z"))
    assert made.ts_us == made.original_us
    assert not has(made, Flag.CLOCK_SUSPECT)


@pytest.mark.parametrize(
    ("fields", "is_suspect"),
    [
        ({"timestamp": "2026-11-21T08:36:00Z"}, True),
        ({"timestamp": "2026-11-21T08:35:00Z"}, False),
        ({"timestamp": "2026-11-19T08:00:00Z", "sentAt": "2026-11-19T08:00:00Z"}, True),
        ({"timestamp": "2026-11-20T09:00:00Z", "sentAt": "2026-11-20T09:00:00Z"}, False),
        ({"sentAt": "2026-11-23T09:00:00Z"}, True),
        ({"sentAt": "soon"}, True),
        ({"timestamp": "2026-11-21T09:30:00Z", "sentAt": "2026-11-21T09:30:00Z"}, False),
    ],
)
def test_clocks_that_cannot_be_right_are_flagged(fields, is_suspect):
    assert has(event(track(**fields)), Flag.CLOCK_SUSPECT) == is_suspect


def test_a_correction_out_of_this_era_is_given_up():
    made = event(track(timestamp="1970-01-02T00:00:00Z", sentAt="2199-01-01T00:00:00Z"))
    assert made.ts_us == RECEIVED
    assert has(made, Flag.CLOCK_SUSPECT)


def test_identifiers_come_from_ids_traits_and_device():
    made = event(
        {
            "userId": 10086,
            "anonymousId": "a1",
            "traits": {
                "email": "Li@QQ.com",
                "mobilePhone": "138 0013 8000",
                "memberCode": "V1",
                "crm_id": "C1",
                "unionId": "uni1",
                "externalUserid": "wm1",
                "openid": "wxapp:open1",
                "firstName": "Lei",
            },
            "context": {
                "traits": {"phone": "13900139000", "open_id": "open2"},
                "device": {"id": "d1", "advertisingId": "00000000-0000-0000-0000-000000000000"},
                "app": {"name": "Mall"},
            },
        },
        "/v1/identify",
    )
    assert ids(made) == {
        ("user_id", "10086"),
        ("anonymous_id", "a1"),
        ("email", "li@qq.com"),
        ("phone", "+8613800138000"),
        ("phone", "+8613900139000"),
        ("member_code", "V1"),
        ("crm_id", "C1"),
        ("unionid", "uni1"),
        ("external_userid", "wm1"),
        ("openid", "open1"),
        ("openid", "open2"),
        ("device", "d1"),
    }
    apps = {found.value: found.app for found in made.identifiers if found.type == "openid"}
    assert apps == {"open1": "wxapp", "open2": "Mall"}
    assert made.traits["firstName"] == "Lei"
    assert made.traits["email"] == "Li@QQ.com"


def test_properties_and_group_traits_name_nobody():
    assert ids(event(track(properties={"email": "friend@qq.com", "phone": "13800138000"}))) == {
        ("anonymous_id", "a1")
    }
    made = event(
        {"userId": "u", "groupId": "acme", "traits": {"email": "info@acme.cn", "size": 5}},
        "/v1/group",
    )
    assert ids(made) == {("user_id", "u")}
    assert made.account_id == "acme"
    assert made.traits == {}
    assert made.properties["size"] == 5


def test_traits_of_a_track_call_s_top_level_name_nobody():
    made = event(track(traits={"email": "x@qq.com"}))
    assert ids(made) == {("anonymous_id", "a1")}
    assert made.traits == {"email": "x@qq.com"}
    assert "traits" not in made.context


def test_an_alias_joins_the_previous_id_as_an_anonymous_id():
    made = event({"previousId": "old", "userId": "u"}, "/v1/alias")
    assert ids(made) == {("user_id", "u"), ("anonymous_id", "old")}


def test_own_traits_win_over_those_in_the_context():
    made = event(
        {"userId": "u", "traits": {"level": 2}, "context": {"traits": {"level": 1, "city": "HZ"}}},
        "/v1/identify",
    )
    assert made.traits == {"level": 2, "city": "HZ"}
    assert "traits" not in made.context


def test_only_a_track_call_s_properties_name_an_explicit_channel():
    made = event(
        track(
            "Store Visit",
            channel="server",
            properties={
                "channel": "门店活动",
                "campaign": "双11",
                "source": "XHS",
                "medium": "KOL",
            },
        )
    )
    assert (made.channel, made.campaign, made.source_name, made.medium) == (
        "门店活动",
        "双11",
        "xiaohongshu",
        "kol",
    )
    assert has(made, Flag.EXPLICIT_CHANNEL)
    assert not has(made, Flag.IN_SESSION)
    assert not has(made, Flag.CHANNEL_BY_RULE)
    assert made.context["channel"] == "server"


def test_the_top_level_channel_is_kept_and_never_read_as_ours():
    made = event(track(channel="web"))
    assert made.channel is None
    assert made.context["channel"] == "web"
    made = event({"userId": "u", "properties": {"channel": "x"}}, "/v1/page")
    assert made.channel == "Direct"


def test_an_explicit_channel_on_a_page_keeps_the_page_s_campaign():
    made = event(
        track(
            properties={"channel": "导购"},
            context={"page": {"url": "https://ours.cn/?utm_source=xhs&utm_campaign=c"}},
        )
    )
    assert (made.channel, made.source_name, made.campaign) == ("导购", "xiaohongshu", "c")
    assert has(made, Flag.EXPLICIT_CHANNEL)
    assert has(made, Flag.IN_SESSION)
    assert has(made, Flag.BRINGS_CAMPAIGN)


def test_pages_screens_and_campaigns_take_part_in_sessions_and_others_do_not():
    page = {"page": {"url": "https://ours.cn/a"}}
    assert has(event(track(context=page)), Flag.IN_SESSION)
    assert has(event({"userId": "u"}, "/v1/page"), Flag.IN_SESSION)
    assert has(event({"userId": "u"}, "/v1/screen"), Flag.IN_SESSION)
    assert has(event(track(context={"campaign": {"source": "x"}})), Flag.IN_SESSION)
    assert not has(event(track()), Flag.IN_SESSION)
    assert not has(event(track(context={"campaign": {}})), Flag.IN_SESSION)
    for path in ("/v1/identify", "/v1/group", "/v1/alias"):
        body = {"userId": "u", "groupId": "g", "previousId": "p", "context": page}
        made = event(body, path)
        assert made.flags == 0
        assert made.channel is None


def test_campaign_columns_come_from_context_url_and_referrer():
    made = event(
        track(
            context={
                "campaign": {"name": "双11", "source": "小红书"},
                "page": {
                    "url": "https://ours.cn/?utm_medium=cpc&gclid=G",
                    "referrer": "https://www.xiaohongshu.com/x",
                    "title": "首页",
                },
            }
        )
    )
    assert (made.source_name, made.medium, made.campaign) == ("xiaohongshu", "cpc", "双11")
    assert made.channel == "Paid Social"
    assert made.click_ids == {"gclid": "G"}
    assert made.referrer_host == "xiaohongshu.com"
    assert made.page_title == "首页"
    assert has(made, Flag.BRINGS_CAMPAIGN)
    assert has(made, Flag.CHANNEL_BY_RULE)


def test_a_page_without_any_origin_is_direct_and_brings_nothing():
    made = event({"userId": "u", "properties": {"url": "https://ours.cn/"}}, "/v1/page")
    assert (made.channel, made.source_name, made.medium) == ("Direct", None, None)
    assert has(made, Flag.IN_SESSION)
    assert not has(made, Flag.BRINGS_CAMPAIGN)


def test_a_page_call_s_own_address_comes_before_the_context_s():
    made = event(
        {
            "userId": "u",
            "name": "Home",
            "category": "Shop",
            "properties": {"url": "https://ours.cn/own", "referrer": "https://www.baidu.com/"},
            "context": {"page": {"url": "https://ours.cn/context", "title": "T"}},
        },
        "/v1/page",
    )
    assert (made.page_url, made.page_title, made.name) == ("https://ours.cn/own", "T", "Home")
    assert made.channel == "Organic Search"
    assert made.properties["category"] == "Shop"
    assert "name" not in made.context


def test_a_track_call_s_url_property_is_not_its_page():
    made = event(track(properties={"url": "https://ours.cn/?utm_source=x"}))
    assert made.page_url is None
    assert not has(made, Flag.IN_SESSION)


def test_the_site_s_rules_name_the_channel():
    rules = ChannelRules.compile([{"channel_rule": [{"channel": "品牌专区", "source": "baidu"}]}])
    made = event(
        track(context={"page": {"url": "https://ours.cn/?bd_vid=1"}}),
        site=Site(workspace="w", channels=rules),
    )
    assert made.channel == "品牌专区"


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("Order Completed", {"revenue": 199.5, "total": 210}, (19950, "CNY")),
        ("Order Completed", {"total": "1,234.50"}, (123450, "CNY")),
        ("order completed ", {"total": 5}, (500, "CNY")),
        ("Order Completed", {"value": 5, "currency": "CNY"}, (None, "CNY")),
        ("Order Completed", {"revenue": 1000, "currency": "JPY"}, (1000, "JPY")),
        ("Order Completed", {"revenue": 10, "currency": "usd"}, (1000, "USD")),
        ("Order Completed", {"revenue": -10}, (-1000, "CNY")),
        ("Order Refunded", {"total": 50}, (5000, "CNY")),
        ("Order Refunded", {}, (None, None)),
        ("Lead Won", {"value": 80, "currency": "CNY"}, (8000, "CNY")),
        ("Lead Won", {"value": 80}, (None, None)),
        ("Lead Won", {"revenue": 80}, (8000, "CNY")),
        ("Checkout Started", {"total": 80}, (None, None)),
        ("Signed Up", {"currency": "CNY"}, (None, "CNY")),
    ],
)
def test_money_is_read_from_a_track_call(name, properties, expected):
    made = event(track(name, properties=properties))
    assert (made.revenue, made.currency) == expected


def test_a_site_in_another_currency_is_the_default():
    made = event(
        track("Order Completed", properties={"revenue": 9}),
        site=Site(workspace="w", currency="JPY"),
    )
    assert (made.revenue, made.currency) == (9, "JPY")


def test_named_properties_fill_their_columns_and_stay():
    properties = {
        "order_id": 8801,
        "store_code": "HZ01",
        "staffId": "s7",
        "content_id": "c1",
        "stage": "won",
        "account_id": "acme",
    }
    made = event(track("Order Completed", properties=properties))
    assert made.order_id == "8801"
    assert (made.store_code, made.staff_id, made.content_id) == ("HZ01", "s7", "c1")
    assert (made.stage, made.account_id) == ("won", "acme")
    assert made.properties == properties
    page = event({"userId": "u", "properties": {"order_id": "x"}}, "/v1/page")
    assert page.order_id is None


def test_an_account_stands_in_the_context_too():
    assert event(track(context={"groupId": "acme"})).account_id == "acme"


def test_unknown_fields_are_kept_in_the_context():
    made = event(
        track(
            plan={"name": "p"},
            library="mine",
            integrations={"All": False},
            context={"library": {"name": "x"}, "item": 5, "groupId": "g"},
        )
    )
    assert made.context["plan"] == {"name": "p"}
    assert made.context["library"] == {"name": "x"}
    assert made.context["item"] == {"library": "mine", "item": 5}
    assert made.context["integrations"] == {"All": False}


def test_the_sending_program_is_not_the_visitor_s():
    made = event(track(), user_agent="python-requests/2.32", ip="203.0.113.0")
    assert not made.bot
    assert "ip" not in made.context
    assert "userAgent" not in made.context
    made = event(track(context={"userAgent": "curl/8.5.0"}))
    assert made.bot


def test_a_browser_s_own_connection_speaks_for_the_visitor():
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    made = event(track(), user_agent=agent, ip="203.0.113.0")
    assert made.bot
    assert made.context["ip"] == "203.0.113.0"
    assert made.context["userAgent"] == agent
    assert event(track(context={"direct": True}), ip="203.0.113.0").context["ip"] == "203.0.113.0"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("not an ip", None),
        (5, None),
    ],
)
def test_addresses_are_cut(sent, kept):
    assert event(track(context={"ip": sent})).context["ip"] == kept


def test_a_site_may_keep_whole_addresses():
    site = Site(workspace="w", keep_ip=True)
    assert event(track(context={"ip": "203.0.113.77"}), site=site).context["ip"] == "203.0.113.77"


def test_large_events_are_taken_and_flagged():
    assert has(event(track(properties={"x": "a" * 33_000})), Flag.OVERSIZE)
    assert not has(event(track(properties={"x": "a" * 30_000})), Flag.OVERSIZE)


def test_the_event_s_content_hash_is_that_of_the_item():
    call = request(track(context={"a": 1}), "/v1/track")
    (item,) = read(call).items
    made = to_event(item, call, None, SITE)
    assert made.content_hash == content_hash(item.data)
    assert made.message_id == "m1"
    assert made.source == "web"


def test_names_are_those_given_else_the_kind():
    assert event(track(" 下单 ")).name == "下单"
    assert event({"userId": "u"}, "/v1/page").name == "page"
    assert event({"userId": "u", "properties": {"name": "Cart"}}, "/v1/screen").name == "Cart"
    assert event({"userId": "u"}, "/v1/identify").name == "identify"


def test_events_survive_json():
    made = event(track(properties={"a": 10**25, "b": "中"}))
    assert json.loads(json.dumps(made.properties)) == made.properties
