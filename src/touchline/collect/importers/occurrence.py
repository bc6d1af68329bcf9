"""Rows without an id → ids that are the same at every import of the file.

The id is a hash of the source, the kind, the row as mapped and how often that very row came before
in the file: so 255 truly repeated purchases stay 255, and importing the file again adds nothing.
Counting needs 8 bytes a slot, not a dictionary entry a row. Two rows that share 64 bits of hash
would count each other, which changes a number inside an id and nothing else.
"""

from array import array
from hashlib import blake2b

__all__ = ["Occurrences", "made_id"]


class Occurrences:
    """How often a content was met before."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 << 12))
        self._filled = 0
        self._repeats: dict[int, int] = {}

    def before(self, content_hash: bytes) -> int:
        """0 at the first meeting, 1 at the second …"""
        key = int.from_bytes(content_hash[:8], "little") or 1
        if not self._insert(key):
            times = self._repeats.get(key, 0) + 1
            self._repeats[key] = times
            return times
        self._filled += 1
        if self._filled * 3 > len(self._slots) * 2:
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for held in old:
                if held:
                    self._insert(held)
        return 0

    def _insert(self, key: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        at = key & mask
        while held := slots[at]:
            if held == key:
                return False
            at = (at + 1) & mask
        slots[at] = key
        return True


def made_id(source: str, kind: str, content_hash: bytes, before: int) -> str:
    """32 hex digits that name the n-th row of this content."""
    named = f"{kind}\0{before}\0{source}\0".encode()
    return blake2b(named + content_hash, digest_size=16).hexdigest()
