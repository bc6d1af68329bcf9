"""Answers of consent beside a store that follows the lake: of one person, whoever else there is."""

import msgspec

import build
from touchline.identity import people as batch
from touchline.identity.live.follow import Follower
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people.live import SharedRegistry
from touchline.jobs.privacy import consent
from touchline.model import Said
from touchline.storage.consent import ledger


def refused(node, number):
    said = Said(purpose="marketing", channel="", is_granted=False)
    act = bytes([number]) * 16
    return msgspec.to_builtins(consent.Answer(act=act, said=(said,), source="page", node=node))


def test_an_answer_computes_nobody_else(tmp_path, monkeypatch):
    workspace = build.workspace(tmp_path / "w")
    node_id = workspace.vault.node_id
    with workspace.write_lock():
        registry = SharedRegistry(workspace)
        writer, tracker = Writer(workspace, registry), build.Tracker(workspace)
        for n in range(3):
            tracker.send(build.track(f"m{n}", "Ad", userId=f"u{n}", anonymousId=f"c{n}"))
        writer.catch_up()
        assert registry.follow()
        monkeypatch.setattr(batch, "person_map", None)
        monkeypatch.setattr(Follower, "at", None)
        for n in range(3):  # each is an event as well, and is followed
            assert consent.take(writer, refused(node_id("user_id", f"u{n}"), n)) == {"rows": 2}
            both = [node_id("user_id", f"u{n}"), node_id("anonymous_id", f"c{n}")]
            assert {row.node for row in ledger(workspace.state, both)} == {*both}
        stranger = node_id("email", "nobody@shop.cn")
        assert consent.take(writer, refused(stranger, 9)) == {"rows": 1}
    workspace.close()
