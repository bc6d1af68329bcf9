"""Accounts beside people: by what stands in rows, and by the domains of addresses."""

import pytest

from build import T0
from touchline.collect.mail_domain import FREE, company_domain
from touchline.errors import BadInput
from touchline.identity.account_rules import AccountRules
from touchline.identity.companies import (
    account_members,
    accounts_around,
    accounts_in,
    companies_of,
    credited,
)
from touchline.identity.mail_domains import DONE, DUE, MARK, domain_names, renew
from touchline.jobs.people.mirror import write_mirrors
from touchline.storage import definition, schema
from touchline.storage.columns import ACCOUNTS

ACME = {"account_id": "A1"}
BETA = {"account_id": "B1"}


def mails(*names, domain="acme.com"):
    return [f"email:{name}@{domain}" for name in names]


def told(lake):
    """Account → (its domains, its people by an identifier each) of everybody."""
    people = lake.people()
    with lake.workspace.view() as view:
        found, example = accounts_in(lake.workspace, view, people)
    names = domain_names(lake.workspace, example)
    called = [*found.names, *(names[one] for one in found.ids)]
    domains = {}
    for at, one in enumerate(found.ids):
        domains.setdefault(int(found.of_domain[at]), set()).add(names[one])
    who = {}
    for account, person in zip(found.account.tolist(), found.person.tolist(), strict=True):
        who.setdefault(account, set()).add(person)
    return {called[one]: (domains.get(one, set()), len(held)) for one, held in who.items()}


def put_in_force(lake, **documents):
    definition.save(lake.workspace.state, documents, "test")


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ann@acme.com", "acme.com"),
        ("ann@mail.acme.com.cn", "acme.com.cn"),
        ("ann@a.b.acme.co.uk", "acme.co.uk"),
    ],
)
def test_a_company_is_the_domain_somebody_registered(email, domain):
    assert company_domain(email) == domain


PERSONAL = """
qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com yeah.net 139.com 189.cn wo.cn sina.com
sina.cn vip.sina.com.cn sohu.com aliyun.com 21cn.com gmail.com outlook.com hotmail.co.uk live.cn
icloud.com me.com yahoo.com.tw yahoo.co.jp msn.com proton.me gmx.de example.com
"""


def test_a_personal_mailbox_makes_no_account(lake):
    hosts = PERSONAL.split()
    lake.put("events", *(one for host in hosts for one in mails("ann", "bob", domain=host)))
    assert told(lake) == {}


def test_providers_are_domains_that_can_be_registered():
    assert all(company_domain(f"ann@{one}") == one for one in FREE)


def test_a_domain_of_no_account_is_one_of_its_own(lake):
    lake.put("events", *mails("ann", "bob"), *mails("eve", domain="mail.acme.com"))
    assert told(lake) == {"acme.com": ({"acme.com"}, 3)}


def test_a_domain_is_the_accounts_whose_contacts_write_from_it(lake):
    ann, bob, eve = mails("ann", "bob", "eve")
    lake.put("events", (ann, ACME), bob, eve, *mails("tom", domain="acme.cn"))
    lake.put("people", ("crm_id:7 email:tom@acme.cn", ACME))
    assert told(lake) == {"A1": ({"acme.com", "acme.cn"}, 4)}


def test_two_accounts_of_one_domain_stay_two(lake):
    north, south, third = mails("n", "s", "t")
    lake.put("events", (north, ACME), (south, BETA), third)
    assert told(lake) == {"A1": (set(), 1), "B1": (set(), 1), "acme.com": ({"acme.com"}, 3)}
    lake.put("events", (third, BETA))
    assert told(lake) == {"A1": (set(), 1), "B1": ({"acme.com"}, 3)}


def test_one_contact_does_not_bring_in_the_customers_of_a_provider_nobody_knows(lake):
    crowd = mails(*(f"c{n}" for n in range(10)), domain="isp.example")
    lake.put("events", (crowd[0], ACME), *crowd[1:])
    assert told(lake)["A1"][1] == 10
    lake.put("events", *mails("one-more", domain="isp.example"))
    assert told(lake) == {"A1": (set(), 1), "isp.example": ({"isp.example"}, 11)}


def test_an_account_that_is_called_like_a_domain_has_it(lake):
    lake.put("conversions", ("", {"account_id": "Acme.com"}))
    lake.put("events", (mails("ann")[0], BETA), *mails("bob"))
    assert told(lake) == {"Acme.com": ({"acme.com"}, 2), "B1": (set(), 1)}


def test_the_site_has_the_last_word(lake):
    lake.put(
        "events",
        (mails("ann")[0], ACME),
        *mails("bob", domain="qq.com"),
        *mails("c", domain="isp.cn"),
    )
    accounts = {"domains": {"acme.com": "B9"}, "company_mail": ["qq.com"], "free_mail": ["isp.cn"]}
    put_in_force(lake, accounts=accounts)
    assert told(lake) == {"A1": (set(), 1), "B9": ({"acme.com"}, 1), "qq.com": ({"qq.com"}, 1)}


def test_a_value_in_quarantine_is_no_colleague(lake):
    info = "email:info@acme.com"
    lake.put("events", *(f"user_id:u{n} {info}" for n in range(6)))
    assert told(lake) == {}


def test_around_one_person_the_same_is_said_as_of_everybody(lake):
    ann, bob, eve = mails("ann", "bob", "eve")
    lake.put("events", (f"{ann} user_id:1", ACME), f"{bob} email:bob@beta.cn", eve, "user_id:9")
    lake.put("events", ("email:x@beta.cn", BETA), *mails("y", domain="qq.com"))
    people = lake.people()
    with lake.workspace.view() as view:
        whole, _ = accounts_in(lake.workspace, view, people)
        for person in range(len(people.people)):
            around = accounts_around(lake.workspace, view, people, person)
            mine = companies_of(lake.workspace, view, people, person)
            assert (around is None) == (mine == [])
            if around is None:
                continue
            for at, domain in enumerate(around[0].ids):
                place = whole.ids.index(domain)
                one, other = int(around[0].of_domain[at]), int(whole.of_domain[place])
                is_named = other < len(whole.names)
                assert is_named == (one < len(around[0].names))
                assert not is_named or around[0].names[one] == whole.names[other]
        told = companies_of(lake.workspace, view, people, people.person_of([lake.node(bob)])[0])
    assert told == [
        {"domain": "acme.com", "account_id": "A1"},
        {"domain": "beta.cn", "account_id": "B1"},
    ]


def test_colleagues_count_for_journeys_only_if_the_site_says_so(lake):
    ann, bob = mails("ann", "bob")
    lake.put("events", (ann, ACME), bob)
    people = lake.people()
    with lake.workspace.view() as view:
        contacts = account_members(view, people).to_pylist()
        assert len(contacts) == 1
        assert credited(lake.workspace, view, people).to_pylist() == contacts
    put_in_force(lake, accounts={"credit_colleagues": True})
    with lake.workspace.view() as view:
        assert len(credited(lake.workspace, view, people)) == 2


def test_as_of_a_moment_colleagues_are_those_of_addresses_known_then(lake):
    """State knows all addresses, but a domain speaks for those in rows of then."""
    put_in_force(lake, accounts={"credit_colleagues": True})

    def then():
        lake.registry.forget()
        people = lake.people(as_of_us=T0)
        with lake.workspace.view(as_of_us=T0) as view:
            return credited(lake.workspace, view, people).to_pylist()

    lake.put("events", (mails("ann")[0], ACME), *mails("bob"))
    before = then()
    assert [row["account_id"] for row in before] == ["A1", "A1"]
    later = {"known_at_us": T0 + 1}
    lake.put("events", (mails("eve")[0], later), (mails("zoe")[0], BETA | later))
    assert then() == before


def test_addresses_of_an_older_version_are_read_once(lake):
    def anew():
        lake.registry.forget()
        return told(lake)

    lake.put("events", *mails("ann", "bob"))
    before, state = told(lake), lake.workspace.state
    with state.engine.begin() as connection:
        connection.execute(schema.mail_domain.delete())
    renew(lake.workspace)
    assert anew() == {}
    state.write(state.set_mark(MARK, DUE))
    assert anew() == before
    renew(lake.workspace)
    assert state.mark(MARK) == DONE
    assert anew() == before


def test_people_are_the_same_bits_whatever_is_said_of_accounts(lake):
    lake.put("events", *((f"{one} user_id:{one}", ACME) for one in mails("ann", "bob")))
    before = lake.people()
    mark = lake.registry.mark()
    put_in_force(
        lake,
        accounts={"credit_colleagues": True, "domains": {"acme.com": "A1"}},
        households={"by_address": True},
    )
    after = lake.registry.computed
    assert lake.registry.mark() == mark
    with lake.workspace.view() as view:
        again = after(view, *lake.registry.ruled(view))
    assert again.people.person.tobytes() == before.people.person.tobytes()
    assert again.people.anchor.tobytes() == before.people.anchor.tobytes()
    assert not lake.same(again, mails("ann", "bob"))


@pytest.mark.parametrize(
    "documents",
    [
        {"accounts": []},
        {"accounts": {"freemail": []}},
        {"accounts": {"free_mail": "qq.com"}},
        {"accounts": {"free_mail": ["a b"]}},
        {"accounts": {"company_mail": [7]}},
        {"accounts": {"domains": {"acme.com": ""}}},
        {"accounts": {"domains": {"=cmd|x": "A"}}},
        {"accounts": {"domains": ["acme.com"]}},
        {"accounts": {"credit_colleagues": "yes"}},
        {"households": {"by_address": 1}},
        {"households": {"most": True}},
        {"households": {"most": 1}},
    ],
)
def test_what_cannot_be_meant_is_refused(documents):
    with pytest.raises(BadInput) as caught:
        AccountRules.of(documents)
    assert caught.value.code == "bad_account_rule"


def test_the_lake_has_the_accounts_and_no_domain_in_clear(lake):
    lake.put("events", (mails("ann")[0], ACME), *mails("bob"), *mails("eve", domain="beta.cn"))
    write_mirrors(lake.workspace, lake.registry)
    table = lake.workspace.lake.mirrors["accounts"]
    rows = [row for part in table.snapshot().read(ACCOUNTS.names) for row in part.to_pylist()]
    assert [(row["by_row"], row["by_domain"]) for row in rows if row["account_id"] == "A1"] in (
        [(True, True), (False, True)],
        [(False, True), (True, True)],
    )
    assert sum(row["account_id"].startswith("#") for row in rows) == 1
    version = table.snapshot().files
    write_mirrors(lake.workspace, lake.registry)
    assert table.snapshot().files == version
    put_in_force(lake, accounts={"free_mail": ["beta.cn"]})
    write_mirrors(lake.workspace, lake.registry)
    assert sum(len(part) for part in table.snapshot().read(ACCOUNTS.names)) == 2
