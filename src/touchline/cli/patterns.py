"""`touchline patterns`: transitions, pairs, combinations and positions of channels."""

import argparse
from collections.abc import Callable
from typing import Any

from touchline.cli import language
from touchline.cli.attribute import of_paths
from touchline.cli.figures import figures, named, print_apart
from touchline.cli.output import Column, digits_of, emit, money, number, share
from touchline.errors import BadInput

__all__ = ["run"]

WORDS = {
    "en": {
        "from": "From", "to": "To", "count": "Journeys", "probability": "Chance",
        "first": "Channel", "second": "With", "expected_rate": "Rate if they only added up",
        "extra_conversions": "Extra conversions", "extra_revenue": "Extra revenue",
        "channels": "Channels met", "position": "Touch no.",
        "rest": "{count:,} other combinations", "elsewhere": "cost of channels without a touch",
    },
    "zh": {
        "from": "从", "to": "到", "count": "次数", "probability": "概率",
        "first": "渠道", "second": "搭配渠道", "expected_rate": "简单相加时的转化率",
        "extra_conversions": "协同带来的转化", "extra_revenue": "协同带来的金额",
        "channels": "触达过的渠道", "position": "第几个触点",
        "rest": "其余 {count:,} 种组合", "elsewhere": "没有触点的渠道的费用",
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
ADDING = ("combinations", "positions")  # rows of these and what stands apart are all there is


def run(args: argparse.Namespace) -> int:
    whole = _asked(args)
    names = COLUMNS[args.show]
    told = [*whole["rows"], *_apart(whole)] if args.format == "table" else whole["rows"]
    rows = [{name: _flat(row.get(name)) for name in names} for row in told]
    words = _words()
    shown = [
        name for name in names if name in PLAIN or any(row.get(name) is not None for row in rows)
    ]
    columns: list[Column] = [
        (words[name], name, _writer(name, whole["currency"])) for name in shown
    ]
    emit(rows, columns, args.format, whole)
    if args.format == "table" and args.show not in ADDING:
        print_apart(whole, digits_of(whole["currency"]))
    return named(whole)


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    if args.paths is not None:
        from touchline.jobs import arguments
        from touchline.measure.patterns import paths_patterns

        of_paths(vars(args))
        order, limit = (arguments.number(getattr(args, name), name) for name in ("order", "limit"))
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
    words = _words()
    name = COLUMNS[whole["show"]][0]
    found: list[dict[str, Any]] = []
    if "rest" in whole:
        rest = whole["rest"]
        found.append({**rest, name: words["rest"].format(count=rest["combinations"])})
    apart = whole["unattributed"] if whole["show"] in ADDING else {}
    for reason, part in apart.items():
        if part["conversions"] or part["revenue"]:
            found.append({**part, name: f"({words[reason]})"})
    if whole.get("cost_elsewhere"):
        found.append({"cost": whole["cost_elsewhere"], name: f"({words['elsewhere']})"})
    return found


def _writer(name: str, currency: str | None) -> Callable[[Any], str]:
    if name in MONEY:
        digits = digits_of(currency)
        return lambda x: money(x, digits)
    if name in SHARES:
        return share
    if name in PLAIN:
        return lambda x: "–" if x is None else str(x)
    return lambda x: number(x, 0 if name in ("people", "journeys", "count") else 2)


def _words() -> dict[str, str]:
    return figures() | WORDS[language()]


def _flat(cell: Any) -> Any:
    """A combination as one text; other cells as they are."""
    return " + ".join(cell) if isinstance(cell, list) else cell
