"""A link from its making to the report: by command line and API, over a running server."""

import json
import subprocess
import sys
import time

import httpx
import msgspec
import pytest

from touchline.collect import protocols
from touchline.model import RawRequest
from touchline.storage.log import read

ADMIN_KEY = "admin-key"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"


@pytest.fixture
def visitor(running):
    with httpx.Client(base_url=running.url, headers={"user-agent": PHONE}) as client:
        yield client


@pytest.fixture
def admin(running):
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    with httpx.Client(base_url=f"{running.url}/api/v1", headers=headers) as client:
        yield client


def made(running, *words):
    asked = [sys.executable, "-m", "touchline.cli", "links", "create", str(running.dir), *words]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def committed(admin, query, seconds=15):
    """The events that a question finds, once there are any."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = admin.get("/events", params=query)
        if answer.status_code == 200 and answer.text:
            return [json.loads(line) for line in answer.text.splitlines()]
        time.sleep(0.1)
    raise AssertionError(query)


def test_a_click_becomes_a_touch_of_the_person_who_buys(running, visitor, admin):
    labels = ["--source", "wechat", "--medium", "kol", "--campaign", "春季"]
    url = made(
        running,
        "https://shop.cn/p",
        *labels,
        "--person",
        "email:ann@shop.cn",
        "--host",
        running.url,
    )
    answer = visitor.get(url, params={"bd_vid": "v1"})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://shop.cn/p?utm_source=wechat&utm_medium=")
    device = answer.cookies["tl_id"]

    (click,) = committed(admin, {"person": "email:ann@shop.cn"})
    assert (click["name"], click["campaign"], click["source_name"]) == (
        "Link Clicked",
        "春季",
        "wechat",
    )
    assert click["click_ids"] == {"bd_vid": "v1"}
    assert click["anonymous_id"] == device

    order = {
        "messageId": "order-1",
        "event": "Order Completed",
        "anonymousId": device,
        "properties": {"order_id": "o1", "revenue": 100},
    }
    assert running.post("/v1/track", order)[0] == 200
    committed(admin, {"message_id_prefix": "order-1"})
    report = admin.get("/attribution", params={"models": "last_touch", "by": "campaign"}).json()
    (row,) = report["rows"]
    assert (row["campaign"], row["conversions"], row["revenue"]) == ("春季", 1.0, 10000)
    timeline = admin.get("/people/email:ann@shop.cn/timeline").json()
    assert [event["name"] for event in timeline["events"]] == ["Link Clicked", "Order Completed"]


def test_a_mail_that_is_opened_and_followed_is_its_reader_s(running, visitor, admin):
    mail = {
        "message": "m-1",
        "person": "email:Bea@shop.cn",
        "source": "crm",
        "campaign": "herbst",
        "targets": ["https://shop.cn/a", "https://shop.cn/b?utm_content=two"],
    }
    first, other = admin.post("/mails", json=[mail, mail | {"message": "m-2"}]).json()
    assert (first["message"], other["message"]) == ("m-1", "m-2")
    assert first["open"] != other["open"]
    assert [link["target"] for link in first["links"]] == mail["targets"]
    assert visitor.get(first["open"]).headers["content-type"] == "image/gif"
    led = visitor.get(first["links"][1]["url"])
    assert led.headers["location"].startswith("https://shop.cn/b?utm_content=two&utm_source=crm")
    committed(admin, {"person": "email:bea@shop.cn"})
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = {e["name"]: e for e in committed(admin, {"person": "email:bea@shop.cn"})}
        if len(found) == 2:
            break
    opened, clicked = found["Email Opened"], found["Email Link Clicked"]
    assert opened["properties"]["email_id"] == clicked["properties"]["email_id"] == "m-1"
    assert clicked["channel"] == "Email"
    assert (clicked["campaign"], clicked["content"]) == ("herbst", "two")


@pytest.mark.parametrize(
    "wrong",
    [
        {"person": "ann"},
        {"message": ""},
        {"message": "a\nb"},
        {"targets": ["javascript:x"]},
        {"campaign": "a", "targets": ["https://shop.cn/?utm_campaign=b"]},
    ],
)
def test_what_is_no_mail_is_refused(admin, wrong):
    mail = {"message": "m", "person": "email:ann@shop.cn"}
    assert admin.post("/mails", json=mail | wrong).status_code == 400


def test_links_are_made_listed_and_drawn_over_the_api(running, visitor, admin):
    wanted = {"target": "https://shop.cn/q", "code": "Poster", "source": "poster", "label": "海报"}
    answer = admin.post("/links", json=wanted, params={"host": "go.shop.cn"})
    assert (answer.status_code, answer.json()["url"]) == (201, "https://go.shop.cn/l/poster")
    assert visitor.head("/l/POSTER").headers["location"] == "https://shop.cn/q?utm_source=poster"
    many = [{"target": "https://shop.cn/q", "person": f"user_id:u{n}"} for n in range(3)]
    assert len(admin.post("/links", json=many).json()) == 3
    found = [json.loads(line) for line in admin.get("/links").text.splitlines()]
    assert [one["code"] for one in found if one["source"] == "poster"] == ["poster"]
    assert admin.get("/links/poster").json()["label"] == "海报"

    asked = {"host": "go.shop.cn", "label": "Scan me"}
    drawn = admin.get("/links/poster/qr", params={**asked, "format": "png"})
    assert drawn.content.startswith(b"\x89PNG")
    assert drawn.headers["content-type"] == "image/png"
    assert drawn.headers["content-disposition"] == 'attachment; filename="poster.png"'
    drawn = admin.get("/qr", params={"url": "https://shop.cn/q", "source": "poster"})
    assert drawn.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("GET", "/links/nobody", {}, 404, "no_such_link"),
        ("POST", "/links", {"json": {"target": "shop.cn"}}, 400, "bad_url"),
        ("POST", "/links", {"json": []}, 400, "bad_argument"),
        ("POST", "/links", {"json": {"target": "https://a.cn", "colour": 1}}, 400, "bad_argument"),
        ("GET", "/links/nobody/qr", {}, 400, "no_public_url"),
        ("GET", "/qr", {"params": {"url": "https://a.cn", "scale": "1000"}}, 400, "bad_argument"),
    ],
)
def test_what_cannot_be_is_a_problem_with_a_code(admin, method, path, more, status, code):
    answer = admin.request(method, path, **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_links_need_the_scope_to_write(running, admin):
    looker = admin.post("/keys", json={"kind": "admin", "scopes": ["read"]}).json()["key"]
    headers = {"authorization": f"Bearer {looker}"}
    assert admin.get("/links", headers=headers).status_code == 200
    refused = admin.post("/links", json={"target": "https://a.cn"}, headers=headers)
    assert refused.json()["code"] == "out_of_scope"


def test_a_server_that_is_stopped_has_told_of_all_that_followed_a_link(served):
    (served.dir / "settings.toml").write_text("events_per_s = 1\n")
    served.start()
    url = made(served, "https://shop.cn/p", "--host", served.url)
    with httpx.Client(headers={"user-agent": PHONE}) as client:
        assert {client.get(url).status_code for _ in range(40)} == {302}
    assert served.stop()[0] == 0
    requests = [
        msgspec.msgpack.decode(frame.payload, type=RawRequest)
        for frame in read(served.dir, 0, 1 << 30)
    ]
    items = [protocols.read(request).items[0] for request in requests]
    assert sum(item.data.get("not_kept", 1) for item in items) == 40
    assert any(item.reason == "not_kept" for item in items)
