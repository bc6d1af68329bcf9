"""Umami's send API → items, and the token its script sends back."""

import json
import re

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st
from wild import check, values

from touchline.collect.protocol import Verdict
from touchline.collect.protocols.umami import UMAMI
from touchline.collect.segment import to_event
from touchline.model import RawRequest

SHOP = "6d1f4e3c-0000-4000-8000-000000000001"
AGENT = "Mozilla/5.0 (Windows NT 10.0) Chrome/140"
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def call(body, path="/api/send", **fields):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "received_us": RECEIVED,
        "source": "web",
        "request_id": b"r" * 16,
        "user_agent": AGENT,
        "ip": "203.0.113.0",
        **fields,
    }
    return RawRequest(path=path, body=body, **given)


def sent(payload=None, kind="event", **fields):
    return call({"type": kind, "payload": {"website": SHOP, **(payload or {})}}, **fields)


def one(payload=None, kind="event", **fields):
    request = sent(payload, kind, **fields)
    (item,) = UMAMI.read(request).items
    assert item.reason is None, item.reason
    return to_event(item, request, None, SITE)


def told(request):
    return json.loads(UMAMI.answer(request, [Verdict("m", "stored")]).body)


def test_a_page_view_is_a_page():
    event = one(
        {
            "hostname": "ours.cn",
            "language": "zh-CN",
            "screen": "1920x1080",
            "title": "首页",
            "url": "/p?utm_source=xhs&utm_medium=social",
            "referrer": "https://www.xiaohongshu.com/",
            "tag": "A",
        }
    )
    assert (event.type, event.page_url) == (
        "page",
        "https://ours.cn/p?utm_source=xhs&utm_medium=social",
    )
    assert (event.page_title, event.medium) == ("首页", "social")
    assert event.context["screen"] == {"width": 1920, "height": 1080}
    assert event.context["umami"]["tag"] == "A"
    assert event.context["userAgent"] == AGENT


def test_a_named_event_is_a_track_with_its_data():
    event = one({"name": "buy", "data": {"revenue": 19.9, "currency": "CNY"}})
    assert (event.type, event.name, event.revenue) == ("track", "buy", 1990)


def test_an_identify_names_the_visitor():
    event = one({"id": "u-1", "data": {"email": "Li@qq.com"}}, "identify")
    found = {known.type: known.value for known in event.identifiers}
    assert (found["user_id"], found["email"]) == ("u-1", "li@qq.com")
    assert UUID.fullmatch(found["anonymous_id"])
    assert one({"data": {"plan": "pro"}}, "identify").traits == {"plan": "pro"}


def test_vitals_are_an_event_of_their_own():
    event = one({"lcp": 1.2, "cls": 0.1}, "performance")
    assert (event.type, event.name) == ("track", "performance")
    assert event.properties == {"lcp": 1.2, "cls": 0.1}


@pytest.mark.parametrize("kind", ["link", "pixel"])
def test_links_and_pixels_are_sites_of_their_own(kind):
    request = call({"type": "event", "payload": {kind: SHOP}})
    batch = UMAMI.read(request)
    assert batch.write_key == f"umami:{SHOP}"
    assert batch.items[0].data["event"] == kind


def visitor(**fields):
    (item,) = UMAMI.read(sent(**fields)).items
    return item.data["anonymousId"]


def test_a_visitor_is_known_by_the_name_the_collector_gave():
    named = {"headers": {"visitor": "ab12"}}
    assert visitor(**named) == visitor(**named, user_agent="other", received_us=RECEIVED + 1)
    assert visitor(**named) != visitor(headers={"visitor": "cd34"})
    assert visitor(**named) != visitor(**named, payload={"website": "other"})
    assert visitor() != visitor(user_agent="other")


def test_the_token_keeps_the_visitor_over_a_change_of_networks():
    first = told(sent())
    again = {"headers": {"x-umami-cache": first["cache"], "visitor": "elsewhere"}}
    assert visitor(**again) == first["sessionId"]
    later = told(sent(**again, received_us=RECEIVED + 600_000_000))
    assert {later[key] for key in ("sessionId", "visitId")} == {
        first[key] for key in ("sessionId", "visitId")
    }
    idle = told(sent(**again, received_us=RECEIVED + 7_200_000_000))
    assert idle["sessionId"] == first["sessionId"]
    assert idle["visitId"] != first["visitId"]


def test_a_whole_answer_is_a_token_too_and_a_coded_title_is_read():
    """As the script of Umami 2.10 sends them."""
    first = told(sent())
    whole = {"headers": {"x-umami-cache": json.dumps(first), "visitor": "elsewhere"}}
    title = {"title": "%E5%86%AC%E5%AD%A3 100%"}
    found = one(title, **whole)
    assert found.page_title == "冬季 100%"
    assert visitor(**whole) == first["sessionId"]


def test_an_address_that_was_encoded_twice_is_read_as_once():
    found = one({"hostname": "ours.cn", "url": "/p?utm_source=a&utm_campaign=%25E5%2586%25AC"})
    assert found.campaign == "冬"
    once = "https://ours.cn/p?utm_campaign=%E5%86%AC&x=5%25ab"
    assert one({"url": once}).page_url == once


@pytest.mark.parametrize("kind", ["performance", "engagement", "error"])
def test_what_a_script_reports_by_itself_is_an_event_of_that_name(kind):
    found = one({"engagement": 7}, kind)
    assert (found.type, found.name, found.properties) == ("track", kind, {"engagement": 7})


@pytest.mark.parametrize(
    "cache", ["", "x", "..", "\ud800", "a" * 9000, "eyJhbGciOiJIUzI1NiJ9.e30."]
)
def test_a_foreign_token_is_of_no_account(cache):
    assert visitor(headers={"x-umami-cache": cache}) == visitor()


def test_a_server_says_whose_turn_it_is():
    seen = {visitor(payload={"ip": ip, "userAgent": AGENT}) for ip in ("192.0.2.1", "192.0.2.2")}
    assert len(seen | {visitor()}) == 3
    assert one({"ip": "192.0.2.7", "userAgent": "Mozilla/5.0 X"}).context["ip"] == "192.0.2.0"


def test_times_are_in_seconds():
    assert one({"timestamp": RECEIVED // 1_000_000 - 3600}).ts_us == RECEIVED - 3_600_000_000


def test_the_answer_has_the_ids_and_the_token():
    answer = told(sent())
    assert answer.keys() == {"cache", "sessionId", "visitId"}
    assert UUID.fullmatch(answer["sessionId"])
    assert UUID.fullmatch(answer["visitId"])


def test_a_batch_is_answered_with_counts():
    calls = [
        {"type": "event", "payload": {"website": SHOP}},
        {"type": "nonsense", "payload": {"website": SHOP}},
        {"type": "event", "payload": {"website": "another"}},
        7,
    ]
    request = call(calls, "/api/batch")
    batch = UMAMI.read(request)
    reasons = [item.reason for item in batch.items]
    assert reasons == [None, "unknown_type", "other_site", "not_an_object"]
    verdicts = [Verdict("m", "rejected" if reason else "stored", reason) for reason in reasons]
    told = json.loads(UMAMI.answer(request, verdicts).body)
    assert (told["size"], told["processed"], told["errors"]) == (4, 1, 3)
    assert [one["index"] for one in told["details"]] == [1, 2, 3]
    assert told["cache"]


def test_a_wrong_call_is_told_so():
    answer = UMAMI.answer(sent(kind="x"), [Verdict("m", "rejected", "unknown_type")])
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["code"] == "unknown_type"


fields = (
    "website link pixel url referrer hostname screen data id name ip userAgent timestamp lcp device"
)
payloads = st.dictionaries(st.sampled_from(fields.split()), values)
calls = (
    st.fixed_dictionaries(
        {"type": st.sampled_from(["event", "identify", "performance"]) | values},
        optional={"payload": payloads | values, "more": values},
    )
    | values
)


@given(calls | st.lists(calls, max_size=3), st.sampled_from(["/api/send", "/api/batch"]), st.text())
def test_whatever_is_sent_has_verdicts(body, path, token):
    check(UMAMI, call(body, path, headers={"x-umami-cache": token}))
