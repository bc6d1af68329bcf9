"""Events of devices in time order → where sessions start, and whose campaign labels each event has.

A session ends after 30 idle minutes, or when an event brings another campaign than the session's;
where a site wants it, also at midnight: then the next one keeps the labels, since nobody came anew.
No loop: inside an unbroken stretch the session's campaign is always the last one brought, so one
running maximum finds it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from touchline.clock import US

__all__ = ["IDLE_US", "Sessions", "sessions"]

IDLE_US = 30 * 60 * US

# The campaign code of a session that nothing was brought to.
NONE = -1

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Sessions(NamedTuple):
    """One entry per event, as positions in the same arrays.

    `opener` is the event that opened the session.
    `labels` is the event whose labels hold here: its own if it brings a campaign, else the opener,
    that of the session before midnight if this one began there.
    """

    is_start: Bools
    opener: Ints
    labels: Ints


def sessions(
    device: Ints, ts_us: Ints, brings: Bools, campaign: Ints, day: Ints | None = None
) -> Sessions:
    """Sessions of events sorted by (device, ts_us, seq).

    `campaign` holds a code (≥ 0) of source, medium and campaign, and is read where `brings`. With
    `day`, none goes on over the end of one.
    """
    count = len(device)
    place = np.arange(count, dtype=np.int64)
    if count == 0:
        return Sessions(np.zeros(0, bool), place, place)
    begins_stretch = np.ones(count, dtype=bool)
    begins_stretch[1:] = (device[1:] != device[:-1]) | (ts_us[1:] - ts_us[:-1] > IDLE_US)
    stretch = np.maximum.accumulate(np.where(begins_stretch, place, 0))
    # The last event that brought a campaign, strictly before this one and in the same stretch.
    bringer = np.maximum.accumulate(np.where(brings, place, -1))
    before = np.empty_like(bringer)
    before[0] = -1
    before[1:] = bringer[:-1]
    current = np.where(before >= stretch, campaign[before], NONE)
    is_start = begins_stretch | (brings & (campaign != current))
    opener = np.maximum.accumulate(np.where(is_start, place, 0))
    labels = np.where(brings, place, opener)
    if day is not None:
        is_start[1:] |= day[1:] != day[:-1]
        opener = np.maximum.accumulate(np.where(is_start, place, 0))
    return Sessions(is_start, opener, labels)
