"""The tracker as it is served, and the cookie a server sets for it."""

import asyncio
import gzip
import json

import pytest

from touchline.errors import BadInput
from touchline.web.script import Script


def call(path="/t.js", method="GET", body=b"", script=None, **headers):
    """(status, headers, body) of one request."""
    sent = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    given = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": given}
    asyncio.run((script or Script())(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_any_site_may_load_the_script_and_keep_it_for_an_hour():
    status, headers, body = call()
    assert status == 200
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"max-age=3600" in headers[b"cache-control"]
    assert body.startswith(b"/* Touchline")
    status, packed, small = call(accept_encoding="gzip, br")
    assert gzip.decompress(small) == body
    assert packed[b"content-encoding"] == b"gzip"
    assert int(packed[b"content-length"]) == len(small) <= 10_000


def test_a_script_that_has_not_changed_is_not_sent_again():
    tag = call()[1][b"etag"].decode()
    assert call(if_none_match=tag)[::2] == (304, b"")
    assert call(if_none_match=f"W/{tag}")[0] == 304
    assert call(if_none_match='"other"')[0] == 200


def test_the_owner_chooses_the_path():
    script = Script("/assets/site-7.js")
    assert call("/assets/site-7.js", script=script)[0] == 200
    assert b"export" in call("/assets/site-7.mjs", script=script)[2]
    assert "/t.js" not in script.paths


@pytest.mark.parametrize("path", ["", "t.js", "/", "/t", "/.js", "/a/../t.js", "//t.js", "/t.js?x"])
def test_a_path_that_is_none_is_refused_at_the_start(path):
    with pytest.raises(BadInput) as found:
        Script(path)
    assert found.value.code == "bad_tracker_path"


def test_the_script_is_only_read():
    assert call(method="HEAD")[::2] == (200, b"")
    assert call(method="POST")[0] == 405


def claim(domain="shop.example", origin="https://www.shop.example", host="t.shop.example", **more):
    body = {"id": "3f1c-own-id", "domain": domain, **more}
    return call("/v1/id", "POST", json.dumps(body).encode(), origin=origin, host=host)


def test_a_page_of_the_site_gets_its_cookie():
    status, headers, _ = claim()
    assert status == 204
    assert headers[b"set-cookie"] == (
        b"tl_id=3f1c-own-id; Path=/; Max-Age=34560000; SameSite=Lax; Domain=shop.example; Secure"
    )
    assert headers[b"access-control-allow-origin"] == b"https://www.shop.example"
    assert headers[b"access-control-allow-credentials"] == b"true"


def test_a_page_on_the_very_host_gets_one_for_that_host():
    status, headers, _ = claim("", "http://localhost:80", "localhost:80")
    assert status == 204
    assert b"Domain" not in headers[b"set-cookie"]
    assert b"Secure" not in headers[b"set-cookie"]


@pytest.mark.parametrize(
    "asked",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evilshop.example"},
        {"origin": "null"},
        {"origin": ""},
        {"domain": "example"},
        {"domain": "", "origin": "https://www.shop.example"},
        {"domain": "other.example"},
        {"id": "x; Domain=evil"},
        {"id": "short"},
        {"id": 7},
        {"id": "x" * 2000},
    ],
)
def test_nobody_else_says_who_the_sites_visitors_are(asked):
    status, headers, _ = claim(**asked)
    assert status == 400
    assert b"set-cookie" not in headers


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_none_is_refused(body):
    assert call("/v1/id", "POST", body, origin="https://a.b", host="a.b")[0] == 400
    assert call("/v1/id", "GET")[0] == 405
