"""A refusal to be linked keeps identifiers apart; and what may be asked of everybody else."""

import datetime as dt

import pytest

from build import T0
from touchline import clock
from touchline.errors import BadInput
from touchline.identity.consent import in_words, is_child, may, may_each, permissions
from touchline.identity.decisions import record
from touchline.model import Consent
from touchline.storage.consent import written

TODAY = dt.date(2026, 3, 1)


def say(lake, name, purpose, *, yes, channel="", basis="consent", at=T0):
    row = Consent(
        act=clock.now_us().to_bytes(8) + at.to_bytes(8),
        node=lake.node(name),
        purpose=purpose,
        channel=channel,
        is_granted=yes,
        basis=basis,
        at_us=at,
        known_at_us=at,
        source="test",
    )
    lake.workspace.state.write(*written(lake.workspace.state, [row]))


@pytest.fixture
def ann(lake):
    lake.put("events", "user_id:ann email:a@b.cn anonymous_id:c1", "user_id:bob anonymous_id:c2")
    return lake


def asked(lake, name, purpose, channel=""):
    people = lake.people()
    (person,) = people.person_of([lake.node(name)])
    return may(lake.workspace, people, person, purpose, channel)


def test_who_refuses_to_be_linked_is_somebody_still_and_each_identifier_by_itself(ann):
    assert ann.same(ann.people(), ["user_id:ann", "email:a@b.cn", "anonymous_id:c1"])
    say(ann, "user_id:ann", "linking", yes=False)
    people = ann.people()
    assert not ann.same(people, ["user_id:ann", "email:a@b.cn"])
    assert ann.same(people, ["email:a@b.cn", "anonymous_id:c1"])
    (person,) = people.person_of([ann.node("user_id:ann")])
    assert person in people.somebody()
    say(ann, "user_id:ann", "linking", yes=True, at=T0 + 1)
    assert ann.same(ann.people(), ["user_id:ann", "email:a@b.cn", "anonymous_id:c1"])


def test_no_operator_and_no_report_of_an_earlier_day_links_against_a_refusal(ann):
    nodes = [ann.node("user_id:ann"), ann.node("email:a@b.cn")]
    record(ann.workspace.state, "merge", about=nodes, author="op", reason="sure")
    say(ann, "user_id:ann", "linking", yes=False, at=T0 + 50)
    assert not ann.same(ann.people(), ["user_id:ann", "email:a@b.cn"])
    assert not ann.same(ann.people(as_of_us=T0 + 10), ["user_id:ann", "email:a@b.cn"])


def test_a_refusal_releases_no_shared_value(lake):
    lake.put("events", *(f"user_id:u{n} device:kiosk" for n in range(6)))
    say(lake, "user_id:u0", "linking", yes=False)
    assert not lake.same(lake.people(), ["user_id:u1", "user_id:u2"])


def test_a_person_may_be_met_as_all_of_its_identifiers_say(ann):
    assert asked(ann, "user_id:ann", "marketing", "email").why == "unasked"
    say(ann, "email:a@b.cn", "marketing", yes=True)
    assert asked(ann, "user_id:ann", "marketing", "email").is_allowed
    say(ann, "anonymous_id:c1", "marketing", yes=False, channel="email")
    assert asked(ann, "user_id:ann", "marketing", "email").why == "withdrawn"
    assert asked(ann, "user_id:ann", "marketing", "sms").is_allowed
    assert asked(ann, "user_id:bob", "linking").why == "not_needed"
    with pytest.raises(BadInput, match="no purpose"):
        asked(ann, "user_id:bob", "magic")


def test_many_are_asked_about_at_once(ann):
    say(ann, "email:a@b.cn", "marketing", yes=True)
    people = ann.people()
    persons = people.person_of([ann.node("user_id:ann"), ann.node("user_id:bob")])
    found = may_each(ann.workspace, {p: people.node_ids(p) for p in persons}, "marketing", "email")
    assert [found[p].is_allowed for p in persons] == [True, False]


def test_a_child_needs_its_guardian(ann):
    say(ann, "user_id:ann", "marketing", yes=True)
    ann.trait("email:a@b.cn", "birthday", f"{clock.from_us(clock.now_us()).year - 13}-01-01")
    assert asked(ann, "user_id:ann", "marketing", "email").why == "no_guardian"
    say(ann, "user_id:ann", "marketing", yes=True, basis="guardian_consent", at=T0 + 1)
    assert asked(ann, "user_id:ann", "marketing", "email").is_allowed
    nodes = [ann.node("user_id:ann"), ann.node("email:a@b.cn")]
    rows = {
        (r["purpose"], r["channel"]): r["permission"] for r in permissions(ann.workspace, nodes)
    }
    assert rows["analytics", None].why == "no_guardian"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("birthday", "2012-03-02", True),
        ("birthday", "2012-03-01", False),
        ("出生日期", "2015年6月1日", True),
        ("date_of_birth", "2015/06/01", True),
        ("age", 13, True),
        ("age", "14", False),
        ("age", "=1+1", False),
        ("age", "9" * 5000, False),
        ("birthday", "0001-01-01", False),
        ("birthday", "06-01", False),
        ("age", 12.0, True),
        ("age", "12 岁", True),
        ("age", "12周岁", True),
        ("age", "14 years", False),
        ("age", "120", False),
        ("birthday", "05/03/2015", True),
        ("birthday", "28.03.2012", True),
        ("birthday", "05.01.2012", True),
        ("birthday", "05.01.2011", False),
        ("birthday", 1433116800000, True),
        ("birthday", 1433116800, True),
        ("birthday", 631152000, False),
        ("birthday", "June 1, 2015", True),
        ("birthday", "June 1, 1999", False),
        ("birthday", "2015-02-31", True),
        ("birthday", 2015, True),
        ("birthday", {"year": 2015}, True),
        ("name", "2015-06-01", False),
    ],
)
def test_who_is_a_child_is_read_off_what_is_known(name, value, expected):
    assert is_child([(name, value)], 14, TODAY) is expected


def test_why_is_said_in_both_languages(ann):
    found = asked(ann, "user_id:ann", "marketing")
    assert in_words(found, "en", "UTC") == "never asked, and this needs a yes"
    assert in_words(found, "zh", "UTC") == "尚未征得同意"
    say(ann, "user_id:ann", "marketing", yes=False)
    refused = asked(ann, "user_id:ann", "marketing")
    assert in_words(refused, "zh", "Asia/Shanghai") == "已于 2026-03-01 拒绝或撤回"
    assert in_words(refused, "en", "America/New_York") == "refused or taken back on 2026-02-28"
