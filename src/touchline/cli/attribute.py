"""`touchline attribute`: the attribution report of a workspace, or of a file of paths."""

import argparse
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from touchline.cli import language
from touchline.cli.output import Column, Write, emit, table
from touchline.errors import MESSAGES, BadInput

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
        "channel": "Channel",
        "campaign": "Campaign",
        "ad_group": "Ad group",
        "term": "Keyword",
        "content": "Content",
        "conversions": "Conversions",
        "revenue": "Revenue",
        "cost": "Cost",
        "roi": "ROI (rev.−cost)/cost",
        "cac": "CAC cost/conv.",
        "roas": "ROAS rev./cost",
        "removal_effect": "Removal effect",
        "standard_error": "± conv. (std. error)",
        "order": "order {}",
        "auc": "AUC {}",
        "half_life_days": "half-life {} days",
        "place": "Place",
        "from": "From",
        "to": "To",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "engagements": "Engagements",
        "visits": "Visits",
        "aggregates": "Touches that name nobody (beside the credit: none is given or taken)",
        "summary": "Goal {goal}: {conversions} conversions, {revenue} {currency}, {window} days",
        "unattributed": "Unattributed: {reason}: {conversions} conversions, {revenue}",
        "no_touch": "no touch in the window",
        "no_rate": "no exchange rate",
        "footer": "Adds up ({models}): {parts} = {total} conversions",
        "apart": "DOES NOT ADD UP ({models}): {parts} = {total} conversions. Please report this.",
        "credited": "credited",
        "direct": "direct",
        "baseline": "without marketing",
        "partner": "partners",
        "rest": "unattributed",
        "missing": "No exchange rate for {currency} on {day}. Add it: touchline import rates",
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
        "channel": "渠道",
        "campaign": "营销活动",
        "ad_group": "单元",
        "term": "关键词",
        "content": "创意",
        "conversions": "归因转化数",
        "revenue": "归因金额",
        "cost": "营销费用",
        "roi": "ROI (金额−费用)/费用",
        "cac": "获客成本 费用/转化",
        "roas": "ROAS 金额/费用",
        "removal_effect": "移除效应",
        "standard_error": "± 转化(标准误差)",
        "order": "阶数 {}",
        "auc": "AUC {}",
        "half_life_days": "半衰期 {} 天",
        "place": "地点",
        "from": "开始",
        "to": "结束",
        "impressions": "曝光",
        "clicks": "点击",
        "engagements": "互动",
        "visits": "到访",
        "aggregates": "汇总触点(无法对应到人,不参与归因,仅供对照)",
        "summary": "转化目标 {goal}:{conversions} 个转化,{revenue} {currency},归因窗口 {window} 天",
        "unattributed": "未归因({reason}):{conversions} 个转化,{revenue}",
        "no_touch": "窗口期内没有触点",
        "no_rate": "缺少汇率",
        "footer": "数据对账({models}):{parts} = {total} 个转化",
        "apart": "数据对账不平({models}):{parts} = {total} 个转化。请反馈此问题。",
        "credited": "已归因",
        "direct": "直接访问",
        "baseline": "自然基线",
        "partner": "合作伙伴",
        "rest": "未归因",
        "missing": "缺少 {currency} 在 {day} 的汇率,请用 touchline import rates 导入",
    },
}


def run(args: argparse.Namespace) -> int:
    if args.paths is not None:
        from touchline.jobs.arguments import interval
        from touchline.measure.paths import paths_report
        from touchline.measure.tuning import tuning_of

        asked = vars(args)
        found = paths_report(args.paths, args.models, tuning_of(asked), interval(asked))
        return show(found.as_json(), found.notes, args.format)
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
    code = show(found.as_json(), found.notes, args.format)
    words = HEADINGS[language()]
    for currency, day in found.missing_rates:
        print(words["missing"].format(currency=currency, day=day), file=sys.stderr)
    return 1 if found.missing_rates else code


def show(whole: dict[str, Any], notes: list[tuple[str, dict[str, Any]]], output: str) -> int:
    """Prints a report; what was left out goes to stderr."""
    words = HEADINGS[language()]
    for code, params in notes:
        text = MESSAGES[code][language() == "zh"]
        print(text.format(**params), file=sys.stderr)
    rows = whole["rows"]
    digits = _digits(whole["currency"])
    if output != "table":
        columns = _columns(rows, digits) if rows else [(name, name, str) for name in FIELDS]
        emit(_flat(rows) if output == "csv" else rows, columns, output, whole)
        if output == "csv":
            print_footer(whole.get("footer", ()), digits, sys.stderr)
        return 0
    print(words["summary"].format(**_summary(whole, digits)))
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [_ranged(row) for row in rows if row["model"] == model]
        table(mine, _columns(mine, digits), _titled(model, whole.get("fitted", {})))
    if "interval" in whole:
        told = whole["interval"]
        print(words["interval"].format(**{**told, "method": words[told["method"]]}))
    _print_unattributed(whole, digits)
    print_footer(whole.get("footer", ()), digits, sys.stdout)
    _print_aggregates(whole.get("aggregates", []), digits)
    if "calibration" in whole:
        from touchline.cli.lift import beside

        beside(whole["calibration"])
    return 0


def _flat(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures inside a figure as columns of their own, the same in every row: what is rare too."""
    flat = [_opened(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
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
    words = HEADINGS[language()]
    found = {name: value for name, value in fitted.get(model, {}).items() if name in words}
    told = [
        words[name].format("∞" if value is None else f"{value:,.4g}")
        for name, value in found.items()
    ]
    return f"{model} ({', '.join(told)})" if told else model


def comparison(whole: dict[str, Any]) -> None:
    """One table for all models of a report: what each gives a channel, beside what it cost."""
    words = HEADINGS[language()]
    digits = _digits(whole["currency"])
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
        (words["cost"], "cost", lambda x: _money(x, digits)),
        *((model, model, lambda x: _money(x, digits)) for model in models),
        (words["roas"], "roas", _ratio),
    ]
    print(words["summary"].format(**_summary(whole, digits)))
    table(lines, columns)
    _print_unattributed(whole, digits)
    print_footer(whole.get("footer", ()), digits, sys.stdout)


def _print_unattributed(whole: dict[str, Any], digits: int | None) -> None:
    words = HEADINGS[language()]
    for reason, part in (whole.get("unattributed") or {}).items():
        if part["conversions"] or part["revenue"]:
            money = _money(part["revenue"], digits)
            count = f"{part['conversions']:,}"
            line = words["unattributed"]
            print(line.format(reason=words[reason], conversions=count, revenue=money))


def print_footer(footers: Iterable[dict[str, Any]], digits: int | None, out: TextIO) -> None:
    """How rows and what stands apart make up the totals; models of equal parts share a line."""
    words = HEADINGS[language()]
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
    return f"{part['conversions']:,.1f} ({_money(part['revenue'], digits)})"


def _print_aggregates(rows: list[dict[str, Any]], digits: int | None) -> None:
    if not rows:
        return
    words = HEADINGS[language()]
    writers: dict[str, Any] = dict.fromkeys(rows[0], lambda x: "–" if x is None else str(x))
    writers["cost"] = lambda x: _money(x, digits)
    figures = ("impressions", "clicks", "engagements", "visits")
    writers |= dict.fromkeys(figures, lambda x: "–" if x is None else f"{x:,}")
    shown = [name for name in writers if any(row[name] is not None for row in rows)]
    columns = [(words.get(name, name), name, writers[name]) for name in shown]
    table(rows, columns, words["aggregates"])


def _columns(rows: list[dict[str, Any]], digits: int | None) -> list[Column]:
    from touchline.model import GRAINS

    words = HEADINGS[language()]
    used = [name for name in GRAINS if any(row.get(name) is not None for row in rows)]
    writers: dict[str, Write] = {
        "conversions": lambda x: f"{x:,.1f}",
        "conversions_ends": lambda x: _ends(x, lambda end: f"{end:,.1f}"),
        "revenue": lambda x: _money(x, digits),
        "revenue_ends": lambda x: _ends(x, lambda end: _money(end, digits)),
        "cost": lambda x: _money(x, digits),
        "roi": _ratio,
        "cac": lambda x: _money(x, digits),
        "cac_ends": lambda x: _ends(x, lambda end: _money(end, digits)),
        "roas": _ratio,
        "roas_ends": lambda x: _ends(x, _ratio),
        "first": lambda x: "–" if x is None else f"{x:.0%}",
        "removal_effect": lambda x: "–" if x is None else f"{x:.1%}",
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
        "revenue": _money(whole["revenue"], digits),
        "currency": whole["currency"] or "",
        "window": whole["window_days"] or "–",
    }


def _digits(currency: str | None) -> int | None:
    """Digits after the point; None for a path file, whose money has no currency."""
    from touchline.collect.money import exponent

    return exponent(currency) if currency else None


def _money(amount: float | None, digits: int | None) -> str:
    if amount is None:
        return "–"
    return f"{amount:,.2f}" if digits is None else f"{amount / 10**digits:,.{digits}f}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
