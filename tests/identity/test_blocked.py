"""Patterns of a site, and the phones of its staff: what they name joins nobody."""

import pytest
import sqlalchemy as sa

from touchline.collect import blocked
from touchline.collect.blocked import blocked_nodes, renew
from touchline.collect.junk import SETS, Junk, patterns
from touchline.identity.rules import Rules
from touchline.jobs import definitions
from touchline.model import Identifier
from touchline.storage import definition, schema

PHONE = "phone:+8613800138000"
OTHER = "phone:+8613911112222"


def put_in_force(lake, **identity):
    with lake.workspace.write_lock():
        definitions.apply(lake.workspace, {"identity": identity}, "test")
        renew(lake.workspace)


def reasons(lake):
    people = lake.people()
    found = people.people.quarantine
    return {
        name: found.reason(int(node))
        for name in (PHONE, OTHER, "email:info@shop.cn")
        if (node := people.known.find([lake.node(name)])[0]) >= 0 and found.held[node]
    }


@pytest.fixture
def crowd(lake):
    lake.put("events", f"user_id:u1 {PHONE}", f"user_id:u2 {OTHER} email:info@shop.cn")
    return lake


def test_a_value_that_matches_is_held_back_as_long_as_the_pattern_is_in_force(crowd):
    assert crowd.same(crowd.people(), ("user_id:u1", PHONE))
    put_in_force(crowd, blocked={"phone": [r"^\+86138"], "sets": ["role_mailboxes"]})
    assert reasons(crowd) == {PHONE: "pattern", "email:info@shop.cn": "pattern"}
    assert not crowd.same(crowd.people(), ("user_id:u1", PHONE))
    put_in_force(crowd, blocked={})
    assert crowd.same(crowd.people(), ("user_id:u1", PHONE))


def test_a_value_that_comes_later_is_tried_as_it_comes(crowd, monkeypatch):
    put_in_force(crowd, blocked={"any": ["^shop"]})
    monkeypatch.setattr(blocked, "_matched", None)  # nothing is gone through again
    crowd.put("events", "user_id:shop7 device:d1")
    assert not crowd.same(crowd.people(), ("user_id:shop7", "device:d1"))
    put_in_force(crowd, blocked={"any": ["^shop"]}, quarantine_above=9)
    assert not crowd.same(crowd.people(), ("user_id:shop7", "device:d1"))


def test_what_comes_while_a_pattern_is_put_in_force_is_not_missed(crowd, monkeypatch):
    """A value is written after the new pattern went through all, by who knew only the old one."""
    crowd.put("events", "user_id:early")
    tried = crowd.book._blocklist.note
    calls = []

    def between(new, *, is_again=False):
        tried(new, is_again=is_again)
        if not calls:
            calls.append(new)
            put_in_force(crowd, blocked={"user_id": ["^late"]})

    monkeypatch.setattr(crowd.book._blocklist, "note", between)
    crowd.put("events", "user_id:late device:d2")
    assert calls
    assert not crowd.same(crowd.people(), ("user_id:late", "device:d2"))


def test_before_all_was_gone_through_the_answer_is_the_same(crowd):
    wanted = {"phone": [r"^\+86138"]}
    definitions.apply(crowd.workspace, {"identity": {"blocked": wanted}}, "test")
    slow = blocked_nodes(crowd.workspace, patterns(wanted))
    renew(crowd.workspace)
    assert blocked_nodes(crowd.workspace, patterns(wanted)) == slow == (crowd.node(PHONE),)


def test_the_phone_of_who_works_here_joins_no_customers(crowd):
    member = f"member_code:m1 {PHONE}"
    crowd.put("people", ("crm_id:e1 " + PHONE, {"source": "staff"}), (member, {"source": "crm"}))
    assert reasons(crowd) == {PHONE: "staff"}
    assert not crowd.same(crowd.people(), ("member_code:m1", "crm_id:e1"))
    put_in_force(crowd, staff_sources=["hr"])
    assert reasons(crowd) == {}


def test_what_was_lost_is_found_again_when_all_is_tried_anew(crowd):
    put_in_force(crowd, blocked={"phone": [r"^\+86138"]})
    crowd.workspace.state.write((sa.delete(schema.blocked_node), [{}]))
    assert reasons(crowd) == {}
    renew(crowd.workspace, is_all=True)
    assert reasons(crowd) == {PHONE: "pattern"}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Identifier("email", "kefu@shop.cn"), "role_mailboxes"),
        (Identifier("phone", "+8613333333333"), "made_up_phones"),
        (Identifier("phone", "+8613812345678"), "made_up_phones"),
        (Identifier("email", "a@mail.example.com"), "example_domains"),
    ],
)
def test_sets_stand_ready(value, name):
    assert Junk(SETS[name]).matched(value)
    assert not Junk(SETS[name]).matched(Identifier("email", "an.kefu@realshop.cn"))
    assert not Junk(SETS[name]).matched(Identifier("phone", "+8613812345677"))


def test_rules_carry_the_patterns_of_sets_and_types_each_once():
    table = {"sets": ["role_mailboxes"], "phone": ["^4", "^4"]}
    rules = Rules.from_document({"identity": {"blocked": table}})
    assert rules.blocked == (*SETS["role_mailboxes"], ("phone", "^4"))


def test_a_pattern_that_is_no_longer_matched_blocks_nothing_and_stops_nothing(crowd):
    written = {"phone": [r"^\+86138", r"(?=no)"]}
    definition.save(crowd.workspace.state, {"identity": {"blocked": written}}, "long ago")
    assert reasons(crowd) == {PHONE: "pattern"}
    with crowd.workspace.write_lock():
        renew(crowd.workspace)
    assert reasons(crowd) == {PHONE: "pattern"}
    (old,) = definitions.outdated(crowd.workspace)
    assert (old.where, old.pattern) == ("identity.blocked.phone", "(?=no)")
