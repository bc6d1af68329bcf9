"""The first rows of a sheet or text → which of them names the columns.

Agency sheets open with a title, a blank line, a date range. The row with the most known names wins;
a map's own column names decide before any guess. A first row that looks like data means that there
is no header: then columns are called by number.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from touchline.collect.importers.rows import column_names

__all__ = ["Names", "header_index"]

LOOKED_AT = 40

_DATA = re.compile(
    r"[+-]?[\d.,]+%?|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|[^@\s]+@[^@\s]+\.\w+", re.ASCII
)


class Names:
    """What a kind of file may call its columns: the map's names, and all that can be guessed."""

    def __init__(self, mapped: Collection[str], is_known: Callable[[str], bool]) -> None:
        self.mapped = {name.casefold() for name in mapped}
        self.is_known = is_known


def header_index(rows: Sequence[Sequence[Any]], names: Names) -> int | None:
    """Index of the header among the first rows; None when the rows have none."""
    rows = rows[:LOOKED_AT]
    filled = [[cell for cell in row if cell not in (None, "")] for row in rows]
    widest = max(map(len, filled), default=0)
    # A title is narrower than the table under it.
    first = next((n for n, cells in enumerate(filled) if cells and len(cells) * 2 >= widest), -1)
    best, found = 0, -1
    for index, cells in enumerate(filled):
        labels = [name for name in column_names(cells) if not _DATA.fullmatch(name)]
        if labels and names.mapped and names.mapped <= {label.casefold() for label in labels}:
            return index
        score = sum(1 for label in labels if names.is_known(label))
        if score > best:
            best, found = score, index
    if names.mapped and all(name.isdigit() for name in names.mapped):
        return None
    if best >= 2 or (best == 1 and found == first):
        return found
    if first < 0 or any(_DATA.fullmatch(str(cell).strip()) for cell in filled[first]):
        return None
    return first
