"""The first rows of a sheet or text → which of them name the columns.

Agency sheets open with a title, a blank line, a date range. The row with the most known names wins;
a map's own column names decide before any guess. Two rows may name the columns together: 日期 is
merged over both, 投放数据 stands above 消耗 and 点击. A first row that looks like data means that
there is no header: then columns are called by number.
"""

import itertools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from touchline.collect.importers.rows import column_names

__all__ = ["Heading", "Names", "heading"]

LOOKED_AT = 40

_DATA = re.compile(
    r"[+-]?[\d.,]+%?|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|[^@\s]+@[^@\s]+\.\w+", re.ASCII
)
Cells = Sequence[Any]


class Names:
    """What a kind of file may call its columns: the map's names, and all that can be guessed.

    `suffices`: whether columns of these names hold all that the kind needs.
    """

    def __init__(
        self,
        mapped: Collection[str],
        is_known: Callable[[str], bool],
        suffices: Callable[[Sequence[str]], bool],
    ) -> None:
        self.mapped = {name.casefold() for name in mapped}
        self.is_known = is_known
        self.suffices = suffices


class Heading(NamedTuple):
    """The names of all columns, and the index of the row they end in."""

    last: int
    labels: list[str]


def heading(rows: Sequence[Cells], names: Names) -> Heading | None:
    """The header among the first rows; None when the rows have none."""
    rows = rows[:LOOKED_AT]
    widest = max((len(_filled(row)) for row in rows), default=0)
    # A title is narrower than the table under it.
    first = next((n for n, row in enumerate(rows) if 0 < widest <= 2 * len(_filled(row))), -1)
    best, found = 0, Heading(-1, [])
    for last, cells, is_group in _candidates(rows):
        labels = [name for name in column_names(_filled(cells)) if not _DATA.fullmatch(name)]
        if labels and names.mapped and names.mapped <= {label.casefold() for label in labels}:
            return Heading(last, column_names(cells))
        score = sum(1 for label in labels if names.is_known(label))
        # A group over its parts is no row of data: it names as many, and the parts as well.
        if score > best or (is_group and score == best and found.last == last - 1):
            best, found = score, Heading(last, column_names(cells))
    if names.mapped and all(name.isdigit() for name in names.mapped):
        return None
    if best >= 2 or (best == 1 and found.last == first):
        return found
    if first < 0 or any(_DATA.fullmatch(str(cell).strip()) for cell in _filled(rows[first])):
        return None
    return Heading(first, column_names(rows[first]))


def _candidates(rows: Sequence[Cells]) -> list[tuple[int, Cells, bool]]:
    """Every row, and behind it the header that it may make with the row below; whether a name of
    it stands over two there.
    """
    found: list[tuple[int, Cells, bool]] = []
    for index, row in enumerate(rows):
        found.append((index, row, False))
        below = rows[index + 1] if index + 1 < len(rows) else ()
        if _is_split(row, below):
            found.append((index + 1, _joined(row, below), _is_group(row, below)))
    return found


def _is_split(upper: Cells, lower: Cells) -> bool:
    """Whether two rows name the columns together: each fills blanks of the other, none is data."""
    pairs = list(itertools.zip_longest(upper, lower, fillvalue=""))
    cells = [*_filled(upper), *_filled(lower)]
    return (
        all(type(cell) is str and not _DATA.fullmatch(cell.strip()) for cell in cells)
        and any(_has(over) and not _has(under) for over, under in pairs)
        and any(_has(under) and not _has(over) for over, under in pairs)
    )


def _is_group(upper: Cells, lower: Cells) -> bool:
    """Whether a name stands over two below it: 费用 over 媒体消耗 and 服务费."""
    pairs = itertools.pairwise(itertools.zip_longest(upper, lower, fillvalue=""))
    return any(
        _has(over) and not _has(beside) and _has(under) and _has(after)
        for (over, under), (beside, after) in pairs
    )


def _joined(upper: Cells, lower: Cells) -> list[str]:
    """The lower name, where there is none the upper; names that repeat tell their group, too."""
    found: list[str] = []
    group = ""
    said = [" ".join(str(cell).split()) for cell in lower if _has(cell)]
    for over, under in itertools.zip_longest(upper, lower, fillvalue=""):
        group = " ".join(str(over).split()) if _has(over) else group
        name = " ".join(str(under).split()) if _has(under) else ""
        found.append(f"{group} {name}" if name and said.count(name) > 1 and group else name)
        if not name and _has(over):
            found[-1] = group
    return found


def _filled(row: Cells) -> list[Any]:
    return [cell for cell in row if cell not in (None, "")]


def _has(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())
