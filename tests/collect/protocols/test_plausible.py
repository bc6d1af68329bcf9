"""Plausible's events → items."""

import json

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st
from wild import check, values

from touchline.collect.protocol import Verdict
from touchline.collect.protocols.plausible import NAMES, PLAUSIBLE
from touchline.collect.segment import to_event
from touchline.model import RawRequest

AGENT = "Mozilla/5.0 (Windows NT 10.0) Chrome/140"
VIEW = {"n": "pageview", "d": "ours.cn", "u": "https://ours.cn/p?utm_source=xhs&utm_medium=social"}


def call(body, **fields):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "received_us": RECEIVED,
        "source": "web",
        "request_id": b"r" * 16,
        "user_agent": AGENT,
        "ip": "203.0.113.0",
        **fields,
    }
    return RawRequest(path="/api/event", body=body, **given)


def one(**given):
    request = call({**VIEW, **given})
    (item,) = PLAUSIBLE.read(request).items
    assert item.reason is None, item.reason
    return to_event(item, request, None, SITE)


def test_a_page_view_is_a_page_with_its_campaign():
    event = one(r="https://www.xiaohongshu.com/", w=1920, v=36, h=1, p={"author": "王"})
    assert (event.type, event.page_url, event.medium) == ("page", VIEW["u"], "social")
    assert event.properties == {"author": "王"}
    assert event.context["library"] == {"name": "plausible", "version": 36}
    assert event.context["screen"] == {"width": 1920}
    assert event.context["plausible"] == {"hash_mode": 1}
    assert event.context["ip"] == "203.0.113.0"


def test_names_in_full_say_the_same():
    short = {"n": "Signup", "d": "ours.cn", "u": VIEW["u"], "r": "https://a.cn/", "p": {"a": "b"}}
    full = {name: short[letter] for name, (letter, *_) in NAMES.items() if letter in short}
    assert PLAUSIBLE.read(call(short)) == PLAUSIBLE.read(call(full))


def test_a_goal_is_a_track_with_its_money():
    event = one(n="Buy", **{"$": {"amount": "199.00", "currency": "CNY"}}, i=False)
    assert (event.type, event.name, event.revenue) == ("track", "Buy", 19900)
    assert event.properties["interactive"] is False


def test_time_read_and_scroll_depth_come_as_an_event():
    event = one(n="engagement", e=5200, sd=80)
    assert (event.type, event.name) == ("track", "engagement")
    assert event.properties == {"engagement_ms": 5200, "scroll_depth": 80}


@pytest.mark.parametrize("props", ['{"a": "b"}', {"a": "b"}])
def test_props_come_as_an_object_or_as_text(props):
    assert one(p=props).properties == {"a": "b"}
    assert one(p=None, m=props).properties == {"a": "b"}


def test_props_that_are_neither_stay_as_they_are():
    assert one(p="plain").properties == {"props": "plain"}
    assert one(p=[1]).properties == {"props": [1]}


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"d": "ours.cn"}, "plausible:ours.cn"),
        ({"d": "www.ours.cn, b.cn"}, "plausible:ours.cn"),
        ({"d": ""}, "plausible:ours.cn"),
        ({"d": None, "u": "not an address"}, None),
    ],
)
def test_the_domain_is_the_key(given, key):
    assert PLAUSIBLE.read(call({**VIEW, **given})).write_key == key


def test_other_sites_of_a_page_are_kept():
    assert one(d="ours.cn,b.cn").context["plausible"] == {"domain": "ours.cn,b.cn"}


def visitor(**fields):
    (item,) = PLAUSIBLE.read(call(VIEW, **fields)).items
    return item.data["anonymousId"]


def test_a_visitor_is_known_by_the_name_the_collector_gave():
    named = {"headers": {"visitor": "ab12"}}
    assert visitor(**named) == visitor(**named, user_agent="other")
    assert visitor(**named) != visitor(headers={"visitor": "cd34"})
    assert visitor() == visitor()
    assert visitor() != visitor(ip="192.0.2.0")


def test_the_answer_is_202_and_marks_what_was_dropped():
    answer = PLAUSIBLE.answer(call(VIEW), [Verdict("m", "stored")])
    assert (answer.status, answer.body, answer.headers) == (202, b"ok", ())
    answer = PLAUSIBLE.answer(call(VIEW), [Verdict("m", "rejected", "missing_event")])
    assert (b"x-plausible-dropped", b"1") in answer.headers


def test_an_event_without_a_name_is_rejected():
    (item,) = PLAUSIBLE.read(call({"d": "ours.cn", "u": VIEW["u"]})).items
    assert item.reason == "missing_event"


names = sorted({name for spellings in NAMES.values() for name in spellings})


@given(st.dictionaries(st.sampled_from(names), st.just("pageview") | values) | values)
def test_whatever_is_sent_has_verdicts(body):
    check(PLAUSIBLE, call(body))
