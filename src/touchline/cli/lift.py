"""`touchline lift add|list|remove|next`: lift tests, and what a further one would teach."""

import argparse
import json
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.figures import figures
from touchline.cli.output import Column, emit, share, table
from touchline.jobs import lift
from touchline.storage.workspace import Workspace

__all__ = ["beside", "run"]

SHOWN = ("name", "kind", "channel", "campaign", "from", "to", "goal", "effect", "error")
HEADINGS = {
    "en": {
        "name": "test",
        "kind": "kind",
        "goal": "goal",
        "effect": "effect",
        "error": "± (1 SE)",
        "modelled": "model",
        "tested": "test",
        "tested_error": "± (1 SE)",
        "calibrated": "calibrated",
        "low": "95 % from",
        "high": "to",
        "channel_error_after": "± after",
        "reduction": "all channels less uncertain by",
    },
    "zh": {
        "name": "实验",
        "kind": "类型",
        "goal": "转化目标",
        "effect": "增量",
        "error": "±(标准误差)",
        "modelled": "模型值",
        "tested": "实验值",
        "tested_error": "±(标准误差)",
        "calibrated": "校准值",
        "low": "95% 下限",
        "high": "上限",
        "channel_error_after": "实验后 ±",
        "reduction": "整体不确定性降低",
    },
}
WORDS = {
    "en": {
        "added": "Entered. It is weighed in every report of goal {goal} with the model calibrated.",
        "unmet": "Nothing that came in so far is of {name}: spell it as reports do, or none uses"
        " this test.",
        "removed": "Taken back: {name}",
        "no_tests": "No lift test is in use yet: every channel is as unsure as the model is.",
        "nothing": "Nothing to test: no journey of these days has a touch.",
        "title": "Model ({base}), lift test and calibrated number, in conversions",
        "kept": "Channels not tested keep {kept:.0%} (± {error:.0%}) of the model's number.",
        "beside": "Tested, on no journey: beside the credit, part of the baseline",
        "unused": "Not used, since nothing of it is on a journey then or now: {names}",
    },
    "zh": {
        "added": "已录入。转化目标 {goal} 的报告使用 calibrated 模型时将以此校准。",
        "unmet": "目前没有任何触点或费用属于「{name}」:请按报告里的写法填写,否则该实验不会被采用。",
        "removed": "已撤回:{name}",
        "no_tests": "尚无可用的增量实验,各渠道的不确定性取决于模型本身。",
        "nothing": "没有可测试的渠道:所选日期内没有任何触点。",
        "title": "模型({base})、增量实验与校准值(转化数)",
        "kept": "未做实验的渠道,预计保留模型值的 {kept:.0%}(± {error:.0%})。",
        "beside": "做过实验但无法对应到人的渠道:单独列示,属于自然基线的一部分",
        "unused": "未使用(实验期或报告期内没有相应触点):{names}",
    },
}
CALIBRATED = (
    *("channel", "campaign", "modelled", "tested", "tested_error"),
    *("calibrated", "low", "high"),
)
BESIDE = ("name", "channel", "campaign", "effect", "low", "high")
NEXT = ("channel", "campaign", "modelled", "calibrated", "error", "channel_error_after")


def run(args: argparse.Namespace) -> int:
    if args.verb == "next":
        return _next(args)
    workspace = Workspace.open(args.dir)
    try:
        {"add": _add, "list": _list, "remove": _remove}[args.verb](workspace, args)
    finally:
        workspace.close()
    return 0


def beside(found: dict[str, Any]) -> None:
    """The `calibration` of a report: model, test and calibrated number side by side."""
    words = WORDS[language()]
    if found["rows"]:
        rows = [row for row in found["rows"] if row["campaign"] is None or row["tests"]]
        table(rows, _columns(CALIBRATED, rows), words["title"].format(base=found["base_model"]))
        print(words["kept"].format(kept=found["kept"], error=found["kept_error"]))
    if found["aggregates"]:
        rows = found["aggregates"]
        table(rows, _columns(BESIDE, rows), words["beside"])
    if found["unused"]:
        names = ", ".join(row["name"] for row in found["unused"])
        print(words["unused"].format(names=names))


def _add(workspace: Workspace, args: argparse.Namespace) -> None:
    said = {name: getattr(args, name) for name in lift.Wanted.__struct_fields__}
    made = lift.add(workspace, lift.Wanted(**said))
    emit([made], _columns(SHOWN, [made]), args.format, made)
    _note("added", **made)
    if not made["is_met"]:
        _note("unmet", name=made["campaign"] or made["channel"])


def _list(workspace: Workspace, args: argparse.Namespace) -> None:
    found = [json.loads(line) for line in lift.lift_tests(workspace, None, {"as_of": args.as_of})]
    emit(found, _columns(SHOWN, found), args.format, found)


def _remove(workspace: Workspace, args: argparse.Namespace) -> None:
    _note("removed", **lift.remove(workspace, args.name))


def _next(args: argparse.Namespace) -> int:
    from touchline.jobs.access import reading
    from touchline.jobs.calibration import next_lift
    from touchline.jobs.people.mirror import KeepingRegistry

    names = {"start": "from", "end": "to"}
    asked = {
        names.get(name, name): getattr(args, name)
        for name in ("goal", "window", "start", "end", "error", "campaigns")
    }
    with reading(args.dir) as workspace:
        found = next_lift(workspace, KeepingRegistry(workspace), asked)
    columns: list[Column] = [
        *_columns(NEXT, found["rows"]),
        (HEADINGS[language()]["reduction"], "reduction", share),
    ]
    emit(found["rows"], columns, args.format, found)
    if not found["rows"]:
        _note("nothing")
    elif not found["tests"]:
        _note("no_tests")
    return 0


def _columns(names: tuple[str, ...], rows: list[dict[str, Any]]) -> list[Column]:
    """A column that is empty throughout is left out, unless all are."""
    headings = figures() | HEADINGS[language()]
    kept = [name for name in names if not rows or any(row[name] is not None for row in rows)]
    return [(headings[name], name, _cell) for name in kept]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _note(what: str, **about: Any) -> None:
    print(WORDS[language()][what].format(**about), file=sys.stderr)
