import numpy as np
import pytest

from touchline.identity.account import contacts


@pytest.fixture(scope="session")
def solved(facts):
    texts = ["u1 e1", "u2 e2", *(f"m{n} d9" for n in range(6))]
    return facts.solve(facts.rows(*texts))


def listed(facts, solved, *pairs, names):
    node = np.array([facts.node(solved, name) for name, _ in pairs], np.int32)
    account = np.array([names.index(account) for _, account in pairs], np.int32)
    found = contacts(solved.people, node, account, names)
    holder = {person: name for name, person in _persons(solved).items()}
    return [
        (holder[person], found.names[code])
        for person, code in zip(found.person.tolist(), found.account.tolist(), strict=True)
    ]


def _persons(solved):
    known = {name: int(solved.people.person[node]) for node, name in solved.names.items()}
    return {name: known[name] for name in ("u1", "u2")}


def test_each_person_and_account_once(facts, solved):
    pairs = [("u1", "acme"), ("e1", "acme"), ("u2", "acme"), ("u2", "zeta"), ("e2", "zeta")]
    found = listed(facts, solved, *pairs, names=["zeta", "acme"])
    assert sorted(found) == [("u1", "acme"), ("u2", "acme"), ("u2", "zeta")]


def test_a_value_in_quarantine_makes_nobody_a_contact(facts, solved):
    assert listed(facts, solved, ("d9", "acme"), ("u1", "acme"), names=["acme"]) == [("u1", "acme")]


def test_no_rows_no_contacts(solved):
    none = np.empty(0, np.int32)
    assert len(contacts(solved.people, none, none, []).person) == 0
