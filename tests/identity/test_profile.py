import pytest

from touchline.errors import Ambiguous, NotFound
from touchline.identity.profile import export_people, find_person, identifiers_of, traits_of
from touchline.storage import schema

PHONE = "phone:+8613800138000"


@pytest.fixture
def site(lake):
    lake.put("events", f"user_id:42 {PHONE} anonymous_id:c-1", "openid:oX@wx1 unionid:w")
    lake.put("people", "member_code:42 email:li.na@shop.cn")
    return lake


def find(site, name):
    return find_person(site.workspace, site.people(), name)


def test_a_person_is_found_by_id_typed_value_or_bare_value(site):
    people = site.people()
    (person,) = people.person_of([site.node("user_id:42")])
    names = (people.person_ids[person], "user_id:42", PHONE, "phone:138 0013 8000", "13800138000")
    assert {find(site, name) for name in (*names, "c-1")} == {person}


def test_values_are_normalised_before_they_are_sought(site):
    assert find(site, " Li.Na@Shop.CN ") == find(site, "member_code:42")
    assert find(site, "wx1:oX") == find(site, "openid:wx1:oX") == find(site, "w")


def test_a_typed_value_may_itself_begin_with_a_type(lake):
    lake.put("events", "user_id:email:x")
    assert find(lake, "email:x") == find(lake, "user_id:email:x") == 0


def test_a_value_of_two_people_is_asked_back(site):
    with pytest.raises(Ambiguous) as caught:
        find(site, "42")
    assert caught.value.code == "person_ambiguous"
    assert "user_id:42 · member_code:42" in str(caught.value)


def test_one_persons_value_under_two_types_is_not_ambiguous(lake):
    lake.put("events", "user_id:7 crm_id:7")
    assert find(lake, "7") == 0


@pytest.mark.parametrize("name", ["user_id:nobody", "nobody", "", "p" + "0" * 32, "null"])
def test_an_unknown_name_says_so(site, name):
    with pytest.raises(NotFound) as caught:
        find(site, name)
    assert caught.value.code == "person_unknown"


def test_identifiers_are_in_clear_strongest_first(site):
    people = site.people()
    assert identifiers_of(site.workspace, people, find(site, "c-1")) == [
        {"type": "user_id", "value": "42"},
        {"type": "phone", "value": "+8613800138000"},
        {"type": "anonymous_id", "value": "c-1"},
    ]


def test_an_erased_value_is_absent(site):
    node = site.node(PHONE)
    statement = schema.node.delete().where(schema.node.c.node_id == node)
    with site.workspace.state.engine.begin() as connection:
        connection.execute(statement)
    kinds = [i["type"] for i in identifiers_of(site.workspace, site.people(), find(site, "c-1"))]
    assert kinds == ["user_id", "anonymous_id"]


def test_of_a_trait_the_latest_value_wins(site):
    site.trait("user_id:42", "city", "上海", ts_us=5)
    site.trait(PHONE, "city", "杭州", ts_us=9)
    site.trait("anonymous_id:c-1", "tier", "gold", ts_us=9)
    site.trait("user_id:42", "tier", {"name": "silver"}, ts_us=9)
    site.trait("member_code:42", "city", "北京", ts_us=99)
    assert traits_of(site.workspace, site.people(), find(site, "c-1")) == {
        "city": "杭州",
        "tier": {"name": "silver"},
    }


def test_export_lists_everybody_once_and_no_shared_value(site):
    site.put("people", *(f"crm_id:k{n} phone:+8613900000000" for n in range(6)))
    site.trait("user_id:42", "city", "上海")
    people = site.people()
    found = list(export_people(site.workspace, people))
    assert len(found) == len({row["person_id"] for row in found}) == 9
    held = [i["value"] for row in found for i in row["identifiers"]]
    assert "+8613900000000" not in held
    assert len(held) == 13
    (row,) = [row for row in found if row["traits"]]
    assert list(row) == ["person_id", "identifiers", "traits"]
    assert row["traits"] == {"city": "上海"}
    assert row["person_id"] == people.person_ids[find(site, "c-1")]
