"""What is said of consent on its way in: it stands in the ledger, and a no is heeded at once."""

import json

import pytest

import build
from build import HOUR, T0, Tracker, page, track
from touchline.collect.makers.filled import filled
from touchline.collect.nodes import clear_traits
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.queries import events
from touchline.model import LIFTED, RawRequest
from touchline.storage.consent import ledger, shown_text


class Site:
    def __init__(self, workspace):
        self.workspace = workspace
        self.tracker = Tracker(workspace)
        self.writer = Writer(workspace)

    def send(self, *items):
        self.tracker.send(*items, at=T0 + HOUR)
        self.writer.commit_once()

    def events(self):
        return {
            one["message_id"]: one
            for one in map(json.loads, events(self.workspace, Registry(self.workspace), {}))
        }

    def said(self, kind="user_id", value="ann"):
        """[(purpose, channel, yes or no)] of an identifier."""
        node = self.workspace.vault.node_id(kind, value)
        found = ledger(self.workspace.state, [node])
        return [(row.purpose, row.channel, row.is_granted) for row in found]

    def people(self, tmp_path, text):
        path = tmp_path / "people.csv"
        path.write_text(text, encoding="utf-8")
        return run_import(self.writer, "people", path)


@pytest.fixture
def site(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        yield Site(workspace)
    workspace.close()


def consent(**purposes):
    return {"context": {"consent": {"purposes": purposes}}}


def test_answers_to_single_purposes_enter_the_ledger_once_however_often_they_are_sent(site):
    said = {"marketing.email": True, "sharing": {"granted": "no"}, "nonsense": True}
    item = track("c", "Consent Updated", anonymousId="d1", **consent(**said))
    site.send(item)
    site.send(item)
    assert sorted(site.said()) == [("marketing", "email", True), ("sharing", "", False)]


def test_a_yes_is_the_persons_alone_and_a_no_that_of_the_device_as_well(site):
    said = {"marketing": True, "linking": False}
    site.send(track("c", "Consent Updated", anonymousId="d1", **consent(**said)))
    assert site.said("anonymous_id", "d1") == [("linking", "", False)]


def test_who_agrees_again_at_their_device_is_counted_there_and_the_device_has_not_agreed(site):
    said = {"analytics": False, "sharing": False}
    site.send(track("no", "Consent Updated", anonymousId="d1", **consent(**said)))
    yes = consent(analytics=True, marketing=True)
    at = T0 + build.MINUTE
    site.send(
        track("yes", "Consent Updated", at=at, anonymousId="d1", **yes),
        track("again", "Visit", anonymousId="d1"),
        track("other", "Visit", userId="bob", anonymousId="d1"),
    )
    assert [site.events()[name]["user_id"] for name in ("again", "other")] == ["ann", "bob"]
    node = site.workspace.vault.node_id("anonymous_id", "d1")
    found = [row for row in ledger(site.workspace.state, [node]) if row.is_granted]
    assert [(row.purpose, row.basis) for row in found] == [("analytics", LIFTED)]


def test_a_stamp_of_a_tracker_is_no_answer_and_a_platforms_own_event_is(site):
    stamp = {
        "context": {"consent": {"categoryPreferences": {"Analytics": True, "Targeting": False}}}
    }
    site.send(
        track("a", "Visit", **stamp), track("b", "Visit", context={"consent": {"mode": "full"}})
    )
    assert site.said() == []
    site.send(track("c", "Segment Consent Preference Updated", **stamp))
    assert sorted(site.said()) == [("analytics", "", True), ("marketing", "ads", False)]


def test_who_refuses_to_be_counted_is_nobody_from_then_on_also_in_the_same_batch(site):
    bought = {"properties": {"email": "ann@shop.cn", "sku": 7, "revenue": 5}}
    site.send(
        track("before", "Visit"),
        track("no", "Consent Updated", anonymousId="d1", **consent(analytics=False)),
        track("after", "Order Completed", **bought),
        page("seen", "https://shop.cn/?gclid=g&email=ann%40shop.cn"),
        track("other", "Visit", userId="bob"),
    )
    found = site.events()
    assert [bool(found[m]["identifiers"]) for m in ("before", "no", "after", "seen", "other")] == [
        *(True, True, False, False, True)
    ]
    assert found["after"]["properties"] == {"email": "[removed]", "sku": 7, "revenue": 5}
    assert (found["after"]["revenue"], found["after"]["consent"]) == (500, "denied")
    assert found["seen"]["click_ids"] == {}
    assert found["seen"]["page_url"] == "https://shop.cn/"
    assert "gclid" not in json.dumps(found["seen"])
    yes = track("yes", "Consent Updated", at=T0 + build.MINUTE, **consent(analytics=True))
    site.send(yes, track("again", "Visit"))
    assert site.events()["again"]["user_id"] == "ann"


def test_an_old_yes_that_comes_late_takes_back_no_newer_no(site):
    site.send(track("no", "Consent Updated", **consent(analytics=False)))
    yes = track("yes", "Consent Updated", at=T0 - build.DAY, **consent(analytics=True))
    site.send(yes, track("a", "Visit"), track("b", "Visit"))
    assert [site.events()[name]["user_id"] for name in ("a", "b")] == [None, None]


def test_of_who_is_not_counted_an_answer_keeps_its_sender_and_what_was_said_alone(site):
    seen = {"page": {"url": "https://shop.cn/?gclid=g&utm_campaign=x"}, "traits": {"city": "杭州"}}
    said = {"consent": {"purposes": {"analytics": False}}}
    properties = {"purposes": {"analytics": False, "x": [1]}, "sku": 7, "revenue": 5}
    site.send(track("no", "Consent Updated", context=seen | said, properties=properties))
    site.send(track("told", "Preferences Told", context=seen, properties=properties))
    for name in ("no", "told"):
        found = site.events()[name]
        assert found["user_id"] == "ann"
        assert (found["page_url"], found["campaign"], found["click_ids"]) == (None, None, {})
        assert (found["properties"], found["revenue"]) == ({"purposes": {"analytics": False}}, None)
    assert site.events()["no"]["context"] == said
    node = site.workspace.vault.node_id("user_id", "ann")
    assert clear_traits(site.workspace, [node]) == {}


def test_no_event_speaks_by_law_or_as_a_guardian(site):
    bases = ("legal_duty", "guardian_consent", "contract", "separate_consent", "consent")
    said = {
        f"marketing.{by}": {"granted": True, "basis": basis}
        for by, basis in zip(("email", "sms", "wechat", "phone", "ads"), bases, strict=True)
    }
    site.send(track("a", "Visit", **consent(**said)))
    node = site.workspace.vault.node_id("user_id", "ann")
    found = {row.channel: row.basis for row in ledger(site.workspace.state, [node])}
    assert set(found.values()) == {"consent", "separate_consent"}
    assert found["phone"] == "separate_consent"


@pytest.mark.parametrize("name", ["analytics", "linking"])
def test_what_is_done_or_left_has_no_channels(site, name):
    with pytest.raises(BadInput, match="no channels"):
        definitions.apply(
            site.workspace, {"consent": {"purpose": [{"name": name, "channels": ["web"]}]}}
        )


def test_an_event_that_says_no_of_itself_is_nobodys_and_no_more_than_that(site):
    denied = {"context": {"consent": {"categoryPreferences": {"analytics": False, "ads": True}}}}
    site.send(track("no", "Visit", **denied), track("next", "Visit"))
    found = site.events()
    assert (found["no"]["user_id"], found["next"]["user_id"]) == (None, "ann")
    assert site.said() == []


def test_a_form_keeps_what_was_ticked_with_the_words_beside_it(site):
    field = {"name": "news", "type": "consent", "label": {"en": "Send news.", "zh": "发送资讯"}}
    form = {
        "name": "demo",
        "title": "Demo",
        "field": [
            {"name": "mail", "type": "email"},
            field | {"purpose": "marketing", "channels": ["email"]},
        ],
    }
    definitions.apply(site.workspace, {"form": [form]})
    made = definitions.site_of(site.workspace).makers.forms["demo"]
    request = RawRequest(T0, "demo", "/f/demo", b"", b"r" * 16)
    logged = {"values": {"mail": "ann@shop.cn"}, "consent": {"news": True}, "language": "zh"}
    (*_, item) = filled(made, logged, request)
    site.send(item.data | {"messageId": "f"})
    assert site.said("email", "ann@shop.cn") == [("marketing", "email", True)]
    node = site.workspace.vault.node_id("email", "ann@shop.cn")
    (row,) = ledger(site.workspace.state, [node])
    assert (row.basis, row.locale) == ("separate_consent", "zh")
    assert shown_text(site.workspace.state, [row.text]) == {row.text: "发送资讯"}


def test_a_customer_list_says_yes_and_no_and_a_yes_without_a_time_gives_way(site, tmp_path):
    list_ = "user_id,邮件订阅,consent_sms,name\nann,是,no,An\nbob,,,Bo\neve,maybe,,E\n"
    found = site.people(tmp_path, list_)
    assert (found["stored"], found["rejected"]) == (2, 1)
    assert sorted(site.said()) == [("marketing", "email", True), ("marketing", "sms", False)]
    site.send(track("no", "Consent Updated", **consent(**{"marketing.email": False})))
    site.people(tmp_path, list_.replace("An", "Ann"))
    answers = [row for row in site.said() if row[1] == "email"]
    assert answers == [("marketing", "email", True)] * 2 + [("marketing", "email", False)]


def test_a_list_with_times_counts_at_its_times(site, tmp_path):
    site.people(tmp_path, "user_id,consent,consent_at\nann,yes,2026-01-02\n")
    node = site.workspace.vault.node_id("user_id", "ann")
    (row,) = ledger(site.workspace.state, [node])
    assert (row.purpose, row.at_us) == ("marketing", T0 - 58 * build.DAY)


def test_an_order_of_who_is_not_counted_is_kept_without_its_buyer(site, tmp_path):
    site.send(track("no", "Consent Updated", **consent(analytics=False)))
    path = tmp_path / "orders.csv"
    path.write_text(
        "conversion_id,occurred_at,amount,user_id\n1,2026-03-05,9,ann\n2,2026-03-05,9,bob\n"
    )
    run_import(site.writer, "conversions", path)
    with site.workspace.view("conversions") as view:
        rows = view.fetch(view.table("conversions").select("conversion_id", "node_ids")).to_pylist()
    assert {row["conversion_id"]: len(row["node_ids"]) for row in rows} == {"1": 0, "2": 1}
