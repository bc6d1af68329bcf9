"""A workspace of an older format → the present one, step by step under the write lock.

Each step ends with the new number written down, so an upgrade cut short goes on where it stopped.
The surprise: steps may therefore run twice, and must not mind.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["STEPS", "upgrade"]

# n → what makes a workspace of format n one of format n + 1, beyond the tables of State.
STEPS: dict[int, Callable[[Any], None]] = {}


def upgrade(workspace: Any, found: int, wanted: int, write_down: Callable[[int], None]) -> None:
    """Brings State (by Alembic) and lake up; `write_down` notes each format that is reached."""
    workspace.state.migrate()
    workspace.lake.create()
    for number in range(found, wanted):
        step = STEPS.get(number)
        if step is not None:
            step(workspace)
        write_down(number + 1)
