"""Rows of costs, some of which sum up others → those that do not, so that no yuan counts twice.

A row that says 合计 is a total. One that says 全部, or 小计 beside a channel, may as well be of
what has that name: it is one only if its figure proves it, being the sum of all others (of that
channel) of its days, kind and currency, unless views or clicks deny it. Else it is taken, and told
where there are others. What surprises: when such a row is met, the file is read once more for the
sums.

A row that says all that an earlier one says counts as well, for two equal payments are two; it is
told, for most often somebody copied it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import count, groupby, product
from typing import Any, NamedTuple, Protocol, TypeVar

from touchline.collect.importers.asides import says_all, says_total
from touchline.collect.importers.cells import BadRow, Import, each
from touchline.collect.importers.fields import COSTS_OF_KINDS
from touchline.collect.importers.mapping import Mapped, Plan, map_rows
from touchline.collect.importers.rows import Broken, Table
from touchline.model import LABEL_FIELDS, Cost, Reject

__all__ = ["without_totals"]

# The first of these that a row tells is the one it is judged by.
FIGURES = ("cost", "impressions", "clicks", "engagements", "visits")
COUNTS = ("impressions", "clicks")  # of the others a total may count each visitor once
ROUNDING = 1_000  # rounded figures add up to within a thousandth
DENIES = 50  # what is told in 万 is further off; by more than a fiftieth it is no sum
TOLD = 20  # lines of a file that a note can name
REMEMBERED = 1 << 20  # rows of a file; later ones may repeat each other untold


class Spread(Protocol):
    """What a row becomes."""

    @property
    def days(self) -> Sequence[Cost]: ...


Built = TypeVar("Built", bound=Spread)
# Channel and campaign; None stands for all of them.
Scope = tuple[str | None, str | None]
# (scope, kind, currency, figure) → day → sum; None stands for all kinds.
Sums = dict[tuple[Scope, str | None, str, str], Counter[int]]
EVERYTHING: Scope = (None, None)
HEADS = frozenset(LABEL_FIELDS) - {"content"}


def without_totals(
    table: Table, plan: Plan, about: Import, build: Callable[[Mapped], Built]
) -> Iterator[Built | Reject]:
    """Every row built, or as a Reject."""
    judged: tuple[set[int], set[int]] | None = None
    numbers = count()
    met: set[bytes] = set()

    def built(row: Mapped) -> Built:
        nonlocal judged
        number = next(numbers)
        if _is_told(row, plan):
            raise BadRow("total_row")
        found = build(row)
        if _own(row, plan) is not None:
            proven, beside = judged = judged or _judged(table, plan, build)
            if number in proven:
                raise BadRow("total_row")
            if number in beside and len(about.unproven) < TOLD:
                about.unproven.append(row.line)
        if row.content_hash in met and len(about.repeated) < TOLD:
            about.repeated.append(row.line)
        if len(met) < REMEMBERED:
            met.add(row.content_hash)
        return found

    return each(table, plan, about, built)


class _Likely(NamedTuple):
    """A row that may be a total; of any of `scopes`, if so. It stands among the rows of `among`."""

    number: int
    row: Mapped
    days: Sequence[Cost]
    scopes: list[Scope]
    among: Scope


def _judged(
    table: Table, plan: Plan, build: Callable[[Mapped], Spread]
) -> tuple[set[int], set[int]]:
    """Of the rows that may be totals those that are, and those that are not proven to be where
    there are others. Of least reach first: what is none counts among those that others sum up.
    """
    sums: Sums = defaultdict(Counter)
    likely: list[_Likely] = []
    others = set[Scope]()
    rows = (row for row in map_rows(table, plan) if not isinstance(row, Broken))
    for number, row in enumerate(rows):
        if _is_told(row, plan):
            continue
        try:
            days = build(row).days
        except BadRow:
            continue
        if (own := _own(row, plan)) is not None:
            likely.append(_Likely(number, row, days, *_scopes(row, plan, own, days[0])))
        else:
            _add(sums, days)
            others.update(scope for day in days for scope in _held_by(day))
    found: set[int] = set()
    if not others and len(set(map(_reach, likely))) == 1:  # a sheet may say 全部 in all its rows
        return found, found
    for _, alike in groupby(sorted(likely, key=_reach), _reach):
        group = list(alike)
        totals = {one.number for one in group if _is_proven(one, sums)}
        for one in group:
            if one.number not in totals:
                _add(sums, one.days)
        found |= totals
    beside = {one.number for one in likely if one.among in others and _tells(one)}
    return found, beside - found


def _reach(one: _Likely) -> tuple[bool, int, int]:
    """How much it may sum up."""
    days = one.days[-1].day - one.days[0].day
    return "date" in one.row.filled, days, one.among.count(None)


def _tells(one: _Likely) -> bool:
    return any(map(_figures, one.days))


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


def _own(row: Mapped, plan: Plan) -> set[str] | None:
    """What names its placement for certain; None where the row can be no total."""
    names = _names(row, plan)
    own = {field for field, name in names.items() if not (says_all(name) or says_total(name))}
    return own if len(own) < len(names) and own <= HEADS else None


def _scopes(row: Mapped, plan: Plan, own: set[str], day: Cost) -> tuple[list[Scope], Scope]:
    if not own:
        # Under merged cells a total may be of what they say, or of all.
        filled: list[Scope] = [(day.channel, None)] if "channel" in row.filled else []
        return [*filled, EVERYTHING], EVERYTHING
    is_of_all = "channel" in _names(row, plan) and "channel" not in own
    among = (None if is_of_all else day.channel, day.campaign if "campaign" in own else None)
    # All channels of a medium have no sum of their own: such a row can only be told.
    return ([] if is_of_all and own != {"campaign"} else [among]), among


def _held_by(day: Cost) -> set[Scope]:
    return set(product((day.channel, None), (day.campaign, None)))


def _add(sums: Sums, days: Sequence[Cost]) -> None:
    for day in days:
        for figure, scope in product(_figures(day), _held_by(day)):
            for kind in (day.kind, None):
                sums[scope, kind, day.currency, figure][day.day] += getattr(day, figure)


def _figures(day: Cost) -> list[str]:
    return [figure for figure in FIGURES if getattr(day, figure, None)]


def _is_proven(one: _Likely, sums: Sums) -> bool:
    row, days = one.row, one.days
    told = sorted({figure for day in days for figure in _figures(day)}, key=FIGURES.index)
    if not told:
        return False
    dates = [range(days[0].day, days[-1].day + 1), *((None,) if "date" in row.filled else ())]

    def adds_up(figure: str, scope: Scope, over: range | None, within: int) -> bool:
        return any(
            all(
                _is_near(
                    value, _sum(sums.get((scope, kind, days[0].currency, figure)), over), within
                )
                for kind, value in way.items()
            )
            for way in _ways(one, figure)
        )

    def denies(figure: str, scope: Scope, over: range | None) -> bool:
        others = _sum(sums.get((scope, None, days[0].currency, figure)), over)
        return others != 0 and not adds_up(figure, scope, over, DENIES)

    return any(
        adds_up(told[0], scope, over, ROUNDING)
        and not any(denies(figure, scope, over) for figure in told[1:] if figure in COUNTS)
        for scope, over in product(one.scopes, dates)
    )


def _ways(one: _Likely, figure: str) -> list[Counter[str | None]]:
    """What the row tells of a figure, by kind, and where it says no kind in one sum as well."""
    own: Counter[str | None] = Counter()
    for day in one.days:
        own[day.kind] += getattr(day, figure, None) or 0
    fields = one.row.fields
    says_kind = "kind" in fields and "kind" not in one.row.filled
    if says_kind or not fields.keys().isdisjoint(COSTS_OF_KINDS):
        return [own]
    return [own, Counter({None: own.total()})]


def _sum(found: Counter[int] | None, over: range | None) -> int:
    if found is None:
        return 0
    if over is None:
        return found.total()
    if len(over) < len(found):
        return sum(found[day] for day in over)
    return sum(value for day, value in found.items() if day in over)


def _is_near(value: int, total: int, within: int) -> bool:
    is_close = abs(value - total) <= max(1, abs(total) // within)
    return value == total or (total != 0 and is_close)
