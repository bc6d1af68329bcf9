"""Segment, GA4, Umami and Plausible: each field goes where its page says, and recorded calls of the
real libraries land right.
"""

import base64
import json
import re
from pathlib import Path

import pytest
from calls import RECEIVED, SITE

import recordings
from touchline.collect.protocols import read, spoken_at
from touchline.collect.segment import to_event
from touchline.model import RawRequest

HERE = Path(__file__).parent
PAGES = HERE.parents[2] / "docs/reference/protocols"
NAMES = ("segment", "ga4", "umami", "plausible")
ROW = re.compile(r"^\| `([^`]+)` \|(?: `\w+` \|)? (?:`([^`]+)`|(refused)) \|", re.MULTILINE)
MARK = "mark-7"
AT = "2026-11-20T08:30:00Z"

# What a field is sent as, where a mark would not do; and as what it is then found.
VALUES = {
    ("segment", "type"): "page",
    ("segment", "mergeProperties"): [
        {"type": "email", "value": "a@b.cn"},
        {"type": "x", "value": "y"},
    ],
    ("ga4", "timestamp_micros"): RECEIVED,
    ("umami", "timestamp"): RECEIVED // 1_000_000,
    ("umami", "data"): {"x": MARK},
    ("plausible", "p"): {"x": MARK},
    **{
        ("segment", name): {"x": MARK}
        for name in ("properties", "traits", "context", "integrations")
    },
    **{("segment", name): AT for name in ("timestamp", "originalTimestamp", "sentAt")},
}
FOUND = {
    ("ga4", "user_properties"): ({"x": {"value": MARK}}, {"x": MARK}),
    ("ga4", "value"): (7, 7),
    ("ga4", "currency"): ("CNY", "CNY"),
    ("ga4", "items"): ([{"item_id": MARK}], [{"product_id": MARK}]),
    ("umami", "url"): ("/p", "https://ours.cn/p"),
    ("umami", "hostname"): ("ours.cn", "ours.cn"),
    ("umami", "screen"): ("800x600", {"width": 800, "height": 600}),
    ("plausible", "$"): ({"amount": 7}, 7),
}
UNDER = {"source": "campaign_details"}
ORDERS = ("transaction_id", "value", "currency", "items")


def rows():
    for name in NAMES:
        page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        for part in re.split(r"^## Fields", page, flags=re.MULTILINE)[1:]:
            of_event = part.find("| parameter |")
            for row in ROW.finditer(part):
                is_parameter = 0 <= of_event < row.start()
                yield name, row[1], row[2] or row[3], is_parameter


def request(path, value, **fields):
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    return RawRequest(path=path, body=json.dumps(value).encode(), **given)


def segment(field, value, _):
    one = {"type": "track", "event": "E", "userId": "u", field: value}
    if field == "mergeProperties":
        one["type"] = "merge"
    return request("/v1/batch", {"batch": [one]})


def ga4(field, value, is_parameter):
    event = {"name": "purchase" if field in ORDERS else UNDER.get(field, "quiz")}
    whole = {"client_id": "1.2", "events": [event]}
    if field == "app_instance_id":
        del whole["client_id"]
    (event.setdefault("params", {}) if is_parameter else whole)[field] = value
    return request("/mp/collect", whole, query="measurement_id=G-1")


def umami(field, value, _):
    payload = {"website": "w-1", "hostname": "ours.cn", "name": "E", field: value}
    return request("/api/send", {"type": "event", "payload": payload})


def plausible(field, value, _):
    return request("/api/event", {"n": "E", "d": "ours.cn", field: value})


def at(data, path):
    for name in path.split("."):
        data = data[name]
    return data


@pytest.mark.parametrize(("name", "field", "kept", "is_parameter"), list(rows()))
def test_a_field_goes_where_its_page_says(name, field, kept, is_parameter):
    plain = VALUES.get((name, field), MARK)
    value, expected = FOUND.get((name, field), (plain, plain))
    (item,) = read(globals()[name](field, value, is_parameter)).items
    assert item.reason is None
    if kept == "refused":
        assert json.dumps(value) not in json.dumps(item.data)
    else:
        assert at(item.data, kept) == expected


def recorded(pattern):
    """Calls of real libraries, without what only asks for settings."""
    found = [one.request(RECEIVED) for one in recordings.sent(pattern) if one.method == "POST"]
    spoken = [(call, spoken_at(call.path)) for call in found]
    return [call for call, known in spoken if known is None or known[1].tells is None]


def events(pattern):
    for call in recorded(pattern):
        batch = read(call)
        for item in batch.items:
            assert item.reason is None, item.reason
            yield to_event(item, call, batch.sent_at, SITE)


BROWSERS = ["segment-browser", "segment-browser-batch", "rudder-browser", "rudder-browser-beacon"]


@pytest.mark.parametrize("client", BROWSERS)
def test_recorded_calls_of_browsers_land_right(client):
    seen = {event.name: event for event in events(f"segment/{client}")}
    calls = {"商品页", "identify", "Order Completed", "group", "alias"}
    assert seen.keys() == {*calls, "最后"}
    assert len({event.message_id for event in seen.values()}) == 6
    page, order = seen["商品页"], seen["Order Completed"]
    assert (page.type, page.page_title) == ("page", "冬季新品")
    assert (page.source_name, page.campaign) == ("xiaohongshu", "冬季")
    assert (order.revenue, order.currency, order.order_id) == (39900, "CNY", "o1")
    assert seen["group"].account_id == "acc-1"
    named = {(known.type, known.value) for known in seen["identify"].identifiers}
    assert {("user_id", "u-王"), ("email", "wang.fang@example.com")} <= named
    assert {known.type for known in page.identifiers} >= {"anonymous_id"}


SERVERS = ["segment-python", "segment-python-gzip", "segment-node", "rudder-python", "rudder-node"]


@pytest.mark.parametrize("client", SERVERS)
def test_recorded_calls_of_servers_land_right(client):
    seen = list(events(f"segment/{client}"))
    assert [event.type for event in seen[:6]] == [
        *("identify", "track", "page", "screen", "group", "alias")
    ]
    assert len({event.message_id for event in seen}) == len(seen) == 8
    assert seen[1].revenue == 39900


def test_what_rudderstacks_headers_say_stands_in_the_body_too():
    for call in recorded("segment/rudder-browser"):
        body = json.loads(call.body)
        assert call.headers["sentat"] == body["sentAt"]
        assert base64.b64decode(call.headers["anonymousid"]).decode() == body["anonymousId"]


def test_recorded_calls_of_plausible_land_right():
    seen = list(events("plausible/plausible-browser"))
    assert [event.name for event in seen] == ["page", "Order Completed", "最后", "engagement"]
    assert len({event.identifiers for event in seen}) == 1
    assert (seen[0].source_name, seen[0].campaign) == ("xiaohongshu", "冬季")
    assert (seen[1].revenue, seen[1].properties["商品"]) == (39900, "屏障修护精华")
    assert 0 < seen[3].properties["scroll_depth"] < 100


def test_recorded_calls_of_the_older_plausible_land_right():
    page, order, last = events("plausible/plausible-tracker-browser")
    assert (page.name, page.source_name, last.name) == ("page", "xiaohongshu", "最后")
    assert (order.name, order.properties["商品"]) == ("Order Completed", "屏障修护精华")


def test_recorded_calls_of_umamis_script_land_right():
    page, order, identify, last = events("umami/umami-browser")
    assert (page.page_title, page.source_name, page.campaign) == ("冬季新品", "xiaohongshu", "冬季")
    assert (order.name, order.revenue, last.name) == ("Order Completed", 39900, "最后")
    assert ("email", "wang.fang@example.com") in {(i.type, i.value) for i in identify.identifiers}


def test_recorded_calls_of_umami_of_pypi_land_right():
    page, order, signup = events("umami/umami-python")
    assert (page.type, page.page_title, page.medium) == ("page", "精华页", "social")
    assert (order.revenue, order.currency, signup.properties) == (39900, "CNY", {"plan": "年付"})
    for event in (page, order, signup):
        assert ("user_id", "up-u-王") in {(known.type, known.value) for known in event.identifiers}


def test_recorded_calls_of_ga4mp_land_right():
    page, order, login, later = events("ga4/ga4-python")
    assert (page.type, page.page_title, page.source_name) == ("page", "精华", "xiaohongshu")
    assert (order.name, order.revenue, order.order_id) == ("Order Completed", 39900, "gp-o1")
    assert order.properties["products"][0]["name"] == "精华"
    assert (login.name, later.name, later.properties["n"]) == ("login", "later", 1)
    assert {order.identifiers} == {event.identifiers for event in (page, login, later)}


def test_recorded_calls_of_umami_land_right():
    page, signup, add, identify = events("umami/umami-node")
    assert page.page_url == "https://shop.example.com/p/1?utm_source=xhs&utm_medium=social"
    assert (signup.name, signup.revenue) == ("Signup", 39900)
    assert {known.type for known in add.identifiers} == {"user_id", "anonymous_id"}
    assert ("email", "wang.fang@example.com") in {(i.type, i.value) for i in identify.identifiers}


@pytest.mark.parametrize("name", ["umami", "plausible"])
def test_what_the_libraries_send_is_on_the_page(name):
    known = {field for of, field, *_ in rows() if of == name}
    for call in recorded(f"{name}/*"):
        assert spoken_at(call.path)[0].name == name
        whole = json.loads(call.body)
        assert set(whole.get("payload", whole)) <= known
