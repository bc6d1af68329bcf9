"""Another root key while everything goes on: nothing is lost, and the old key opens nothing."""

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from build import Tracker, track
from touchline import clock
from touchline.collect.nodes import clear_values
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.identity.receipt import check
from touchline.jobs import job
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.jobs.privacy import erase, rotate
from touchline.storage import audit, schema


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(rotate, "GRACE_US", 0)
    monkeypatch.setattr(rotate, "AT_ONCE", 3)


@pytest.fixture
def writer(workspace):
    tracker = Tracker(workspace)
    tracker.send(*(track(f"m{n}", "Visit", userId=f"user-{n}") for n in range(8)), {"type": "?"})
    made = Writer(workspace)
    made.catch_up()
    return made


def wrapped(workspace):
    rows = workspace.state.read(sa.select(schema.node))
    return {row.node_id: row.wrapped_key for row in rows}


def values(workspace):
    return sorted(one.value for one in clear_values(workspace, wrapped(workspace)).values())


def actions(workspace):
    return [row["action"] for row in audit.entries(workspace.state)]


def change(writer, what="root", progress=lambda _: None):
    return rotate.rotate(writer, rotate.ask(writer.workspace, what), progress)


def test_every_key_is_wrapped_anew_and_the_old_root_key_opens_none(writer):
    workspace = writer.workspace
    folder = workspace.dir / "secrets"
    before, known, old = wrapped(workspace), values(workspace), (folder / "root.key").read_bytes()
    sealed = [bytes(row.sealed_value) for row in workspace.state.read(sa.select(schema.node))]
    assert change(writer) == {"what": "root", "rewrapped": len(before)}
    assert values(workspace) == known
    after = wrapped(workspace)
    assert after.keys() == before.keys()
    for node, one in after.items():
        with pytest.raises(InvalidTag):
            AESGCM(old).decrypt(one[:12], one[12:], b"key|" + node)
    assert sealed == [bytes(r.sealed_value) for r in workspace.state.read(sa.select(schema.node))]
    assert not (folder / "root.old").exists()
    assert actions(workspace)[-2:] == ["key.rotate", "key.rotated"]
    pages = [path.read_bytes() for path in workspace.dir.glob("state.db*")]
    assert not [one for one in before.values() for page in pages if one in page]


def test_values_are_read_and_written_in_the_middle_and_after_a_kill(writer):
    workspace, tracker = writer.workspace, Tracker(writer.workspace)
    known = values(workspace)
    for n in range(20):
        portions = [n]

        def dying(_share, left=portions, known=known):
            assert values(workspace) == known
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

        try:
            change(writer, progress=dying)
        except KeyboardInterrupt:
            tracker.send(track(f"n{n}", "Visit", userId=f"new-{n}"))
            other = Writer(type(workspace).open(workspace.dir))
            other.catch_up()
            other.workspace.close()
            known = sorted([*known, f"new-{n}"])
            assert values(workspace) == known
            assert _told(workspace) == ["changing"]
            rotate.resume(workspace)
            (left,) = job.open_args(workspace.state, "rotate")
            assert _told(workspace) == []
            job.cancel(workspace.state, left["job"])
        else:
            break
    assert n > 3
    assert values(workspace) == known
    assert _told(workspace) == []


def _told(workspace):
    found = examine(workspace)["findings"]
    return ["changing" for one in found if one["where"] == "root.old"]


def test_the_end_waits_for_those_who_wrapped_a_key_before_the_change(writer, monkeypatch):
    slept = []
    monkeypatch.setattr(rotate, "GRACE_US", 3600 * clock.US)
    monkeypatch.setattr(rotate.time, "sleep", lambda _: slept.append(1) or _late(monkeypatch))
    change(writer)
    assert slept


def _late(monkeypatch):
    now = clock.now_us()
    monkeypatch.setattr(clock, "now_us", lambda: now + 3601 * clock.US)


def test_a_wrapped_key_that_nobody_can_open_keeps_the_old_root_key(writer):
    workspace = writer.workspace
    one = sorted(wrapped(workspace))[4]
    broken = sa.update(schema.node).where(schema.node.c.node_id == one)
    with workspace.state.engine.begin() as connection:
        connection.execute(broken.values(wrapped_key=bytes(60)))
    with pytest.raises(BadInput, match="secrets"):
        change(writer)
    assert workspace.vault.root.is_changing


def test_receipts_of_before_are_good_by_the_list_that_is_published(writer):
    workspace = writer.workspace
    request = erase.ask(workspace, Registry(workspace), "user_id:user-1")
    erase.erase(writer, {"request": request}, lambda _: None)
    receipt = erase.receipt_of(workspace, request)
    first = rotate.receipt_keys(workspace)[0]
    told = change(writer, "signing")
    listed = rotate.receipt_keys(workspace)
    assert told["fingerprint"] == listed[0]["fingerprint"] != first["fingerprint"]
    assert [key["public_key"] for key in listed][1] == first["public_key"]
    assert check(receipt).is_good
    assert check(receipt, *(key["public_key"] for key in listed)).is_good
    assert not check(receipt, listed[0]["fingerprint"]).is_good
    assert rotate.ask(workspace, "signing") == {"what": "signing"}


def test_another_thing_than_a_key_is_refused(workspace):
    with pytest.raises(BadInput, match="root or signing"):
        rotate.ask(workspace, "pepper")
