"""Snowplow's tp2 and pixel → items."""

import base64
import contextlib
import gzip
import json
from urllib.parse import urlencode

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.protocols import spoken_at
from touchline.collect.protocols.snowplow import SNOWPLOW
from touchline.collect.segment import content_hash, payload, to_event
from touchline.errors import BadInput, Denied, Unavailable
from touchline.model import RawRequest

TP2 = "/com.snowplowanalytics.snowplow/tp2"
PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
EID = "c6ef3124-b53a-4b13-a233-0088f79dcbcb"
VIEW = {"e": "pv", "aid": "shop", "p": "web", "tv": "js-4.10.1", "eid": EID, "duid": "d-1"}


def call(data=None, query=None, path=TP2, **fields):
    if isinstance(data, list):
        data = json.dumps({"schema": PAYLOAD, "data": data}).encode()
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    query = query if isinstance(query, str) else urlencode(query or {})
    return RawRequest(path=path, body=data or b"", query=query, **given)


def item(**params):
    (found,) = SNOWPLOW.read(call([{**VIEW, **params}])).items
    assert found.reason is None, found.reason
    return found


def event(**params):
    request = call([{**VIEW, **params}])
    (found,) = SNOWPLOW.read(request).items
    assert found.reason is None, found.reason
    return to_event(found, request, None, SITE)


def described(schema, data):
    inner = {"schema": f"iglu:{schema}/jsonschema/1-0-0", "data": data}
    return json.dumps({"schema": "iglu:x/unstruct_event/jsonschema/1-0-0", "data": inner})


def attached(*entities):
    listed = [{"schema": f"iglu:{name}/jsonschema/1-0-0", "data": data} for name, data in entities]
    return json.dumps({"schema": "iglu:x/contexts/jsonschema/1-0-1", "data": listed})


def packed(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_the_app_is_the_key_and_the_event_id_the_message_id():
    batch = SNOWPLOW.read(call([VIEW]))
    assert (batch.write_key, batch.items[0].message_id) == ("snowplow:shop", EID)
    assert SNOWPLOW.read(call([{"e": "pv"}])).write_key is None
    assert SNOWPLOW.read(call([{"e": "pv"}], {"aid": "shop"})).write_key == "snowplow:shop"


def test_a_pixel_says_the_same_as_a_post():
    by_get = SNOWPLOW.read(call(query=VIEW, path="/i"))
    assert by_get == SNOWPLOW.read(call([VIEW]))


def test_a_page_view_has_its_page_its_visitor_and_its_campaign():
    seen = event(
        uid="u-7",
        url="https://ours.cn/p?utm_source=xhs&utm_medium=kol",
        refr="https://www.xiaohongshu.com/",
        page="屏障修护精华",
        dtm=str(RECEIVED // 1000 - 61_000),
        stm=str(RECEIVED // 1000 - 1000),
    )
    assert (seen.type, seen.page_title, seen.medium) == ("page", "屏障修护精华", "kol")
    assert [(i.type, i.value) for i in seen.identifiers] == [
        ("user_id", "u-7"),
        ("anonymous_id", "d-1"),
    ]
    assert seen.ts_us == RECEIVED - 60_000_000
    assert seen.context["library"] == {"name": "snowplow-js", "version": "4.10.1"}


def test_a_resend_is_the_same_item_however_late_it_was_sent():
    first, again = (
        item(dtm="1795249800000", stm=stm) for stm in ("1795249801000", "1795249809000")
    )
    assert content_hash(first.data) == content_hash(again.data)
    first, again = (
        item(ttm="1795249800000", stm=stm) for stm in ("1795249801000", "1795249809000")
    )
    assert content_hash(first.data) == content_hash(again.data)


def test_a_true_time_is_not_corrected():
    seen = event(ttm="1795240000000", dtm="1795249800000", stm="1795249700000")
    assert seen.ts_us == 1795240000000_000
    assert seen.context["snowplow"]["dtm"] == "1795249800000"


def test_a_structured_event_is_called_by_its_action():
    seen = event(e="se", se_ca="视频", se_ac="Play", se_la="007", se_pr="hd", se_va="1.5")
    assert (seen.type, seen.name) == ("track", "Play")
    assert seen.properties == {
        "category": "视频",
        "action": "Play",
        "label": "007",
        "property": "hd",
        "value": 1.5,
    }


def test_a_page_ping_says_how_far_was_scrolled():
    seen = event(e="pp", pp_mix="0", pp_max="9", pp_miy="-1", pp_may="700")
    assert seen.name == "page_ping"
    assert seen.properties == {"min_x": 0, "max_x": 9, "min_y": -1, "max_y": 700}


@pytest.mark.parametrize("form", ["ue_pr", "ue_px", "padded"])
def test_a_self_describing_event_is_named_by_its_schema(form):
    text = described("com.acme/quote_requested", {"机型": "X-9", "n": 2})
    sent = {"ue_pr": text}
    if form == "ue_px":
        sent = {"ue_px": packed(text)}
    if form == "padded":
        sent = {"ue_px": base64.b64encode(text.encode()).decode()}
    seen = event(e="ue", **sent)
    assert (seen.type, seen.name) == ("track", "quote_requested")
    assert seen.properties == {"机型": "X-9", "n": 2}
    assert seen.context["snowplow"]["schema"] == "iglu:com.acme/quote_requested/jsonschema/1-0-0"


@pytest.mark.parametrize("broken", ["{", "%%%", packed("[1]"), packed("{"), "", described("x", 1)])
def test_a_self_describing_event_nobody_can_read_is_kept_with_a_reason(broken):
    (found,) = SNOWPLOW.read(call([{**VIEW, "e": "ue", "ue_px": broken}])).items
    assert found.reason == "missing_event"
    if broken:
        assert broken in json.loads(payload(found))["context"]["snowplow"]["ue_px"]


def test_a_field_that_hides_gzip_is_not_opened():
    bomb = base64.b64encode(gzip.compress(b'{"data":[' + b"0," * 500_000 + b"0]}")).decode()
    assert "entities" not in item(cx=bomb).data["context"]


@pytest.mark.parametrize(
    "vendor", ["com.snowplowanalytics.mobile", "com.snowplowanalytics.snowplow"]
)
def test_a_screen_view_is_a_screen(vendor):
    found = item(e="ue", ue_pr=described(f"{vendor}/screen_view", {"name": "首页", "id": "s1"}))
    assert (found.type, found.data["type"], found.data["name"]) == ("screen", "screen", "首页")


def test_entities_keep_their_schema_and_name_the_device():
    entities = attached(
        ("com.snowplowanalytics.snowplow/client_session", {"userId": "s-u", "sessionIndex": 3}),
        (
            "com.snowplowanalytics.snowplow/mobile_context",
            {"deviceModel": "P60", "deviceManufacturer": "HUAWEI", "appleIdfv": "idfv-123456"},
        ),
        ("com.acme/stand", {"hall": "N2"}),
    )
    seen = event(duid="", cx=packed(entities))
    assert ("anonymous_id", "s-u") in [(i.type, i.value) for i in seen.identifiers]
    assert ("device", "idfv-123456") in [(i.type, i.value) for i in seen.identifiers]
    assert seen.context["entities"][2] == {
        "schema": "iglu:com.acme/stand/jsonschema/1-0-0",
        "data": {"hall": "N2"},
    }
    assert seen.context["device"]["model"] == "P60"


def test_the_ecommerce_schemas_make_an_order():
    shop = "com.snowplowanalytics.snowplow.ecommerce"
    seen = event(
        e="ue",
        ue_pr=described(f"{shop}/snowplow_ecommerce_action", {"type": "transaction"}),
        co=attached(
            (f"{shop}/transaction", {"transaction_id": "SO-1", "revenue": 399, "currency": "CNY"}),
            (f"{shop}/product", {"id": "S1", "price": 199.5, "quantity": 2}),
        ),
    )
    assert (seen.name, seen.order_id, seen.revenue) == ("Order Completed", "SO-1", 39900)
    assert seen.properties["products"] == [{"id": "S1", "price": 199.5, "quantity": 2}]


def test_the_ecommerce_schemas_make_a_refund():
    shop = "com.snowplowanalytics.snowplow.ecommerce"
    refund = {"transaction_id": "SO-1", "refund_amount": 99.5, "currency": "CNY"}
    action = described(f"{shop}/snowplow_ecommerce_action", {"type": "refund"})
    seen = event(e="ue", ue_pr=action, co=attached((f"{shop}/refund", refund)))
    assert (seen.name, seen.order_id, seen.revenue) == ("Order Refunded", "SO-1", 9950)


def test_other_actions_in_a_shop_keep_their_name():
    shop = "com.snowplowanalytics.snowplow.ecommerce"
    action = described(f"{shop}/snowplow_ecommerce_action", {"type": "add_to_cart"})
    seen = event(e="ue", ue_pr=action)
    assert (seen.name, seen.properties) == ("snowplow_ecommerce_action", {"type": "add_to_cart"})


def test_a_transaction_of_old_is_an_order_and_its_lines_are_none():
    order = {"tr_id": "SO-1", "tr_af": "官网", "tr_tt": "399.00", "tr_tx": "9", "tr_cu": "CNY"}
    seen = event(e="tr", **order)
    assert (seen.name, seen.order_id, seen.revenue) == ("Order Completed", "SO-1", 39900)
    line = event(e="ti", ti_id="SO-1", ti_sk="007", ti_pr="199.5", ti_qu="2", ti_cu="CNY")
    assert (line.name, line.revenue) == ("transaction_item", None)
    assert line.properties["sku"] == "007"


def test_what_has_no_place_is_kept_as_sent():
    left = item(vp="800x600", f_pdf="1", vid="4", tna="sp", novel="y").data["context"]["snowplow"]
    sent = {"aid": "shop", "p": "web", "vp": "800x600", "f_pdf": "1", "vid": "4", "tna": "sp"}
    assert left == {**sent, "novel": "y"}


@pytest.mark.parametrize(
    ("sent", "anonymous"),
    [
        ({"tnuid": "n-1"}, "n-1"),
        ({"nuid": "n-2"}, "n-2"),
        ({"sid": "v-1"}, "session-v-1"),
        (
            {
                "sid": "v-1",
                "co": attached(
                    (
                        "com.snowplowanalytics.snowplow/client_session",
                        {"userId": "00000000-0000-0000-0000-000000000000"},
                    )
                ),
            },
            "session-v-1",
        ),
    ],
)
def test_without_an_id_of_the_domain_another_names_the_visitor(sent, anonymous):
    assert item(duid="", **sent).data["anonymousId"] == anonymous


def test_an_event_of_nobody_has_a_reason():
    (found,) = SNOWPLOW.read(call([{**VIEW, "duid": None}])).items
    assert found.reason == "missing_id"


def test_an_unknown_letter_is_no_kind_of_item():
    items = SNOWPLOW.read(call([VIEW | {"e": e} for e in ("zz", "page", "")] + [7])).items
    assert [i.reason for i in items] == ["unknown_type"] * 3 + ["not_an_object"]


def test_items_of_another_app_are_rejected_beside_the_first():
    items = SNOWPLOW.read(call([VIEW, VIEW | {"aid": "crm", "eid": "2"}])).items
    assert [i.reason for i in items] == [None, "other_site"]


def test_clients_hear_what_they_need():
    assert SNOWPLOW.answer(call([VIEW]), []).body == b"ok"
    assert SNOWPLOW.answer(call(query=VIEW), []).content_type == b"image/gif"
    assert SNOWPLOW.refuse(Unavailable("busy")) is None
    assert SNOWPLOW.refuse(Denied("unknown_key")).status == 401
    assert SNOWPLOW.refuse(BadInput("unreadable_body", why="x")).status == 400


@pytest.mark.parametrize("path", [TP2, "/com.acme/track", "/cn.shop.data/v2", "/t/tp2"])
def test_a_path_of_ones_own_is_a_vendor_and_a_version(path):
    protocol, route = spoken_at(path)
    assert (protocol.name, route.tells) == ("snowplow", None)


def test_no_redirect_is_made_to_an_address_of_the_query():
    protocol, route = spoken_at("/r/tp2")
    told = route.tells(call(query={"u": "https://evil.example/"}, path="/r/tp2"))
    assert (protocol.name, told.status, told.headers) == ("snowplow", 403, ())
    assert json.loads(told.body)["code"] == "no_open_redirect"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data":{}}', b"{", b"x", b"\x1f\x8b"])
def test_a_payload_nobody_can_read_is_said_to_be_one(body):
    with pytest.raises(BadInput):
        SNOWPLOW.read(call(body))


DEEP = "[" * 200 + "]" * 200
ODD = [
    *("pv", "ue", "se", "tr", "ti", "pp", "1", "-1", "1e999", "9" * 500, "\x00", "\ud83d"),
    *(DEEP, packed(f'{{"data":{DEEP}}}'), packed('{"data":{"schema":"iglu:a/b/c/1","data":[]}}')),
    *('{"data":["\\u0000\\ud800"]}', f'{{"data":[1{"0" * 400}]}}', attached(("a/b", {"x": 1}))),
]
NAMES = """
e eid dtm ttm stm aid p tv url refr page duid nuid tnuid uid sid lang tz res ip ua co cx ue_pr ue_px
se_ac se_va tr_id tr_tt tr_cu ti_id ti_cu pp_mix vid
"""
texts = st.text(max_size=9) | st.sampled_from(ODD)
names = st.sampled_from(NAMES.split()) | st.text(max_size=4)
values = (
    texts | st.integers() | st.none() | st.lists(st.integers(), max_size=2) | st.just({"a": []})
)


@given(st.dictionaries(names, texts), st.lists(st.dictionaries(names, values) | texts, max_size=3))
def test_whatever_is_sent_is_an_item_that_can_be_stored_or_has_a_reason(params, listed):
    query = urlencode(params, errors="surrogatepass")
    for request in (call(query=query), call(listed, query)):
        for found in SNOWPLOW.read(request).items:
            payload(found), content_hash(found.data)
            if found.reason is None:
                to_event(found, request, None, SITE)


@given(st.text(), st.binary())
def test_noise_is_read_or_refused(query, body):
    with contextlib.suppress(BadInput):
        SNOWPLOW.read(call(body, query))


def test_a_short_request_does_not_grow_into_a_large_one():
    headers = {"referer": "https://a.cn/" + "x" * 8000}
    items = SNOWPLOW.read(call([{"e": "pv"}] * 1000, {"aid": "9" * 8000}, headers=headers)).items
    assert sum(len(payload(item)) for item in items) < 1000 * 500


def test_the_page_of_a_pixel_is_where_it_was_asked_from():
    request = call(query=VIEW, path="/i", headers={"referer": "https://ours.cn/n?utm_source=edm"})
    (found,) = SNOWPLOW.read(request).items
    assert to_event(found, request, None, SITE).source_name == "edm"
