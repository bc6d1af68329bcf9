"""Rows of the audit log: what a workspace's operators did, and what they looked at.

A request is one row, however many people its answer speaks of.
"""

from typing import Any

from touchline.storage import audit
from touchline.storage.audit import Entry
from touchline.storage.state import Statement
from touchline.storage.workspace import Workspace

__all__ = ["done", "seen"]


def seen(workspace: Workspace, what: str, person_id: str | None = None) -> None:
    """Writes down that somebody is about to see personal data in clear: everybody's, or one
    person's.
    """
    done(workspace, f"read.{what}", person_id=person_id)


def done(
    workspace: Workspace,
    action: str,
    *statements: Statement,
    person_id: str | None = None,
    reason: str | None = None,
    **about: Any,
) -> None:
    """Writes down what is done, in one transaction with these statements."""
    if person_id is not None:
        about["person"] = audit.reference(workspace.vault, person_id)
    actor = audit.actor_of(workspace.principal)
    audit.write(workspace.state, Entry(action, actor, about, reason), *statements)
