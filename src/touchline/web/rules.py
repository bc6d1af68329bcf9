"""What a site has defined, as the receiving loop knows it: at most two seconds old.

State is read in a thread, and definitions are compiled anew only when one has changed. Where
something is asked for that is not there, it is looked for once more before the answer is no, so
what was just applied works at once; seldom, so a flood of wrong names costs no more than one.
"""

import asyncio
import time
from collections.abc import Callable

from touchline.collect.site import Site
from touchline.errors import TouchlineError

__all__ = ["Rules"]

STALE_S = 2.0
PAUSE_S = 0.25

Read = Callable[[int], tuple[int, Site] | None]


class Rules:
    """`read` gives the number of the newest definition and the site, or None when the number it is
    given is the newest still.
    """

    def __init__(self, read: Read, site: Site | None = None) -> None:
        self._read = read
        self._number = -1
        self.site = site or Site(workspace="")
        self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def now(self) -> Site:
        """The site, as it is or was a moment ago."""
        await self._renew(STALE_S)
        return self.site

    async def anew(self) -> bool:
        """Whether anything has changed."""
        before = self._number
        await asyncio.sleep(max(0.0, self._asked + PAUSE_S - time.monotonic()))
        await self._renew(PAUSE_S)
        return self._number != before

    async def _renew(self, age_s: float) -> None:
        if self._asking is not None and not self._asking.done():
            await asyncio.shield(self._asking)
        elif time.monotonic() - self._asked > age_s:
            self._asking = asyncio.create_task(self._ask())
            await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            found = await asyncio.to_thread(self._read, self._number)
        except (TouchlineError, OSError):
            return  # what was known stays good: receiving goes on while State cannot be read
        finally:
            self._asked = time.monotonic()
        if found is not None:
            self._number, self.site = found
