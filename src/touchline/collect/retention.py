"""`[[retention]]` → how long what is kept, and why: storage limitation, by purpose.

    [[retention]]
    what = "events"                 # events, rejects, profiles or changes
    names = ["Page Viewed"]         # events only: these; without, all
    purpose = "analytics"
    days = 400

What surprises: the audit log, consent and spend are not to be had here. They prove something, and
name nobody who is not asked for.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.errors import BadInput

__all__ = ["CHANGES_DAYS", "Retention", "retentions"]

LEAST_DAYS = 30  # longer than the raw log, and than numbers go on changing
MOST = 100
CHANGES_DAYS = 400  # who became whom is kept so long where nothing is said


class Retention(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`purpose`: what it is kept for, told with what is taken away."""

    what: Literal["events", "rejects", "profiles", "changes"]
    days: int
    names: tuple[str, ...] = ()
    purpose: str = ""


def retentions(documents: Mapping[str, Any]) -> list[Retention]:
    """From a site's documents. BadInput("bad_register") says what is wrong."""
    try:
        found = msgspec.convert(documents.get("retention", []), list[Retention])
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from None
    for one in found:
        if one.days < LEAST_DAYS:
            raise _bad(f"days is {LEAST_DAYS} at least")
        if one.names and one.what != "events":
            raise _bad("names is for events")
    if len(found) > MOST:
        raise _bad(f"{MOST} at most")
    return found


def _bad(why: str) -> BadInput:
    return BadInput("bad_register", name="retention", why=why)
