"""Pages of Matomo and Snowplow against the code, and what the real SDKs sent against both."""

import base64
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from calls import RECEIVED, SITE

import recordings
from touchline.collect.protocols import read, spoken_at
from touchline.collect.segment import to_event
from touchline.model import RawRequest

HERE = Path(__file__).parent
PAGES = HERE.parents[2] / "docs/reference/protocols"
ROW = re.compile(r"^\| (`[^|]*`) \| (raw|refused|`[^`|]+`) \|", re.MULTILINE)

PRODUCTS = '[["S1","精华","护肤",199.5,2]]'
UNSTRUCT = '{"schema":"iglu:x","data":{"schema":"iglu:com.acme/a/b/1-0-0","data":{"n":1}}}'
CONTEXTS = '{"schema":"iglu:x","data":[{"schema":"iglu:com.acme/c/d/1-0-0","data":{"n":1}}]}'
VALUES = {
    "res": "1920x1080",
    "lat": "30.2",
    "long": "120.1",
    "cdo": "60",
    "cip": "203.0.113.7",
    "uadata": '{"brands":[]}',
    "ec_items": PRODUCTS,
    "ca": "1",
    "tv": "js-4.10.1",
    "ue_pr": UNSTRUCT,
    "ue_px": base64.b64encode(UNSTRUCT.encode()).decode(),
    "co": CONTEXTS,
    "cx": base64.b64encode(CONTEXTS.encode()).decode(),
    **dict.fromkeys(("cdt", "dtm", "ttm", "stm"), "1795249000"),
    **dict.fromkeys(("revenue", "tr_tt", "ti_pr", "e_v", "se_va"), "9.5"),
    **dict.fromkeys(("tr_cu", "ti_cu"), "CNY"),
}
# What has to stand beside a parameter for it to mean anything.
BESIDE = {
    "matomo": [
        (r"e_\w", {"e_c": "Video", "e_a": "Play"}),
        (r"ec_\w+|revenue", {"idgoal": "0", "ec_id": "SO-1"}),
        (r"c_\w", {"c_n": "Ad", "c_i": "click"}),
        (r"search_\w+", {"search": "防晒"}),
        (r"idgoal", {"idgoal": "3"}),
        (r"\w+", {}),
    ],
    "snowplow": [
        *((rf"{letter}_\w+", {"e": letter}) for letter in ("se", "pp", "tr", "ti", "ue")),
        (r"t?nuid", {"e": "pv", "duid": "d-1"}),
        (r"\w+", {"e": "pv"}),
    ],
}
ALWAYS = {
    "matomo": {"idsite": "1", "rec": "1", "uid": "u-7"},
    "snowplow": {"aid": "shop", "uid": "u-7", "sid": "v-1", "se_ac": "Play"},
}
PATHS = {"matomo": "/matomo.php", "snowplow": "/i"}


def rows():
    for name in PATHS:
        page = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("## Parameters")[2]
        for words, kept in ROW.findall(page):
            for parameter in re.findall(r"`([^`]+)`", words):
                yield name, parameter, kept.strip("`")


def request(path, query="", body="", headers=None):
    return RawRequest(
        received_us=RECEIVED,
        source="web",
        path=path,
        body=body.encode(),
        request_id=b"r" * 16,
        query=query,
        headers=headers or {},
    )


def at(data, path):
    for step in path.split("."):
        data = data.get(step) if type(data) is dict else None
    return data


@pytest.mark.parametrize(("name", "parameter", "kept"), list(rows()))
def test_a_parameter_is_kept_where_its_page_says(name, parameter, kept):
    beside = next(more for word, more in BESIDE[name] if re.fullmatch(word, parameter))
    sent = {parameter: VALUES.get(parameter, "7"), **ALWAYS[name], **beside}
    (item,) = read(request(PATHS[name], urlencode(sent))).items
    assert item.reason is None
    raw = item.data["context"][name]
    assert (parameter in raw) is (kept == "raw")
    if kept == "refused":
        assert parameter not in json.dumps(item.data)
    elif kept != "raw":
        assert at(item.data, kept) not in (None, {}, "")


def recorded(name, client="*"):
    return [one.request(RECEIVED) for one in recordings.sent(f"{name}/{client}")]


def parameters(call):
    if not call.body:
        return {name for name, _ in parse_qsl(call.query)}
    calls = json.loads(call.body)
    listed = calls.get("data") or [dict(parse_qsl(c.lstrip("?"))) for c in calls["requests"]]
    return {name for one in listed for name in one}


@pytest.mark.parametrize("name", PATHS)
def test_what_the_sdks_send_is_on_the_page(name):
    known = {parameter for of, parameter, _ in rows() if of == name} | {"e"}
    assert set().union(*map(parameters, recorded(name))) - known == set()


def events(name, client="*"):
    for call in recorded(name, client):
        assert spoken_at(call.path)[0].name == name
        batch = read(call)
        for item in batch.items:
            assert item.reason is None
            yield to_event(item, call, batch.sent_at, SITE)


def test_recorded_calls_of_matomo_tracker_land_right():
    seen = sorted(events("matomo"), key=lambda event: event.name)  # it sends them side by side
    assert [event.name for event in seen] == [
        *("Cart Updated", "Content Interaction", "Download", "Goal 3", "Order Completed"),
        *("Outlink", "Site Search", "page", "page", "ping", "rightButton"),
    ]
    revenues = {event.name: event.revenue for event in seen if event.revenue is not None}
    assert revenues == {"Goal 3": 990, "Order Completed": 39900}
    assert seen[4].properties["products"][0]["category"] == ["护肤", "新品"]
    (plain,) = (event for event in seen if event.page_url == "https://shop.example.com/plain")
    assert [i.type for i in plain.identifiers] == ["anonymous_id"]
    seen.remove(plain)
    for event in seen:
        assert {i.value for i in event.identifiers} == {"u-王", "0123456789abcdef"}
        assert event.ts_us == 1_772_973_015_000_000
        assert (event.source_name, event.medium) == ("xiaohongshu", "kol")
        assert event.page_url.startswith("https://shop.example.com/精华?")


@pytest.mark.parametrize("way", ["post", "get"])
def test_recorded_calls_of_snowplow_tracker_land_right(way):
    seen = list(events("snowplow", f"snowplow-python-{way}"))
    assert [(event.type, event.name) for event in seen] == [
        ("page", "page"),
        ("track", "page_ping"),
        ("track", "Play"),
        ("screen", "首页"),
        ("track", "Order Completed"),
        ("track", "quote_requested"),
    ]
    order = seen[4]
    assert (order.revenue, order.currency, order.order_id) == (39900, "CNY", "SO-1")
    assert order.ts_us == 1_772_973_015_000_000
    assert order.properties["products"][0]["name"] == "精华"
    assert {i.value for event in seen for i in event.identifiers} == {"u-王", "d-1"}
    assert seen[0].source_name == "xiaohongshu"
    assert seen[5].properties == {"机型": "X-9"}
    assert len({event.message_id for event in seen}) == 6


@pytest.mark.parametrize("way", ["post", "get"])
def test_recorded_calls_of_the_node_tracker_of_snowplow_land_right(way):
    seen = sorted(events("snowplow", f"snowplow-node-{way}"), key=lambda event: event.name)
    assert [event.name for event in seen] == [
        *("Order Completed", "Play", "page", "quote_requested", "transaction_item", "首页")
    ]
    assert {i.value for event in seen for i in event.identifiers} == {"u-王", "d-1"}
    order, _, view, quote, line, screen = seen
    assert (order.revenue, order.currency, order.order_id) == (39900, "CNY", "SO-1")
    assert order.ts_us == line.ts_us == 1_772_973_015_000_000
    assert line.properties["price"] == 199.5
    assert view.context["entities"][0]["data"] == {"hall": "N2"}
    assert (view.source_name, quote.properties) == ("xiaohongshu", {"机型": "X-9"})
    assert screen.type == "screen"


@pytest.mark.parametrize("way", ["", "-get"])
def test_recorded_calls_of_the_browser_tracker_of_snowplow_land_right(way):
    view, order, last = sorted(
        events("snowplow", f"snowplow-browser{way}"),
        key=lambda event: ("page", "Order Completed", "最后").index(event.name),
    )
    assert (view.type, view.page_title, view.source_name) == ("page", "冬季新品", "xiaohongshu")
    assert (order.revenue, order.currency, order.order_id) == (39900, "CNY", "o1")
    assert ("user_id", "u-王") in {(known.type, known.value) for known in last.identifiers}
