"""Answers given for somebody and by somebody: whose identifiers they reach, and what they leave."""

import json

import pytest

import build
from build import Tracker, track
from touchline import clock
from touchline.collect.preference_link import PREFERENCES, UNSUBSCRIBE, PreferenceSigner, Preferred
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import definitions, job
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import KINDS
from touchline.jobs.privacy import consent, preferences
from touchline.jobs.queries import QUERIES
from touchline.model import LIFTED
from touchline.storage.consent import ledger

ANN = {"userId": "ann", "anonymousId": "d1", "context": {"traits": {"email": "ann@shop.cn"}}}


class Site:
    def __init__(self, workspace):
        self.workspace = workspace
        self.writer = Writer(workspace)
        self.registry = Registry(workspace)

    def ask(self, name, **args):
        found = QUERIES[name](self.workspace, self.registry, args)
        return found if isinstance(found, dict) else [json.loads(line) for line in found]

    def work(self):
        """What the worker does beside: jobs, then commits."""
        runs = {
            kind: lambda args, progress, run=run: run(self.writer, args, progress)
            for kind, run in KINDS.items()
        }
        while job.run_next(self.workspace.state, runs):
            pass

    def record(self, person="ann", **wanted):
        given = consent.wanted(
            self.workspace, self.registry, person, consent.Wanted(**wanted), "op"
        )
        job.submit(self.workspace.state, "consent", given)
        self.work()

    def token(self, use=PREFERENCES, channel="", person="ann"):
        args = {"person": person, "channel": channel or None}
        found = self.ask("preferences_link", **args)
        return found["url" if use == PREFERENCES else "unsubscribe_url"].rpartition("/")[2]

    def page(self, token, use=PREFERENCES, language="en"):
        return self.ask("preferences", token=token, use=use, language=language)

    def prefer(self, token, told=None, language="en", **changes):
        changes = {key.replace("__", "."): value for key, value in changes.items()}
        asked = {"token": token, "changes": changes, "told": told or {}, "language": language}
        found = preferences.prefer(self.workspace, asked)
        self.work()
        return found

    def decide(self, kind, *names, **more):
        return self.ask("decide", kind=kind, names=list(names), reason="x", **more)["decision"]

    def allowed(self, person="ann"):
        rows = self.ask("consent", person=person)["permissions"]
        return {(row["purpose"], row["channel"]) for row in rows if row["is_allowed"]}

    def said(self, kind, value):
        node = self.workspace.vault.node_id(kind, value)
        return [(row.purpose, row.is_granted) for row in ledger(self.workspace.state, [node])]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(preferences, "SOON_S", 0.0)
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        Tracker(workspace).send(track("a", "Visit", **ANN), track("b", "Visit", userId="bob"))
        found = Site(workspace)
        found.writer.catch_up()
        yield found
    workspace.close()


FREE = {("analytics", None), ("linking", None)}


def test_an_operators_answer_reaches_every_identifier_and_stands_with_its_words_and_reason(site):
    site.record(purpose="marketing", granted=True, channel="email", text="OK?", reason="call")
    found = site.ask("consent", person="ann@shop.cn")
    assert site.allowed() == FREE | {("marketing", "email")}
    assert site.allowed("bob") == FREE
    assert {row["identifier"]["type"] for row in found["ledger"]} == {"user_id", "email"}
    assert {(row["text"], row["source"]) for row in found["ledger"]} == {
        ("OK?", "operator:op call")
    }
    site.record(purpose="marketing", granted=False)
    assert site.allowed() == FREE
    assert site.said("anonymous_id", "d1") == [("marketing", False)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "magic", "granted": True},
        {"purpose": "marketing", "granted": True, "channel": "pigeon"},
        {"purpose": "marketing", "granted": True, "basis": "because"},
        {"purpose": "marketing", "granted": True, "at": "yesterday"},
    ],
)
def test_an_answer_to_what_nobody_asks_is_refused(site, wrong):
    with pytest.raises(BadInput):
        consent.wanted(site.workspace, site.registry, "ann", consent.Wanted(**wrong), "op")


def test_an_answer_is_an_event_of_the_person_also_when_they_refuse_to_be_counted(site):
    site.prefer(site.token(), analytics=False)
    site.writer.catch_up()
    (event,) = [e for e in site.ask("events") if e["name"] == "Consent Updated"]
    assert (event["user_id"], event["source"]) == ("ann", "preferences")
    assert event["properties"] == {"purposes": {"analytics": False}}


def test_the_page_takes_what_was_changed_and_shows_it_in_the_language_asked_for(site):
    token = site.token()
    before = site.page(token, language="zh")
    assert (before["who"], before["is_child"]) == ("a***@shop.cn", False)
    assert {row["key"] for row in before["purposes"] if row["is_on"]} == {"analytics", "linking"}
    assert before["purposes"][0]["label"] == "统计分析"
    site.prefer(
        token, language="zh", marketing__sms=True, sharing=True, nonsense=True, linking__x=False
    )
    on = {row["key"] for row in site.page(token)["purposes"] if row["is_on"]}
    assert on == {"analytics", "linking", "marketing.sms", "sharing"}
    (row, *_) = site.ask("consent", person="ann")["ledger"]
    assert (row["basis"], row["locale"]) == ("separate_consent", "zh")
    assert row["text"].startswith(("资讯与优惠", "向合作方提供"))


def test_a_withdrawal_holds_before_the_worker_has_done_anything_else(site):
    site.record(purpose="marketing", granted=True)
    token, found = site.token(UNSUBSCRIBE, "email"), site.allowed()
    assert preferences.unsubscribe(site.workspace, {"token": token}) == {"changed": 1}
    assert found - site.allowed() == {("marketing", "email")}
    site.work()
    assert found - site.allowed() == {("marketing", "email")}
    assert preferences.unsubscribe(site.workspace, {"token": token}) == {"changed": 0}


def test_who_refused_to_be_linked_and_agrees_again_is_one_person_again(site):
    token = site.token()
    person = site.ask("consent", person="ann")["person_id"]
    site.prefer(token, linking=False)
    apart = {site.ask("consent", person=p)["person_id"] for p in ("ann", "ann@shop.cn", "d1")}
    assert len(apart) == 3
    site.prefer(token, linking=True)
    assert {site.ask("consent", person=p)["person_id"] for p in ("ann", "d1")} == {person}


@pytest.fixture
def eve(site):
    """Somebody with an address alone, who is taken for Ann."""
    who = {"userId": None, "context": {"traits": {"email": "eve@shop.cn"}}}
    Tracker(site.workspace).send(track("e", "Visit", **who))
    site.writer.catch_up()
    return site.decide("merge", "ann", "eve@shop.cn")


def test_a_yes_after_an_unmerge_is_nobody_elses(site, eve):
    token = site.token()
    site.prefer(token, marketing__email=False)
    assert site.said("email", "eve@shop.cn") == [("marketing", False)]
    site.decide("unmerge", "ann", "eve@shop.cn")
    site.prefer(token, marketing__email=True, marketing__sms=True)
    assert site.allowed() == FREE | {("marketing", "email"), ("marketing", "sms")}
    assert site.allowed("eve@shop.cn") == FREE
    assert site.said("email", "eve@shop.cn") == [("marketing", False)]


def test_a_yes_to_be_linked_reaches_nobody_whose_merge_was_undone_or_who_refused_again(site, eve):
    site.prefer(site.token(person="eve@shop.cn"), linking=False)
    site.decide("undo", undoes=eve)
    site.prefer(site.token(person="d1"), linking=False)
    site.prefer(site.token(), linking=True)
    people = {p: site.ask("consent", person=p)["person_id"] for p in ("ann", "d1", "ann@shop.cn")}
    assert people["ann"] == people["ann@shop.cn"] != people["d1"]
    assert site.said("email", "eve@shop.cn") == [("linking", False)]


def test_a_yes_takes_back_the_no_of_a_device_without_making_it_a_yes(site):
    token = site.token()
    site.prefer(token, marketing__email=False)
    site.prefer(token, marketing__email=True)
    assert ("marketing", "email") in site.allowed()
    node = site.workspace.vault.node_id("anonymous_id", "d1")
    assert [row.basis for row in ledger(site.workspace.state, [node])][1:] == [LIFTED]


def test_who_unsubscribes_from_all_leaves_also_after_a_yes_to_one_way(site):
    everything = site.token(UNSUBSCRIBE)
    assert preferences.unsubscribe(site.workspace, {"token": everything}) == {"changed": 1}
    site.work()
    site.prefer(site.token(), marketing__email=True)
    assert ("marketing", "email") in site.allowed()
    assert preferences.unsubscribe(site.workspace, {"token": everything}) == {"changed": 1}
    assert site.allowed() == FREE
    assert preferences.unsubscribe(site.workspace, {"token": everything}) == {"changed": 0}


def test_who_refuses_all_ways_of_a_purpose_takes_back_a_yes_to_all_of_it(site):
    site.record(purpose="marketing", granted=True)
    keys = [row["key"] for row in site.page(site.token())["purposes"]]
    site.prefer(site.token(), **dict.fromkeys(keys, False))
    site.work()
    assert site.allowed() == set()
    more = {"name": "marketing", "channels": ["email", "pigeon"]}
    definitions.apply(site.workspace, {"consent": {"purpose": [more]}})
    assert site.allowed() == set()


def test_what_people_tell_of_themselves_is_a_trait_of_theirs_and_lies_in_no_job(site):
    question = {"name": "skin", "label": "Skin", "choices": ["dry", "oily"]}
    definitions.apply(site.workspace, {"consent": {"question": [question]}})
    token = site.token()
    site.prefer(token, told={"skin": "dry", "other": "x"})
    assert [q["value"] for q in site.page(token)["questions"]] == ["dry"]
    site.prefer(token, told={"skin": "purple"})
    assert [q["value"] for q in site.page(token)["questions"]] == ["dry"]
    with site.workspace.state.engine.connect() as connection:
        jobs = connection.exec_driver_sql("select args from job").fetchall()
    assert "dry" not in str(jobs)


def test_a_job_done_twice_leaves_one_answer(site):
    given = consent.wanted(
        site.workspace, site.registry, "ann", consent.Wanted(purpose="sharing", granted=True), "op"
    )
    for _ in range(2):
        consent.take(site.writer, json.loads(json.dumps(given)))
    assert site.said("user_id", "ann") == [("sharing", True)]


def test_a_child_is_told_so_and_its_guardian_agrees(site):
    born = f"{clock.from_us(clock.now_us()).year - 10}-01-01"
    Tracker(site.workspace).send(
        {"type": "identify", "messageId": "i", "userId": "ann", "traits": {"birthday": born}}
    )
    site.writer.catch_up()
    token = site.token()
    assert site.page(token)["is_child"]
    assert site.allowed() == set()
    asked = {"token": token, "changes": {"linking": True}, "told": {}, "language": "en"}
    preferences.prefer(site.workspace, {**asked, "guardian": True})
    site.work()
    assert site.allowed() == {("linking", None)}


def test_no_link_is_made_up_changed_lengthened_or_used_for_something_else(site):
    token = site.token()
    signer = PreferenceSigner(site.workspace.vault.derived("preferences"))
    node = site.workspace.vault.node_id("user_id", "ann")
    over = signer.token(PREFERENCES, Preferred(node, clock.now_us() // clock.US - 1))
    foreign = PreferenceSigner(b"k" * 32).token(PREFERENCES, Preferred(node, 2**40))
    changed = ("A" if token[5] != "A" else "B").join((token[:5], token[6:]))
    hostile = ["", "=", "..", "é" * 9, "A" * 9999, token + "=", token[:-2], token + "AA", "\0"]
    for wrong in (over, foreign, changed, site.token(UNSUBSCRIBE), *hostile):
        with pytest.raises(NotFound):
            site.page(wrong)
        with pytest.raises(NotFound):
            site.prefer(wrong, marketing=True)
    with pytest.raises(NotFound):
        preferences.unsubscribe(site.workspace, {"token": token})


def test_a_link_is_for_a_channel_there_is_and_for_days_there_are(site):
    for wrong in ({"channel": "pigeon"}, {"days": 0}, {"days": 10**9}, {"host": "not a host"}):
        with pytest.raises(BadInput):
            site.ask("preferences_link", person="ann", **wrong)
    found = site.ask("preferences_link", person="ann", host="shop.cn", channel="email")
    assert found["headers"]["List-Unsubscribe"] == f"<{found['unsubscribe_url']}>"
    assert found["url"].startswith("https://shop.cn/preferences/")
