"""Matomo's parameters → items."""

import contextlib
import json
from urllib.parse import urlencode

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.protocols.matomo import MATOMO
from touchline.collect.segment import content_hash, payload, to_event
from touchline.errors import BadInput, Denied, Unavailable
from touchline.model import RawRequest

HIT = {"idsite": "1", "rec": "1", "_id": "0123456789abcdef", "url": "https://ours.cn/p"}
CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"


def call(params=None, body=b"", **fields):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    query = params if isinstance(params, str) else urlencode(params or {})
    return RawRequest(path="/matomo.php", body=body, query=query, **given)


def item(**params):
    (found,) = MATOMO.read(call({**HIT, **params})).items
    assert found.reason is None, found.reason
    return found


def event(**params):
    request = call({**HIT, **params})
    (found,) = MATOMO.read(request).items
    return to_event(found, request, None, SITE)


def test_the_site_is_the_key():
    assert MATOMO.read(call(HIT)).write_key == "matomo:1"
    assert MATOMO.read(call({"rec": 1})).write_key is None


def test_a_page_view_has_its_page_its_visitor_and_its_campaign():
    seen = event(
        url="https://ours.cn/p?utm_source=xiaohongshu&utm_medium=kol",
        urlref="https://www.xiaohongshu.com/",
        action_name="屏障修护精华",
        uid="u-7",
        cdt="2026-11-21 08:00:00",
    )
    assert (seen.type, seen.name, seen.page_title) == ("page", "page", "屏障修护精华")
    assert [(i.type, i.value) for i in seen.identifiers] == [
        ("user_id", "u-7"),
        ("anonymous_id", "0123456789abcdef"),
    ]
    assert (seen.source_name, seen.medium) == ("xiaohongshu", "kol")
    assert seen.referrer_host == "xiaohongshu.com"
    assert seen.ts_us == RECEIVED - 1805 * 1_000_000


@pytest.mark.parametrize("prefix", ["mtm", "matomo", "pk", "piwik"])
def test_campaign_parameters_of_matomo_count_as_a_campaign(prefix):
    words = {"campaign": "秋季", "source": "wechat", "medium": "social", "kwd": "精华", "cid": "9"}
    words |= {"content": "banner", "group": "g1", "placement": "top"}
    query = urlencode({f"{prefix}_{name}": value for name, value in words.items()})
    seen = event(url=f"https://ours.cn/?{query}")
    assert (seen.source_name, seen.medium, seen.campaign) == ("wechat", "social", "秋季")
    assert (seen.term, seen.content, seen.ad_group) == ("精华", "banner", "g1")


@pytest.mark.parametrize(
    ("params", "name", "properties"),
    [
        ({"ping": "1"}, "ping", {}),
        (
            {"e_c": "Video", "e_a": "Play", "e_n": "开箱", "e_v": "12.5"},
            "Play",
            {"category": "Video", "action": "Play", "label": "开箱", "value": 12.5},
        ),
        ({"idgoal": "3", "revenue": "9.90"}, "Goal 3", {"goal_id": "3", "revenue": 9.9}),
        (
            {"search": "防晒", "search_cat": "护肤", "search_count": "4"},
            "Site Search",
            {"query": "防晒", "category": "护肤", "count": 4},
        ),
        (
            {"download": "https://ours.cn/a.pdf", "url": "https://ours.cn/a.pdf"},
            "Download",
            {"url": "https://ours.cn/a.pdf"},
        ),
        ({"link": "https://else.cn/"}, "Outlink", {"url": "https://else.cn/"}),
        (
            {"c_n": "Ad", "c_p": "a.jpg", "c_t": "https://else.cn/"},
            "Content Impression",
            {"content_name": "Ad", "piece": "a.jpg", "target": "https://else.cn/"},
        ),
        (
            {"c_n": "Ad", "c_i": "click"},
            "Content Interaction",
            {"content_name": "Ad", "interaction": "click"},
        ),
        ({"ca": "1", "ma_id": "m1"}, "Media", {}),
        ({"ca": "1", "fa_vid": "f1"}, "Form", {}),
        ({"ca": "1", "cra": "boom"}, "Crash", {"message": "boom"}),
        ({"ca": "1"}, "Custom Action", {}),
    ],
)
def test_what_a_request_means_follows_from_its_parameters(params, name, properties):
    found = item(**params)
    assert (found.type, found.data["event"]) == ("track", name)
    assert found.data["properties"] == properties


ORDER = {
    "idgoal": "0",
    "ec_id": "SO-1",
    "revenue": "399.00",
    "ec_st": "380",
    "ec_tx": "9",
    "ec_sh": "10",
    "ec_dt": "20",
    "ec_items": '[["S1","精华",["护肤","新品"],199.5,2],["S2","面霜","护肤",0,1,"gift"]]',
}


def test_an_order_has_its_money_its_number_and_its_products():
    seen = event(**ORDER)
    assert (seen.name, seen.revenue, seen.order_id) == ("Order Completed", 39900, "SO-1")
    products = seen.properties["products"]
    assert products[0] == {
        "sku": "S1",
        "name": "精华",
        "category": ["护肤", "新品"],
        "price": 199.5,
        "quantity": 2,
    }
    assert products[1]["more"] == ["gift"]
    assert seen.properties["shipping"] == 10


def test_a_cart_is_no_income():
    seen = event(**{name: value for name, value in ORDER.items() if name != "ec_id"})
    assert (seen.name, seen.revenue, seen.properties["value"]) == ("Cart Updated", None, 399.0)


def test_a_viewed_product_stands_with_its_page():
    found = item(_pks="S1", _pkn="精华", _pkc='["护肤","新品"]', _pkp="199.5")
    assert found.type == "page"
    assert found.data["properties"]["product"] == {
        "sku": "S1",
        "name": "精华",
        "category": ["护肤", "新品"],
        "price": "199.5",
    }


def test_parameters_without_a_place_are_kept_as_sent():
    found = item(dimension1="vip", cvar='{"1":["plan","gold"]}', pv_id="x1", gt_ms="12", novel="y")
    assert found.data["properties"] == {"dimension1": "vip"}
    assert found.data["context"]["matomo"] == {
        "idsite": "1",
        "rec": "1",
        "cvar": {"1": ["plan", "gold"]},
        "pv_id": "x1",
        "gt_ms": "12",
        "novel": "y",
    }


def test_the_secret_of_the_senders_matomo_is_kept_nowhere():
    found = item(token_auth="s3cret")
    assert b"s3cret" not in payload(found)


def test_a_forced_visitor_id_wins():
    found = item(cid="fedcba9876543210")
    assert found.data["anonymousId"] == "fedcba9876543210"
    assert found.data["context"]["matomo"]["_id"] == "0123456789abcdef"


def test_a_visitor_without_an_id_is_one_for_a_day():
    def visitor(**fields):
        (found,) = MATOMO.read(call({"idsite": "1", "rec": "1"}, **fields)).items
        assert found.reason is None
        return found.data["anonymousId"]

    here = {"user_agent": CHROME, "ip": "203.0.113.0"}
    assert visitor(**here) == visitor(**here)
    assert visitor(**here) != visitor(**here | {"user_agent": "Mozilla/5.0 Safari"})
    assert visitor(**here) != visitor(**here, received_us=RECEIVED + 86_400_000_000)
    assert visitor(**here) != visitor(**here, headers={"visitor": "named"})


def test_a_server_says_whose_visit_it_tells_of():
    def visitor(**params):
        (found,) = MATOMO.read(call({"idsite": "1", "rec": "1", **params})).items
        return found.data["anonymousId"]

    assert visitor(cip="203.0.113.7", ua="A") != visitor(cip="203.0.114.7", ua="A")
    assert visitor(cip="203.0.113.7", ua="A") != visitor(cip="203.0.113.7", ua="B")
    days = [visitor(ua="A", cdt=f"2026-11-{day} 01:00:00") for day in (20, 20, 21)]
    assert days[0] == days[1] != days[2]


def test_who_is_named_needs_no_other_id():
    (found,) = MATOMO.read(call({"idsite": "1", "uid": "u-7"})).items
    assert found.reason is None
    assert "anonymousId" not in found.data


@pytest.mark.parametrize(
    ("said", "us"),
    [
        ({"cdt": "2026-11-21 08:00:00"}, RECEIVED - 1805 * 1_000_000),
        ({"cdt": str(RECEIVED // 1_000_000 - 9)}, RECEIVED - 9_000_000),
        ({"cdo": "60"}, RECEIVED - 60_000_000),
        ({"cdt": str(RECEIVED // 1_000_000 - 9), "cdo": "-60"}, RECEIVED - 69_000_000),
        ({"cdo": "9" * 30}, RECEIVED),
        ({"cdo": "soon"}, RECEIVED),
    ],
)
def test_when_it_happened_is_said_as_a_time_or_as_a_wait(said, us):
    assert event(**said).ts_us == us


def test_a_time_that_cannot_be_read_is_a_reason():
    (found,) = MATOMO.read(call({**HIT, "cdt": "yesterday", "cdo": "3"})).items
    assert found.reason == "bad_timestamp"


def test_a_form_is_read_like_a_query_which_wins():
    request = call({"idsite": "2"}, body=urlencode(HIT | {"action_name": "王芳"}).encode())
    batch = MATOMO.read(request)
    assert batch.write_key == "matomo:2"
    assert batch.items[0].data["context"]["page"]["title"] == "王芳"


def test_a_bulk_list_holds_queries_and_objects():
    bare = "idsite=1&uid=u&url=https://ours.cn/?a=1"
    listed = ["?" + urlencode(HIT), bare, HIT | {"rec": 1}, 7]
    request = call(body={"requests": listed, "token_auth": "s3cret"})
    items = MATOMO.read(request).items
    assert [i.reason for i in items] == [None, None, None, "not_an_object"]
    assert len({i.message_id for i in items}) == 4
    assert items[1].data["context"]["page"]["url"] == "https://ours.cn/?a=1"
    assert MATOMO.read(call({"idsite": "5"}, body={"requests": ["?rec=1"]})).write_key == "matomo:5"


def test_items_of_another_site_are_rejected_beside_the_first():
    request = call(body={"requests": ["?idsite=1&uid=a", "?idsite=2&uid=b", "?uid=c"]})
    assert [i.reason for i in MATOMO.read(request).items] == [None, "other_site", None]


def test_a_request_numbered_at_random_is_known_again():
    def ids(**params):
        requests = (call({**HIT, **params}, request_id=n * 16) for n in (b"1", b"2"))
        return len({MATOMO.read(request).items[0].message_id for request in requests})

    assert ids(rand="123456", pv_id="x1") == ids(r="123456", pv_id="x1") == 1
    assert ids() == ids(rand="123456", pv_id="x1", cdo="3") == 2


def test_a_number_that_stands_in_a_page_for_everybody_joins_nobody():
    shown = (call({**HIT, "_id": v, "rand": "1"}, request_id=v.encode() * 16) for v in "ab")
    assert len({MATOMO.read(request).items[0].message_id for request in shown}) == 2


def test_texts_that_look_like_numbers_or_base64_stay_texts():
    found = item(e_c="007", e_a="2026", e_n="1e3", e_v="007")
    assert found.data["properties"] == {
        "category": "007",
        "action": "2026",
        "label": "1e3",
        "value": 7,
    }
    assert item(search="007").data["properties"]["query"] == "007"
    assert item(_pks="W10").data["properties"]["product"] == {"sku": "W10"}


def test_an_event_without_a_category_is_still_one():
    assert item(e_a="Play").data["event"] == "Play"


def test_the_page_of_a_pixel_is_where_it_was_asked_from():
    request = call({"idsite": "1"}, headers={"referer": "https://ours.cn/n?utm_source=edm"})
    (found,) = MATOMO.read(request).items
    assert to_event(found, request, None, SITE).source_name == "edm"


def test_addresses_are_cut_and_places_kept():
    seen = event(cip="203.0.113.77", city="杭州", lat="30.2", res="1920x1080", lang="zh-CN")
    assert seen.context["ip"] == "203.0.113.0"
    assert seen.context["location"] == {"city": "杭州", "latitude": "30.2"}
    assert seen.context["screen"] == {"width": 1920, "height": 1080}
    assert seen.context["locale"] == "zh-CN"


class Told:
    def __init__(self, status):
        self.status = status


def test_pixels_get_an_image_unless_they_want_nothing():
    assert MATOMO.answer(call(HIT), [Told("stored")]).content_type == b"image/gif"
    assert MATOMO.answer(call({**HIT, "send_image": 0}), [Told("stored")]).status == 204
    assert MATOMO.answer(call(body=b"idsite=1&send_image=0"), [Told("stored")]).status == 204


def test_a_bulk_sender_is_told_how_many_were_taken():
    told = MATOMO.answer(call(body={"requests": []}), [Told("stored"), Told("rejected")])
    expected = {"status": "success", "tracked": 1, "invalid": 1, "invalid_indices": [1]}
    assert json.loads(told.body) == expected
    told = MATOMO.answer(call(body={"requests": []}), [Told("stored"), Told("duplicate")])
    assert json.loads(told.body) == {"status": "success", "tracked": 2, "invalid": 0}


def test_an_image_is_shown_only_when_a_repeat_would_not_help():
    assert MATOMO.refuse(Unavailable("busy")) is None
    assert MATOMO.refuse(Denied("unknown_key")).status == 401
    refused = MATOMO.refuse(BadInput("unreadable_body", why="x"))
    assert (refused.status, refused.content_type) == (400, b"image/gif")
    assert MATOMO.refuse(BadInput("body_too_large", limit=1)).status == 413


@pytest.mark.parametrize(
    "body", [b"{", b"[", b'{"requests":{}}', b"\x1f\x8bnot gzip", b"{}", b"[[]"]
)
def test_a_list_nobody_can_read_is_said_to_be_one(body):
    with pytest.raises(BadInput):
        MATOMO.read(call(body=body))


DEEP = "[" * 200 + "]" * 200
ODD = [
    *("1", "0", "-", "1e999", "NaN", "\x00", "\ud83d", "9" * 500, "1970-01-01", DEEP, "[[1,2]]"),
    *('{"a":"\\u0000\\ud800"}', "[1" + "0" * 400 + "]"),
    "https://a.cn/?mtm_source=%00&pk_cid=%d8%00",
]
NAMES = """
idsite rec _id cid uid url urlref action_name cdt cdo ping idgoal ec_id ec_items revenue e_c e_a e_v
c_n c_i search search_count link download ca cra cvar _cvar uadata res lang ua cip country lat _pkc
_pkp dimension1 rand token_auth
"""
texts = st.text(max_size=9) | st.sampled_from(ODD)
names = st.sampled_from(NAMES.split()) | st.text(max_size=4)
values = (
    texts | st.integers() | st.none() | st.lists(st.integers(), max_size=2) | st.just({"a": []})
)


@given(st.dictionaries(names, texts), st.lists(st.dictionaries(names, values) | texts, max_size=3))
def test_whatever_is_sent_is_an_item_that_can_be_stored_or_has_a_reason(params, listed):
    query = urlencode(params, errors="surrogatepass")
    bulk = json.dumps({"requests": listed}).encode()
    for request in (call(query), call(query, body=bulk), call(query, body=query.encode())):
        for found in MATOMO.read(request).items:
            payload(found), content_hash(found.data)
            if found.reason is None:
                to_event(found, request, None, SITE)


@given(st.text(), st.binary())
def test_noise_is_read_or_refused(query, body):
    with contextlib.suppress(BadInput):
        MATOMO.read(call(query, body=body))


def test_a_short_request_does_not_grow_into_a_large_one():
    calls = {"requests": ["?uid=u-7"] * 1000}
    headers = {"referer": "https://a.cn/" + "x" * 8000, "accept-language": "zh" * 4000}
    items = MATOMO.read(call({"idsite": "9" * 8000}, body=calls, headers=headers)).items
    assert sum(len(payload(item)) for item in items) < 1000 * 500
