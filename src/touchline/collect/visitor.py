"""A visitor whose tracker keeps nothing on the device → a name that lasts a day or a month.

It is made of the address and the program under the workspace's secret, with the calendar in it: by
it nobody is found, and the next day (or month) nobody is known again. The collector makes it, since
the log holds only a cut address; `visitor_of` turns it into an id of one site.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from touchline.clock import DAY_US, from_us
from touchline.collect import time
from touchline.model import RawRequest

__all__ = ["HEADER", "Period", "Visitors", "uuid_of", "visitor_of"]

Period = Literal["day", "month"]

# Where a logged request has the name: no header of this name is ever taken from outside.
HEADER = "visitor"


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
