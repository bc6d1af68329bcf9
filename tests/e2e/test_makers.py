"""Definitions over the API, then what other systems and people send, down to the report."""

import json
import re
import urllib.parse

ADMIN_KEY = "admin-key"

DEFINED = {
    "webhook": [{
        "name": "calls", "secret": "correct horse",
        "fields": {"name": "Call Received", "message_id": "$.id", "phone": "$.from",
                   "channel": "Phone", "occurred_at": "$.at"},
    }],
    "form": [{
        "name": "demo", "title": {"en": "Book a demo", "zh": "预约演示"},
        "field": [{"name": "mobile", "type": "phone", "required": True},
                  {"name": "agree", "type": "consent", "required": True}],
    }],
    "promo_code": [{"code": "ANNA10", "channel": "KOL"}],
    "goal": [{"name": "orders", "event": "Order Completed"},
             {"name": "leads", "event": "Form Submitted"}],
}  # fmt: skip


def form(running, values, **headers):
    return running.send("POST", "/f/demo", urllib.parse.urlencode(values).encode(), headers)


def credited(running, goal):
    status, body = running.get(f"/api/v1/attribution?models=last_touch&goal={goal}", ADMIN_KEY)
    assert status == 200, body
    return {r["channel"]: r["conversions"] for r in json.loads(body)["rows"] if r["conversions"]}


def test_from_a_definition_to_the_report(running):
    admin = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    put = lambda told: running.send(  # noqa: E731
        "PUT", "/api/v1/definitions", json.dumps(told).encode(), admin
    )
    assert put({"webhok": []})[0] == 400
    status, body = put(DEFINED)
    assert (status, sorted(json.loads(body)["result"])) == (200, sorted(DEFINED))
    held = running.get("/api/v1/definitions", ADMIN_KEY)[1]
    assert b"ANNA10" in held
    assert b"horse" not in held

    call = {"id": 1, "from": "13800138000", "at": "2026-03-01 10:00:00"}
    assert running.post("/hooks/calls", call, None)[0] == 401
    assert running.post("/hooks/nobody", call, None)[0] == 404
    status, body = running.post("/hooks/calls", call, None, **{"x-webhook-token": "correct horse"})
    assert (status, json.loads(body)["results"][0]["status"]) == (200, "stored")

    address = "/f/demo?utm_source=baidu&utm_medium=cpc"
    status, page = running.get(address, **{"accept-language": "zh-CN"})
    assert (status, "预约演示" in page.decode()) == (200, True)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.decode()))
    hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    assert address in hidden["_page"]
    wrong = form(running, {**hidden, "mobile": "12"})
    assert wrong[0] == 422
    hidden["_at"] = str(int(hidden["_at"]) - 60_000)
    filled = {**hidden, "mobile": "13900139000", "agree": "yes"}
    assert form(running, filled)[0] == 200
    assert form(running, filled)[0] == 200

    order = {"event": "Order Completed", "messageId": "o1", "timestamp": "2026-03-02T10:00:00Z",
             "context": {"traits": {"member_code": "M1"}},
             "properties": {"order_id": "A-1", "revenue": 10, "coupon": "anna10"}}  # fmt: skip
    assert running.post("/v1/track", order)[0] == 200

    running.wait_committed()
    names = sorted((e["name"], e["channel"], e["source"]) for e in running.events())
    assert names == [
        ("Call Received", "Phone", "calls"),
        ("Form Submitted", "Paid Search", "demo"),
        ("Form Viewed", "Paid Search", "demo"),
        ("Order Completed", None, "web"),
    ]
    assert credited(running, "orders") == {"KOL": 1.0}
    assert credited(running, "leads") == {"Paid Search": 1.0}
