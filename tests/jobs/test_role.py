"""Roles see less of what is in clear, wherever it is asked for."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import build
from build import Tracker, track
from touchline import clock
from touchline.collect.mask import masked, masked_value
from touchline.collect.veiled import Sight
from touchline.errors import BadInput, Forbidden
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.jobs.intake.writer import Writer
from touchline.jobs.queries import QUERIES, people
from touchline.jobs.role import check, principal_of, roles
from touchline.model import Identifier
from touchline.storage.access_key import key_hash
from touchline.storage.principal import MASKS, Principal

NODE = bytes(range(16))
ACTOR = f"key:{key_hash('a' * 8)[:12]}"
ANALYST = {
    "name": "analyst",
    "keys": ["admin"],
    "fields": {
        "email": "partial",
        "phone": "hash",
        "user_id": "full",
        "city": "full",
        "vip": "hash",
    },
}
ABOUT = {"email": "ann@shop.cn", "phone": "13800138000", "city": "杭州", "vip": "gold", "note": "x"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = build.workspace(tmp_path_factory.mktemp("role") / "w")
    with made.write_lock():
        Tracker(made).send(track("a", "Visit", anonymousId="d-one", context={"traits": ABOUT}))
        Writer(made).catch_up()
        yield made
    made.close()


def seen(workspace, *documents, actor=ACTOR):
    definitions.apply(workspace, {"role": list(documents)})
    return workspace.seen_by(principal_of(workspace, actor))


def exported(workspace):
    (line,) = people(workspace, Registry(workspace), {})
    person = json.loads(line)
    return {one["type"]: one["value"] for one in person["identifiers"]}, person["traits"]


def test_a_role_sees_of_each_field_what_it_may_and_of_others_nothing(workspace):
    identifiers, traits = exported(seen(workspace, ANALYST))
    phone = workspace.vault.node_id("phone", "+8613800138000").hex()[:16]
    assert identifiers == {"user_id": "ann", "email": "a***@shop.cn", "phone": f"#{phone}"}
    assert traits["city"] == "杭州"
    assert traits["vip"].startswith("#")
    assert "note" not in traits


def test_events_and_consent_are_masked_alike_and_found_by_what_one_knows(workspace):
    here = seen(workspace, ANALYST)
    registry = Registry(workspace)
    asked = {"person": "email:ann@shop.cn"}
    told = b"".join(QUERIES["events"](here, registry, asked))
    told += msgspec.json.encode(QUERIES["timeline"](here, registry, asked))
    assert b"a***@shop.cn" in told
    assert b"ann@shop.cn" not in told
    assert b"13800138000" not in told
    assert b"d-one" not in json.dumps(json.loads(told.splitlines()[0])["identifiers"]).encode()


def test_who_has_no_role_sees_everything_and_a_key_of_two_the_lesser_part(workspace):
    assert seen(workspace).principal == Principal(name=ACTOR)
    assert seen(workspace, ANALYST | {"keys": ["other"]}).principal.masks is None
    assert seen(workspace, ANALYST, actor="").principal.masks is None
    more = {"name": "mailer", "keys": ["admin"], "fields": {"email": "hidden", "*": "full"}}
    both = seen(workspace, ANALYST, more).principal
    assert [both.mask(name) for name in ("email", "phone", "city", "note")] == [
        *("hidden", "hash", "full", "hidden")
    ]


def test_a_masked_key_neither_sees_what_is_whole_nor_takes_its_mask_off(workspace):
    principal = seen(workspace, ANALYST).principal
    for asked, args in [("rejects", {}), ("export_person", {}), ("create_key", {})]:
        with pytest.raises(Forbidden):
            check(principal, asked, args)
        check(Principal(), asked, args)
    for asked in ("preferences_link", "replay"):
        with pytest.raises(Forbidden):
            check(principal, asked, {})
    patterns = {"identity": {"blocked": {"phone": [r"\+861380.*"]}}}
    for asked in ("identity_dry_run", "apply"):
        with pytest.raises(Forbidden):
            check(principal, asked, patterns)
        check(principal, asked, {"identity": {"strong": ["phone"]}})
    with pytest.raises(Forbidden):
        check(principal, "apply", {"role": []})
    check(principal, "apply", {"goal": []})


TOLD = {
    "name": "Ann Lee",
    "city": "杭州",
    "note": "call ann.lee@shop.cn or 138-0013-8000,电话13800138000",
    "to": {"street": "1 Lujiazui Rd", "city": "上海", "lines": ["Ann", 7]},
    "vip": "gold",
    "sku": 7,
}


def told(workspace, **fields):
    role = {
        "name": "analyst",
        "keys": ["admin"],
        "fields": {"city": "full", "vip": "hash"} | fields,
    }
    here = seen(workspace, role)
    registry = Registry(workspace)
    (line,) = QUERIES["events"](here, registry, {"message_id_prefix": "told"})
    shown = QUERIES["timeline"](here, registry, {"person": "user_id:ben"})
    (event,) = json.loads(msgspec.json.encode(shown["events"]))
    assert json.loads(line) == event
    return event


@pytest.fixture(scope="module")
def ben(tmp_path_factory):
    """A workspace of somebody whose events say a lot."""
    made = build.workspace(tmp_path_factory.mktemp("ben") / "w")
    at = {"url": "https://s.cn/a?utm_source=x&name=Ann%20Lee#ann", "title": "Dear Ann Lee"}
    context = {"page": at, "traits": {"name": "Ann Lee"}, "locale": "zh"}
    said = {"city": "A", "mood": "B"}
    now = clock.now_us()
    rated = [track(f"p{n}", "Rated", at=now, properties=said) for n in range(5)]
    with made.write_lock():
        Tracker(made).send(
            track("told", "Sent", userId="ben", properties=TOLD, context=context), *rated, at=now
        )
        Writer(made).catch_up()
        yield made
    made.close()


def test_of_an_events_own_words_a_role_sees_the_fields_that_it_names(ben):
    found = told(ben)
    vip = found["properties"].pop("vip")
    assert vip.startswith("#")
    assert found["properties"] == {"city": "杭州", "to": {"city": "上海"}}
    assert (found["context"], found["page_url"], found["page_title"]) == (
        {},
        "https://s.cn/a",
        None,
    )
    assert [name for name, value in found.items() if "Lee" in str(value)] == []


def test_a_role_that_sees_properties_sees_no_address_in_them_and_not_what_is_masked(ben):
    found = told(ben, properties="full", name="hidden")
    kept = {name: value for name, value in TOLD.items() if name not in ("name", "vip")}
    shown = {name: found["properties"][name] for name in kept}
    assert shown == kept | {"note": "call [removed] or [removed],电话[removed]"}
    assert "name" not in found["properties"]
    assert (found["context"]["locale"], found["page_title"]) == ("zh", "Dear Ann Lee")
    parts = told(ben, properties="partial")["properties"]
    assert (parts["name"], parts["to"]["city"], "sku" in parts) == ("A***", "上海", False)


def test_a_plan_lists_values_of_what_is_seen_alone(ben):
    role = {"name": "analyst", "keys": ["admin"], "fields": {"city": "full"}}
    toml = QUERIES["plan_observed"](seen(ben, role), Registry(ben), {})["toml"]
    assert ('"A"' in toml, '"B"' in toml) == (True, False)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_an_event_says_nothing_is_seen_of_what_is_hidden(value):
    assert Sight({"*": "hidden"}, None).mapping({"a": value, "b": {"c": value}}) == {}
    assert Sight({"*": "full"}, None).value("a", {"b": 7}) == {"b": 7}


def test_a_field_that_is_named_keeps_its_mask_within_another_and_a_long_text_is_soon_read():
    sight = Sight({"to": "full", "name": "hidden", "properties": "full"}, None)
    said = {"to": {"name": "Ann", "mail": "a@b.cn"}, "cc": [{"mail": "a@b.cn"}, {"name": "Bo"}]}
    assert sight.mapping(said) == {"to": {"mail": "a@b.cn"}, "cc": [{"mail": "[removed]"}]}
    for letter in ("a", "1", "%", "a@", "1 ", "user_id:"):
        sight.value("note", letter * 100_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"name": "x", "keys": ["k"], "fields": {"email": "half"}},
        {"name": "x", "keys": "k", "fields": {}},
        {"name": "x", "keys": [], "fields": {}, "more": 1},
    ],
)
def test_what_is_no_role_is_refused(wrong):
    with pytest.raises(BadInput):
        roles({"role": [wrong]})


texts = st.text(st.characters(exclude_characters="*#"), min_size=1, max_size=60)


@given(texts, st.sampled_from(["email", "phone", "crm_id"]))
def test_no_mask_but_full_ever_shows_the_value(value, kind):
    who = Identifier(kind, value)
    for mask in MASKS[1:]:
        shown = masked(who, mask, NODE)
        assert shown is None or shown.value != value


@given(st.one_of(st.integers(), st.booleans(), st.lists(st.integers()), st.none()))
def test_of_what_is_no_text_no_part_is_seen(value):
    assert masked_value("age", value, "partial", None) is None
    assert masked_value("age", value, "hidden", None) is None
