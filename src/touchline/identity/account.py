"""Who stood beside which account, and of which company domain their addresses are → accounts.

    rows       a person is a contact of every account that stands beside one of their identifiers
    domains    a domain is the account's whose contacts most of its people are; of nobody else's
               it is an account of its own

This is a second graph, over people: nothing here is asked when it is said who is one person. What
surprises: a domain joins no two accounts, however many of both write from it. Two subsidiaries stay
two, and so do the customers of a provider that no list knows: of its people too few are contacts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from touchline.identity.evidence import Ints, Longs, Mask
from touchline.identity.resolve import Clusters

__all__ = ["NOBODYS", "Accounts", "Contacts", "Mailers", "contacts", "joined", "mailers", "owners"]

NOBODYS = -1  # owner of a domain that no account has
LEAST_SHARE = 10  # at least one of so many of a domain's people is a contact of whose it is


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs (person, account), each once, sorted. `account` indexes the sorted `names`."""

    person: Ints
    account: Ints
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Mailers:
    """Pairs (person, domain), each once, sorted. `domain` indexes the sorted `ids`."""

    person: Ints
    domain: Ints
    ids: tuple[bytes, ...]


@dataclass(frozen=True, eq=False)
class Accounts:
    """Pairs (account, person), each once, sorted: by what they belong together.

    `account` indexes `names`, and behind these the domains that nobody has, in the order of `ids`;
    `of_domain` is the account of each domain.
    """

    account: Ints
    person: Ints
    by_row: Mask
    by_domain: Mask
    names: tuple[str, ...]
    ids: tuple[bytes, ...]
    of_domain: Ints


def contacts(people: Clusters, node: Ints, account: Ints, names: Sequence[str]) -> Contacts:
    """Contacts of rows (node, account): `account` is a code into `names`, in any order. A value in
    quarantine makes nobody one: the conference-room tablet is not a colleague.
    """
    ordered = sorted(set(names))
    place = {name: at for at, name in enumerate(ordered)}
    code = np.array([place[name] for name in names], np.int64)
    free = ~people.quarantine.held[node]
    person, held = _unique(people.person[node[free]], code[account[free]], len(ordered))
    return Contacts(person, held, tuple(ordered))


def mailers(people: Clusters, node: Ints, domain: Sequence[bytes]) -> Mailers:
    """People by the domains of their addresses, (node, domain) in any order."""
    ids = sorted(set(domain))
    place = {one: at for at, one in enumerate(ids)}
    code = np.array([place[one] for one in domain], np.int64)
    free = ~people.quarantine.held[node]
    person, held = _unique(people.person[node[free]], code[free], len(ids))
    return Mailers(person, held, tuple(ids))


def owners(mail: Mailers, known: Contacts, said: Mapping[bytes, int]) -> Ints:
    """The account of each domain, or NOBODYS. `said`: what the site says of domains.

    Most of those who are anybody's contact must be of one account, more than of any other.
    """
    size, accounts = len(mail.ids), max(len(known.names), 1)
    first = np.searchsorted(known.person, mail.person, "left")
    count = np.searchsorted(known.person, mail.person, "right") - first
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    account = known.account[np.repeat(first, count) + place]
    key = np.repeat(mail.domain.astype(np.int64), count) * accounts + account
    keys, of_both = np.unique(key, return_counts=True)
    domain = keys // accounts
    order = np.lexsort((-of_both, domain))
    domain, of_both, account = domain[order], of_both[order], (keys % accounts)[order]
    is_most = np.r_[True, domain[1:] != domain[:-1]][: len(domain)]
    is_tie = np.r_[(domain[1:] == domain[:-1]) & (of_both[1:] == of_both[:-1]), False]
    people = np.bincount(mail.domain, minlength=size)[domain]
    contacts = np.bincount(mail.domain[count > 0], minlength=size)[domain]
    sure = is_most & ~is_tie[: len(domain)]
    sure &= (2 * of_both > contacts) & (LEAST_SHARE * of_both >= people)
    found = np.full(size, NOBODYS, np.int32)
    found[domain[sure]] = account[sure]
    for at, one in enumerate(mail.ids):
        found[at] = said.get(one, found[at])
    return found


def joined(mail: Mailers, known: Contacts, said: Mapping[bytes, int]) -> Accounts:
    """Accounts of rows and domains together."""
    owner = owners(mail, known, said)
    own = len(known.names) + np.arange(len(mail.ids), dtype=np.int32)
    of_domain = np.where(owner == NOBODYS, own, owner).astype(np.int32)
    size = max(int(known.person.max(initial=-1)), int(mail.person.max(initial=-1))) + 1
    by_row = _keys(known.account, known.person, size)
    by_domain = np.unique(_keys(of_domain[mail.domain], mail.person, size))
    both = np.union1d(by_row, by_domain)
    return Accounts(
        account=(both // max(size, 1)).astype(np.int32),
        person=(both % max(size, 1)).astype(np.int32),
        by_row=np.isin(both, by_row),
        by_domain=np.isin(both, by_domain),
        names=known.names,
        ids=mail.ids,
        of_domain=of_domain,
    )


def _keys(high: Ints, low: Ints, size: int) -> Longs:
    return high.astype(np.int64) * max(size, 1) + low


def _unique(person: Ints, code: Longs, size: int) -> tuple[Ints, Ints]:
    size = max(size, 1)
    pairs = np.unique(person.astype(np.int64) * size + code)
    return (pairs // size).astype(np.int32), (pairs % size).astype(np.int32)
