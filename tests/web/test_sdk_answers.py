"""What libraries of PostHog, Mixpanel and Jitsu hear of the collector, also when it refuses."""

import asyncio
import json

import pytest

from sender import Store, as_json, call
from touchline.errors import Unavailable
from touchline.storage.log import Log
from touchline.web.collector import Collector, collects
from touchline.web.keys import Keys

EVENT = {"event": "e", "distinct_id": "u", "uuid": "m1", "api_key": "site"}
MIXED = {"event": "e", "properties": {"token": "site", "distinct_id": "u", "$insert_id": "m1"}}
ITEM = {"event": "e", "userId": "u", "messageId": "m1"}
GOOD = {
    "/e/": (EVENT, b'{"status":"Ok"}'),
    "/batch": ({"api_key": "site", "batch": [EVENT]}, b'{"status":"Ok"}'),
    "/i/v0/e": (EVENT, b'{"status":"Ok"}'),
    "/capture/": ([EVENT], b'{"status":"Ok"}'),
    "/track": (MIXED, b"1"),
    "/engage/": ({"$token": "site", "$distinct_id": "u", "$set": {}}, b"1"),
    "/import": ([MIXED], b'{"code":200,"num_records_imported":1,"status":"OK"}'),
    "/api/s/track": (ITEM | {"writeKey": "site:***"}, b'{"ok":true}'),
    "/api/s/s2s/track/": (ITEM | {"writeKey": "site:***"}, b'{"ok":true}'),
}


@pytest.fixture
def answered(tmp_path):
    def answered(path, value=None, *, store=None, **more):
        async def run():
            with Log.open(tmp_path) as log:
                app = Collector(log, Keys(store or Store(web="site")))
                body = b"" if value is None else as_json(value)
                return await call(app, body, path=path, **more)

        return asyncio.run(run())

    return answered


@pytest.mark.parametrize("path", GOOD)
def test_what_is_stored_is_answered_as_each_library_wants_it(answered, path):
    value, body = GOOD[path]
    assert collects(path)
    answer = answered(path, value)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("path", GOOD)
def test_an_unknown_site_is_401_and_no_json_is_400(answered, path):
    value, _ = GOOD[path]
    denied = answered(path, value, store=Store(web="another"))
    assert denied.status == 401
    broken = answered(path, None, parts=[b"{no"])
    assert broken.status == 400
    if path.strip("/") in ("track", "engage", "import"):
        assert denied.json["status"] == broken.json["status"] == 0


@pytest.mark.parametrize("path", GOOD)
def test_a_disk_that_fails_is_503_with_a_time_to_come_back(answered, path, monkeypatch):
    def fails(self, payloads, done):
        done(Unavailable("disk_full", path="x"))

    monkeypatch.setattr(Log, "extend", fails)
    answer = answered(path, GOOD[path][0])
    assert answer.status == 503
    assert answer.headers[b"retry-after"] == b"1"


def test_pages_of_any_origin_may_send(answered):
    asks = {
        "origin": b"https://shop.example",
        "access-control-request-headers": b"content-type,x-write-key",
    }
    for path in GOOD:
        preflight = answered(path, method="OPTIONS", headers=asks)
        assert preflight.status == 204
        assert preflight.headers[b"access-control-allow-headers"] == b"content-type,x-write-key"
        assert preflight.headers[b"access-control-allow-origin"] == b"https://shop.example"


def test_an_event_may_stand_in_the_query_alone(answered):
    assert answered("/e", method="GET", query=b"data=" + _quoted(EVENT)).status == 200
    image = answered("/track/", method="GET", query=b"img=1&data=" + _quoted(MIXED))
    assert image.headers[b"content-type"] == b"image/gif"
    assert answered("/batch", method="GET").status == 405


def _quoted(value):
    return json.dumps(value).encode().hex(" ").replace(" ", "%").join(("%", "")).encode()


def test_settings_need_no_key(answered):
    for path in ("/array/any/config", "/flags/", "/decide/", "/api/surveys/"):
        assert answered(path, method="GET").json is not None
    script = answered("/array/any/config.js", method="GET")
    assert script.headers[b"content-type"].startswith(b"text/javascript")
    assert b'c["any"]={config:{' in script.body
