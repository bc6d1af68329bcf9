"""The registry of the process that writes: it follows the lake, so that people are there if asked.

    each few seconds    what is new in the lake is taken into the live store; not at the beginning
                        of a large load, which is quicker without, and asks nothing. One that goes
                        on for long is followed all along
    at a question       the little that is missing, then people are read from memory
    once a day          people are computed from all rows, and must be the same

What surprises: nothing depends on it. What it cannot say, or says wrongly, is computed.
"""

import threading
import time
from collections.abc import Callable, Collection

from touchline import clock
from touchline.identity.evidence import Decisions
from touchline.identity.live.check import differing
from touchline.identity.live.follow import Follower
from touchline.identity.live.store import kept, marks
from touchline.identity.mirror import Mark
from touchline.identity.people import Registry, Ruling, is_whole, ruled_by
from touchline.identity.person_map import PersonMap
from touchline.identity.rules import Rules
from touchline.identity.sources import TABLES, Extent
from touchline.jobs.intake.load import Load
from touchline.jobs.process import note
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["SharedRegistry"]

EVERY_S = 5.0
PATIENCE_S = 2.0  # a question waits so long for what is being done, then does without
SHARE = 3.0  # rests so many times longer than it works
CHECKED = "checked"  # mark: the day of the last comparison
NIGHT_US = 3 * 3600 * clock.US  # UTC is near enough: it is about doing it once, and not at noon


class SharedRegistry(Registry):
    """A registry that several questions use at once: the first computes, the others wait."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._turn = threading.RLock()
        self._following = threading.Lock()  # taken after the other, if both are
        self._follower = Follower(workspace.state)
        self._due_at = time.monotonic() + EVERY_S
        self._held_from = self._due_at
        self._seen: object = None

    def marked(self, view: View, ruled: Ruling | None = None) -> tuple[Mark, PersonMap]:
        with self._turn:
            return super().marked(view, ruled)

    def keep(self, view: View, found: PersonMap, ruled: Ruling) -> None:
        with self._turn:
            super().keep(view, found, ruled)

    def computed(self, view: View, rules: Rules, decisions: Decisions) -> PersonMap:
        found = self._followed(view, lambda follower: follower.at(view, rules, decisions))
        return found or super().computed(view, rules, decisions)

    def around(self, view: View, nodes: Collection[bytes]) -> PersonMap:
        ruled = self.ruled(view)
        found = self._followed(view, lambda follower: follower.around(view, *ruled, nodes))
        return found or super().around(view, nodes)

    def _followed(
        self, view: View, ask: Callable[[Follower], PersonMap | None]
    ) -> PersonMap | None:
        if not is_whole(view) or not self._following.acquire(timeout=PATIENCE_S):
            return None
        try:
            return ask(self._follower)
        except Exception as error:  # noqa: BLE001  # the answer stands, whatever ails the store
            self._fail(error)
            return None
        finally:
            self._following.release()

    def forget(self) -> None:
        with self._turn, self._following:
            super().forget()
            self._follower = Follower(self._workspace.state)

    def follow_when_due(self, load: Load) -> None:
        """Called as often as one likes; nearly always returns at once."""
        started = time.monotonic()
        if started < self._due_at or load.holds(self._held_from):
            return
        state = self._workspace.state
        # What was decided meanwhile, or ruled, changes people as new rows do.
        seen = (*self._workspace.lake.last_commits_ns(), *ruled_by(state))
        is_all = False
        try:
            is_all = (seen == self._seen and not self._follower.waiting) or self.follow()
            self._seen = seen if is_all else None
        except Exception as error:  # noqa: BLE001  # tried again later; questions are answered without
            self._fail(error)
        finally:
            now = time.monotonic()
            pause = 0.0 if self._follower.waiting else EVERY_S
            self._due_at = now + max(pause, SHARE * (now - started))
            if is_all and not load.holds(now):  # else patience is not asked for anew
                self._held_from = self._due_at

    def follow(self) -> bool:
        """Takes a portion of what is new into the live store; whether that was all."""
        with self._turn:
            rules, decisions = self._ruled(None)
        with self._following, self._workspace.view(*TABLES) as view:
            if not self._follower.follow(view, rules, decisions):
                return False
            return self._is_right(view, rules, decisions)

    def _is_right(self, view: View, rules: Rules, decisions: Decisions) -> bool:
        """Once a day: is it what all rows give? If not, it is emptied, to be made anew."""
        state = self._workspace.state
        today = (clock.now_us() - NIGHT_US) // clock.DAY_US
        checked, count = marks(state).get(CHECKED), 0
        if checked is not None and checked < today:
            count = differing(state, view, rules, decisions)
            if count:
                note("worker", f"live store: {count} identifiers differ, it is made anew")
                self._follower.forget(Extent.of(view.files))
        if checked != today:
            state.write(*kept({CHECKED: today}))
        return count == 0

    def _fail(self, error: Exception) -> None:
        self._follower = Follower(self._workspace.state)
        note("worker", "live store", error)
