"""Segment, GA4, Umami and Plausible: each field goes where its page says, and recorded calls of the
real libraries land right.
"""

import base64
import json
import re
from pathlib import Path

import pytest
from calls import RECEIVED, SITE

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
    for path in sorted((HERE / "recorded").glob(pattern)):
        sent = json.loads(path.read_text(encoding="utf-8"))
        if sent["method"] == "GET":
            continue
        packed = sent.get("body_base64")
        body = base64.b64decode(packed) if packed else sent["body"].encode()
        yield RawRequest(
            path=sent["path"],
            query=sent["query"],
            body=body,
            headers=sent["headers"],
            user_agent=sent["headers"].get("user-agent"),
            ip="203.0.113.0",
            received_us=RECEIVED,
            source="web",
            request_id=path.name.encode()[-16:],
        )


def events(pattern):
    for call in recorded(pattern):
        batch = read(call)
        for item in batch.items:
            assert item.reason is None, item.reason
            yield to_event(item, call, batch.sent_at, SITE)


BROWSERS = [
    "segment-browser-0",
    "segment-browser-batch",
    "rudder-browser-0",
    "rudder-browser-beacon",
]


@pytest.mark.parametrize("client", BROWSERS)
def test_recorded_calls_of_browsers_land_right(client):
    seen = {event.type: event for event in events(f"segment/{client}*.json")}
    assert seen.keys() == {"page", "identify", "track", "group", "alias"}
    assert len({event.message_id for event in seen.values()}) == 5
    page, order = seen["page"], seen["track"]
    assert (page.name, page.page_title) == ("商品页", "冬季新品")
    assert (page.source_name, page.campaign) == ("xiaohongshu", "冬季")
    assert (order.name, order.revenue, order.currency, order.order_id) == (
        "Order Completed",
        39900,
        "CNY",
        "o1",
    )
    assert seen["group"].account_id == "acc-1"
    named = {(known.type, known.value) for known in seen["identify"].identifiers}
    assert {("user_id", "u-王"), ("email", "wang.fang@example.com")} <= named
    assert {known.type for known in page.identifiers} >= {"anonymous_id"}


@pytest.mark.parametrize("client", ["segment-node", "rudder-node"])
def test_recorded_calls_of_servers_land_right(client):
    seen = list(events(f"segment/{client}*.json"))
    assert [event.type for event in seen[:6]] == [
        *("identify", "track", "page", "screen", "group", "alias")
    ]
    assert len({event.message_id for event in seen}) == len(seen) == 8
    assert seen[1].revenue == 39900


def test_what_rudderstacks_headers_say_stands_in_the_body_too():
    for call in recorded("segment/rudder-browser-0*.json"):
        body = json.loads(call.body)
        assert call.headers["sentat"] == body["sentAt"]
        assert base64.b64decode(call.headers["anonymousid"]).decode() == body["anonymousId"]


def test_recorded_calls_of_plausible_land_right():
    seen = list(events("plausible/plausible-browser-*.json"))
    assert [event.name for event in seen] == ["page", "Buy", "engagement", "page", "engagement"]
    assert len({event.identifiers for event in seen}) == 1
    assert (seen[0].source_name, seen[0].campaign) == ("xiaohongshu", "冬季")
    assert (seen[1].revenue, seen[1].properties["商品"]) == (39900, "精华")
    assert seen[2].properties["scroll_depth"] == 100


def test_recorded_calls_of_the_older_plausible_land_right():
    seen = list(events("plausible/plausible-tracker-*.json"))
    assert {event.name for event in seen} == {"page", "Buy"}
    assert {event.properties.get("商品") for event in seen} == {None, "精华"}


def test_recorded_calls_of_umami_land_right():
    page, signup, add, identify = events("umami/umami-node-*.json")
    assert page.page_url == "https://shop.example.com/p/1?utm_source=xhs&utm_medium=social"
    assert (signup.name, signup.revenue) == ("Signup", 39900)
    assert {known.type for known in add.identifiers} == {"user_id", "anonymous_id"}
    assert ("email", "wang.fang@example.com") in {(i.type, i.value) for i in identify.identifiers}


@pytest.mark.parametrize("name", ["umami", "plausible"])
def test_what_the_libraries_send_is_on_the_page(name):
    known = {field for of, field, *_ in rows() if of == name}
    for call in recorded(f"{name}/*.json"):
        assert spoken_at(call.path)[0].name == name
        whole = json.loads(call.body)
        assert set(whole.get("payload", whole)) <= known
