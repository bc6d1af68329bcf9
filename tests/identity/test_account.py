from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.account import LEAST_SHARE, contacts, joined, mailers
from touchline.identity.evidence import Decisions


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


# A row is a user, an address at a company, and an account beside them, or none.
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["u1", "u2", "u3", "u4", "u5"]),
        st.sampled_from(["e1a", "e2a", "e3a", "e1b", "e2b", "e1c", ""]),
        st.sampled_from(["A", "B", "C", ""]),
    ),
    min_size=1,
    max_size=14,
)


def accounts_of(facts, rows, decisions, order=None):
    """Accounts by name: (their domains, their people as sets of identifiers, by what)."""
    given = [rows[at] for at in order or range(len(rows))]
    solved = facts.solve(
        facts.rows(*(f"{user} {mail}".strip() for user, mail, _ in rows)), decisions=decisions
    )
    named = [(facts.node(solved, one), a) for u, m, a in given if a for one in (u, m) if one]
    mail = list(dict.fromkeys(m for _, m, _ in given if m))
    names = [account for _, account in named]
    known = contacts(
        solved.people, _ints(n for n, _ in named), _ints(map(names.index, names)), names
    )
    writers = mailers(
        solved.people, _ints(facts.node(solved, m) for m in mail), [m[2:].encode() for m in mail]
    )
    found = joined(writers, known, {})
    groups = {}
    for node, person in enumerate(solved.people.person.tolist()):
        groups.setdefault(person, set()).add(solved.names[node])
    called = [*found.names, *(one.decode() for one in found.ids)]
    told = {}
    rows_of = zip(found.account, found.person, found.by_row, found.by_domain, strict=True)
    for account, person, by_row, by_domain in rows_of:
        who = frozenset(groups[int(person)])
        told.setdefault(called[account], set()).add((who, bool(by_row), bool(by_domain)))
    domains = {one.decode(): called[at] for one, at in zip(found.ids, found.of_domain, strict=True)}
    return solved, domains, told


def _ints(numbers):
    return np.fromiter(numbers, np.int32)


def reasoned(rows, solved):
    """The same, as it is told: whose a domain is, and who belongs to what."""
    groups = {frozenset(group) for group in solved.groups()}
    of = {name: group for group in groups for name in group}
    beside = {
        group: {a for u, m, a in rows if a and group in (of[u], of.get(m))} for group in groups
    }
    domains, told = {}, {}
    for domain in {m[2:] for _, m, _ in rows if m}:
        people = {of[m] for _, m, _ in rows if m[2:] == domain}
        votes = Counter(account for group in people for account in beside[group])
        asked = sum(bool(beside[group]) for group in people)
        best = [a for a, n in votes.items() if n == max(votes.values())]
        is_sure = len(best) == 1 and 2 * votes[best[0]] > asked
        is_sure = is_sure and LEAST_SHARE * votes[best[0]] >= len(people)
        domains[domain] = best[0] if is_sure else domain
        for group in people:
            told.setdefault(domains[domain], set()).add((group, "domain"))
    for group, accounts in beside.items():
        for account in accounts:
            told.setdefault(account, set()).add((group, "row"))
    return domains, told


@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_accounts_are_a_function_of_people_and_rows(facts, rows, seed):
    """In any order; after a merge and an unmerge they are those of the people there are then."""
    users = sorted({user for user, _, _ in rows})
    pair = (facts.node_id(users[0]), facts.node_id(users[-1]))
    mail = sorted({mail for _, mail, _ in rows if mail}) or users
    apart = (facts.node_id(users[0]), facts.node_id(mail[0]))
    before, *plain = accounts_of(facts, rows, Decisions())
    for decisions in (Decisions(together=(pair,)), Decisions(apart=(apart,)), Decisions()):
        order = list(range(len(rows)))
        seed.shuffle(order)
        solved, domains, told = accounts_of(facts, rows, decisions)
        _, *turned = accounts_of(facts, rows, decisions, order)
        assert turned == [domains, told]
        expected_domains, expected = reasoned(rows, solved)
        assert domains == expected_domains
        said = {
            account: {
                (w, by) for w, r, d in held for by, is_so in (("row", r), ("domain", d)) if is_so
            }
            for account, held in told.items()
        }
        assert said == expected
    assert [domains, told] == plain
    assert solved.bytes() == before.bytes()
