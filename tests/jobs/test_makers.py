"""What other systems and people's hands send, from the request to the lake and back again."""

import asyncio
import contextlib
import json
from functools import partial

import pytest

import build
from sender import as_json, call
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.jobs.intake.rejected import rejects
from touchline.jobs.intake.replay import asked, replay
from touchline.jobs.intake.writer import Writer
from touchline.jobs.queries import events
from touchline.jobs.rebuild import rebuild
from touchline.model import Flag
from touchline.storage.log import Log
from touchline.web.collector import Collector
from touchline.web.keys import Keys
from touchline.web.rules import Rules

HOOK = {
    "name": "calls",
    "secret": "correct horse",
    "fields": {
        "name": "Call Received",
        "phone": "$.from",
        "message_id": "$.id",
        "channel": "Phone",
    },
}


class Site:
    """A workspace with its collector and its writer in one process."""

    def __init__(self, workspace, log, runner):
        self.workspace, self.runner = workspace, runner
        self.writer = Writer(workspace)
        rules = Rules(partial(definitions.newer_site, workspace))

        async def made():
            return Collector(log, Keys(workspace), rules=rules)

        self.app = runner.run(made())

    def apply(self, **documents):
        return definitions.apply(self.workspace, documents)

    def send(self, path, body, **options):
        body = body if isinstance(body, bytes) else as_json(body)
        return self.runner.run(call(self.app, body, path=path, **options))

    def hook(self, body, secret=b"correct horse", name="calls"):
        return self.send(f"/hooks/{name}", body, headers={"x-webhook-token": secret})

    def events(self):
        self.writer.catch_up()
        return [json.loads(x) for x in events(self.workspace, Registry(self.workspace), {})]

    def rejects(self):
        return [json.loads(x) for x in rejects(self.workspace, Registry(self.workspace), {})]

    def replay(self, **which):
        return replay(self.writer, asked(self.workspace, which), lambda _: None)


def test_rows_stored_before_anybody_looked_for_claims_are_marked_by_a_rebuild(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    rows = build.Rows(workspace)
    rows.order("user_id:ann", build.T0, "A-1", content_hash=b"a", properties='{"coupon":"ANNA10"}')
    rows.order("user_id:ann", build.T0, "A-2", content_hash=b"b", properties='{"store":"romo"}')
    rows.commit()
    with workspace.write_lock():
        rebuild(Writer(workspace), lambda _: None)
    with workspace.view() as view:
        found = view.fetch(view.events("order_id", "flags")).to_pylist()
    workspace.close()
    marked = {row["order_id"] for row in found if row["flags"] & Flag.CLAIMS}
    assert marked == {"A-1"}


@pytest.fixture
def site(tmp_path):
    with contextlib.ExitStack() as stack:
        workspace = build.workspace(tmp_path / "w")
        stack.callback(workspace.close)
        stack.enter_context(workspace.write_lock())
        log = stack.enter_context(Log.open(workspace.dir))
        yield Site(workspace, log, stack.enter_context(asyncio.Runner()))


def test_a_webhook_works_as_soon_as_it_is_applied_and_not_before(site):
    answer = site.hook({"id": 1, "from": "13800138000"})
    assert (answer.status, answer.json["code"]) == (404, "no_such_webhook")
    site.apply(webhook=[HOOK])
    refused = site.hook({"id": 1, "from": "13800138000"}, secret=b"wrong")
    assert (refused.status, refused.json["code"]) == (401, "wrong_webhook_secret")
    assert site.hook(b"{").status == 400
    assert site.hook({"id": 1, "from": "13800138000"}).verdicts == [("1", "stored", None)]
    assert site.hook({"id": 1, "from": "13800138000"}).verdicts == [("1", "duplicate", None)]
    (event,) = site.events()
    assert (event["source"], event["name"], event["channel"]) == ("calls", "Call Received", "Phone")
    assert event["identifiers"] == [{"type": "phone", "value": "+8613800138000"}]


def test_a_secret_is_not_in_state_in_clear(site):
    site.apply(webhook=[HOOK])
    assert "horse" not in definitions.dump(site.workspace)
    assert site.apply(webhook=[HOOK]) == []


def test_a_reject_is_stored_after_all_once_its_definition_is_right(site):
    site.apply(webhook=[HOOK])
    answer = site.hook({"id": 7, "caller": "13800138000", "note": "x"})
    assert answer.verdicts == [("7", "rejected", "missing_id")]
    assert site.events() == []
    (reject,) = site.rejects()
    assert (
        json.loads(reject["payload"]) if isinstance(reject["payload"], str) else reject["payload"]
    )
    assert site.replay(all=True)["rejected"] == 1
    right = {**HOOK, "fields": {**HOOK["fields"], "phone": ["$.from", "$.caller"]}}
    site.apply(webhook=[right])
    assert site.replay(all=True)["stored"] == 1
    assert site.replay(all=True)["stored"] == 0
    (event,) = site.events()
    assert event["message_id"] == "7"
    site.hook({"id": 7, "caller": "13800138000", "note": "x"})
    assert len(site.events()) == 1


def test_what_was_logged_under_a_definition_that_is_gone_is_kept_and_can_be_replayed(site):
    site.apply(webhook=[HOOK])
    assert site.hook({"id": 3, "from": "13800138000"}).verdicts == [("3", "stored", None)]
    site.apply(webhook=[])
    assert site.events() == []
    assert [reject["reason"] for reject in site.rejects()] == ["no_definition"]
    assert site.replay(all=True)["reasons"] == {"no_definition": 1}
    site.apply(webhook=[HOOK])
    assert site.replay(all=True)["stored"] == 1
    assert [event["message_id"] for event in site.events()] == ["3"]


@pytest.mark.parametrize("at", ["1" + "0" * 309, "-" + "9" * 400, "1e400"])
def test_a_time_beyond_all_numbers_is_no_time(site, at):
    site.apply(webhook=[{**HOOK, "fields": {**HOOK["fields"], "occurred_at": "$.at"}}])
    body = b'{"id": 1, "from": "13800138000", "at": %s}' % at.encode()
    answer = site.hook(body)
    assert answer.status < 500
    assert site.hook({"id": 2, "from": "13800138000"}).verdicts == [("2", "stored", None)]
    assert "2" in {event["message_id"] for event in site.events()}
