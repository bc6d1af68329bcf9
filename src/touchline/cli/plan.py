"""`touchline plan check|map|new|infer`: the tracking plan, the map of touchpoints, what came in."""

import argparse
import getpass
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import columns, counted, emit, progress_line
from touchline.identity.people import Registry
from touchline.jobs.access import reading, writing
from touchline.jobs.plan import plan_check, plan_infer, plan_template
from touchline.storage.workspace import Workspace

__all__ = ["run"]

CHECKED = {
    "en": ("finding", "event or touchpoint", "property", "count", "rejected", "last", "example",
           "did you mean"),
    "zh": ("问题", "事件或触点", "属性", "次数", "拒收", "最近", "示例", "是否指"),
}  # fmt: skip
CHECK_KEYS = (
    "finding", "where", "property", "count", "rejected", "last_day", "example", "suggestion",
)  # fmt: skip
MAPPED = {
    "en": ("touchpoint", "stage", "owner", "status", "last seen"),
    "zh": ("触点", "阶段", "负责人", "状态", "最近一次"),
}
MAP_KEYS = ("name", "stage", "owner", "status", "last_seen_at")
STATUSES = {
    "en": {name: name for name in plan_check.STATUSES},
    "zh": {"planned": "已规划", "instrumented": "已埋点", "receiving": "有数据", "lost": "已中断"},
}
SAID = {
    "en": {
        "none": "There is no tracking plan. Begin with: touchline plan new DIR --template NAME",
        "good": "As planned: nothing to look at in the last {days} days.",
        "begun": "In force: {events} events, {touchpoints} touchpoints. Next: touchline plan map",
        "no_events": "No events in the last {days} days.",
    },
    "zh": {
        "none": "还没有埋点方案。可以这样开始:touchline plan new DIR --template NAME",
        "good": "最近 {days} 天一切符合方案。",
        "begun": "已启用:{events} 个事件,{touchpoints} 个触点。下一步:touchline plan map",
        "no_events": "最近 {days} 天没有事件。",
    },
}


def run(args: argparse.Namespace) -> int:
    return {"check": _check, "map": _map, "new": _new, "infer": _infer}[args.verb](args)


def _check(args: argparse.Namespace) -> int:
    found = _asked(args, plan_check.check)
    rows = [one | {"sources": ", ".join(one["sources"])} for one in found["findings"]]
    if args.format == "table":
        rows = [one | {"where": one["event"] or one["touchpoint"]} for one in rows]
    if rows or args.format != "table":
        emit(rows, columns(CHECKED, CHECK_KEYS, counted), args.format, found)
    if not found["has_plan"]:
        _say("none")
    elif not rows:
        _say("good", days=found["days"])
    for finding in dict.fromkeys(one["finding"] for one in rows):
        print(f"{finding}: {plan_check.told(finding, language())}", file=sys.stderr)
    return 1 if rows else 0


def _map(args: argparse.Namespace) -> int:
    found = _asked(args, plan_check.touchpoints)
    words = STATUSES[language()]
    rows = [dict(one) for one in found["touchpoints"]]
    if args.format == "table":
        rows = [row | {"status": words[row["status"]]} for row in rows]
    if args.format == "csv":
        rows = [{key: row[key] for key in MAP_KEYS} for row in rows]
    emit(rows, columns(MAPPED, MAP_KEYS, counted), args.format, found)
    if not rows:
        _say("none")
    return 0


def _new(args: argparse.Namespace) -> int:
    spoken = args.language or language()
    if args.print:
        sys.stdout.write(plan_template.template(args.template, spoken)["toml"])
        return 0
    workspace = Workspace.open(args.dir)
    try:
        documents = plan_template.begin(workspace, args.template, spoken)
    finally:
        workspace.close()
    asked = {"documents": documents, "author": f"cli:{getpass.getuser()}"}
    writing(args.dir, "apply", asked, progress_line("plan"))
    counts = {f"{kind}s": len(documents[kind]) for kind in ("event", "touchpoint")}
    _say("begun", **counts)
    return 0


def _infer(args: argparse.Namespace) -> int:
    found = _asked(args, plan_infer.observed)
    if args.format == "json":
        emit([], [], "json", found)
    else:
        sys.stdout.write(found["toml"])
    if not found["events"]:
        _say("no_events", days=found["days"])
    return 0


def _asked(args: argparse.Namespace, question: Any) -> Any:
    asked = {"days": args.days, "language": language()}
    with reading(args.dir) as workspace:
        return question(workspace, Registry(workspace), asked)


def _say(what: str, **params: Any) -> None:
    print(SAID[language()][what].format(**params), file=sys.stderr)
