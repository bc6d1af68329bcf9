"""Who asks. `Workspace.seen_by` binds one: every read of lake and State then goes through it, so
that what is seen can be narrowed in one place.

Until roles exist everybody is the admin, who sees all rows in clear.
"""

from typing import Literal

from msgspec import Struct

__all__ = ["ADMIN", "Principal"]


class Principal(Struct, frozen=True):
    """`row_scope` None is all rows; `mask_level` 0 masks nothing."""

    role: Literal["admin"] = "admin"
    row_scope: None = None
    mask_level: Literal[0] = 0


ADMIN = Principal()
"""Sees everything."""
