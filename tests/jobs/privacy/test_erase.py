"""Erasure: nothing of the person anywhere, everybody else as they were, and proof of both."""

import json

import msgspec
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

import build
from build import DAY, T0, Tracker, track
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.identity.receipt import check
from touchline.jobs import links, queries
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people import profile_notes
from touchline.jobs.people.mirror import write_mirrors
from touchline.jobs.privacy import erase as erase_module
from touchline.jobs.privacy.erase import ask, erase, erasures, preview, readmit, receipt_of, resume
from touchline.storage import audit, schema
from touchline.storage.frames import read
from touchline.storage.table import Table

FILES = {
    "people": "user_id,email,name\nann,ann.lee@shop.cn,Ann\nbob,bob.roy@shop.cn,Bob\n",
    "conversions": "conversion_id,occurred_at,stage,amount,email\n"
    "d1,2026-03-03,won,1000,ann.lee@shop.cn\n"
    "d2,2026-03-03,won,500,bob.roy@shop.cn\n",
}
SHOPPING = [
    {"type": "identify", "messageId": "i1", "userId": "ann", "anonymousId": "cookie-ann-1234",
     "traits": {"email": "Ann.Lee@shop.cn", "phone": "13800138000", "name": "Ann"}},
    track("a0", "Visit", anonymousId="cookie-ann-1234", at=T0 - 2 * DAY),
    track("a1", "Visit", anonymousId="cookie-ann-1234"),
    track("a2", "Order Completed", properties={"revenue": 88, "order_id": "o-77"}),
    {"type": "track", "messageId": "a3", "userId": "ann"},
]  # fmt: skip
OTHERS = [
    {
        "type": "identify",
        "messageId": "i2",
        "userId": "bob",
        "traits": {"email": "bob.roy@shop.cn"},
    },
    track("b1", "Visit", userId="bob"),
    track("b2", "Invite", userId="bob", properties={"email": "ann.lee@shop.cn", "n": 1}),
    track("b3", "Visit", userId="bob", anonymousId="cookie-ann-1234"),
    {"type": "track", "messageId": "b4", "userId": "bob"},
]


class Shop:
    def __init__(self, path):
        self.workspace = build.workspace(path)
        self.folder = path.parent
        self.tracker = Tracker(self.workspace)
        self.writer = Writer(self.workspace)
        self.tracker.send(*SHOPPING)
        self.tracker.send(*OTHERS, at=T0 + DAY)
        self.imports()
        wanted = [links.Wanted(target="https://shop.cn/", person="email:ann.lee@shop.cn")]
        links.create(self.workspace, wanted)
        self.writer.catch_up()
        write_mirrors(self.workspace, Registry(self.workspace))
        self.tracker.send(track("a9", "Visit"), track("b9", "Visit", userId="bob"))
        self.writer.commit_once()  # these are in the fresh table

    def imports(self):
        for kind, text in FILES.items():
            path = self.folder / f"{kind}.csv"
            path.write_text(text, encoding="utf-8")
            found = run_import(self.writer, kind, path)
        return found

    def erase(self, name="email:ann.lee@shop.cn", reason="ticket 12"):
        request = ask(self.workspace, Registry(self.workspace), name, reason)
        return erase(self.writer, {"request": request}, lambda _: None)

    def lines(self, name):
        query = {"events": queries.events, "people": queries.people, "rejects": queries.rejects}
        found = query[name](self.workspace, Registry(self.workspace), {})
        return [msgspec.json.decode(line) for line in found]

    def report(self):
        return queries.QUERIES["attribution"](self.workspace, Registry(self.workspace), {})

    def rows(self, *names):
        """Stored rows of the lake, in the order of their files."""
        return {
            name: [
                row
                for path in self.workspace.lake.tables[name].snapshot().files
                for row in pq.read_table(path, partitioning=None).to_pylist()
            ]
            for name in names
        }


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "w")
    yield made
    made.workspace.close()


def bobs(rows):
    return sorted((row for row in rows if row["identifiers"]), key=lambda row: row["message_id"])


def test_nothing_of_the_person_is_left_and_the_receipt_says_so(shop):
    receipt = shop.erase()
    found = receipt["receipt"]["scan"]["places"]
    assert {place: hits for place, hits in found.items() if hits} == {}
    assert receipt["receipt"]["identifiers"] == {
        "anonymous_id": 1, "email": 1, "phone": 1, "user_id": 1,
    }  # fmt: skip
    told = receipt["receipt"]["tables"]
    events = {"rows": 10, "deleted": 4, "anonymised": 1, "redacted": 2, "rows_after": 6}
    assert told["lake.events"] == events
    assert told["lake.conversions"]["anonymised"] == 1
    assert told["lake.people"]["deleted"] == 1
    assert told["state.node"]["deleted"] == 4
    assert told["state.link"]["deleted"] == told["state.reject"]["deleted"] == 1
    assert len(receipt["receipt"]["keys_destroyed"]) == 4
    for name in ("ann", "ann.lee@shop.cn", "13800138000", "cookie-ann-1234"):
        with pytest.raises(NotFound):
            queries.timeline(shop.workspace, Registry(shop.workspace), {"person": name})
    assert examine(shop.workspace)["findings"] == []


def test_what_the_staff_noted_goes_as_well(shop):
    registry = Registry(shop.workspace)
    for person, tags in (
        ("ann", ["VIP", "lives in 杭州"]),
        ("bob", ["VIP", "see ann.lee@shop.cn"]),
    ):
        asked = {"person": person, "tags": tags, "owner": "Li Na", "author": "clerk"}
        profile_notes.note(shop.workspace, registry, asked)
    write_mirrors(shop.workspace, registry)
    receipt = shop.erase()["receipt"]
    assert not any(receipt["scan"]["places"].values())
    assert receipt["tables"]["state.person_note"] == {"deleted": 3, "redacted": 1}
    left = profile_notes.note(shop.workspace, Registry(shop.workspace), {"person": "bob"})
    assert {one["tag"] for one in left["tags"]} == {"VIP", "see erased"}
    assert left["owner"]["owner"] == "Li Na"
    write_mirrors(shop.workspace, Registry(shop.workspace))
    files = shop.workspace.lake.mirrors["tags"].snapshot().files
    rows = [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]
    assert {row["tag"] for row in rows} == {"VIP", "see erased"}


def test_everybody_else_is_as_they_were(shop):
    before, rows = bobs(shop.lines("events")), shop.rows("costs", "people", "conversions")
    people = [one for one in shop.lines("people") if "Bob" in str(one)]
    node = shop.workspace.vault.node_id("email", "ann.lee@shop.cn")
    shop.erase()
    after = {row["message_id"]: row for row in bobs(shop.lines("events"))}
    for row in before:
        if row["identifiers"][0]["value"] == "bob":
            left = after.pop(row["message_id"])
            if row["message_id"] == "b2":
                assert row["properties"] == {"email": f"email:{node.hex()}", "n": 1}
                assert left["properties"] == {"email": "email:erased", "n": 1}
                row["properties"] = left["properties"]
            if row["message_id"] == "b3":  # the cookie was Ann's
                assert [one["type"] for one in row["identifiers"]] == ["user_id", "anonymous_id"]
                row["identifiers"].pop()
                row["anonymous_id"] = None
            assert left == row
    assert after == {}
    assert shop.lines("people") == people
    now = shop.rows("costs", "people", "conversions")
    assert now["costs"] == rows["costs"]
    assert now["people"] == [row for row in rows["people"] if row["seq"] == 2]
    assert [r for r in now["conversions"] if r["seq"] == 2] == [
        r for r in rows["conversions"] if r["seq"] == 2
    ]


def test_what_was_earned_stays_earned_by_nobody(shop):
    before = shop.report()
    shop.erase()
    after = shop.report()
    for number in ("conversions", "revenue"):
        assert after[number] == before[number] > 0
    (row,) = [r for r in shop.rows("conversions")["conversions"] if r["seq"] == 1]
    assert row["conversion_id"].startswith("erased-")
    assert row["node_ids"] == []
    (order,) = [r for r in shop.rows("events")["events"] if r["revenue"]]
    assert order["order_id"].startswith("erased-")
    assert order["ts_us"] % build.HOUR == 0
    assert {n for n, value in order.items() if value is None} >= {"device", "page_url", "channel"}


def test_they_stay_out_however_they_come_back(shop):
    shop.erase()
    assert shop.imports()["rejected"] == 1
    shop.tracker.send(*SHOPPING, at=T0 + 2 * DAY)
    again = [{**item, "messageId": f"again-{item['messageId']}"} for item in SHOPPING[:3]]
    shop.tracker.send(*again, at=T0 + 2 * DAY)
    refund = track("r1", "Order Refunded", anonymousId="till", properties={"order_id": "o-77"})
    device = track("c1", "Visit", userId="carl", anonymousId="cookie-ann-1234")
    invite = track("c2", "Invite", userId="carl", properties={"email": "ann.lee@shop.cn"})
    shop.tracker.send(refund, device, invite, at=T0 + 3 * DAY)
    shop.writer.catch_up()
    held = {row["message_id"]: row for row in shop.lines("events")}
    assert held.keys() >= {"c1", "c2"}
    assert [one["value"] for one in held["c1"]["identifiers"]] == ["carl"]
    assert held["c2"]["properties"] == {"email": "email:erased"}
    assert not any(name.startswith("again") or name == "r1" for name in held)
    gone = [one for one in shop.lines("rejects") if one["reason"] == "erased"]
    assert {one["kind"] for one in gone} == {"events", "conversions", "people"}
    assert all(one["payload"] == {} and one["message_id"] is None for one in gone)
    text = str(shop.lines("people"))
    assert "ann" not in text.lower()
    wanted = links.Wanted(target="https://shop.cn/", person="email:ann.lee@shop.cn")
    with pytest.raises(BadInput, match="asked to be erased"):
        links.create(shop.workspace, [wanted])
    assert examine(shop.workspace)["findings"] == []


def test_a_reader_of_the_log_passes_over_what_was_blanked(shop):
    before = list(read(shop.workspace.dir, 0, 1 << 30))
    shop.erase()
    after = list(read(shop.workspace.dir, 0, 1 << 30))
    assert after == [frame for frame in before if frame in after]
    assert len(after) < len(before)
    assert not any(b"ann" in frame.payload.lower() for frame in after)
    shop.tracker.send(track("z", "Visit", userId="zoe"))
    Writer(shop.workspace).catch_up()
    assert "z" in {row["message_id"] for row in shop.lines("events")}


class Killed(BaseException):
    pass


def dying(real, cut):
    left = [cut]

    def run(*args, **options):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(*args, **options)

    return run


@pytest.mark.parametrize(
    ("where", "name", "cut"),
    [
        *((erase_module._Run, "_moved", cut) for cut in range(6)),
        *((Table, "commit", cut) for cut in (1, 3)),
        (Table, "sweep", 2),
    ],
)
def test_an_erasure_that_is_killed_anywhere_is_ended_by_the_next_start(
    shop, monkeypatch, where, name, cut
):
    request = ask(shop.workspace, Registry(shop.workspace), "ann")
    shop.writer.catch_up()
    with monkeypatch.context() as patched:
        patched.setattr(where, name, dying(getattr(where, name), cut))
        with pytest.raises(Killed):
            erase(shop.writer, {"request": request}, lambda _: None)
    for _ in range(2):
        resume(shop.workspace)
    (job,) = shop.workspace.state.read(sa.select(schema.job.c.args))
    assert json.loads(job.args) == {"request": request}
    done = erase(Writer(shop.workspace), {"request": request}, lambda _: None)
    assert done["receipt"]["scan"]["hits"] == 0
    assert done["receipt"]["tables"]["lake.events"]["deleted"] == 4
    assert check(receipt_of(shop.workspace, request)).is_good
    assert examine(shop.workspace)["findings"] == []


def test_the_audit_log_says_that_it_was_done_and_not_to_whom(shop):
    receipt = shop.erase()["receipt"]
    told = [one for one in audit.entries(shop.workspace.state) if "erase" in one["action"]]
    assert [(one["action"], one["about"], one["reason"]) for one in told] == [
        ("person.erase", {"request": receipt["request"]}, "ticket 12"),
        ("person.erased", {"hits": 0, "request": receipt["request"]}, None),
    ]
    assert receipt["audit"] == {"number": told[-1]["number"], "hash": told[-1]["hash"]}
    assert audit.broken(shop.workspace.state) is None


def test_a_reason_that_names_the_person_is_refused(shop):
    with pytest.raises(BadInput, match="holds an identifier"):
        shop.erase(reason="mail from ANN.LEE@shop.cn")
    assert erasures(shop.workspace) == []


def test_one_that_nobody_is_at_is_found_by_the_doctor(shop):
    request = ask(shop.workspace, Registry(shop.workspace), "ann")
    found = [one["where"] for one in examine(shop.workspace)["findings"]]
    assert found == [request]
    told = [examine(shop.workspace, language)["findings"][0]["what"] for language in ("en", "zh")]
    assert all(f"touchline people erase DIR --request {request}" in text for text in told)
    resume(shop.workspace)
    assert examine(shop.workspace)["findings"] == []


def test_a_look_ahead_changes_nothing(shop):
    before = shop.rows("events", "fresh")
    found = preview(shop.workspace, Registry(shop.workspace), "ann")
    assert found["tables"]["lake.events"]["deleted"] == 4
    assert shop.rows("events", "fresh") == before
    assert shop.erase()["receipt"]["tables"]["lake.events"]["deleted"] == 4


def test_who_comes_back_of_their_own_will_is_taken_in_again(shop):
    shop.erase()
    readmit(shop.workspace, "email:ANN.LEE@shop.cn", "new order by phone")
    shop.tracker.send({"type": "identify", "messageId": "n", "userId": "anna",
                       "traits": {"email": "ann.lee@shop.cn"}})  # fmt: skip
    shop.writer.catch_up()
    found = queries.timeline(shop.workspace, Registry(shop.workspace), {"person": "anna"})
    assert {"type": "email", "value": "ann.lee@shop.cn"} in found["identifiers"]
    with pytest.raises(NotFound):
        readmit(shop.workspace, "email:ann.lee@shop.cn")
