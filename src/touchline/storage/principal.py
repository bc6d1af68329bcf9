"""Who asks. `Workspace.seen_by` binds one: every read of lake and State then goes through it, so
that what is seen can be narrowed in one place.

Until roles exist everybody is the admin, who sees all rows in clear.
"""

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ADMIN", "Principal"]


@dataclass(frozen=True)
class Principal:
    """`row_scope` None is all rows; `mask_level` 0 masks nothing. Two that see the same are equal,
    whatever their `name`, by which the audit log calls them.
    """

    role: Literal["admin"] = "admin"
    row_scope: None = None
    mask_level: Literal[0] = 0
    name: str = field(default="", compare=False)


ADMIN = Principal()
"""Sees everything."""
