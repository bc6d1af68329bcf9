"""`touchline patterns`: transitions, pairs, combinations and positions of channels."""

import argparse
from collections.abc import Callable
from typing import Any

from touchline.cli import language
from touchline.cli.output import Column, emit
from touchline.errors import BadInput

__all__ = ["run"]

WORDS = {
    "en": {
        "from": "From", "to": "To", "count": "Journeys", "probability": "Chance",
        "first": "Channel", "second": "With", "journeys": "Journeys", "people": "People",
        "conversions": "Conversions", "conversion_rate": "Rate",
        "expected_rate": "Rate if they only added up", "extra_conversions": "Extra conversions",
        "standard_error": "± (standard error)", "extra_revenue": "Extra revenue",
        "channels": "Channels met", "revenue": "Revenue", "cost": "Cost", "roas": "ROAS rev./cost",
        "channel": "Channel", "position": "Touch no.", "rest": "{count:,} other combinations",
        "no_touch": "(no touch in the window)", "elsewhere": "(cost of channels without a touch)",
    },
    "zh": {
        "from": "从", "to": "到", "count": "次数", "probability": "概率",
        "first": "渠道", "second": "搭配渠道", "journeys": "路径数", "people": "人数",
        "conversions": "转化", "conversion_rate": "转化率", "expected_rate": "简单相加时的转化率",
        "extra_conversions": "协同带来的转化", "standard_error": "± 标准误差",
        "extra_revenue": "协同带来的金额", "channels": "触达过的渠道", "revenue": "金额",
        "cost": "营销费用", "roas": "ROAS 金额/费用", "channel": "渠道", "position": "第几个触点",
        "rest": "其余 {count:,} 种组合", "no_touch": "(窗口期内没有触点)",
        "elsewhere": "(没有触点的渠道的费用)",
    },
}  # fmt: skip
MONEY = {"revenue", "cost", "extra_revenue"}
SHARES = {"probability", "conversion_rate", "expected_rate"}
PLAIN = {"from", "to", "first", "second", "channel", "position", "channels"}
COLUMNS = {
    "transitions": ("from", "to", "count", "probability"),
    "synergy": (
        *("first", "second", "journeys", "conversions", "conversion_rate", "expected_rate"),
        *("extra_conversions", "standard_error", "extra_revenue"),
    ),
    "combinations": (
        *("channels", "people", "journeys", "conversions", "conversion_rate"),
        *("revenue", "cost", "roas"),
    ),
    "positions": ("channel", "position", "conversions", "revenue"),
}


def run(args: argparse.Namespace) -> int:
    whole = _asked(args)
    names = COLUMNS[args.show]
    told = [*whole["rows"], *_apart(whole)] if args.format == "table" else whole["rows"]
    rows = [{name: _flat(row.get(name)) for name in names} for row in told]
    words = WORDS[language()]
    shown = [
        name for name in names if name in PLAIN or any(row.get(name) is not None for row in rows)
    ]
    columns: list[Column] = [
        (words[name], name, _writer(name, whole["currency"])) for name in shown
    ]
    emit(rows, columns, args.format, whole)
    return 0


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    if args.paths is not None:
        from touchline.jobs.arguments import number
        from touchline.measure.patterns import paths_patterns

        order, limit = (number(getattr(args, name), name) for name in ("order", "limit"))
        return paths_patterns(args.paths, args.show, order=order, limit=limit)
    if args.dir is None:
        raise BadInput("bad_argument", name="DIR", value="", why="is missing: give DIR or --paths.")
    from touchline.jobs.access import reading
    from touchline.jobs.patterning import patterns_of
    from touchline.jobs.people.mirror import KeepingRegistry

    asked = {"from": args.start, "to": args.end}
    names = ("show", "order", "limit", "goal", "window", "as_of")
    asked |= {name: getattr(args, name) for name in names}
    with reading(args.dir) as workspace:
        return patterns_of(workspace, KeepingRegistry(workspace), asked)


def _apart(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows beside the told ones, so that a table adds up."""
    words = WORDS[language()]
    name = COLUMNS[whole["show"]][0]
    found: list[dict[str, Any]] = []
    if "rest" in whole:
        rest = whole["rest"]
        found.append({**rest, name: words["rest"].format(count=rest["combinations"])})
    if whole.get("no_touch", {}).get("conversions"):
        found.append({**whole["no_touch"], name: words["no_touch"]})
    if whole.get("cost_elsewhere"):
        found.append({"cost": whole["cost_elsewhere"], name: words["elsewhere"]})
    return found


def _writer(name: str, currency: str | None) -> Callable[[Any], str]:
    if name in MONEY:
        from touchline.collect.money import exponent

        digits = exponent(currency) if currency else None
        return lambda x: _number(x, 2 if digits is None else digits, 10 ** (digits or 0))
    if name in SHARES:
        return lambda x: "–" if x is None else f"{x:.1%}"
    if name in PLAIN:
        return lambda x: "–" if x is None else str(x)
    return lambda x: _number(x, 0 if name in ("people", "journeys", "count") else 2, 1)


def _number(x: float | None, digits: int, unit: int) -> str:
    return "–" if x is None else f"{x / unit:,.{digits}f}"


def _flat(cell: Any) -> Any:
    """A combination as one text; other cells as they are."""
    return " + ".join(cell) if isinstance(cell, list) else cell
