"""`touchline roles`: who opens, helps and closes; how long it takes; winning paths; losses."""

import argparse
from typing import Any

from touchline.cli import language
from touchline.cli.figures import figures, named, print_apart
from touchline.cli.output import Column, digits_of, emit, money, number, share, table

__all__ = ["run"]

ROLES = ("opener", "assist", "closer")
WORDS = {
    "en": {
        "opener": "Openers", "assist": "Assists", "closer": "Closers",
        "begun": "paths begun", "helped": "helped",
        "closed": "closed", "early": "early", "mid": "middle", "late": "late",
        "alone": "only touch", "roles": "Roles: three views of the same conversions, not to be"
        " added", "places": "Where in the journey (touches)",
        "touches_to_convert": "Touches to convert",
        "days_to_convert": "Days from first touch to conversion", "from": "From", "to": "to",
        "mean": "mean", "median": "median", "p90": "90 % within", "between": "Days between stages",
        "first_touch": "first touch", "lead": "lead", "opportunity": "opportunity",
        "conversion": "conversion", "paths": "Top paths", "path": "Path", "others": "without",
        "loss": "Last before nothing came", "last_of_others": "last of others",
        "lost_rate": "lost", "lost_paths": "Top paths without a conversion",
        "deals": "Last touch before {deals:,} lost deals", "share_of_won": "share of won",
        "lost_share": "share of lost", "lost_deals": "deals", "visitor": "before lead",
        "summary": "Goal {goal}: {conversions:,} conversions, {revenue} {currency}, {window} days",
        "footer": "{role} adds up: rows + unattributed = {count:,.1f} ({money})",
        "apart": "{role} DOES NOT ADD UP: {count:,.1f} ({money}). Please report this.",
        "bands": "{what}: {bands}",
    },
    "zh": {
        "opener": "首次触达(拉新)", "assist": "过程影响(助攻)", "closer": "最终转化(收口)",
        "begun": "开启路径", "helped": "助攻路径", "closed": "收口路径",
        "early": "前段", "mid": "中段", "late": "后段",
        "alone": "唯一触点", "roles": "触点角色:同一批转化的三个视角,不可相加",
        "places": "在路径中的位置(触点数)", "touches_to_convert": "转化前触点数",
        "days_to_convert": "首次触达到转化的天数", "from": "从", "to": "到", "mean": "平均",
        "median": "中位数", "p90": "90% 不超过", "between": "阶段间隔天数",
        "first_touch": "首次触达", "lead": "线索", "opportunity": "商机", "conversion": "转化",
        "paths": "最常见的转化路径", "path": "路径", "others": "未转化",
        "loss": "未转化前的最后触点", "last_of_others": "未转化路径的末触点",
        "lost_rate": "流失占比", "lost_paths": "最常见的未转化路径",
        "deals": "{deals:,} 个输单前的最后触点", "share_of_won": "占赢单",
        "lost_share": "占输单", "lost_deals": "输单数", "visitor": "成为线索前",
        "summary": "转化目标 {goal}:{conversions:,} 个转化,{revenue} {currency},"
        "归因窗口 {window} 天",
        "footer": "{role} 数据对账:各行 + 未归因 = {count:,.1f} ({money})",
        "apart": "{role} 数据对账不平:{count:,.1f} ({money})。请反馈此问题。",
        "bands": "{what}:{bands}",
    },
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    from touchline.jobs.access import reading
    from touchline.jobs.people.mirror import KeepingRegistry
    from touchline.jobs.queries import roles

    asked = {
        "goal": args.goal,
        "by": args.by,
        "window": args.window,
        "from": args.start,
        "to": args.end,
        "as_of": args.as_of,
        "top": args.top,
    }
    with reading(args.dir) as workspace:
        found = roles(workspace, KeepingRegistry(workspace), asked)
    if args.format == "table":
        _show(found)
    else:
        emit([_flat(row) for row in found["rows"]], [], args.format, found)
    return named(found)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A cell holds one value: `opener_share` …"""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        flat |= {f"{name}_{part}".rstrip("_"): one for part, one in parts}
    return flat


def _show(found: dict[str, Any]) -> None:
    words, digits = _words(), digits_of(found["currency"])
    revenue = money(found["revenue"], digits)
    about = {key: found[key] for key in ("goal", "conversions", "currency")}
    print(words["summary"].format(**about, revenue=revenue, window=found["window_days"]))
    rows = [_flat(row) | {"label": _label(row)} for row in found["rows"]]
    if rows:
        table(rows, _role_columns(digits), words["roles"])
        table(rows, _place_columns(), words["places"])
    print_apart(found, digits)
    for line in found["footer"]:
        said = words["footer" if line["adds_up"] else "apart"]
        total = line["total"]
        count, of = total["conversions"], money(total["revenue"], digits)
        print(said.format(role=words[line["role"]], count=count, money=of))
    for name in ("touches_to_convert", "days_to_convert"):
        print(words["bands"].format(what=words[name], bands=_bands(found[name])))
    if found["between_stages"]:
        table(found["between_stages"], _wait_columns(), words["between"])
    _show_paths(found["paths"], words["paths"], digits)
    _show_loss(found["loss"], digits)


def _role_columns(digits: int | None) -> list[Column]:
    words = _words()
    columns: list[Column] = [(words["label"], "label", str)]
    for role in ROLES:
        columns += [
            (words[role], f"{role}_conversions", number),
            (words["share"], f"{role}_share", share),
            (words["revenue"], f"{role}_revenue", lambda x: money(x, digits)),
        ]
    return columns


def _place_columns() -> list[Column]:
    words = _words()
    return [
        (words["label"], "label", str),
        *((words[name], name, share) for name in ("begun", "helped", "closed")),
        *((words[name], name, number) for name in ("early", "mid", "late", "alone")),
    ]


def _wait_columns() -> list[Column]:
    words = _words()
    return [
        *((words[name], name, lambda x: words[x]) for name in ("from", "to")),
        (words["conversions"], "conversions", number),
        *((words[name], name, number) for name in ("mean", "median", "p90")),
    ]


def _show_paths(paths: list[dict[str, Any]], title: str, digits: int | None) -> None:
    if not paths:
        return
    words = _words()
    rows = [{**one, "path": " > ".join(one["path"])} for one in paths]
    columns: list[Column] = [
        (words["path"], "path", str),
        (words["conversions"], "conversions", number),
        (words["revenue"], "revenue", lambda x: money(x, digits)),
        (words["others"], "others", number),
        (words["conversion_rate"], "rate", share),
    ]
    table(rows, columns, title)


def _show_loss(loss: dict[str, Any], digits: int | None) -> None:
    words = _words()
    if loss["rows"]:
        rows = [{**row, "label": _label(row)} for row in loss["rows"]]
        columns: list[Column] = [
            (words["label"], "label", str),
            (words["last_of_others"], "last_of_others", number),
            (words["closed"], "closed", number),
            (words["lost_rate"], "lost_rate", share),
        ]
        table(rows, columns, words["loss"])
    _show_paths(loss["paths"], words["lost_paths"], digits)
    if loss["deals"]:
        rows = [{**row, "label": _label(row)} for row in loss["deals"]["last_touch"]]
        columns = [
            (words["label"], "label", str),
            (words["lost_deals"], "deals", number),
            (words["lost_share"], "share", share),
            (words["share_of_won"], "share_of_won", share),
        ]
        table(rows, columns, words["deals"].format(**loss["deals"]))


def _label(row: dict[str, Any]) -> str:
    from touchline.model import GRAINS

    return " · ".join(str(row[name] or "–") for name in GRAINS if name in row)


def _bands(found: dict[str, Any]) -> str:
    words = _words()
    known = [(words[name], found[name]) for name in ("mean", "median", "p90")]
    return " · ".join(f"{name} {number(value)}" for name, value in known)


def _words() -> dict[str, str]:
    words = figures()
    return words | {"label": words["channel"]} | WORDS[language()]
