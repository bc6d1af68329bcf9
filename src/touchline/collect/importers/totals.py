"""Rows of costs, some of which sum up others → those that do not, so that no yuan counts twice.

A row that says 合计 is a total. One that says 全部 may as well be of a channel of that name: it is
one only if its figure proves it, being the sum of all others of its days, kind and currency. Else
it is taken, and told where there are others. What surprises: when such a row is met, the file is
read once more for the sums.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import count, groupby, product
from typing import Any, Protocol, TypeVar

from touchline.collect.importers.asides import says_all, says_total
from touchline.collect.importers.cells import BadRow, Import, each
from touchline.collect.importers.fields import COSTS_OF_KINDS
from touchline.collect.importers.mapping import Mapped, Plan, map_rows
from touchline.collect.importers.rows import Broken, Table
from touchline.model import LABEL_FIELDS, Cost, Reject

__all__ = ["without_totals"]

# The first of these that a row tells is the one it is judged by.
FIGURES = ("cost", "impressions", "clicks", "engagements", "visits")
ROUNDING = 1_000  # rounded figures add up to within a thousandth
TOLD = 20  # lines of a file that a note can name


class Spread(Protocol):
    """What a row becomes."""

    @property
    def days(self) -> Sequence[Cost]: ...


Built = TypeVar("Built", bound=Spread)
# (channel, kind, currency, figure) → day → sum; None stands for all channels, or kinds.
Sums = dict[tuple[str | None, str | None, str, str], Counter[int]]


def without_totals(
    table: Table, plan: Plan, about: Import, build: Callable[[Mapped], Built]
) -> Iterator[Built | Reject]:
    """Every row built, or as a Reject."""
    judged: tuple[set[int], set[int]] | None = None
    numbers = count()

    def built(row: Mapped) -> Built:
        nonlocal judged
        number = next(numbers)
        if _is_told(row, plan):
            raise BadRow("total_row")
        found = build(row)
        if _is_likely(row, plan):
            proven, beside = judged = judged or _judged(table, plan, build)
            if number in proven:
                raise BadRow("total_row")
            if number in beside and len(about.unproven) < TOLD:
                about.unproven.append(row.line)
        return found

    return each(table, plan, about, built)


def _judged(
    table: Table, plan: Plan, build: Callable[[Mapped], Spread]
) -> tuple[set[int], set[int]]:
    """Of the rows that may be totals those that are, and those that are not proven to be and stand
    beside others. The shorter first: what is none counts among those that a longer one sums up.
    """
    sums: Sums = defaultdict(Counter)
    likely: list[tuple[int, Mapped, Sequence[Cost]]] = []
    others: set[int] = set()
    rows = (row for row in map_rows(table, plan) if not isinstance(row, Broken))
    for number, row in enumerate(rows):
        if _is_told(row, plan):
            continue
        try:
            days = build(row).days
        except BadRow:
            continue
        if _is_likely(row, plan):
            likely.append((number, row, days))
        else:
            _add(sums, days)
            others.update(day.day for day in days)
    found: set[int] = set()
    for _, alike in groupby(sorted(likely, key=_length), _length):
        group = list(alike)
        totals = {number for number, row, days in group if _is_proven(row, days, sums)}
        for number, _, days in group:
            if number not in totals:
                _add(sums, days)
        found |= totals
    beside = {n for n, _, days in likely if any(d.day in others and _figures(d) for d in days)}
    return found, beside - found


def _length(likely: tuple[int, Mapped, Sequence[Cost]]) -> tuple[bool, int]:
    _, row, days = likely
    return "date" in row.filled, days[-1].day - days[0].day


def _names(row: Mapped, plan: Plan) -> dict[str, Any]:
    """What the row itself says of its placement."""
    return {
        field: row.fields[field]
        for field in (*LABEL_FIELDS, "place")
        if field in row.fields and field not in row.filled and field not in plan.constants
    }


def _is_told(row: Mapped, plan: Plan) -> bool:
    """Whether the row says plainly that it is a total: its channel does and no other label names a
    placement, for a campaign may be called Total; or any name of a row without a date of its own.
    """
    names = _names(row, plan)
    date = None if "date" in row.filled else row.fields.get("date")
    if date is None or says_total(date):
        return any(map(says_total, (date, *(names.values() or [row.first]))))
    is_channel = [field for field in names if field != "place"] == ["channel"]
    return is_channel and any(map(says_total, names.values()))


def _is_likely(row: Mapped, plan: Plan) -> bool:
    names = _names(row, plan).values()
    return bool(names) and all(says_all(name) or says_total(name) for name in names)


def _add(sums: Sums, days: Sequence[Cost]) -> None:
    for day in days:
        for figure in _figures(day):
            for channel, kind in product((day.channel, None), (day.kind, None)):
                sums[channel, kind, day.currency, figure][day.day] += getattr(day, figure)


def _figures(day: Cost) -> list[str]:
    return [figure for figure in FIGURES if getattr(day, figure, None)]


def _is_proven(row: Mapped, days: Sequence[Cost], sums: Sums) -> bool:
    told = {figure for day in days for figure in _figures(day)}
    if not told:
        return False
    figure = min(told, key=FIGURES.index)
    own: Counter[str | None] = Counter()
    for day in days:
        own[day.kind] += getattr(day, figure, None) or 0
    ways = [own]
    has_kind = "kind" in row.fields and "kind" not in row.filled
    if not has_kind and row.fields.keys().isdisjoint(COSTS_OF_KINDS):
        ways.append(Counter({None: own.total()}))
    # Under merged cells a total may be of what they say, or of all.
    channels = (days[0].channel, None) if "channel" in row.filled else (None,)
    dates = [range(days[0].day, days[-1].day + 1), *((None,) if "date" in row.filled else ())]
    return any(
        all(
            _is_near(value, _sum(sums.get((channel, kind, days[0].currency, figure)), over))
            for kind, value in way.items()
        )
        for way, channel, over in product(ways, channels, dates)
    )


def _sum(found: Counter[int] | None, over: range | None) -> int:
    if found is None:
        return 0
    if over is None:
        return found.total()
    if len(over) < len(found):
        return sum(found[day] for day in over)
    return sum(value for day, value in found.items() if day in over)


def _is_near(value: int, total: int) -> bool:
    is_close = abs(value - total) <= max(1, abs(total) // ROUNDING)
    return value == total or (total != 0 and is_close)
