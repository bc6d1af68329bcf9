"""GA4's Measurement Protocol → items, and what its debug address says."""

import json

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st
from wild import check, values

from touchline.collect.protocols.ga4 import GA4
from touchline.collect.segment import to_event
from touchline.model import RawRequest

QUERY = "measurement_id=G-ABC&api_secret=hidden"
DEBUG = GA4.routes[1].tells


def call(body, query=QUERY, **fields):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    return RawRequest(path="/mp/collect", body=body, query=query, **given)


def sent(*events, **more):
    return call({"client_id": "123.456", "events": list(events), **more})


def one(name, params=None, **more):
    request = sent({"name": name, "params": params or {}}, **more)
    batch = GA4.read(request)
    (item,) = batch.items
    assert item.reason is None, item.reason
    return to_event(item, request, batch.sent_at, SITE)


def ids(event):
    return {(found.type, found.value) for found in event.identifiers}


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (QUERY, "ga4:G-ABC"),
        ("firebase_app_id=1:2:web:3&api_secret=x", "ga4:1:2:web:3"),
        ("api_secret=x", None),
    ],
)
def test_the_measurement_id_is_the_key_and_the_secret_is_not_kept(query, key):
    batch = GA4.read(call({"client_id": "1.2", "events": [{"name": "x"}]}, query))
    assert batch.write_key == key
    assert "hidden" not in repr(batch)


def test_a_purchase_is_an_order():
    event = one(
        "purchase",
        {
            "transaction_id": "T-1",
            "value": 199.5,
            "currency": "CNY",
            "tax": 3,
            "items": [{"item_id": "S1", "item_name": "面霜", "price": 199.5, "index": 0}],
        },
        user_id="u1",
    )
    assert (event.name, event.order_id, event.revenue, event.currency) == (
        "Order Completed",
        "T-1",
        19950,
        "CNY",
    )
    assert event.properties["products"] == [
        {"product_id": "S1", "name": "面霜", "price": 199.5, "index": 0}
    ]
    assert event.properties["tax"] == 3
    assert event.context["ga4_event"] == {"name": "purchase"}
    assert ids(event) == {("user_id", "u1"), ("anonymous_id", "123.456")}


@pytest.mark.parametrize(
    ("params", "revenue"),
    [
        ({"value": 50}, 5000),
        ({}, None),  # the whole order
        ({"items": [{"price": 10, "quantity": 3}, {"price": "2.50"}]}, 3250),
        ({"items": [{"price": 10}, {"item_id": "x"}]}, None),
    ],
)
def test_a_refund_gives_back_what_it_names(params, revenue):
    event = one("refund", {"transaction_id": "T-1", "currency": "CNY", **params})
    assert (event.name, event.order_id, event.revenue) == ("Order Refunded", "T-1", revenue)


def test_a_page_view_is_a_page_with_its_campaign():
    event = one(
        "page_view",
        {
            "page_location": "https://ours.cn/p?utm_source=xhs&utm_medium=social",
            "page_referrer": "https://www.xiaohongshu.com/",
            "page_title": "首页",
            "engagement_time_msec": 100,
            "session_id": 17,
        },
        ip_override="203.0.113.9",
        user_agent="Mozilla/5.0 (iPhone)",
        device={"language": "zh-CN", "category": "mobile"},
    )
    assert (event.type, event.page_title, event.source_name) == ("page", "首页", "xiaohongshu")
    assert event.properties == {"engagement_time_msec": 100, "session_id": 17}
    assert event.context["ip"] == "203.0.113.0"
    assert event.context["locale"] == "zh-CN"
    assert event.context["userAgent"] == "Mozilla/5.0 (iPhone)"


def test_a_screen_view_is_a_screen():
    assert one("screen_view", {"screen_name": "购物车"}).name == "购物车"


def test_a_login_joins_the_client_with_the_user():
    event = one("login", {"method": "wechat"}, user_id="u7")
    assert (event.type, event.name) == ("track", "login")
    assert ids(event) == {("user_id", "u7"), ("anonymous_id", "123.456")}


@pytest.mark.parametrize("name", ["campaign_details", "anything"])
def test_a_campaign_that_is_told_by_name_is_the_events_own(name):
    given = {"campaign_source": "baidu", "campaign_medium": "cpc", "campaign_name": "双11"}
    event = one(name, given)
    assert (event.medium, event.campaign, event.channel) == ("cpc", "双11", "Paid Search")


def test_bare_words_are_a_campaign_in_its_own_event_alone():
    bare = {"source": "baidu", "medium": "cpc", "campaign": "双11"}
    assert one("campaign_details", bare).campaign == "双11"
    other = one("quiz", bare)
    assert other.campaign is None
    assert other.properties == bare


def test_user_properties_are_traits_and_hashed_addresses_are_refused():
    event = one(
        "x",
        user_properties={"tier": {"value": "gold"}, "odd": {"value": 1, "set_timestamp_micros": 2}},
        user_data={"sha256_email_address": ["ab"]},
        consent={"ad_user_data": "DENIED"},
        validation_behavior="RELAXED",
    )
    assert event.traits == {"tier": "gold"}
    assert event.context["ga4"] == {
        "validation_behavior": "RELAXED",
        "user_properties": {"odd": {"value": 1, "set_timestamp_micros": 2}},
    }
    assert event.context["consent"] == {"ad_user_data": "DENIED"}
    assert "sha256" not in repr(event)


def test_an_event_has_its_own_time_else_that_of_the_request():
    request = sent(
        {"name": "a", "timestamp_micros": RECEIVED - 5_000_000},
        {"name": "b"},
        timestamp_micros=str(RECEIVED - 9_000_000),
    )
    times = [to_event(item, request, None, SITE).ts_us for item in GA4.read(request).items]
    assert times == [RECEIVED - 5_000_000, RECEIVED - 9_000_000]


def test_a_retry_of_an_event_with_a_time_has_the_same_id_and_one_without_has_not():
    timed = {"client_id": "1.2", "timestamp_micros": RECEIVED, "events": [{"name": "a"}] * 2}
    first, again = (
        [item.message_id for item in GA4.read(call(timed, request_id=made * 16)).items]
        for made in (b"a", b"b")
    )
    assert first == again
    assert len(set(first)) == 2
    del timed["timestamp_micros"]
    first, again = (
        [item.message_id for item in GA4.read(call(timed, request_id=made * 16)).items]
        for made in (b"a", b"b")
    )
    assert not set(first) & set(again)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"events": 1}', b'{"events": []}'])
def test_what_cannot_be_read_becomes_a_reject_and_the_answer_is_204(body):
    request = call(body)
    (item,) = GA4.read(request).items
    assert item.reason == "unreadable_body"
    answer = GA4.answer(request, ())
    assert (answer.status, answer.body) == (204, b"")


def test_an_event_without_a_list_around_it_is_one():
    (item,) = GA4.read(call({"client_id": "1.2", "events": {"name": "later"}})).items
    assert (item.reason, item.data["event"]) == (None, "later")


def test_one_bad_event_costs_no_other():
    batch = GA4.read(sent({"name": "a"}, "b", {"params": {}}, {"name": "d", "params": [1]}))
    assert [item.reason for item in batch.items] == [
        None,
        "not_an_object",
        "missing_event",
        "not_an_object",
    ]


def debugged(body, query=QUERY):
    found = json.loads(DEBUG(call(body, query)).body)["validationMessages"]
    return [(one["fieldPath"], one["validationCode"]) for one in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"client_id": "1", "events": [{"name": "ok", "params": {"a": 1}}]}, []),
        (b"{", [("", "VALUE_INVALID")]),
        ({"events": []}, [("client_id", "VALUE_REQUIRED"), ("events", "VALUE_REQUIRED")]),
        (
            {"client_id": "1", "events": [{"name": "session_start"}, {"name": "bad name"}, 3]},
            [
                ("events[0].name", "NAME_RESERVED"),
                ("events[1].name", "NAME_INVALID"),
                ("events[2]", "VALUE_INVALID"),
            ],
        ),
        (
            {"client_id": "1", "events": [{"name": "purchase", "params": {"currency": "CNY"}}]},
            [("events[0].params.transaction_id", "VALUE_REQUIRED")],
        ),
        (
            {"client_id": "1", "timestamp_micros": -1, "events": [{"name": "a"}] * 26},
            [("timestamp_micros", "VALUE_INVALID"), ("events", "EXCEEDED_MAX_ENTITIES")],
        ),
    ],
)
def test_the_debug_address_says_what_is_wrong(body, found):
    assert debugged(body) == found


def test_the_debug_address_misses_the_measurement_id():
    assert debugged({"client_id": "1", "events": [{"name": "a"}]}, "") == [
        ("measurement_id", "VALUE_REQUIRED")
    ]


events = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["purchase", "refund", "page_view", "screen_view", "login"])
        | values,
        "params": st.dictionaries(
            st.sampled_from(["value", "items", "transaction_id", "currency", "page_location"]),
            values,
        )
        | values,
        "timestamp_micros": values,
    },
)


@given(
    st.fixed_dictionaries(
        {"events": st.lists(events | values, max_size=3) | values},
        optional={
            "client_id": values,
            "user_id": values,
            "user_properties": values,
            "device": values,
            "timestamp_micros": values,
            "ip_override": values,
        },
    )
    | values
)
def test_whatever_is_sent_has_verdicts(whole):
    request = call(json.dumps(whole).encode())
    check(GA4, request)
    DEBUG(request)
