"""Rows that carry an account beside identifiers → who is a contact of which account.

Every identifier of the row makes its person a contact. A value in quarantine makes nobody one: the
conference-room tablet is not a colleague.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from touchline.identity.evidence import Ints
from touchline.identity.resolve import Clusters

__all__ = ["Contacts", "contacts"]


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs (person, account), each once, sorted. `account` indexes the sorted `names`."""

    person: Ints
    account: Ints
    names: tuple[str, ...]


def contacts(people: Clusters, node: Ints, account: Ints, names: Sequence[str]) -> Contacts:
    """Contacts of rows (node, account): `account` is a code into `names`, in any order."""
    counts = ~people.quarantine.held[node]
    ordered = sorted(set(names))
    place = {name: at for at, name in enumerate(ordered)}
    code = np.array([place[name] for name in names], np.int64)
    size = max(len(ordered), 1)
    key = people.person[node[counts]].astype(np.int64) * size + code[account[counts]]
    pairs = np.unique(key)
    return Contacts(
        (pairs // size).astype(np.int32), (pairs % size).astype(np.int32), tuple(ordered)
    )
