"""Events of shared devices → who was logged in on each, from when to when.

A login is any event on the device that carries an identifier of a person: from then on the device
is theirs, until a logout, until somebody else's login, or for half a day at most. What surprises:
only times of events are looked at, never when they arrived, and what happens at one moment happens
in a set order, logouts first. So a login that comes in late finds its place.
"""

from collections.abc import Collection
from typing import Any, NamedTuple, Protocol

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.identity.evidence import Longs, NodeSet
from touchline.identity.resolve import Clusters
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK
from touchline.storage.engine import Expression, View

__all__ = [
    "LASTS_US",
    "LOGOUTS",
    "NOBODY",
    "THINGS",
    "Stays",
    "logins",
    "owners",
    "stays",
    "stays_on",
]

THINGS = IDENTIFIER_TYPES[TYPE_RANK["anonymous_id"] :]  # types that name no person
LASTS_US = 12 * 60 * 60 * clock.US
# What trackers and their users call it, as `_plain` writes it.
LOGOUTS = (
    "logout", "loggedout", "signout", "signedout", "userlogout", "userloggedout", "usersignout",
    "usersignedout", "logoff", "退出", "退出登录", "登出", "用户退出", "注销登录",
)  # fmt: skip
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
SEPARATORS = r"[\s_.:$-]+"
NOBODY = -1  # who is logged in after a logout


class _People(Protocol):
    """A map of people, as far as it is asked here."""

    @property
    def known(self) -> NodeSet: ...
    @property
    def people(self) -> Clusters: ...


class Stays(NamedTuple):
    """Times in which a device is somebody's, in order; none of one device overlap."""

    device: Longs
    from_us: Longs
    until_us: Longs
    person: Longs


def stays(device: Longs, at_us: Longs, person: Longs) -> Stays:
    """From moments at which a person was on a device, NOBODY for a logout; in any order."""
    order = np.lexsort((person, at_us, device))
    device, at_us, person = device[order], at_us[order], person[order]
    is_last = np.append(device[1:] != device[:-1], True)
    following = np.where(is_last, np.iinfo(np.int64).max, np.roll(at_us, -1))
    ends = np.minimum(at_us + LASTS_US, following)
    # Of one moment the last in order holds: a login rather than a logout.
    is_stay = (person != NOBODY) & (ends > at_us)
    return Stays(device[is_stay], at_us[is_stay], ends[is_stay], person[is_stay])


def owners(stays: pa.Table, device: pa.Array, at_us: Longs) -> Longs:
    """Who was logged in on each of these devices at each of these moments, NOBODY where none was;
    `stays` as `logins` gives them.
    """
    names = stays["stay_device"].combine_chunks().dictionary_encode()
    code = pc.fill_null(pc.index_in(device, names.dictionary), -1).to_numpy().astype(np.int64)
    begun_us, until_us = (stays[f"stay_{name}_us"].to_numpy() for name in ("from", "until"))
    # Times by their place among all times, so that device and time fit one number.
    moments = np.unique(np.concatenate([begun_us, at_us]))
    begun = names.indices.to_numpy().astype(np.int64) << 32 | np.searchsorted(moments, begun_us)
    place = np.searchsorted(begun, code << 32 | np.searchsorted(moments, at_us), "right") - 1
    last = np.maximum(place, 0)
    is_same = (code >= 0) & (place >= 0) & (begun[last] >> 32 == code) & (at_us < until_us[last])
    return np.where(is_same, stays["stay_person_ix"].to_numpy()[last], NOBODY)


def logins(view: View, nodes: Expression) -> pa.Table | None:
    """(stay_device, stay_from_us, stay_until_us, stay_person_ix) of all shared devices, from
    `PersonMap.nodes`; None where nobody logged in on any.
    """
    found = view.fetch(_moments(view, nodes))
    device = found["device"].combine_chunks().dictionary_encode()
    told = stays(
        device.indices.to_numpy().astype(np.int64),
        found["ts_us"].to_numpy(),
        found["person_ix"].fill_null(NOBODY).to_numpy(),
    )
    return _table(told, device.dictionary)


def stays_on(devices: Collection[bytes], rows: pa.Table, people: _People) -> pa.Table | None:
    """The same of some shared devices, from all rows that carry any of them."""
    rows = rows.filter(pc.invert(pc.fill_null(rows["bot"], False)))
    lists = rows["node_ids"].combine_chunks()
    parts, of = pc.list_flatten(lists), pc.list_parent_indices(lists).to_numpy()
    coded = pc.struct_field(parts, "id").dictionary_encode()
    code = coded.indices.to_numpy()
    known = people.known.find(coded.dictionary.to_pylist())
    is_free = (known >= 0) & ~people.people.quarantine.held[known]
    is_thing = pc.is_in(pc.struct_field(parts, "type"), value_set=pa.array(THINGS, pa.string()))
    names_person = np.flatnonzero(is_free[code] & ~is_thing.to_numpy(zero_copy_only=False))
    person = np.full(len(rows), NOBODY, np.int64)
    there, first = np.unique(of[names_person], return_index=True)
    person[there] = people.people.person[known[code[names_person[first]]]]
    name = pc.replace_substring_regex(pc.utf8_lower(rows["name"]), SEPARATORS, "")
    is_logout = pc.is_in(name, value_set=pa.array(LOGOUTS)).to_numpy()
    is_moment = is_logout | (person != NOBODY)
    person[is_logout] = NOBODY
    is_device = pc.is_in(coded.dictionary, value_set=pa.array([*devices], pa.binary()))
    at = np.flatnonzero(is_device.to_numpy(zero_copy_only=False)[code] & is_moment[of])
    told = stays(code[at].astype(np.int64), rows["ts_us"].to_numpy()[of[at]], person[of[at]])
    return _table(told, coded.dictionary)


def _table(told: Stays, devices: pa.Array) -> pa.Table | None:
    """Stays with the ids of their devices; None when there is none."""
    if not len(told.device):
        return None
    return pa.table(
        {
            "stay_device": devices.take(pa.array(told.device)),
            "stay_from_us": told.from_us,
            "stay_until_us": told.until_us,
            "stay_person_ix": told.person,
        }
    )


def _moments(view: View, nodes: Expression) -> Expression:
    """(device, ts_us, person_ix), person_ix null for a logout."""
    events = view.events("seq", "ts_us", "name", "node_ids", "bot")
    events = events.filter(~events.bot.fill_null(False), events.node_ids.length() > 0)
    shared = nodes.filter(nodes.is_shared_device)
    opened = events.select("seq", node=events.node_ids.unnest())
    opened = opened.select("seq", node_id=opened.node["id"])
    on_device = opened.join(shared, "node_id").select("seq", device="node_id")
    events = events.semi_join(on_device, "seq")
    is_logout = _plain(events.name).isin(LOGOUTS).fill_null(False)
    ids = events.node_ids.map(lambda node: node["id"])
    parts = events.select("seq", ids=ids, node=events.node_ids.unnest())
    parts = parts.filter(parts.node["type"].notin(THINGS))
    parts = parts.select("seq", place=parts.ids.index(parts.node["id"]), of=parts.node["id"])
    free = nodes.filter(~nodes.is_quarantined)
    people = parts.join(free, parts.of == free.node_id)
    people = people.group_by("seq").agg(person_ix=people.node_person_ix.argmin(people.place))
    told = events.select("seq", "ts_us", is_logout=is_logout).left_join(people, "seq")
    told = told.filter(told.is_logout | told.person_ix.notnull())
    told = told.select("seq", "ts_us", person_ix=ibis.ifelse(told.is_logout, None, told.person_ix))
    return told.join(on_device, "seq").select("device", "ts_us", "person_ix").distinct()


def _plain(name: Expression) -> Expression:
    """`Logged Out`, `logged_out` and `user-logged-out` alike."""
    return name.lower().re_replace(SEPARATORS, "")
