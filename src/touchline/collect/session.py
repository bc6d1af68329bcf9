"""Events of devices in time order → where sessions start, and whose campaign labels each event has.

A session ends after 30 idle minutes, or when an event brings another campaign than the session's.
No loop: inside an unbroken stretch the session's campaign is always the last one brought, so one
running maximum finds it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from touchline.clock import US

__all__ = ["IDLE_US", "NONE", "Carry", "Sessions", "sessions"]

IDLE_US = 30 * 60 * US

# The campaign code of a session that nothing was brought to.
NONE = -1

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Carry(NamedTuple):
    """Open sessions from before the first event: one row per device, devices ascending.

    `last_us` is the device's last event, `campaign` the code its session was begun with or NONE.
    """

    device: Ints
    last_us: Ints
    campaign: Ints


class Sessions(NamedTuple):
    """One entry per event, as positions in the same arrays.

    `opener` is the event that opened the session; -1 continues the device's carried session.
    `labels` is the event whose labels hold here: its own if it brings a campaign, else the opener.
    `campaign` is the code of the session's campaign, the next Carry's third column.
    """

    is_start: Bools
    opener: Ints
    labels: Ints
    campaign: Ints


def sessions(
    device: Ints, ts_us: Ints, brings: Bools, campaign: Ints, carry: Carry | None = None
) -> Sessions:
    """Sessions of events sorted by (device, ts_us, seq).

    `campaign` holds a code (≥ 0) of source, medium and campaign, and is read where `brings`.
    """
    count = len(device)
    place = np.arange(count, dtype=np.int64)
    if count == 0:
        return Sessions(np.zeros(0, bool), place, place, place)
    is_first = np.ones(count, dtype=bool)
    is_first[1:] = device[1:] != device[:-1]
    is_idle = is_first.copy()
    is_idle[1:] |= ts_us[1:] - ts_us[:-1] > IDLE_US
    carried = np.full(count, NONE, dtype=np.int64)
    if carry is not None and len(carry.device):
        _continue(carry, device, ts_us, np.flatnonzero(is_first), is_idle, carried)
    is_stretch = is_idle | is_first
    stretch = np.maximum.accumulate(np.where(is_stretch, place, 0))
    # The last event that brought a campaign, strictly before this one and in the same stretch.
    bringer = np.maximum.accumulate(np.where(brings, place, -1))
    before = np.empty_like(bringer)
    before[0] = -1
    before[1:] = bringer[:-1]
    current = np.where(before >= stretch, campaign[before], carried[stretch])
    is_start = is_idle | (brings & (campaign != current))
    opener = np.maximum.accumulate(np.where(is_start, place, -1))
    opener[opener < place[np.maximum.accumulate(np.where(is_first, place, 0))]] = -1
    held = np.where(brings, campaign, current)
    return Sessions(is_start, opener, np.where(brings, place, opener), held)


def _continue(
    carry: Carry, device: Ints, ts_us: Ints, firsts: Ints, is_idle: Bools, carried: Ints
) -> None:
    """Joins each device's first event to its carried session where that is still open."""
    at = np.minimum(np.searchsorted(carry.device, device[firsts]), len(carry.device) - 1)
    is_open = carry.device[at] == device[firsts]
    is_open &= ts_us[firsts] - carry.last_us[at] <= IDLE_US
    joined = firsts[is_open]
    is_idle[joined] = False
    carried[joined] = carry.campaign[at[is_open]]
