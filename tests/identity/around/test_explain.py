"""Why two identifiers are one person, or what keeps them apart."""

import msgspec
import pytest

from touchline import clock
from touchline.errors import NotFound
from touchline.identity.around.explain import why
from touchline.identity.around.telling import path_text
from touchline.identity.decisions import decided, record
from touchline.storage import definition

PHONE = "phone:+8613800138000"
HOUR = 3_600_000_000
AT = 1_772_323_200_000_000  # 2026-03-01


def ask(lake, a, b, language="en"):
    with lake.workspace.view() as view:
        found = why(lake.workspace, lake.registry, view, (a, b), language)
    assert list(found) == ["same_person", "path", "blocked_by"]
    assert found["same_person"] == (found["blocked_by"] is None)
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert path_text(found, a, b, language)
    return found


def event(names, message, **more):
    return names, {"message_id": message, "source": "web", "type": "track", "name": "page"} | more


@pytest.fixture
def site(lake):
    lake.put(
        "events",
        event("user_id:ann anonymous_id:c1", "m2", type="identify", at=AT + HOUR),
        event("user_id:ann anonymous_id:c1", "m1", type="identify", at=AT),
        event(f"anonymous_id:c1 {PHONE}", "m3", name="Form Submitted"),
        event(f"anonymous_id:c1 {PHONE}", "m7", at=AT + 24 * HOUR),
        event("user_id:bob anonymous_id:c9", "m4"),
        event(f"anonymous_id:c9 {PHONE}", "m5"),
        event("user_id:eve", "m6"),
    )
    lake.put("people", (f"member_code:7 {PHONE}", {"source": "pos", "at": None}))
    return lake


def test_a_path_names_each_hop_with_its_row_and_rule(site):
    found = ask(site, "user_id:ann", "7")
    assert found["path"] == [
        {
            "from": "user_id:ann",
            "to": "anonymous_id:c1",
            "class": "login",
            "event": {
                "table": "events", "message_id": "m1", "source": "web",
                "type": "identify", "name": "page",
            },
            "at": clock.iso(AT),
            "rule": "seen together on 1 day",
        },
        {
            "from": "anonymous_id:c1",
            "to": PHONE,
            "class": "form",
            "event": {
                "table": "events", "message_id": "m3", "source": "web",
                "type": "track", "name": "Form Submitted",
            },
            "at": clock.iso(AT),
            "rule": "seen together on 2 days",
        },
        {
            "from": PHONE,
            "to": "member_code:7",
            "class": "import_row",
            "event": {
                "table": "people", "message_id": None, "source": "pos", "type": None, "name": None,
            },
            "at": None,
            "rule": "stated in one row of a file or system",
        },
    ]  # fmt: skip


def test_an_identifier_is_itself(site):
    assert ask(site, "user_id:ann", "ann")["path"] == []


def test_a_person_id_stands_for_the_identifier_it_was_made_of(site):
    people = site.people()
    (person,) = people.person_of([site.node("user_id:ann")])
    assert ask(site, people.person_ids[person], "7")["same_person"]


def test_nobody_is_not_found(site):
    with pytest.raises(NotFound):
        ask(site, "user_id:ann", "user_id:nobody")


def test_a_limit_keeps_two_apart_and_the_evidence_is_told(site):
    blocked = ask(site, "user_id:ann", "bob")["blocked_by"]
    assert blocked["kind"] == "limit"
    assert (blocked["type"], blocked["limit"]) == ("user_id", 1)
    assert blocked["values"] == ["user_id:ann", "user_id:bob"]
    assert [hop["event"]["message_id"] for hop in blocked["evidence"]] == ["m1", "m3", "m5", "m4"]
    assert "at most 1 user_id" in blocked["text"]
    assert "最多 1 个 user_id" in ask(site, "ann", "bob", "zh")["blocked_by"]["text"]


def test_nothing_links_two_strangers(site):
    blocked = ask(site, "ann", "eve")["blocked_by"]
    assert (blocked["kind"], blocked["evidence"]) == ("no_evidence", [])


def test_a_decision_keeps_apart_and_joins(site):
    about = [site.node("user_id:ann"), site.node("anonymous_id:c1")]
    record(site.workspace.state, "unmerge", about=about, author="li", reason="a family tablet")
    blocked = ask(site, "ann", "c1")["blocked_by"]
    assert (blocked["kind"], blocked["decision"]["reason"]) == ("decision", "a family tablet")
    assert "a family tablet" in blocked["text"]
    (made,) = decided(site.workspace.state)
    record(site.workspace.state, "undo", undoes=made.id, author="li", reason="no, hers")
    assert ask(site, "ann", "c1")["same_person"]
    about = [site.node("user_id:eve"), site.node("anonymous_id:c9")]
    record(site.workspace.state, "merge", about=about, author="li", reason="she called")
    blocked = ask(site, "eve", "c9")["blocked_by"] or {}
    assert blocked.get("kind", "limit") == "limit"


def test_a_hop_by_hand_tells_who_decided_and_why(lake):
    lake.put("events", event("user_id:ann", "m1"), event("anonymous_id:c1", "m2", at=AT - HOUR))
    about = [lake.node("user_id:ann"), lake.node("anonymous_id:c1")]
    record(lake.workspace.state, "merge", about=about, author="li", reason="she called")
    (hop,) = ask(lake, "ann", "c1")["path"]
    assert (hop["class"], hop["event"]["author"]) == ("manual", "li")
    assert hop["rule"] == "decided by an operator"


def test_the_decision_told_is_the_one_that_holds(lake):
    lake.put(
        "events", event("user_id:ann email:a@x.cn", "m1"), event("email:a@x.cn device:d", "m2")
    )

    def decide(kind, *names, **more):
        about = [lake.node(name) for name in names]
        more = {"author": "li", "reason": "true", **more}
        return record(lake.workspace.state, kind, about=about, **more)

    pair = ("email:a@x.cn", "device:d")
    decide("unmerge", *pair)
    decide("undo", undoes=decide("merge", *pair, reason="wrong"))
    assert ask(lake, "ann", "d")["blocked_by"]["decision"]["reason"] == "true"
    decide("block", "email:a@x.cn", reason="a mailbox of the shop")
    decide("undo", undoes=decide("unblock", "email:a@x.cn", reason="wrong"))
    assert "a mailbox of the shop" in ask(lake, "ann", "a@x.cn")["blocked_by"]["text"]


def test_ids_of_before_a_merge_are_told_how_they_came_to_be_one(lake):
    lake.put(
        "events",
        event("user_id:ann email:a@x.cn", "m1"),
        event("device:d phone:+8613800138000", "m2"),
    )
    ends = [lake.node(name) for name in ("email:a@x.cn", "phone:+8613800138000")]
    people = lake.people()
    old = [people.person_ids[person] for person in people.person_of(ends)]
    record(lake.workspace.state, "merge", about=ends, author="li", reason="she called")
    found = ask(lake, *old)
    assert [hop["class"] for hop in found["path"]].count("manual") == 1
    assert len(found["path"]) >= 2


def test_a_limit_in_a_window_names_what_is_in_that_window(lake):
    day = 24 * HOUR
    lake.put(
        "events",
        event("user_id:a email:e0@x.cn", "m0"),
        event("user_id:a email:e1@x.cn", "m1", at=AT + 800 * day),
        event("device:c email:n1@x.cn email:n2@x.cn", "m2", at=AT + 810 * day),
        event("user_id:a device:c", "m3", at=AT + 810 * day),
    )
    definition.save(lake.workspace.state, {"identity": {"limits": {"email": "2 a year"}}}, "li")
    blocked = ask(lake, "a", "c")["blocked_by"] or ask(lake, "a", "n1@x.cn")["blocked_by"]
    assert blocked["values"] == ["email:e1@x.cn", "email:n1@x.cn", "email:n2@x.cn"]


def test_a_limit_per_app_names_what_is_of_that_app(lake):
    lake.put(
        "events",
        event("user_id:a openid:o1@A", "m1"),
        event("user_id:a openid:o3@B", "m2"),
        event("device:c openid:o2@A", "m3"),
        event("user_id:a device:c", "m4"),
    )
    blocked = ask(lake, "a", "o2")["blocked_by"]
    assert blocked["values"] == ["openid:o1", "openid:o2"]


def test_a_shared_value_joins_nobody_and_says_how_many_it_touches(lake):
    lake.put("events", *(event(f"user_id:u{n} anonymous_id:kiosk", f"m{n}") for n in range(7)))
    blocked = ask(lake, "u1", "u2")["blocked_by"]
    assert blocked["kind"] == "quarantine"
    said = {name: blocked[name] for name in ("value", "reason", "touches", "touched_type", "limit")}
    assert said == {
        "value": "anonymous_id:kiosk", "reason": "shared", "touches": 7,
        "touched_type": "user_id", "limit": 5,
    }  # fmt: skip
    assert len(blocked["evidence"]) == 2
    assert ask(lake, "u1", "kiosk")["blocked_by"]["kind"] == "quarantine"


def test_two_shared_values_are_asked_of_without_reading_all_their_rows(lake):
    lake.put("events", *(event(f"user_id:u{n} anonymous_id:k device:d", f"m{n}") for n in range(7)))
    blocked = ask(lake, "k", "d")["blocked_by"]
    assert (blocked["kind"], blocked["value"]) == ("quarantine", "anonymous_id:k")
    assert len(blocked["evidence"]) == 1


def test_a_blocked_value_says_who_blocked_it(site):
    record(
        site.workspace.state, "block", about=[site.node(PHONE)], author="li", reason="shop phone"
    )
    blocked = ask(site, "ann", "7")["blocked_by"]
    assert (blocked["reason"], blocked["decision"]["author"]) == ("by_hand", "li")
    assert "shop phone" in blocked["text"]


def test_a_pattern_and_a_phone_of_staff_say_so(site):
    site.put("people", (f"crm_id:9 {PHONE}", {"source": "staff"}))
    assert ask(site, "ann", "7")["blocked_by"]["reason"] == "staff"
    definition.save(
        site.workspace.state, {"identity": {"blocked": {"anonymous_id": ["^c1$"]}}}, "li"
    )
    assert ask(site, "ann", "c1")["blocked_by"]["reason"] == "pattern"


def test_a_chain_by_way_of_somebody_else_breaks_where_they_do(lake):
    lake.put(
        "events",
        event("user_id:a email:a@x.cn", "m1"),
        event("user_id:b email:a@x.cn", "m2"),
        event("user_id:b email:b@x.cn", "m3"),
        event("user_id:c email:b@x.cn", "m4"),
    )
    blocked = ask(lake, "a", "c")["blocked_by"]
    assert blocked["kind"] == "limit"
    assert [hop["from"] for hop in blocked["evidence"]] == [
        "user_id:a", "email:a@x.cn", "user_id:b", "email:b@x.cn",
    ]  # fmt: skip
    assert len(blocked["values"]) == 2


def test_an_erased_value_is_not_told(site):
    from touchline.storage import schema

    with site.workspace.state.engine.begin() as connection:
        connection.execute(schema.node.delete().where(schema.node.c.node_id == site.node(PHONE)))
    assert ask(site, "ann", "7")["path"][1]["to"] == "phone:***"
