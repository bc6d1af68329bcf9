"""A visitor whose tracker keeps nothing on the device → a name that lasts a day or a month.

It is made of the address and the program under the workspace's secret, with the calendar in it: by
it nobody is found, and the next day (or month) nobody is known again. The collector makes it, since
the log holds only a cut address; `visitor_of` turns it into an id of one site.

One whose tracker does keep something has the id in a first-party cookie, which a server may set.
"""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from touchline.clock import DAY_US, from_us
from touchline.collect import time
from touchline.model import RawRequest

__all__ = [
    "COOKIE",
    "GOOD_ID",
    "HEADER",
    "Period",
    "Visitors",
    "cookie",
    "uuid_of",
    "visitor_of",
]

Period = Literal["day", "month"]

# Where a logged request has the name: no header of this name is ever taken from outside.
HEADER = "visitor"

COOKIE = "tl_id"
COOKIE_S = 34_560_000  # 400 days, the most a browser grants
GOOD_ID = re.compile(r"[\w.:-]{8,128}", re.ASCII)


class Visitors:
    """`keyed` is a hash under the workspace's secret, of a kind and a value."""

    def __init__(self, keyed: Callable[[str, str], bytes], time_zone: str) -> None:
        self._keyed = keyed
        self._zone = time_zone

    def name(self, period: Period, address: str, agent: str | None, now_us: int) -> str:
        day = from_us(time.local_day(now_us, self._zone) * DAY_US).date().isoformat()
        when = day if period == "day" else day[:7]
        return self._keyed("visitor", f"{when}\0{address}\0{agent or ''}").hex()


def visitor_of(request: RawRequest, site: str) -> str:
    """The anonymous id of who sent this, other on every site."""
    named = request.headers.get(HEADER)
    if named is None:
        named = f"{request.received_us // DAY_US}\0{request.ip}\0{request.user_agent}"
    return uuid_of(site, named)


def uuid_of(*parts: str) -> str:
    """The same parts are the same id."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return str(UUID(bytes=blake2b(text, digest_size=16).digest(), version=5))


def cookie(anonymous_id: str, domain: str, *, is_secure: bool) -> bytes:
    """The header that has a browser keep an id, as the tracker keeps it."""
    text = f"{COOKIE}={anonymous_id}; Path=/; Max-Age={COOKIE_S}; SameSite=Lax"
    text += f"; Domain={domain}" if domain else ""
    return (text + ("; Secure" if is_secure else "")).encode("latin-1")
