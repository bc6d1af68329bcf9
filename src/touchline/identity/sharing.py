"""The register and the consent ledger → which of a person's fields may go to whom, and why not.

The one question whoever gives data away asks first: an export to a partner, an upload to an ad
platform, a connector that writes.
"""

import datetime as dt
import zoneinfo
from collections.abc import Collection

from msgspec import Struct

from touchline import clock
from touchline.collect.sharing import Register
from touchline.errors import NotFound
from touchline.identity.consent import may_each
from touchline.model import Permission
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["Shareable", "may_share", "today_of"]


class Shareable(Struct, frozen=True):
    """`fields`: those that may go, none when `is_open` is no or a purpose is refused."""

    fields: tuple[str, ...]
    is_open: bool
    permissions: dict[str, Permission]


def may_share(
    workspace: Workspace, nodes: Collection[bytes], recipient: str, fields: Collection[str]
) -> Shareable:
    """Of these fields of the person of these identifiers. Raises NotFound("no_such_recipient")."""
    register = Register.of(definition.current(workspace.state))
    one = register.recipients.get(recipient)
    if one is None:
        raise NotFound("no_such_recipient", name=recipient[:80])
    found = {
        purpose: may_each(
            workspace, {0: nodes}, purpose, one.channel if purpose == one.purpose else ""
        )[0]
        for purpose in one.purposes(workspace.region)
    }
    is_open = register.is_open(recipient, today_of(workspace))
    is_free = is_open and all(permission.is_allowed for permission in found.values())
    left = tuple(name for name in fields if name in one.fields) if is_free else ()
    return Shareable(left, is_open, found)


def today_of(workspace: Workspace) -> dt.date:
    """The day it is where the company is."""
    zone = zoneinfo.ZoneInfo(workspace.time_zone)
    return clock.from_us(clock.now_us()).astimezone(zone).date()
