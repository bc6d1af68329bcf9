"""What rows of an answer are called that are no channel's. No channel is called so: one that a
tracker named like this, or nothing at all, is of nobody's making, and counts as unassigned.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute

from touchline.storage.engine import Expression

__all__ = [
    "BASELINE",
    "NO_RATE",
    "NO_TOUCH",
    "PARTNER",
    "UNNAMED",
    "channel_names",
    "channel_of",
    "spent_on",
]

BASELINE = "(baseline)"
PARTNER = "(partner)"
NO_TOUCH, NO_RATE = "(no touch)", "(no rate)"
UNNAMED = "Unassigned"
_RESERVED = (BASELINE, PARTNER, NO_TOUCH, NO_RATE)
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


def channel_of(raw: Expression) -> Expression:
    """The channel of touches, by what is stored."""
    return spent_on(raw).fill_null(UNNAMED)


def spent_on(raw: Expression) -> Expression:
    """The channel of costs; some are of none."""
    return raw.lower().isin(_RESERVED).ifelse(UNNAMED, raw)


def channel_names(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same as `channel_of`, in memory."""
    is_free = pc.invert(pc.is_in(pc.utf8_lower(raw), value_set=pa.array(_RESERVED)))
    return pc.fill_null(pc.if_else(is_free, raw, None), UNNAMED)
