"""Cost rows → Cost, one a day.

A range is spread evenly over its days in minor units, the odd cents going to the first days, so the
days add up to the row exactly. A row of totals is left out, or every yuan would count twice.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.campaign import label_text
from touchline.collect.context import Page
from touchline.collect.event import labels_of
from touchline.collect.importers.cells import BadRow, Import, amount, count, text
from touchline.collect.importers.fields import COSTS_OF_KINDS
from touchline.collect.importers.mapping import Mapped, Plan
from touchline.collect.importers.moments import day_range
from touchline.collect.importers.rows import Table
from touchline.collect.importers.totals import without_totals
from touchline.collect.site import Site
from touchline.model import LABEL_FIELDS, LABELS, Aggregate, Cost, Reject

__all__ = [
    "CostRow",
    "add_up",
    "as_ruled",
    "cost_key",
    "figures_spread",
    "is_by_rule",
    "read_costs",
    "share",
]

MAX_DAYS = 3_700

_KIND_WORDS = {
    "media": "media 媒体 投放 消耗 广告费 媒体费",
    "fee": "fee 服务费 技术服务费 代理费 坑位费",
    "rebate": "rebate 返点 返利 返货 折扣",
    "commission": "commission 佣金 提成",
    "production": "production 制作费 制作 拍摄费",
}
# What a column says of whether spend may still change.
_SETTLED_WORDS = {
    True: """provisional preliminary estimated estimate yes y true 1
        暂估 预估 估算 暂定 未结算 待结算 未确认 是""",
    False: "final settled confirmed no n false 0 已结算 已确认 结算 最终 终稿 否",
}
SETTLED = {word: told for told, words in _SETTLED_WORDS.items() for word in words.split()}
KINDS = {word: kind for kind, words in _KIND_WORDS.items() for word in words.split()}
_NO_PAGE = Page(None, None, None)


class CostRow(Struct, frozen=True, gc=False):
    """One row of the file and the days it was spread over."""

    line: int
    days: tuple[Cost, ...]
    content_hash: bytes
    is_by_rule: bool  # the file names no channel, so the rules did


def read_costs(table: Table, plan: Plan, about: Import) -> Iterator[CostRow | Reject]:
    """The file's rows in order. `add_up` makes of them what a day's placement cost."""

    def build(row: Mapped) -> CostRow:
        days = tuple(
            day for fields in _by_kind(row.fields) for day in figures_spread(fields, about)
        )
        return CostRow(row.line, days, row.content_hash, is_by_rule(row.fields))

    return without_totals(table, plan, about, build)


def cost_key(cost: Cost) -> tuple[Any, ...]:
    """What tells one placement's day from another: all but the figures."""
    own = (
        (cost.place, cost.first_day, cost.last_day, cost.properties)
        if isinstance(cost, Aggregate)
        else ()
    )
    return (
        cost.day,
        *(cost.channel, cost.source_name, cost.medium, cost.campaign, cost.ad_group),
        *(cost.term, cost.content, cost.kind, cost.currency),
        *own,
    )


def add_up(costs: Iterable[Cost]) -> dict[tuple[Any, ...], Cost]:
    """Key → cost of all that has it: equal keys inside one file add up."""
    totals: dict[tuple[Any, ...], Cost] = {}
    for cost in costs:
        key = cost_key(cost)
        held = totals.get(key)
        totals[key] = cost if held is None else _sum(held, cost)
    return totals


def _sum(a: Cost, b: Cost) -> Cost:
    figures = ["impressions", "clicks"]
    if isinstance(a, Aggregate):
        figures += ["engagements", "visits"]
    sums = {name: _plus(getattr(a, name), getattr(b, name)) for name in figures}
    told = (a.is_provisional, b.is_provisional)
    is_provisional = True if True in told else None if None in told else False
    return msgspec.structs.replace(a, cost=a.cost + b.cost, is_provisional=is_provisional, **sums)


def _plus(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


def _by_kind(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """A row with a column a kind as a row a kind; what was seen goes with the first."""
    named = [name for name in COSTS_OF_KINDS if name in fields]
    if not named:
        return [fields]
    rest = {name: value for name, value in fields.items() if name not in named}
    first, *others = (
        {**rest, "cost": fields[name], "kind": name.removeprefix("cost_")} for name in named
    )
    seen = ("impressions", "clicks")
    return [first, *({k: v for k, v in one.items() if k not in seen} for one in others)]


def is_by_rule(fields: dict[str, Any]) -> bool:
    """Whether the row names no channel, so that the rules do."""
    return label_text(fields.get("channel")) is None


def figures_spread(
    fields: dict[str, Any], about: Import, *, may_be_free: bool = False
) -> tuple[Cost, ...]:
    """A row's cost and exposure, day by day. `may_be_free`: it has other figures than these."""
    first, last = _range(fields, about)
    length = last - first + 1
    value, currency = amount(fields, "cost", about.site.currency)
    shown = count(fields.get("impressions"), "bad_count")
    clicked = count(fields.get("clicks"), "bad_count")
    if value is None:
        # Unpaid placements are listed with their exposure and no cost.
        if shown is None and clicked is None and not may_be_free:
            raise BadRow("missing_cost")
        value = 0
    kind = _kind(fields.get("kind"))
    is_provisional = _provisional(fields.get("is_provisional"))
    labels = _labels(fields, about.site)
    return tuple(
        Cost(
            day=first + at,
            cost=share(value, length, at),
            currency=currency,
            impressions=None if shown is None else share(shown, length, at),
            clicks=None if clicked is None else share(clicked, length, at),
            kind=kind,
            is_provisional=is_provisional,
            **labels,
        )
        for at in range(length)
    )


def share(total: int, parts: int, at: int) -> int:
    """The at-th of `parts` even shares; they add up exactly, the odd units going first."""
    size, odd = divmod(abs(total), parts)
    share = size + (at < odd)
    return share if total >= 0 else -share


def _range(fields: dict[str, Any], about: Import) -> tuple[int, int]:
    zone, order = about.site.time_zone, about.layout.date_order
    start = day_range(fields.get("date"), zone, order)
    if start is None:
        raise BadRow("bad_date")
    first, last = start
    if fields.get("date_to") is not None:
        end = day_range(fields["date_to"], zone, order, is_last=True)
        if end is None:
            raise BadRow("bad_date")
        last = end[1]
    if not 0 <= last - first < MAX_DAYS:
        raise BadRow("bad_range")
    return first, last


def _kind(value: Any) -> str:
    if value is None:
        return "media"
    found = KINDS.get((text(value) or "").strip().casefold())
    if found is None:
        raise BadRow("bad_kind")
    return found


def _provisional(value: Any) -> bool | None:
    if value is None:
        return None
    found = SETTLED.get((text(value) or "").strip().casefold())
    if found is None:
        raise BadRow("bad_provisional")
    return found


def as_ruled(cost: Cost, site: Site) -> Cost:
    """A cost whose channel a rule named, under the rules in force now."""
    own = {field: getattr(cost, name) for field, name in zip(LABEL_FIELDS, LABELS, strict=True)}
    del own["channel"]
    given = {field: value for field, value in own.items() if value is not None}
    return msgspec.structs.replace(cost, **_labels(given, site))


def _labels(fields: dict[str, Any], site: Site) -> dict[str, Any]:
    """An event's labels, made where events get theirs, so that cost and credit meet."""
    own = {name: fields[name] for name in LABEL_FIELDS if name in fields}
    if label_text(own.get("channel")) is not None:
        found, _ = labels_of("track", _NO_PAGE, {}, own, agent=None, site=site)
    else:
        found, _ = labels_of("page", _NO_PAGE, {"campaign": own}, {}, agent=None, site=site)
        if not (found["source_name"] or found["medium"] or found["campaign"]):
            raise BadRow("missing_channel")
    return {name: found.get(name) for name in LABELS}
