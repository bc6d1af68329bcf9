"""Rows of the lake and domains in State → accounts of a view: of everybody, or around one person.

What surprises: around one person all that the domains of their addresses need is read, and no more;
so both ways say the same. Whoever is asked for hundreds of pages asks for everybody once.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from touchline.collect.consent_rules import LINKING
from touchline.collect.mail_domain import domain_id
from touchline.identity.account import Accounts, Contacts, contacts, joined, mailers
from touchline.identity.account_rules import AccountRules
from touchline.identity.around.carried import accounts_beside
from touchline.identity.evidence import Ints
from touchline.identity.mail_domains import domain_names, domains_of, mail_domains
from touchline.identity.person_map import PersonMap
from touchline.identity.sources import SOURCES, positions
from touchline.storage.columns import ACCOUNTS
from touchline.storage.consent import refusing
from touchline.storage.engine import Expression, View
from touchline.storage.workspace import Workspace

__all__ = [
    "Example",
    "account_members",
    "account_rows",
    "accounts_around",
    "accounts_in",
    "called",
    "companies_of",
    "credited",
    "rows_made_of",
]

Example = Mapping[bytes, bytes]  # domain → an address of it, which says its name
FEW = 200  # identifiers that are looked up one by one; more of them are searched for in all rows


def accounts_in(workspace: Workspace, view: View, people: PersonMap) -> tuple[Accounts, Example]:
    """All accounts; made once for a map and rules."""
    rules = AccountRules.of(view.documents)

    def made() -> tuple[Accounts, Example]:
        mail = _mail(workspace, _free(workspace, rules))
        return _accounts(workspace, view, people, mail, contacts_in(view, people))

    return people.kept("accounts", rows_made_of(view, 0), made)


def accounts_around(
    workspace: Workspace, view: View, people: PersonMap, person_ix: int
) -> tuple[Accounts, Example] | None:
    """Those that the domains of one person's addresses are of; None where these say nothing."""
    rules = AccountRules.of(view.documents)
    free = _free(workspace, rules)
    own = set(domains_of(workspace, _nodes(people, [person_ix])).values()) - free
    if not own:
        return None
    mail = _mail(workspace, free, own)
    found = people.person_of([node for node, _ in mail])
    everyone = sorted({person for person in found if person is not None})
    known = contacts_in(view, people, _nodes(people, everyone))
    return _accounts(workspace, view, people, mail, known)


def companies_of(
    workspace: Workspace, view: View, people: PersonMap, person_ix: int
) -> list[dict[str, str]]:
    """`[{"domain", "account_id"}]` of one person's addresses, as whoever asks may see them."""
    around = accounts_around(workspace, view, people, person_ix)
    if around is None:
        return []
    found, _ = around
    by_node = domains_of(workspace, _nodes(people, [person_ix]))
    place = {domain: at for at, domain in enumerate(found.ids)}
    refused = refusing(workspace.state, LINKING, by_node)
    own = sorted((node, domain) for node, domain in by_node.items() if node not in refused)
    example = {domain: node for node, domain in own if domain in place}
    names = domain_names(workspace, example)
    told = {
        (name, called(found, int(found.of_domain[place[domain]]), names))
        for domain, name in names.items()
    }
    return [{"domain": domain, "account_id": account} for domain, account in sorted(told)]


def called(accounts: Accounts, account: int, domains: Mapping[bytes, str]) -> str:
    """An account's name: as rows call it, or its domain."""
    own = len(accounts.names)
    return accounts.names[account] if account < own else domains[accounts.ids[account - own]]


def credited(workspace: Workspace, view: View, people: PersonMap) -> pa.Table:
    """(account_id, person_ix): whose touches count for an account's deals."""
    if not AccountRules.of(view.documents).credits_colleagues:
        return account_members(view, people)
    found, _ = accounts_in(workspace, view, people)
    is_named = found.account < len(found.names)
    return _table(found.names, found.account[is_named], found.person[is_named])


def account_members(view: View, people: PersonMap) -> pa.Table:
    """(account_id, person_ix): the contacts of every account, each once."""
    found = contacts_in(view, people)
    return _table(found.names, found.account, found.person)


def account_rows(workspace: Workspace, view: View, people: PersonMap) -> pa.Table:
    """Rows of the lake's `accounts`. Nothing in them is clear that was not clear in the lake."""
    found, _ = accounts_in(workspace, view, people)
    signs = [f"#{domain.hex()[:16]}" for domain in found.ids]
    names = pa.array([*found.names, *signs], pa.string())
    ids = people.person_ids
    return pa.Table.from_arrays(
        [
            names.take(pa.array(found.account)),
            pa.array([ids[one] for one in found.person.tolist()], pa.string()),
            pa.array(found.person.astype(np.int64)),
            pa.array(found.by_row),
            pa.array(found.by_domain),
        ],
        schema=ACCOUNTS,
    )


def rows_made_of(view: View, mark: int) -> str:
    """What `account_rows` are a function of, beside the code."""
    rules = AccountRules.of(view.documents)
    return repr((mark, sorted(rules.free), rules.domains))


def contacts_in(view: View, people: PersonMap, of: Sequence[bytes] | None = None) -> Contacts:
    """Contacts of every account; `of`: as far as these identifiers say."""
    rows = _rows(view, "account_id", "node_ids")
    opened = rows.select("account_id", node=rows.node_ids.unnest())
    opened = opened.select("account_id", node_id=opened.node["id"]).distinct()
    if of is None:
        found = view.fetch(opened)
    elif len(of) <= FEW:
        found = accounts_beside(view, of)
    else:
        those = view.given(pa.table({"node_id": pa.array(of, pa.binary())}))
        found = view.fetch(opened.semi_join(those, "node_id"))
    account = found["account_id"].combine_chunks().dictionary_encode()
    node = positions(found["node_id"], people.nodes["node_id"])
    return contacts(people.people, node, account.indices.to_numpy(), account.dictionary.to_pylist())


def _rows(view: View, *columns: str) -> Expression:
    """Distinct values of these in rows that name an account."""
    found: Expression = None
    for name, _, _ in SOURCES:
        read = view.events if name == "events" else partial(view.table, name)
        rows = read(*columns)
        rows = rows.filter(rows.account_id.notnull()).select(*columns).distinct()
        found = rows if found is None else found.union(rows)
    return found


def _accounts(
    workspace: Workspace,
    view: View,
    people: PersonMap,
    mail: Sequence[tuple[bytes, bytes]],
    known: Contacts,
) -> tuple[Accounts, Example]:
    said = dict(AccountRules.of(view.documents).domains)
    alike = people.kept("called like domains", "", lambda: _called_like_domains(view))
    names = sorted({*known.names, *said.values(), *alike.values()})
    place = {name: at for at, name in enumerate(names)}
    code = np.array([place[name] for name in known.names], np.int32)
    known = Contacts(known.person, code[known.account], tuple(names))
    node = people.known.find([node for node, _ in mail])
    mail = [one for one, at in zip(mail, node.tolist(), strict=True) if at >= 0]
    owned = {domain_id(workspace.vault, d): place[name] for d, name in (alike | said).items()}
    writers = mailers(people.people, node[node >= 0], [domain for _, domain in mail])
    return joined(writers, known, owned), {domain: node for node, domain in reversed(mail)}


def _called_like_domains(view: View) -> dict[str, str]:
    """Domain → the account that is called so, whoever stands beside it: its domain beyond doubt."""
    rows = _rows(view, "account_id")
    names = view.fetch(rows.filter(rows.account_id.contains(".")).distinct())["account_id"]
    return {name.casefold(): name for name in sorted(names.to_pylist())}


def _table(names: Sequence[str], account: Ints, person: Ints) -> pa.Table:
    ids = pa.array(names, pa.string()).take(pa.array(account))
    return pa.table({"account_id": ids, "person_ix": person.astype(np.int64)})


def _mail(
    workspace: Workspace, free: frozenset[bytes], of: Iterable[bytes] | None = None
) -> list[tuple[bytes, bytes]]:
    """(node, domain) of addresses whose owners may be linked with others."""
    refused = refusing(workspace.state, LINKING)
    found = mail_domains(workspace, free, of)
    return [(node, domain) for node, domain in found if node not in refused]


def _free(workspace: Workspace, rules: AccountRules) -> frozenset[bytes]:
    return frozenset(domain_id(workspace.vault, domain) for domain in rules.free)


def _nodes(people: PersonMap, persons: Iterable[int]) -> list[bytes]:
    return [people.known.node_id(node) for one in persons for node in people.members(one)]
