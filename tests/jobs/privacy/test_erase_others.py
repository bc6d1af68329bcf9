"""Whatever somebody chose to be called, erasing them changes nobody else; and of what they are
really known by nothing is left, however it is written.
"""

import json

import pytest
import sqlalchemy as sa

import build
from build import DAY, HOUR, T0, Tracker, track
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.identity.person import person_id
from touchline.identity.receipt import check
from touchline.jobs import definitions, job, keys, links
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import KINDS
from touchline.jobs.privacy import consent, preferences
from touchline.jobs.privacy import erase as erasing
from touchline.jobs.privacy.erase import ask, erase, erasures, preview, readmit, receipt_of
from touchline.jobs.queries import QUERIES
from touchline.jobs.role import principal_of
from touchline.storage import schema
from touchline.storage.access_key import key_hash
from touchline.storage.consent import ledger

PHONE = "13800138000"
DEALS = "conversion_id,occurred_at,stage,amount,email,account_id\n"


class Site:
    def __init__(self, path):
        self.workspace = build.workspace(path)
        self.folder = path.parent
        self.writer = Writer(self.workspace)
        self.registry = Registry(self.workspace)
        self.tracker = Tracker(self.workspace)

    def send(self, *items, at=T0 + HOUR, source="web"):
        self.tracker.send(*items, at=at, source=source)
        self.writer.catch_up()

    def ask(self, name, **args):
        found = QUERIES[name](self.workspace, self.registry, args)
        return found if isinstance(found, dict) else [json.loads(line) for line in found]

    def state(self, column):
        return [row[0] for row in self.workspace.state.read(sa.select(column))]

    def imports(self, text):
        path = self.folder / "deals.csv"
        path.write_text(DEALS + text, encoding="utf-8")
        return run_import(self.writer, "conversions", path)

    def record(self, person, **answer):
        wanted = consent.Wanted(**answer)
        job.submit(
            self.workspace.state,
            "consent",
            consent.wanted(self.workspace, self.registry, person, wanted, "clerk"),
        )
        self.work()

    def work(self):
        runs = {kind: lambda a, p, run=run: run(self.writer, a, p) for kind, run in KINDS.items()}
        while job.run_next(self.workspace.state, runs):
            pass

    def link(self, person, key="url"):
        return self.ask("preferences_link", person=person)[key].rpartition("/")[2]

    def request(self, name, reason=None):
        return ask(self.workspace, Registry(self.workspace), name, reason)

    def erase(self, name, reason=None):
        return self.run(self.request(name, reason))

    def run(self, request):
        return erase(self.writer, {"request": request}, lambda _: None)["receipt"]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(preferences, "SOON_S", 0.0)
    made = Site(tmp_path / "w")
    yield made
    made.workspace.close()


def who(email, **more):
    return {"context": {"traits": {"email": email}}} | more


@pytest.mark.parametrize(
    ("called", "is_common"),
    [
        *((name, True) for name in ("Order Completed", "shop-web-1", "spring-2026", "order_id")),
        *((name, False) for name in ("shop_note", "12345678,8", '8],"shop_note')),
    ],
)
def test_who_is_called_like_an_event_a_key_or_a_property_takes_nothing_of_others(
    site, called, is_common
):
    keys.create(site.workspace, keys.Wanted(kind="write", name="shop-web-1"))
    site.send(track("a", "Visit", **who("ann.lee@shop.cn", userId=called)))
    order = {"revenue": 88, "order_id": "o-1", "shop_note": "x", "list": [12345678, 8]}
    page = {"page": {"url": "https://shop.cn/spring-2026"}}
    site.send(
        track("b", "Order Completed", userId="bob", properties=order),
        track("c", "Visit", userId="carl", context=page),
        source="shop-web-1",
    )
    wanted = links.Wanted(target="https://shop.cn/spring-2026", owner="ann.lee@shop.cn")
    links.create(site.workspace, [wanted])

    def seen():
        told = ("name", "source", "page_url", "revenue", "properties")
        events = [one for one in site.ask("events") if one["message_id"] in "bc"]
        return (
            [[one[name] for name in told] for one in events],
            site.ask("attribution")["revenue"],
            site.state(schema.access_key.c.name),
            set(site.state(schema.intake.c.source)),
            [one["target"] for one in site.ask("links")],
        )

    before = seen()
    receipt = site.erase("email:ann.lee@shop.cn")
    assert receipt["identifiers"] == {"email": 1, "user_id": 1}
    assert seen() == before
    assert [one["owner"] for one in site.ask("links")] == ["erased"]
    scan = receipt["scan"]
    assert not any(scan["places"].values())
    assert scan["common"] == is_common
    assert receipt["tables"]["state.link"] == {"redacted": 1}


def test_decisions_of_who_works_here_stay_when_she_is_erased_as_a_customer(site):
    site.send(
        track("a", "Visit", **who("ann.lee@shop.cn", userId="ann-0001")),
        track("b", "Visit", userId="bob"),
        track("z", "Visit", **who("zed@corp.cn", userId=None)),
    )
    named = {"names": ["user_id:bob", "email:zed@corp.cn"], "author": "ann.lee@shop.cn"}
    site.ask("decide", kind="merge", reason="told ann-0001 so", **named)
    site.erase("user_id:ann-0001")
    (left,) = site.ask("decisions")
    assert (left["author"], left["reason"]) == ("erased", "told erased so")
    assert site.ask("why", a="user_id:bob", b="email:zed@corp.cn")["same_person"]


def test_a_name_of_the_site_that_holds_them_stays_and_is_told_as_left(site):
    site.send(
        track("a", "Visit", **who("ann.lee@shop.cn", userId="ann-0001")),
        track("b", "Call ann.lee@shop.cn", userId="bob", properties={"of": "joann.lee@shop.cn2"}),
    )
    receipt = site.erase("user_id:ann-0001")
    assert receipt["scan"]["hits"] == 0
    assert receipt["scan"]["left"]["lake.events.name"] == 1
    assert [one["name"] for one in site.ask("events")] == ["Call ann.lee@shop.cn"]


@pytest.mark.parametrize("written", [PHONE, "+86 138 0013 8000", "138-0013-8000", int(PHONE)])
def test_a_phone_goes_as_people_write_it(site, written):
    site.send(
        {"type": "identify", "messageId": "i", "userId": "ann-0001", "traits": {"phone": PHONE}},
        track("b", "Ticket", userId="bob", properties={"note": written, "n": 1}),
    )
    site.record(f"phone:{PHONE}", purpose="marketing", granted=True, channel="sms")
    broken = {"type": "track", "messageId": "r", "userId": "bob", "properties": {"note": written}}
    site.send(broken)
    with pytest.raises(BadInput, match="holds an identifier"):
        site.request("user_id:ann-0001", f"call of {written}")
    assert site.erase("user_id:ann-0001")["scan"]["hits"] == 0
    (left,) = site.ask("events")
    assert "138" not in str(left["properties"]).replace("-", "").replace(" ", "")
    assert left["properties"]["n"] == 1
    assert site.ask("rejects") == []
    with pytest.raises(BadInput, match="holds an identifier"):
        readmit(site.workspace, f"phone:{PHONE}", f"called from {written}")


@pytest.mark.parametrize("name", ['ann"x-0001', "ann\\x-0001", "客户张三丰0001号", "a&b=0001/2"])
def test_an_identifier_goes_however_its_letters_are_escaped(site, name):
    told = {"who": name, "list": [name, f"<{name}>"], "deep": json.dumps({"of": name})}
    for at, ascii_only in enumerate((True, False)):
        item = track(f"b{at}", "Invite", userId="bob", properties=told)
        body = json.dumps({"batch": [item]}, ensure_ascii=ascii_only)
        site.tracker.raw(body.encode(), at=T0 + HOUR)
    site.send(track("a", "Visit", **who("ann.lee@shop.cn", userId=name)))
    assert site.erase("email:ann.lee@shop.cn")["scan"]["hits"] == 0
    for left in site.ask("events"):
        assert left["properties"]["who"] == "erased"
        assert left["properties"]["list"] == ["erased", "<erased>"]
        assert name not in str(left["properties"])


def test_no_job_tells_of_them_and_their_links_are_over(site):
    site.send(track("a", "Visit", **who("ann.lee@shop.cn", userId="100234")))
    node = site.workspace.vault.node_id("user_id", "100234")
    site.record("user_id:100234", purpose="marketing", granted=True, channel="email")
    assert not any("100234" in args for args in site.state(schema.job.c.args))
    page, leave = site.link("user_id:100234"), site.link("user_id:100234", "unsubscribe_url")
    asked = {"token": page, "changes": {"marketing.sms": True}, "told": {}, "language": "en"}
    preferences.prefer(site.workspace, asked)
    site.work()
    job.submit(site.workspace.state, "consent", json.loads(site.state(schema.job.c.args)[0]))
    site.erase("user_id:100234")
    assert site.state(schema.job.c.args) == []
    with pytest.raises(NotFound):
        site.ask("preferences", token=page, use="preferences", language="en")
    with pytest.raises(NotFound):
        preferences.prefer(site.workspace, asked)
    with pytest.raises(NotFound):
        preferences.unsubscribe(site.workspace, {"token": leave})
    assert ledger(site.workspace.state, [node]) == []


def test_a_request_that_comes_late_spoils_no_receipt(site, monkeypatch):
    site.send(track("a", "Visit", **who("ann.lee@shop.cn", userId="ann-0001")))
    for step in ("_rewrite", "_sweep", "_prove"):
        real = getattr(erasing._Run, step)

        def late(run, real=real, step=step):
            both = [track(f"{step}1", "Visit", userId="ann-0001"),
                    track(f"{step}2", "Visit", userId="bob")]  # fmt: skip
            site.tracker.send(*both, at=T0 + DAY)
            real(run)

        monkeypatch.setattr(erasing._Run, step, late)
    request = site.request("email:ann.lee@shop.cn")
    assert site.run(request)["scan"]["hits"] == 0
    site.writer.catch_up()
    assert {one["user_id"] for one in site.ask("events")} == {"bob"}
    assert len(site.ask("events")) == 3


def test_what_was_left_is_searched_for_again_until_nothing_is(site, monkeypatch):
    site.send(track("a", "Visit", **who("ann.lee@shop.cn", userId="ann-0001")))
    request = site.request("user_id:ann-0001")
    forgotten = site.folder / "w" / "notes.txt"
    forgotten.write_text("ann.lee@shop.cn")
    assert site.run(request)["scan"]["places"]["files.notes.txt"] == 1
    assert not check(receipt_of(site.workspace, request)).is_good
    assert erasures(site.workspace)[0]["done_at"] is None
    forgotten.unlink()
    assert site.run(request)["scan"]["hits"] == 0
    assert check(receipt_of(site.workspace, request)).is_good
    assert site.state(schema.erasure.c.sealed_plan) == [None]


def test_a_deal_goes_on_without_one_of_its_people(site):
    rows = "{0},2026-03-03,opportunity,1000,ann.lee@corp.cn,{2}\n"
    both = rows + "{0},2026-03-04,opportunity,1000,{1}@corp.cn,{2}\n"
    site.imports(both.format("D-1", "bob.roy", "acme") + both.format("N/A", "carl", "")
                 + rows.format("own", "", ""))  # fmt: skip
    site.erase("email:ann.lee@corp.cn")
    won = "D-1,2026-03-09,won,9000,bob.roy@corp.cn,acme\nN/A,2026-03-09,won,500,,\n"
    found = site.imports(won + "own,2026-03-09,won,700,,\n")
    assert found["rejected"] == 1
    assert site.ask("attribution")["revenue"] == 950_000


def test_a_reason_is_checked_in_clear_whoever_asks(site):
    site.send(track("a", "Visit", userId="ann-0001"))
    role = {"name": "blind", "keys": ["admin"], "fields": {}}
    definitions.apply(site.workspace, {"role": [role]})
    principal = principal_of(site.workspace, f"key:{key_hash('a' * 8)[:12]}")
    seen = site.workspace.seen_by(principal)
    with pytest.raises(BadInput, match="holds an identifier"):
        ask(seen, Registry(seen), "user_id:ann-0001", "ticket of ann-0001")
    assert preview(seen, Registry(seen), "user_id:ann-0001")["identifiers"] == {"user_id": 1}


def test_what_they_were_called_before_goes_from_the_changes_of_persons(site):
    site.send(track("a", "Visit", userId="ann-0001"))
    site.send(track("b", "Visit", **who("ann.lee@shop.cn", userId=None)), at=T0 + 2 * HOUR)
    vault = site.workspace.vault
    ids = [person_id(vault.node_id(*one))
           for one in (("user_id", "ann-0001"), ("email", "ann.lee@shop.cn"))]  # fmt: skip
    row = {"at_us": T0, "kind": "merged", "identifiers": 1, "cause": "event"}
    site.workspace.state.write(
        (
            sa.insert(schema.person_change),
            [row | {"person_id": a, "other_id": "p" + "0" * 32} for a in ids],
        )
    )
    merged = {"type": "identify", "messageId": "i", "userId": "ann-0001"}
    site.send(merged | {"traits": {"email": "ann.lee@shop.cn"}}, at=T0 + 3 * HOUR)
    assert site.erase("user_id:ann-0001")["scan"]["hits"] == 0
    assert site.state(schema.person_change.c.person_id) == []


def test_whom_somebody_joins_to_them_while_it_waits_stays(site):
    site.send(
        track("a", "Visit", userId="ann-0001"),
        track("b", "Visit", **who("bob.roy@corp.cn", userId=None)),
    )
    request = site.request("user_id:ann-0001")
    names = ["user_id:ann-0001", "email:bob.roy@corp.cn"]
    site.ask("decide", kind="merge", names=names, reason="same man")
    receipt = site.run(request)
    assert receipt["identifiers"] == {"user_id": 1}
    assert receipt["scan"]["hits"] == 0
    assert [one["message_id"] for one in site.ask("events")] == ["b"]
