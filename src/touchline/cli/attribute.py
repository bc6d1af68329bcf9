"""`touchline attribute`: the attribution report of a workspace, or of a file of paths."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from touchline.cli import language
from touchline.cli.figures import figures, named, print_apart
from touchline.cli.output import Column, Write, digits_of, emit, money, number, share, table
from touchline.errors import BadInput

__all__ = ["FIELDS", "comparison", "print_footer", "run", "show"]

# What a row of a report has at least: the first line of a CSV without any.
FIELDS = (
    *("model", "channel", "campaign", "term", "conversions", "revenue"),
    *("cost", "roi", "cac", "roas", "removal_effect"),
)

HEADINGS = {
    "en": {
        "conversions_ends": "from – to",
        "revenue_ends": "from – to",
        "cac_ends": "from – to",
        "roas_ends": "from – to",
        "first": "First",
        "interval": "from – to holds {level:.0%} of {replicates:,} replicates ({method})",
        "poisson": "customers drawn again",
        "dirichlet": "a quick look; --replicates 500 draws whole customers",
        "removal_effect": "Removal effect",
        "standard_error": "± conv. (std. error)",
        "order": "order {}",
        "auc": "AUC {}",
        "half_life_days": "half-life {} days",
        "place": "Place",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "engagements": "Engagements",
        "visits": "Visits",
        "aggregates": "Touches that name nobody (beside the credit: none is given or taken)",
        "summary": "Goal {goal}: {conversions} conversions, {revenue} {currency}, {window} days",
        "footer": "Adds up ({models}): {parts} = {total} conversions",
        "apart": "DOES NOT ADD UP ({models}): {parts} = {total} conversions. Please report this.",
        "credited": "credited",
        "direct": "direct",
        "baseline": "without marketing",
        "rest": "unattributed",
    },
    "zh": {
        "conversions_ends": "区间",
        "revenue_ends": "区间",
        "cac_ends": "区间",
        "roas_ends": "区间",
        "first": "居首概率",
        "interval": "区间包含 {replicates:,} 次重抽样中的 {level:.0%}({method})",
        "poisson": "按客户重抽样",
        "dirichlet": "快速估计;加 --replicates 500 则按客户重抽样",
        "removal_effect": "移除效应",
        "standard_error": "± 转化(标准误差)",
        "order": "阶数 {}",
        "auc": "AUC {}",
        "half_life_days": "半衰期 {} 天",
        "place": "地点",
        "impressions": "曝光",
        "clicks": "点击",
        "engagements": "互动",
        "visits": "到访",
        "aggregates": "汇总触点(无法对应到人,不参与归因,仅供对照)",
        "summary": "转化目标 {goal}:{conversions} 个转化,{revenue} {currency},归因窗口 {window} 天",
        "footer": "数据对账({models}):{parts} = {total} 个转化",
        "apart": "数据对账不平({models}):{parts} = {total} 个转化。请反馈此问题。",
        "credited": "已归因",
        "direct": "直接访问",
        "baseline": "自然基线",
        "rest": "未归因",
    },
}

OF_DIR = {
    "DIR": "dir",
    "--goal": "goal",
    "--window": "window",
    "--from": "start",
    "--to": "end",
    "--as-of": "as_of",
}


def run(args: argparse.Namespace) -> int:
    if args.paths is not None:
        from touchline.jobs.arguments import interval
        from touchline.measure.paths import paths_report
        from touchline.measure.tuning import tuning_of

        asked = vars(args)
        of_paths(asked)
        found = paths_report(args.paths, args.models, tuning_of(asked), interval(asked))
        return show(found.as_json(), args.format)
    if args.dir is None:
        raise BadInput("bad_argument", name="DIR", value="", why="is missing: give DIR or --paths.")
    from touchline.jobs.access import reading
    from touchline.jobs.people.mirror import KeepingRegistry
    from touchline.jobs.queries import attribution

    asked = {
        "goal": args.goal,
        "models": args.models,
        "by": args.by,
        "window": args.window,
        "from": args.start,
        "to": args.end,
        "as_of": args.as_of,
        **{name: getattr(args, name) for name in ("half_life", "positions", "weights")},
        **{name: getattr(args, name) for name in ("interval", "replicates")},
    }
    with reading(args.dir) as workspace:
        found = attribution(workspace, KeepingRegistry(workspace), asked)
    return show(found.as_json(), args.format)


def of_paths(asked: Mapping[str, Any]) -> None:
    """Refuses what a file of paths knows nothing of."""
    by = asked.get("by", "channel")
    given = {name: asked.get(dest) for name, dest in OF_DIR.items()}
    given["--by"] = None if by == "channel" else by
    for name, value in given.items():
        if value is not None:
            why = "is for DIR: a file of paths has no goals, times or other labels."
            raise BadInput("bad_argument", name=name, value=str(value), why=why)


def show(whole: dict[str, Any], output: str) -> int:
    """Prints a report; what was left out goes to stderr. Exit 1 where a rate is missing."""
    _print(whole, output)
    return named(whole)


def _print(whole: dict[str, Any], output: str) -> None:
    words = _words()
    rows = whole["rows"]
    digits = digits_of(whole["currency"])
    if output != "table":
        columns = _columns(rows, digits) if rows else [(name, name, str) for name in FIELDS]
        emit(_flat(rows) if output == "csv" else rows, columns, output, whole)
        if output == "csv":
            print_footer(whole.get("footer", ()), digits, sys.stderr)
        return
    print(words["summary"].format(**_summary(whole, digits)))
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [_ranged(row) for row in rows if row["model"] == model]
        table(mine, _columns(mine, digits), _titled(model, whole.get("fitted", {})))
    if "interval" in whole:
        told = whole["interval"]
        print(words["interval"].format(**{**told, "method": words[told["method"]]}))
    print_apart(whole, digits)
    print_footer(whole.get("footer", ()), digits, sys.stdout)
    _print_aggregates(whole.get("aggregates", []), digits)
    if "calibration" in whole:
        from touchline.cli.lift import beside

        beside(whole["calibration"])


def _flat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures inside a figure as columns of their own, the same in every row: what is rare too."""
    flat = [_opened(row) for row in rows]
    every = dict.fromkeys(name for row in flat for name in row)
    # What is null in one row and has parts in another is told by its parts.
    whole = {name.rpartition(".")[0] for name in every}
    names = [name for name in every if name not in whole]
    return [{name: row.get(name) for name in names} for row in flat]


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in row.items():
        inner = _opened(cell) if isinstance(cell, dict) else {}  # pyright: ignore[reportUnknownArgumentType]  # decoded JSON
        found |= {f"{name}.{part}": one for part, one in inner.items()} or {name: cell}
    return found


def _ranged(row: dict[str, Any]) -> dict[str, Any]:
    """With what a table shows of an interval beside each figure."""
    told = row.get("interval")
    if told is None:
        return row
    ends = {f"{name}_ends": told[name] for name in ("conversions", "revenue", "cac", "roas")}
    return {**row, **ends, "first": told["first"]}


def _titled(model: str, fitted: dict[str, dict[str, Any]]) -> str:
    """A model's name, with what it found out for itself."""
    words = _words()
    found = {name: value for name, value in fitted.get(model, {}).items() if name in words}
    told = [
        words[name].format("∞" if value is None else f"{value:,.4g}")
        for name, value in found.items()
    ]
    return f"{model} ({', '.join(told)})" if told else model


def comparison(whole: dict[str, Any]) -> None:
    """One table for all models of a report: what each gives a channel, beside what it cost."""
    words = _words()
    digits = digits_of(whole["currency"])
    models = list(dict.fromkeys(row["model"] for row in whole["rows"]))
    by_channel: dict[str, dict[str, Any]] = {}
    for row in whole["rows"]:
        line = by_channel.setdefault(row["channel"], {"channel": row["channel"]})
        line[row["model"]] = row["revenue"]
        line |= {name: row[name] for name in ("cost", "roas", "roi")}
    lines = sorted(by_channel.values(), key=lambda line: -line.get(models[-1], 0))
    for line in lines:
        line |= {model: line.get(model, 0) for model in models}
    columns: list[Column] = [
        (words["channel"], "channel", str),
        (words["cost"], "cost", lambda x: money(x, digits)),
        *((model, model, lambda x: money(x, digits)) for model in models),
        (words["roas"], "roas", _two),
    ]
    print(words["summary"].format(**_summary(whole, digits)))
    table(lines, columns)
    print_apart(whole, digits)
    print_footer(whole.get("footer", ()), digits, sys.stdout)


def print_footer(footers: Iterable[dict[str, Any]], digits: int | None, out: TextIO) -> None:
    """How rows and what stands apart make up the totals; models of equal parts share a line."""
    words = _words()
    lines: dict[tuple[str, str, str], list[str]] = {}
    for line in footers:
        parts = [
            f"{words['rest' if name == 'unattributed' else name]} {_counted(part, digits)}"
            for name, part in line.items()
            if name not in ("model", "total", "adds_up")
        ]
        said = words["footer" if line["adds_up"] else "apart"]
        key = (said, " + ".join(parts), _counted(line["total"], digits))
        lines.setdefault(key, []).append(line["model"])
    for (said, parts, total), models in lines.items():
        print(said.format(models=", ".join(models), parts=parts, total=total), file=out)


def _counted(part: dict[str, Any], digits: int | None) -> str:
    return f"{part['conversions']:,.1f} ({money(part['revenue'], digits)})"


def _print_aggregates(rows: list[dict[str, Any]], digits: int | None) -> None:
    if not rows:
        return
    words = _words()
    writers: dict[str, Any] = dict.fromkeys(rows[0], lambda x: "–" if x is None else str(x))
    writers["cost"] = lambda x: money(x, digits)
    counts = ("impressions", "clicks", "engagements", "visits")
    writers |= dict.fromkeys(counts, lambda x: "–" if x is None else f"{x:,}")
    shown = [name for name in writers if any(row[name] is not None for row in rows)]
    columns = [(words.get(name, name), name, writers[name]) for name in shown]
    table(rows, columns, words["aggregates"])


def _columns(rows: list[dict[str, Any]], digits: int | None) -> list[Column]:
    from touchline.model import GRAINS

    words = _words()
    used = [name for name in GRAINS if any(row.get(name) is not None for row in rows)]
    writers: dict[str, Write] = {
        "conversions": number,
        "conversions_ends": lambda x: _ends(x, number),
        "revenue": lambda x: money(x, digits),
        "revenue_ends": lambda x: _ends(x, lambda end: money(end, digits)),
        "cost": lambda x: money(x, digits),
        "roi": _two,
        "cac": lambda x: money(x, digits),
        "cac_ends": lambda x: _ends(x, lambda end: money(end, digits)),
        "roas": _two,
        "roas_ends": lambda x: _ends(x, _two),
        "first": lambda x: "–" if x is None else f"{x:.0%}",
        "removal_effect": share,
        "standard_error": lambda x: "–" if x is None else f"{x['conversions']:,.1f}",
    }
    kept = [name for name in writers if any(row.get(name) is not None for row in rows)]
    found: list[Column] = [(words[name], name, lambda x: x or "–") for name in used or ["channel"]]
    return found + [(words[name], name, writers[name]) for name in kept]


def _ends(interval: dict[str, float | None] | None, write: Write) -> str:
    if interval is None:
        return "–"
    low, high = (interval[name] for name in ("low", "high"))
    return f"{'–' if low is None else write(low)} – {'∞' if high is None else write(high)}"


def _summary(whole: dict[str, Any], digits: int | None) -> dict[str, Any]:
    return {
        "goal": whole["goal"] or "–",
        "conversions": f"{whole['conversions']:,}",
        "revenue": money(whole["revenue"], digits),
        "currency": whole["currency"] or "",
        "window": whole["window_days"] or "–",
    }


def _two(value: float | None) -> str:
    return number(value, 2)


def _words() -> dict[str, str]:
    """Conversions and revenue of a report are what a model credits."""
    words = figures()
    own = {name: words[f"credited_{name}"] for name in ("conversions", "revenue")}
    return words | own | HEADINGS[language()]
