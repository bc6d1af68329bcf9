"""Jitsu's calls → items."""

import json

import pytest
from calls import RECEIVED

from touchline.collect.protocols import read, spoken_at
from touchline.model import RawRequest

ITEM = {"messageId": "m1", "event": "Sign up", "userId": "u-7", "writeKey": "site:***"}


def call(value, path="/api/s/track", **headers):
    return RawRequest(
        received_us=RECEIVED,
        source="web",
        path=path,
        body=json.dumps(value).encode(),
        request_id=b"r" * 16,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("start", ["/api/s/", "/api/s/s2s/"])
def test_the_path_says_the_type_and_the_header_the_site(start, end):
    batch = read(call(ITEM, f"{start}track{end}", x_write_key="site:secret"))
    assert batch.write_key == "jitsu:site"
    (item,) = batch.items
    assert (item.message_id, item.type, item.reason) == ("m1", "track", None)
    assert "writeKey" not in item.data


def test_the_site_may_stand_in_the_body_alone():
    assert read(call(ITEM)).write_key == "jitsu:site"
    assert read(call({**ITEM, "writeKey": 7})).write_key is None


def test_a_batch_is_one():
    batch = read(call({"batch": [{**ITEM, "type": "track"}, 7]}, "/api/s/batch"))
    assert [item.reason for item in batch.items] == [None, "not_an_object"]


def test_the_answer_is_one_its_client_can_read():
    protocol, _ = spoken_at("/api/s/page")
    assert json.loads(protocol.answer(call(ITEM), []).body) == {"ok": True}
