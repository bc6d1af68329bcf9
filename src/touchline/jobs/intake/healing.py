"""A copy of events by identifier that lost a file, or holds a damaged one → a copy made anew.

What surprises: nobody notices but by the clock. Until the copy is whole again, who asks for one
person's events goes through all of them (`identity.filed`), and finds the same.
"""

import time
from pathlib import Path

from touchline.jobs.intake import filing
from touchline.jobs.process import note
from touchline.storage.workspace import Workspace

__all__ = ["Healing"]

LOOK_EVERY_S = 600.0


class Healing:
    """For the process that settles, which builds what was emptied here, some days a round."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._due_at = time.monotonic()

    def when_due(self) -> None:
        """Called as often as one likes. A reader tells of a damaged file; one that is gone is
        looked for now and then.
        """
        table = self._workspace.lake.by_node
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + LOOK_EVERY_S
            files = table.snapshot().files if table.exists() else []
            table.is_damaged |= not all(Path(path).exists() for path in files)
        if table.is_damaged:
            note("worker", "the copy of events by identifier is damaged, it is made anew")
            filing.forget(self._workspace)
            table.forget()
            table.is_damaged = False
