"""When the lake's mirrors are written (people, quarantine, traits …), and by whom.

    the worker         when nothing has come in for a while, once a minute while much does, and
                       hardly at all amid a load
    a command alone    when it had to compute the map anyway

What surprises: nothing waits for a mirror. Whoever asks before it is written computes the map.
"""

import time
from functools import partial

from touchline.collect.nodes import TRAITS
from touchline.errors import Unavailable
from touchline.identity import mail_domains
from touchline.identity.companies import account_rows, rows_made_of
from touchline.identity.mirror import (
    Mark,
    is_written,
    write_accounts,
    write_map,
    write_noted,
)
from touchline.identity.people import Registry, ruled_by
from touchline.identity.person_map import PersonMap
from touchline.identity.profile_notes import NOTES
from touchline.jobs.intake.load import Load
from touchline.jobs.process import note
from touchline.storage.workspace import Workspace

__all__ = ["KeepingRegistry", "MirrorWriter", "write_mirrors"]

LOOK_EVERY_S = 1.0
QUIET_S = 5.0  # nothing new for so long: the worker has nothing else to do
LONGEST_S = 60.0
HELD_S = 1200.0  # by a load, at most: a tenth of its time for what is old at once is too much
SHARE = 9.0  # rests so many times longer than it works: a tenth of the time at most
Glance = tuple[object, ...]


class KeepingRegistry(Registry):
    """For a process that reads alone: a map that it had to compute is there for the next one. Not
    so accounts, which it has not computed.
    """

    def on_computed(self, found: PersonMap, mark: Mark) -> None:
        try:
            with self._workspace.write_lock():
                write_map(self._workspace.lake, found, mark)
                write_noted(self._workspace)
        except (Unavailable, OSError):
            pass  # somebody else writes, the folder is not ours to write in, or the disk is full
        except Exception as error:  # noqa: BLE001  # the answer stands, whatever ails the mirror
            note("reader", "mirror", error)


def write_mirrors(workspace: Workspace, registry: Registry) -> None:
    """Brings all mirrors up, those that are not. Needs the write lock."""
    if not is_written(workspace.lake, registry.mark()):
        with workspace.view() as view:
            mark, people = registry.marked(view)
        write_map(workspace.lake, people, mark)
    write_noted(workspace)
    mail_domains.renew(workspace)
    with workspace.view() as view:
        mark, people = registry.marked(view)
        rows = partial(account_rows, workspace, view, people)
        write_accounts(workspace.lake, rows_made_of(view, mark.number), rows)


class MirrorWriter:
    """Writes the mirrors of a workspace when it is time. For one thread, under the write lock."""

    def __init__(self, workspace: Workspace, registry: Registry) -> None:
        self._workspace = workspace
        self._registry = registry
        self._looked_at = self._changed_at = self._wrote_at = time.monotonic()
        self._pause_s = 0.0
        self._seen: Glance = ()
        self._written: Glance = ()

    def write_when_due(self, load: Load) -> None:
        """Called as often as one likes; nearly always returns at once. Amid a load all that is
        written is old at once, and takes from the load what it costs.
        """
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        seen = self._glance()
        if seen != self._seen:
            self._seen, self._changed_at = seen, now
        is_held = load.holds(self._wrote_at, HELD_S)
        if seen != self._written and not is_held and self._is_due(now):
            self._write(seen)

    def _is_due(self, now: float) -> bool:
        is_quiet = now - self._changed_at >= QUIET_S
        pause_s = self._pause_s if is_quiet else max(LONGEST_S, self._pause_s)
        return now - self._wrote_at >= pause_s

    def _write(self, seen: Glance) -> None:
        started = time.monotonic()
        self._pause_s = LONGEST_S  # unless it succeeds
        try:
            write_mirrors(self._workspace, self._registry)
            self._written = seen  # what came in meanwhile is not in it, and looks different
            self._pause_s = SHARE * (time.monotonic() - started)
        finally:
            self._wrote_at = time.monotonic()

    def _glance(self) -> Glance:
        """Differs whenever the mirrors might have to; costs less than to open a table."""
        state, last = self._workspace.state, self._workspace.lake.last_commits_ns()
        return (*last, *ruled_by(state), state.mark(TRAITS), state.mark(NOTES))
