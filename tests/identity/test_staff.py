"""Members registered by staff, on tablets and at kiosks (代注册): what joins nobody, and what still
does. Nothing is configured, unless a test says so.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.model import TYPE_RANK


def members(count, thing, first=0):
    """So many members, each with a phone of their own now and then, and one thing they share."""
    return [f"m{n} {thing}" for n in range(first, first + count)]


def held_back(solved):
    """Name → (reason, type it touches too many of, how many)."""
    q = solved.people.quarantine
    return {
        solved.names[node]: (q.reason(node), int(q.cause[node]), int(q.count[node]))
        for node in range(len(q.cause))
        if q.held[node]
    }


@pytest.mark.parametrize("count", [6, 12, 30])
@pytest.mark.parametrize("kind", ["p", "e", "c", "d"])
def test_a_phone_tablet_or_kiosk_of_many_members_joins_none_of_them(facts, kind, count):
    solved = facts.solve(facts.rows(*members(count, f"{kind}9")))
    assert held_back(solved) == {f"{kind}9": ("shared", TYPE_RANK["member_code"], count)}
    assert solved.groups() == {frozenset([name]) for name in solved.names.values()}


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_sales_persons_phone_on_a_few_members_makes_no_two_of_them_one(facts, count):
    solved = facts.solve(facts.rows(*members(count, "p9")))
    assert held_back(solved) == {}
    assert len(solved.groups()) == count


@pytest.mark.parametrize("count", [2, 3])
def test_a_phone_of_a_family_is_not_held_back_and_merges_nobody(facts, count):
    rows = [f"m{n} c{n} p1" for n in range(count)]
    solved = facts.solve(facts.rows(*rows))
    assert held_back(solved) == {}
    assert len(solved.groups()) == count
    assert sum("p1" in group for group in solved.groups()) == 1


def test_a_tablet_at_the_till_takes_the_phone_of_its_sales_person_with_it(facts):
    """She types her own phone where customers have none; those who have one stay whole."""
    rows = [f"m{n} d1 {'p9' if n % 2 else f'p{n}'}" for n in range(20)]
    solved = facts.solve(facts.rows(*rows))
    assert set(held_back(solved)) == {"d1", "p9"}
    for n in range(20):
        whole = {f"m{n}"} if n % 2 else {f"m{n}", f"p{n}"}
        assert frozenset(whole) in solved.groups()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 24)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_whoever_registers_whom_no_two_members_become_one(facts, registered, seed):
    """Four phones of staff, members in any order and as often as one likes."""
    texts = [f"m{member} p{phone}" for phone, member in registered]
    solved = facts.solve(facts.rows(*texts))
    seed.shuffle(texts)
    assert facts.solve(facts.rows(*texts)).groups() == solved.groups()
    for group in solved.groups():
        assert sum(name[0] == "m" for name in group) <= 1
    touched = {p: {m for q, m in registered if q == p} for p, _ in registered}
    shared = {f"p{p}" for p, held in touched.items() if len(held) > 5}
    held = {name for name in held_back(solved) if name[0] == "p"}
    assert held == shared


OWN = [
    "user_id:lin",
    "phone:+8613900139000",
    "email:lin@shop.cn",
    "unionid:uLin",
    "openid:oLin@app",
    "external_userid:wmLin",
]


def test_what_staff_registers_with_joins_nobody_from_the_first_member_on(lake):
    """Her phone, her mail and her own WeChat: her list says whose they are, and names her still."""
    lake.put("people", (" ".join(["crm_id:lin", *OWN]), {"source": "staff"}))
    lake.put("events", *(f"member_code:{n} {one}" for n, one in enumerate(OWN)))
    people = lake.people()
    q = people.people.quarantine
    nodes = people.known.find([lake.node(one) for one in OWN]).tolist()
    assert [q.reason(node) for node in nodes] == ["staff"] * len(OWN)
    (lin,) = people.known.find([lake.node("crm_id:lin")]).tolist()
    assert not q.held[lin]
    members = people.person_of([lake.node(f"member_code:{n}") for n in range(len(OWN))])
    assert len(set(members)) == len(OWN)
