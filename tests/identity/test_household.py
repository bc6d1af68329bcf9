"""Who shares a home: by address and family name, only where the site says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.consent_rules import LINKING
from touchline.identity.household import household_of, households, shared_home
from touchline.storage import definition, schema
from touchline.storage.principal import Principal

HOME = "上海市徐汇区天钥桥路8号3栋502室"
ALIKE = ("上海 徐汇区天钥桥路8号3-502", "上海市徐汇区天钥桥路８号３栋５０２室", HOME)


def key(name, address, *, is_by_name=True):
    return shared_home({"姓名": name, "地址": address}, "CN", is_by_name=is_by_name)


@pytest.mark.parametrize("address", ALIKE)
def test_one_home_however_it_is_written(address):
    assert key("张伟", address) == key("張小明", HOME) is not None


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("张伟", "上海市徐汇区天钥桥路8号3栋503室"),
        ("李伟", HOME),
        ("张伟", "北京市朝阳区天钥桥路8号3栋502室"),
    ],
)
def test_two_homes(name, address):
    assert key(name, address) != key("张伟", HOME)


@pytest.mark.parametrize("address", ["上海市徐汇区", "无", "", "天钥桥路", "=1+1", "👍", None, 7])
def test_an_address_without_a_door_is_nobodys_home(address):
    assert key("张伟", address) is None


def test_a_couple_of_two_names_shares_a_home_if_names_do_not_count():
    assert key("张伟", HOME) != key("李娜", HOME)
    assert key("张伟", HOME, is_by_name=False) == key("李娜", HOME, is_by_name=False)


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60) | st.integers() | st.none()))
def test_nothing_that_is_known_of_people_is_too_odd(traits):
    assert shared_home(traits, "CN", is_by_name=True) is None or any(traits.values())


@pytest.fixture
def homes(lake):
    def put(name, address, number):
        lake.put("people", f"member_code:{number}")
        lake.trait(f"member_code:{number}", "姓名", name)
        lake.trait(f"member_code:{number}", "地址", address)

    for number, (name, address) in enumerate(
        [("张伟", HOME), ("张小明", ALIKE[0]), ("李四", HOME), ("王五", HOME + "A")]
    ):
        put(name, address, number)
    return lake


def told(lake, workspace=None):
    people = lake.people()
    with lake.workspace.view() as view:
        found = households(workspace or lake.workspace, view, people)
    return [held for _, held in sorted(found.items())]


def put_in_force(lake, **table):
    definition.save(lake.workspace.state, {"households": table}, "test")


def persons(lake, *numbers):
    people = lake.people()
    found = people.person_of([lake.node(f"member_code:{n}") for n in numbers])
    return sorted(people.person_ids[one] for one in found)


def test_off_unless_the_site_says_so(homes):
    assert told(homes) == []
    put_in_force(homes, by_address=True)
    assert told(homes) == [persons(homes, 0, 1)]
    put_in_force(homes, by_address=True, same_family_name=False)
    assert told(homes) == [persons(homes, 0, 1, 2)]
    put_in_force(homes, by_address=True, same_family_name=False, most=2)
    assert told(homes) == []


def test_people_do_not_change_by_it(homes):
    before = homes.people()
    put_in_force(homes, by_address=True)
    assert told(homes)
    after = homes.people()
    assert after.people.person.tobytes() == before.people.person.tobytes()
    assert not homes.same(after, ["member_code:0", "member_code:1"])


def test_a_new_address_is_seen_at_once_and_one_person_has_one_home(homes):
    put_in_force(homes, by_address=True)
    assert told(homes) == [persons(homes, 0, 1)]
    homes.trait("member_code:1", "地址", "上海市徐汇区天钥桥路9号", 2**51)
    assert told(homes) == []
    people = homes.people()
    with homes.workspace.view() as view:
        assert household_of(homes.workspace, view, people, 0) is None


def test_whoever_may_not_see_addresses_is_not_told_who_shares_one(homes):
    put_in_force(homes, by_address=True)
    reader = homes.workspace.seen_by(Principal("reader", masks={"*": "partial"}))
    assert told(homes, reader) == []


def test_whoever_refuses_to_be_linked_lives_alone(homes):
    put_in_force(homes, by_address=True)
    said = {
        "act": b"a" * 16,
        "node": homes.node("member_code:1"),
        "purpose": LINKING,
        "channel": "",
        "is_granted": False,
        "basis": "consent",
        "source": "test",
        "at_us": 1,
        "known_at_us": 1,
    }
    homes.workspace.state.write((homes.workspace.state.upsert(schema.consent), [said]))
    assert told(homes) == []
