"""Accounts → who they are: of which domains, and how many people; one account's people; and
households, where the site has them.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from touchline.collect.mail_domain import company_domain, domain_id
from touchline.collect.nodes import clear_values
from touchline.errors import NotFound
from touchline.identity.account import Accounts
from touchline.identity.companies import Example, accounts_in, called
from touchline.identity.household import households
from touchline.identity.mail_domains import domain_names
from touchline.identity.people import Registry
from touchline.identity.person_map import PersonMap
from touchline.identity.profile import listed
from touchline.jobs import arguments
from touchline.jobs.audited import seen
from touchline.storage.workspace import Workspace

__all__ = ["account", "accounts", "shared_homes"]

LIMIT = 1000
AT_ONCE = 200
Shown = dict[str, Any]


def accounts(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of accounts, those of most people first; `limit`."""
    limit = arguments.limit(args["limit"]) if args.get("limit") else LIMIT
    with workspace.view() as view:
        people = registry.at(view)
        found, example = accounts_in(workspace, view, people)
    size = len(found.names) + len(found.ids)
    counts = np.bincount(found.account, minlength=size)
    by_row = np.bincount(found.account[found.by_row], minlength=size)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0][:limit]
    for start in range(0, len(order), AT_ONCE):
        chunk = order[start : start + AT_ONCE].tolist()
        names = _names(workspace, found, example, chunk)
        for one in chunk:
            told = _told(found, one, names)
            told |= {"people": int(counts[one]), "by_domain_alone": int(counts[one] - by_row[one])}
            yield msgspec.json.encode(told) + b"\n"


def account(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Shown:
    """The people of `account`: a name, or a domain of it; `limit`."""
    limit = arguments.limit(args["limit"]) if args.get("limit") else LIMIT
    seen(workspace, "account")
    with workspace.view() as view:
        people = registry.at(view)
        found, example = accounts_in(workspace, view, people)
    one = _place(workspace, found, args["account"])
    rows = np.flatnonzero(found.account == one)
    told = _told(found, one, _names(workspace, found, example, [one]))
    shown = rows[:limit].tolist()
    values = _values(workspace, people, found.person[shown].tolist())
    listed = [
        {
            "person_id": people.person_ids[int(found.person[row])],
            "by_row": bool(found.by_row[row]),
            "by_domain": bool(found.by_domain[row]),
            "identifiers": known,
        }
        for row, known in zip(shown, values, strict=True)
    ]
    return {**told, "people_total": len(rows), "people": listed}


def shared_homes(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of households, the largest first; `limit`."""
    limit = arguments.limit(args["limit"]) if args.get("limit") else LIMIT
    with workspace.view() as view:
        found = households(workspace, view, registry.at(view))
    for home, held in sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))[:limit]:
        yield msgspec.json.encode({"household_id": home, "people": held}) + b"\n"


def _place(workspace: Workspace, found: Accounts, name: str) -> int:
    if name in found.names:
        return found.names.index(name)
    domain = company_domain(name.strip().casefold())
    for at, one in enumerate(found.ids):
        if one == domain_id(workspace.vault, domain) or name == f"#{one.hex()[:16]}":
            return int(found.of_domain[at])
    raise NotFound("account_unknown", name=name)


def _told(found: Accounts, one: int, names: dict[bytes, str]) -> Shown:
    own = np.flatnonzero(found.of_domain == one).tolist()
    return {
        "account_id": called(found, one, names),
        "domains": sorted(names[found.ids[at]] for at in own),
    }


def _names(
    workspace: Workspace, found: Accounts, example: Example, wanted: Iterable[int]
) -> dict[bytes, str]:
    """Names of the domains of these accounts."""
    places = np.flatnonzero(np.isin(found.of_domain, list(wanted)))
    return domain_names(
        workspace, {found.ids[at]: example[found.ids[at]] for at in places.tolist()}
    )


def _values(workspace: Workspace, people: PersonMap, persons: Sequence[int]) -> list[list[Shown]]:
    """Identifiers of each of these, as whoever asks may see them."""
    own = [people.node_ids(one) for one in persons]
    clear = clear_values(workspace, itertools.chain.from_iterable(own))
    return [listed(clear, nodes) for nodes in own]
