"""The webhooks that docs/examples ships do with their sample payloads what they say."""

import hashlib
import hmac
import json
import tomllib
from pathlib import Path

import pytest
from calls import RECEIVED

from touchline.collect.event import to_event
from touchline.collect.makers.makers import makers
from touchline.collect.protocols import read
from touchline.collect.protocols.webhook import WEBHOOK
from touchline.collect.site import Site
from touchline.errors import Denied
from touchline.model import RawRequest

FOLDER = Path(__file__).parents[3] / "docs/examples/webhooks"
SECRET = "write-a-long-secret-here"
PHONE = ("phone", "+8613800138000")
# name -> how the secret is shown, and of each item its name, channel and identifiers
WANTED = {
    "calls": ({"x-webhook-token": SECRET}, "", [("Call Received", "Paid Search", {PHONE})]),
    "live-chat": (
        None,
        "",
        [
            ("Chat Ended", "Paid Search", {PHONE}),
            ("Chat Ended", "Direct", set()),
        ],
    ),
    "form-tool": ({}, f"key={SECRET}", [
        ("Form Submitted", "Organic Social", {PHONE, ("email", "wang@example.com")}),
    ]),
    "survey": ({"authorization": f"Bearer {SECRET}"}, "", [
        ("Survey Answered", None, {("member_code", "M10001")}),
    ]),
}  # fmt: skip


def test_every_example_is_tried():
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(WANTED)
    assert {path.stem for path in FOLDER.glob("*.json")} == set(WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_an_example_takes_its_payload(name):
    headers, query, wanted = WANTED[name]
    definition = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    body = (FOLDER / f"{name}.json").read_bytes()
    if headers is None:
        headers = {"x-signature": hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()}
    site = Site(workspace="w", makers=makers(definition, lambda sealed, _: sealed))
    hook = definition["webhook"][0]["name"]
    request = RawRequest(
        RECEIVED, "", f"/hooks/{hook}", body, b"r" * 16, query=query, headers=headers
    )
    with pytest.raises(Denied):
        WEBHOOK.defined.admit(RawRequest(RECEIVED, "", request.path, body, b"r" * 16), site)
    logged = WEBHOOK.defined.admit(request, site)
    assert SECRET not in repr(logged)
    batch = read(logged, site)
    assert [item.reason for item in batch.items] == [None] * len(wanted)
    for item, (event_name, channel, known) in zip(batch.items, wanted, strict=True):
        event = to_event(item, logged, None, site)
        assert (event.name, event.channel) == (event_name, channel)
        named = {(i.type, i.value) for i in event.identifiers} - {("anonymous_id", "")}
        assert {pair for pair in named if pair[0] != "anonymous_id"} == known
        kept = json.dumps(event.context, ensure_ascii=False) + json.dumps(event.properties)
        assert "13800138000" not in kept
        assert "王小姐" not in kept
