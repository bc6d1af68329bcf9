"""What has been kept long enough goes, everything else stays, and the account comes out."""

import pytest
import sqlalchemy as sa

from build import DAY, T0, Tracker, track
from touchline import clock
from touchline.collect.nodes import clear_values
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.identity.profile_notes import NOTES, all_holding, written
from touchline.jobs import definitions, links, mails, queries
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.jobs.privacy import retention
from touchline.storage import audit, schema

OLD, YOUNG = T0, T0 + 200 * DAY
EVENTS = {"what": "events", "days": 100, "names": ["Visit"], "purpose": "analytics"}


@pytest.fixture
def writer(workspace, monkeypatch):
    tracker = Tracker(workspace)
    items = [
        track("1", "Visit", userId="ann"),
        track("2", "Visit", anonymousId="cookie-7"),
        track("3", "Order Completed", userId="ann", properties={"revenue": 5, "order_id": "o1"}),
        track("4", "Help", userId="ann"),
        {"type": "?", "messageId": "bad"},
    ]
    tracker.send(*items, at=OLD)
    tracker.send(
        track("5", "Visit", userId="bob", at=YOUNG), {"type": "?", "messageId": "new"}, at=YOUNG
    )
    made = Writer(workspace)
    made.catch_up()
    monkeypatch.setattr(clock, "now_us", lambda: YOUNG + DAY)
    return made


def ruled(writer, *rules):
    definitions.apply(writer.workspace, {"retention": list(rules)})


def left(writer):
    found = queries.events(writer.workspace, Registry(writer.workspace), {})
    rows = [retention.msgspec.json.decode(line) for line in found]
    return sorted((row["message_id"][:4], row["name"], len(row["identifiers"])) for row in rows)


def filed(writer):
    table = writer.workspace.lake.by_node
    columns = ("name", "node")
    parts = [part.to_pylist() for part in table.snapshot().read(columns)]
    return sorted(row["name"] for part in parts for row in part)


def run(writer):
    told = retention.preview(writer.workspace, Registry(writer.workspace))
    assert retention.retain(writer, {}, lambda _: None) == told
    assert examine(writer.workspace)["findings"] == []
    return {name: count for name, count in told.items() if name != "rules" and count}


def test_named_events_go_when_they_are_too_old_and_the_account_comes_out(writer):
    ruled(writer, EVENTS)
    assert run(writer) == {"events_deleted": 2}
    assert left(writer) == [
        ("3", "Order Completed", 1), ("4", "Help", 1), ("5", "Visit", 1),
    ]  # fmt: skip
    assert filed(writer) == ["Help", "Order Completed", "Visit"]
    assert run(writer) == {}


def test_what_may_be_a_conversion_stays_and_is_nobodys(writer):
    ruled(writer, {"what": "events", "days": 100})
    assert run(writer) == {"events_deleted": 3, "events_anonymised": 1}
    assert left(writer) == [("5", "Visit", 1), ("eras", "Order Completed", 0)]
    assert filed(writer) == ["Visit"]
    assert run(writer) == {}


def test_rejects_go_and_are_accounted_for(writer):
    ruled(writer, {"what": "rejects", "days": 100})
    assert run(writer) == {"rejects_deleted": 1}
    rows = writer.workspace.state.read(sa.select(schema.reject.c.message_id))
    assert [row.message_id for row in rows] == ["new"]
    last = list(audit.entries(writer.workspace.state))[-1]
    assert (last["action"], last["about"]["rejects_deleted"]) == ("retention", 1)


def test_a_person_of_whom_nothing_came_in_is_a_number_without_a_name(writer):
    ruled(writer, {"what": "profiles", "days": 100})
    workspace = writer.workspace
    state = workspace.state
    nodes = [workspace.vault.node_id("user_id", name) for name in ("ann", "bob")]
    state.write(*written(state, [(node, "tag", "VIP", True) for node in nodes], "wang"))
    domains = [{"node_id": node, "domain_id": bytes(16)} for node in nodes]
    state.write((sa.insert(schema.mail_domain), domains))
    before = state.mark(NOTES)
    assert run(writer) == {"persons_forgotten": 1, "identifiers_forgotten": 2}
    assert [note.node_id for note in all_holding(state)] == nodes[1:]
    assert [row.node_id for row in state.read(sa.select(schema.mail_domain))] == nodes[1:]
    assert state.mark(NOTES) > before  # the mirror of tags is to be written anew
    assert [one.value for one in clear_values(workspace, nodes).values()] == ["bob"]
    Tracker(workspace).send(track("9", "Visit", at=YOUNG), at=YOUNG)
    writer.catch_up()
    assert {one.value for one in clear_values(workspace, nodes).values()} == {"ann", "bob"}


def known(writer):
    """Values that State holds in clear, sealed."""
    nodes = [row.node_id for row in writer.workspace.state.read(sa.select(schema.node.c.node_id))]
    return {one.value for one in clear_values(writer.workspace, nodes).values()}


def made_for(writer, what, *people):
    for person in people:
        if what == "link":
            wanted = links.Wanted(target="https://shop.cn/", person=person)
            links.create(writer.workspace, [wanted])
        else:
            mails.sign(writer.workspace, [mails.Wanted(message=person, person=person)])


@pytest.mark.parametrize("what", ["link", "mail"])
def test_whom_a_link_or_a_mail_was_made_for_was_heard_of(writer, monkeypatch, what):
    """Before any row of theirs, or long after the last one."""
    ruled(writer, {"what": "profiles", "days": 100})
    made_for(writer, what, "email:new.lead@firm.com", "user_id:ann")
    assert run(writer) == {}
    assert known(writer) == {"ann", "cookie-7", "bob", "new.lead@firm.com"}
    monkeypatch.setattr(clock, "now_us", lambda: YOUNG + 102 * DAY)
    assert run(writer)["identifiers_forgotten"] == 4
    assert known(writer) == set()


def test_one_without_a_row_stays_until_something_tells_how_old_it_is(writer, monkeypatch):
    """An address in a text, one of a workspace of an earlier version."""
    ruled(writer, {"what": "profiles", "days": 100})
    item = track("9", "Invite", userId="bob", at=YOUNG, properties={"email": "eve@shop.cn"})
    Tracker(writer.workspace).send(item, at=YOUNG)
    writer.catch_up()
    run(writer)
    assert known(writer) == {"bob", "eve@shop.cn"}
    monkeypatch.setattr(clock, "now_us", lambda: YOUNG + 100 * DAY)
    assert run(writer) == {}
    monkeypatch.setattr(clock, "now_us", lambda: YOUNG + 102 * DAY)
    run(writer)
    assert known(writer) == set()


def test_the_database_is_held_for_no_longer_than_some_identifiers_take(writer, monkeypatch):
    ruled(writer, {"what": "profiles", "days": 100})
    vault, names = writer.workspace.vault, [f"lead-{n}" for n in range(7)]
    rows = [
        {
            "node_id": vault.node_id("user_id", n),
            "type": "user_id",
            "wrapped_key": b"",
            "sealed_value": b"",
        }
        for n in names
    ]
    writer.workspace.state.write((sa.insert(schema.node), rows))
    written, real = [], retention.heard
    monkeypatch.setattr(retention, "AT_ONCE", 3)

    def heard(nodes, at_us):
        written.append(len(nodes))
        return real(nodes, at_us)

    monkeypatch.setattr(retention, "heard", heard)
    retention.retain(writer, {}, lambda _: None)
    assert written == [3, 3, 1]
    undated = sa.select(schema.node.c.node_id).where(schema.node.c.heard_us.is_(None))
    left = {row.node_id for row in writer.workspace.state.read(undated)}
    assert left.isdisjoint(row["node_id"] for row in rows)


def test_rows_that_ran_out_still_tell_when_somebody_was_heard_of(writer, monkeypatch):
    ruled(writer, {"what": "events", "days": 100}, {"what": "profiles", "days": 300})
    run(writer)
    assert left(writer) == [("5", "Visit", 1), ("eras", "Order Completed", 0)]
    for days, names in ((299, {"ann", "bob", "cookie-7"}), (302, {"bob"})):
        monkeypatch.setattr(clock, "now_us", lambda days=days: OLD + days * DAY)
        run(writer)
        assert known(writer) == names


def test_a_reader_of_changes_is_told_that_some_are_gone(writer):
    state = writer.workspace.state
    rows = [
        {"at_us": at, "kind": "person_merged", "person_id": f"p{at}", "other_id": "q"}
        | {"identifiers": 1, "cause": "rows"}
        for at in (OLD - 250 * DAY, OLD - 249 * DAY, YOUNG)
    ]
    state.write((sa.insert(schema.person_change), rows))
    assert run(writer) == {"changes_deleted": 2}
    asked = [
        list(queries.person_changes(writer.workspace, None, {"after": after})) for after in (0, 2)
    ]
    assert [len(found) for found in asked] == [1, 1]
    with pytest.raises(NotFound, match="after=2"):
        list(queries.person_changes(writer.workspace, None, {"after": 1}))


@pytest.mark.parametrize("at", ["put", "rewrite", "_follow", "_take_state"])
@pytest.mark.parametrize("is_after", [False, True])
def test_a_run_that_was_killed_is_counted_once(writer, monkeypatch, at, is_after):
    ruled(writer, EVENTS, {"what": "rejects", "days": 100})
    whole = getattr(retention, at)

    def dies(*args):
        if at == "_follow" and not retention._file(args[0]).exists():
            return whole(*args)
        if is_after:
            whole(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention, at, dies)
        with pytest.raises(KeyboardInterrupt):
            retention.retain(writer, {}, lambda _: None)
    retention.retain(writer, {}, lambda _: None)
    assert examine(writer.workspace)["findings"] == []
    assert ("1", "Visit", 1) not in left(writer)
    assert filed(writer) == ["Help", "Order Completed", "Visit"]


def test_killed_between_the_copy_and_the_day_files(writer, monkeypatch):
    ruled(writer, EVENTS)
    table = type(writer.workspace.lake.events)
    real = table.commit

    def dies(self, *args, **options):
        if "retained" in (options.get("offsets") or {}):
            raise KeyboardInterrupt
        return real(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(table, "commit", dies)
        with pytest.raises(KeyboardInterrupt):
            retention.retain(writer, {}, lambda _: None)
    assert run(writer) == {"events_deleted": 2}


@pytest.mark.parametrize(
    "wrong",
    [{"what": "costs", "days": 100}, {"what": "events", "days": 3},
     {"what": "rejects", "days": 100, "names": ["x"]}],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(workspace, wrong):
    with pytest.raises(BadInput, match="retention"):
        definitions.apply(workspace, {"retention": [wrong]})
