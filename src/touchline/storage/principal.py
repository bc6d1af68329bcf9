"""Who asks. `Workspace.seen_by` binds one: every read of lake and State then goes through it, so
that what is seen can be narrowed in one place.

Everybody sees all rows. Of values in clear a role may see less (`masks`); they are opened in
`collect.nodes` alone, and masked there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ADMIN", "MASKS", "OTHERS", "Mask", "Principal"]

Mask = Literal["full", "partial", "hash", "hidden"]
MASKS: tuple[Mask, ...] = ("full", "partial", "hash", "hidden")
OTHERS = "*"  # every field that a role does not name


@dataclass(frozen=True)
class Principal:
    """`row_scope` None is all rows; `masks` None masks nothing, else what of each field is seen.
    Two that see the same rows are equal, whatever their `name`, by which the audit log calls them.
    """

    role: str = field(default="admin", compare=False)
    row_scope: None = None
    masks: Mapping[str, Mask] | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)

    def mask(self, of: str) -> Mask:
        """How much of a field is seen. What a role says nothing of, it does not see."""
        if self.masks is None:
            return "full"
        return self.masks.get(of, self.masks.get(OTHERS, "hidden"))


ADMIN = Principal()
"""Sees everything."""
