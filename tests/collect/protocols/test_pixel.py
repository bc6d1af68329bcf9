"""Pixels of Segment and RudderStack → calls; the image comes whatever happens."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from calls import RECEIVED, SITE
from hypothesis import given
from hypothesis import strategies as st
from wild import check, values

from touchline.collect.protocol import GIF
from touchline.collect.protocols.pixel import PIXEL
from touchline.collect.segment import to_event
from touchline.errors import Denied
from touchline.model import RawRequest

CALL = {
    "writeKey": "k1",
    "userId": "u1",
    "event": "E-mail opened",
    "properties": {"subject": "双11 預告?"},
    "messageId": "m1",
}


def call(query, path="/v1/pixel/track"):
    query = query if isinstance(query, str) else urlencode(query)
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16}
    return RawRequest(path=path, body=b"", query=query, **given)


def one(request):
    batch = PIXEL.read(request)
    (item,) = batch.items
    assert item.reason is None, item.reason
    return batch.write_key, to_event(item, request, None, SITE)


PACKED = json.dumps(CALL).encode()


@pytest.mark.parametrize(
    "data",
    [
        quote(PACKED),
        quote(base64.b64encode(PACKED)),
        base64.b64encode(PACKED).decode().rstrip("="),
        base64.urlsafe_b64encode(PACKED).decode().rstrip("="),
    ],
)
def test_segments_pixel_carries_the_call_in_data(data):
    key, event = one(call(f"data={data}"))
    assert key == "k1"
    assert (event.type, event.name, event.message_id) == ("track", "E-mail opened", "m1")
    assert event.properties == CALL["properties"]


def test_the_kind_stands_in_the_path():
    given = {"data": json.dumps({"userId": "u1", "traits": {"email": "a@b.cn"}})}
    _, event = one(call(given, "/v1/pixel/identify"))
    assert event.type == "identify"
    assert ("email", "a@b.cn") in {(known.type, known.value) for known in event.identifiers}


def test_rudderstacks_pixel_is_flat_and_dots_lead_into_objects():
    given = {
        "writeKey": "k1",
        "anonymousId": '"a-1"',
        "event": "Opened",
        "properties.subject": "双11",
        "context.page.url": "https://ours.cn/?utm_source=edm&utm_medium=email",
        "context.page.title": "信",
    }
    key, event = one(call(given, "/pixel/v1/track"))
    assert key == "k1"
    assert (event.name, event.medium, event.page_title) == ("Opened", "email", "信")
    assert event.properties == {"subject": "双11"}
    assert event.identifiers[0].value == "a-1"


def test_parameters_in_each_others_way_are_kept_as_they_were_sent():
    given = {"userId": "u", "properties": "x", "properties.a": "1", "b.c": "2", "b": "3"}
    (item,) = PIXEL.read(call(given, "/pixel/v1/page")).items
    assert item.data["parameters"] == {"properties.a": "1", "b": "3"}
    assert item.data["b"] == {"c": "2"}
    assert item.reason == "bad_properties"


def test_the_answer_is_an_image_even_for_an_error():
    assert PIXEL.answer(call(""), ()).body == GIF
    refused = PIXEL.refuse(Denied("unknown_key"))
    assert (refused.status, refused.body) == (200, GIF)
    assert (b"cache-control", b"no-store") in refused.headers


names = st.lists(st.sampled_from(["a", "context", "page", "userId", "properties", ""])).map(
    ".".join
)


@given(
    st.dictionaries(names, st.text(max_size=5).map(lambda text: text.encode("utf-8", "replace")))
)
def test_any_parameters_have_a_verdict(given):
    check(PIXEL, call(given, "/pixel/v1/track"))


@given(values | st.dictionaries(st.sampled_from(list(CALL)), values))
def test_any_data_has_a_verdict(value):
    check(PIXEL, call({"data": json.dumps(value)}))
