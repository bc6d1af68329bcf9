"""Definitions that a writer holds events against, compiled again when they have changed."""

from touchline.jobs.definitions import planned_of
from touchline.jobs.plan.planned import Planned
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["InForce"]


class InForce:
    """For one writer; asked once a batch."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._held: tuple[int, Planned] | None = None

    def now(self) -> Planned:
        number = definition.newest(self._workspace.state)
        if self._held is None or self._held[0] != number:
            self._held = (number, planned_of(self._workspace))
        return self._held[1]
