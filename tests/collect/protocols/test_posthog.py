"""PostHog's events → items."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest
from calls import RECEIVED, SITE

from touchline.collect.protocols import read, spoken_at
from touchline.collect.segment import content_hash, to_event
from touchline.errors import BadInput, TooMany
from touchline.model import RawRequest

BROWSER, BEFORE = "01a2011a-1523-7f64-a3d8-912a1ef88bc0", "01a20000-1523-7f64-a3d8-912a1ef88bc0"
PAGE = "https://ours.cn/p?utm_source=xiaohongshu&utm_medium=kol"


def call(value, path="/batch/", query="", **fields):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    return RawRequest(path=path, body=body, query=query, **given)


def item(event="Sign up", distinct_id="u-7", properties=None, **more):
    raw = {"event": event, "distinct_id": distinct_id, "properties": properties or {}, **more}
    (found,) = read(call({"api_key": "phc_a", "batch": [raw]})).items
    assert found.reason is None, found.reason
    return found


def ids(found):
    return {
        name: found.data.get(name)
        for name in ("userId", "anonymousId", "previousId", "groupId")
        if name in found.data
    }


EVENT = {"event": "Sign up", "distinct_id": "u-7", "uuid": "e-1"}
PLAIN = json.dumps({"api_key": "phc_a", **EVENT}).encode()
BODIES = {
    "single": (PLAIN, ""),
    "token": (json.dumps({"token": "phc_a", **EVENT}).encode(), ""),
    "list": (json.dumps([{**EVENT, "properties": {"token": "phc_a"}}]).encode(), ""),
    "batch": (json.dumps({"api_key": "phc_a", "batch": [EVENT]}).encode(), ""),
    "key in the query": (json.dumps(EVENT).encode(), "token=phc_a"),
    "gzip": (gzip.compress(PLAIN), ""),
    "gzip-js": (gzip.compress(PLAIN), "compression=gzip-js&ip=1"),
    "form of json": (b"data=" + quote(PLAIN).encode(), ""),
    "form of base64": (b"data=" + quote(base64.b64encode(PLAIN)).encode(), "compression=base64"),
    "form, more behind": (b"data=" + base64.b64encode(PLAIN) + b"&compression=base64", ""),
    "base64 alone": (base64.b64encode(PLAIN), "compression=base64"),
    "query alone": (b"", "data=" + quote(base64.b64encode(PLAIN)) + "&ip=1"),
}


@pytest.mark.parametrize(("body", "query"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/batch", "/e/", "/capture", "/i/v0/e/", "/track/"])
def test_every_form_of_a_body_is_read_at_every_path(path, body, query):
    batch = read(call(body, path, query))
    assert batch.write_key == "posthog:phc_a"
    (found,) = batch.items
    assert (found.message_id, found.type, found.reason) == ("e-1", "track", None)
    assert found.data["event"] == "Sign up"


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"x"', b"[1]", b"data=%%", b"\x1f\x8bno"])
def test_a_body_without_events_is_unreadable(body):
    with pytest.raises(BadInput):
        read(call(body, "/e/"))


def test_an_event_of_another_project_is_a_reject_and_an_id_is_made_where_there_is_none():
    other = {**EVENT, "properties": {"token": "phc_b"}}
    batch = read(call([{**EVENT, "api_key": "phc_a"}, other, 7, {"event": "n"}]))
    assert [i.reason for i in batch.items] == [None, "other_site", "not_an_object", "missing_id"]
    assert len({i.message_id for i in batch.items[1:]}) == 3


def test_a_browser_nobody_is_signed_in_to_is_anonymous():
    known = {"$device_id": BROWSER, "$is_identified": False}
    assert ids(item(distinct_id=BROWSER, properties=known)) == {"anonymousId": BROWSER}
    assert ids(item(distinct_id=BROWSER)) == {"anonymousId": BROWSER}
    assert ids(item(distinct_id="d", properties={"$device_id": "d"})) == {"anonymousId": "d"}
    nobody = {"$process_person_profile": False}
    assert ids(item(distinct_id="x", properties=nobody)) == {"anonymousId": "x"}


def test_a_person_is_one_however_their_id_looks():
    assert ids(item()) == {"userId": "u-7"}
    signed_in = {"$user_id": "u-7", "$device_id": BROWSER, "$is_identified": True}
    found = item(properties=signed_in)
    assert ids(found) == {"userId": "u-7"}
    assert found.data["context"]["device"]["id"] == BROWSER
    # Servers cannot know that this one is a person, so browsers say both.
    found = item(distinct_id=BEFORE, properties={"$is_identified": True})
    assert ids(found) == {"userId": BEFORE, "anonymousId": BEFORE}


def test_identify_joins_the_browser_and_the_person():
    found = item(
        "$identify",
        properties={"$anon_distinct_id": BROWSER, "$set": {"email": "a@b.cn", "vip": 1}},
    )
    assert found.type == "identify"
    assert ids(found) == {"userId": "u-7", "anonymousId": BROWSER}
    assert found.data["traits"] == {"email": "a@b.cn", "vip": 1}
    assert found.data["properties"] == {}


@pytest.mark.parametrize(
    ("distinct", "alias", "library"),
    [
        ("u-7", "anon-9", "posthog-node"),
        ("anon-9", "u-7", "posthog-python"),
        (BROWSER, "u-7", "posthog-python"),
    ],
)
def test_alias_knows_which_of_the_two_is_the_person(distinct, alias, library):
    found = item("$create_alias", distinct, {"alias": alias, "$lib": library})
    before = alias if library == "posthog-node" else distinct
    assert ids(found) == {"userId": "u-7", "previousId": before}


def test_what_is_set_once_is_no_trait_but_for_what_names_the_person():
    found = item("$set", **{"$set_once": {"first_store": "HZ01", "phone": "13800138000"}})
    assert found.data["traits"] == {"phone": "13800138000"}
    assert found.data["properties"]["$set_once"]["first_store"] == "HZ01"
    beside = item(properties={"$set": {"email": "a@b.cn"}})
    assert beside.data["context"]["traits"] == {"email": "a@b.cn"}


def test_groups_are_accounts():
    group = {"$group_type": "company", "$group_key": "acc-1", "$group_set": {"name": "美丽"}}
    found = item("$groupidentify", properties=group)
    assert (found.type, ids(found)["groupId"]) == ("group", "acc-1")
    assert found.data["traits"] == {"name": "美丽"}
    nobody = item("$groupidentify", "$company_acc-1", group)
    assert ids(nobody) == {"anonymousId": "$company_acc-1", "groupId": "acc-1"}
    for groups in ({"company": "acc-1", "team": "t"}, {"社团": "acc-1"}):
        event = to_event(item(properties={"$groups": groups}), call({}), None, SITE)
        assert event.account_id == "acc-1"


def page(**properties):
    found = item("$pageview", properties={"$current_url": PAGE, **properties})
    return to_event(found, call({}), None, SITE)


def test_a_page_view_has_its_page_and_its_own_campaign():
    seen = page(title="精华", utm_source="baidu", **{"$referrer": "https://www.xiaohongshu.com/"})
    assert (seen.type, seen.page_url, seen.page_title) == ("page", PAGE, "精华")
    assert (seen.source_name, seen.medium) == ("xiaohongshu", "kol")
    assert seen.referrer_host == "xiaohongshu.com"
    assert seen.properties["utm_source"] == "baidu"


def test_the_referrer_of_the_first_page_is_not_that_of_the_next():
    began = {"$referrer": "https://www.xiaohongshu.com/", "$session_entry_url": "https://ours.cn/"}
    seen = page(**began)
    assert seen.referrer_host is None
    assert seen.properties["$referrer"] == began["$referrer"]
    assert page(**{**began, "$session_entry_url": PAGE}).referrer_host == "xiaohongshu.com"
    assert page(**{"$referrer": "$direct"}).referrer_host is None


def test_a_server_without_a_page_says_its_campaign():
    found = item(properties={"utm_source": "xhs", "utm_campaign": "冬季"})
    assert found.data["context"]["campaign"] == {"source": "xhs", "name": "冬季"}


def test_an_order_is_worth_something():
    order = {"order_id": "o1", "revenue": 399.0, "currency": "CNY"}
    event = to_event(item("Order Completed", properties=order), call({}), None, SITE)
    assert (event.name, event.revenue, event.currency) == ("Order Completed", 39900, "CNY")
    assert event.order_id == "o1"


def test_times_are_the_clients_and_an_offset_counts_back_from_now():
    sent = {"timestamp": "2026-11-21T08:30:00Z", "uuid": "e"}
    batch = read(call({"api_key": "k", "sent_at": "2026-11-21T08:30:05Z", "batch": [EVENT | sent]}))
    event = to_event(batch.items[0], call({}), batch.sent_at, SITE)
    assert RECEIVED - event.ts_us == 5_000_000
    event = to_event(item(offset=2000), call({}), None, SITE)
    assert RECEIVED - event.ts_us == 2_000_000
    stamped = {"timestamp": "2026-11-21T08:30:00Z", "uuid": "e"}
    again = [content_hash(item(offset=n, **stamped).data) for n in (1, 2)]
    assert again[0] == again[1]
    timed = item(properties={"$time": 1_795_249_800.5})
    assert timed.data["timestamp"] == 1_795_249_800.5


def test_without_cookies_a_visitor_has_the_name_the_collector_gave():
    def who(name):
        request = call(
            [{**EVENT, "distinct_id": "$posthog_cookieless", "api_key": "k"}],
            headers={"visitor": name},
        )
        return ids(read(request).items[0])["anonymousId"]

    assert who("a") == who("a") != who("b")


def test_what_has_no_place_is_kept():
    around = {"api_key": "k", "historical_migration": True, "batch": [{**EVENT, "odd": [1]}]}
    (found,) = read(call(around)).items
    assert found.data["posthog"] == {"historical_migration": True, "odd": [1]}
    assert item("$set").data["posthog"] == {"event": "$set"}
    differing = {"distinct_id": "another", "$user_id": "u-8"}
    assert item(properties=differing).data["properties"] == differing


@pytest.mark.parametrize("end", ["", "/"])
def test_settings_and_flags_are_answered_without_a_key(end):
    for path in ("/flags", "/decide", "/array/phc_a/config", "/api/surveys"):
        protocol, route = spoken_at(path + end)
        assert protocol.name == "posthog"
        answer = route.tells(call({}, path + end))
        assert answer.status == 200
        assert isinstance(json.loads(answer.body), dict)
    script = spoken_at("/array/x/config.js")[1].tells(call({}, '/array/"<\u2028/config.js')).body
    assert b'c["\\"\\u003c' in script


def test_who_sends_too_much_is_asked_to_come_again_in_words_the_browser_library_heeds():
    protocol = spoken_at("/e/")[0]
    answer = protocol.refuse(TooMany("too_many_requests", after=7))
    assert (answer.status, dict(answer.headers)[b"retry-after"]) == (503, b"7")
    assert protocol.refuse(BadInput("unreadable_body", why="x")) is None
