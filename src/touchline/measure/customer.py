"""Who is behind each journey → customers: what is drawn together when an interval is drawn.

A person's conversions and their path without one are one customer's. So are all deals of an
account, and the other paths of its contacts. The surprise: two accounts that share a contact are
one customer too, as what one of them does tells of the other.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse
from scipy.sparse import csgraph

__all__ = ["Bonds", "bonds_of", "customers"]

Int64s = npt.NDArray[np.int64]


class Bonds(NamedTuple):
    """`person[i]` is one of those whose touches count for conversion `conversion[i]`; `others` are
    whose paths without a conversion are, in the order of those journeys.
    """

    conversion: Int64s
    person: Int64s
    others: Int64s


def bonds_of(members: pa.Table, journey: npt.NDArray[Any], counted: int, others_from: int) -> Bonds:
    """From rows (conversion_ix, member_ix) and the journey of each touch, ascending; the first
    `counted` conversions are those that are asked for.
    """
    conversion, person = (
        members.column(name).to_numpy().astype(np.int64) for name in ("conversion_ix", "member_ix")
    )
    is_asked = conversion < counted
    alone = journey[int(np.searchsorted(journey, counted)) :]
    begins = np.ones(len(alone), dtype=np.bool_)
    begins[1:] = alone[1:] != alone[:-1]
    return Bonds(conversion[is_asked], person[is_asked], alone[begins] - others_from)


def customers(bonds: Bonds, counted: int) -> Int64s:
    """A number by journey, the same for journeys of one customer."""
    people, who = np.unique(np.concatenate([bonds.person, bonds.others]), return_inverse=True)
    whose, others = who[: len(bonds.person)], who[len(bonds.person) :]
    size = counted + len(people)
    links = sparse.coo_array(
        (np.ones(len(whose), np.int8), (bonds.conversion, counted + whose)), shape=(size, size)
    )
    _, customer = csgraph.connected_components(links, directed=False)
    return np.concatenate([customer[:counted], customer[counted:][others]]).astype(np.int64)
