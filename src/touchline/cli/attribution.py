"""`touchline attribution`: `leaderboard` scores every model, `guide` says which one to use."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from touchline.cli import language
from touchline.cli.output import Column, emit, number, progress_line, share, table
from touchline.errors import BadInput

__all__ = ["HEADINGS", "run"]

OPTIONS = {
    "aim": "--for",
    "cycle_days": "--cycle",
    "conversions": "--conversions",
    "channels": "--channels",
    "lift_tests": "--tests",
}
WIDE = 6  # worlds beside each other in a terminal
HEADINGS = {
    "en": {
        "model": "Model",
        "misallocated": "Misallocated",
        "misallocated_revenue": "… in money",
        "rank": "Rank correlation",
        "credited": "Credited/caused",
        "covered": "Truth in interval",
        "spread": "Spread",
        "progress": "Scoring models",
        "title": "Mean over {worlds} worlds, {seeds} seeds, {people} people each",
        "by_world": "Misallocated share of credit, by world",
        "misallocated_is": "Misallocated: the share of credit that lies on the wrong channels.",
        "rank_is": "Rank correlation: 1 where channels stand in the right order, -1 reversed.",
        "credited_is": "Credited/caused: 2 gives channels twice what they caused.",
        "covered_is": "Truth in interval: how often the 95 % interval holds what is true.",
        "skipped": "Skipped: {world}: {why}",
        "nothing": "No world is left to score models in.",
        "plain": "plain",
        "intent": "intent",
        "shopping": "shopping",
        "saturation": "saturation",
        "synergy": "synergy",
        "view_through": "view-through",
        "identity_loss": "identity loss",
        "bots": "bots",
        "offline_only": "offline only",
        "everything": "everything",
        "use": "Use",
        "beside": "Beside it",
        "against": "Not here",
        "then": "Next",
        "window": "Window: {days} days (touchline attribute … --window {days}d)",
        "facts": (
            "Median sales cycle {cycle_days:,.0f} days, {conversions:,} conversions with a touch, "
            "{channels} channels, {lift_tests} lift tests, CRM stages: {stages}"
        ),
        "yes": "yes",
        "no": "no",
        "ask_aim": "What is to be decided (budget, report, openers, closers)?",
        "ask_cycle_days": "How many days from the first touch to the conversion, usually?",
        "ask_conversions": "How many conversions in the period of the report?",
        "ask_channels": "How many channels?",
        "ask_lift_tests": "How many lift tests have been made?",
    },
    "zh": {
        "model": "归因模型",
        "misallocated": "错配比例",
        "misallocated_revenue": "…按金额",
        "rank": "排序相关",
        "credited": "归因/真实增量",
        "covered": "区间覆盖真值",
        "spread": "波动",
        "progress": "正在给模型打分",
        "title": "{worlds} 个模拟世界的平均,{seeds} 个随机种子,每个世界 {people} 人",
        "by_world": "各模拟世界的错配比例",
        "misallocated_is": "错配比例:放错渠道的归因贡献所占的份额。",
        "rank_is": "排序相关:1 表示渠道排序完全正确,-1 表示完全相反。",
        "credited_is": "归因/真实增量:2 表示归给渠道的转化是其真实带来的两倍。",
        "covered_is": "区间覆盖真值:95% 误差范围包含真实值的比例。",
        "skipped": "已跳过:{world}:{why}",
        "nothing": "没有可用于打分的模拟世界。",
        "plain": "无干扰",
        "intent": "意向混杂",
        "shopping": "临购搜索",
        "saturation": "触达饱和",
        "synergy": "渠道协同",
        "view_through": "只看不点",
        "identity_loss": "身份断裂",
        "bots": "机器流量",
        "offline_only": "纯线下渠道",
        "everything": "全部叠加",
        "use": "推荐模型",
        "beside": "同时参考",
        "against": "不建议",
        "then": "下一步",
        "window": "归因窗口期:{days} 天(touchline attribute … --window {days}d)",
        "facts": (
            "成交周期中位数 {cycle_days:,.0f} 天,有触点的转化 {conversions:,} 个,"
            "渠道 {channels} 个,增量实验 {lift_tests} 次,CRM 阶段:{stages}"
        ),
        "yes": "有",
        "no": "无",
        "ask_aim": "要解决什么问题(budget 预算、report 汇报、openers 拉新、closers 收口)?",
        "ask_cycle_days": "从首次触达到转化通常要多少天?",
        "ask_conversions": "统计周期内有多少个转化?",
        "ask_channels": "有多少个渠道?",
        "ask_lift_tests": "做过多少次增量实验?",
    },
}


def run(args: argparse.Namespace) -> int:
    return {"leaderboard": _leaderboard, "guide": _guide}[args.verb](args)


def _guide(args: argparse.Namespace) -> int:
    from touchline.attribution.guide import Situation
    from touchline.jobs.guide import FACTS, advice, guide

    given = {name: getattr(args, name) for name in FACTS}
    if args.dir is None:
        known = {name: value for name, value in given.items() if value is not None}
        told = advice(Situation(args.aim or _asked("aim", str), **_completed(known)))
    else:
        from touchline.jobs.access import reading
        from touchline.jobs.people.mirror import KeepingRegistry

        asked = {"for": args.aim or "budget", "goal": args.goal, **given}
        with reading(args.dir) as workspace:
            told = guide(workspace, KeepingRegistry(workspace), asked)
    rows = [{"what": what, "model": model, "why": why} for what, model, why in _advice(told)]
    if args.format == "table":
        _show_advice(told, rows)
    else:
        emit(rows, [], args.format, told)
    return 0


def _show_advice(told: dict[str, Any], rows: list[dict[str, str]]) -> None:
    words = HEADINGS[language()]
    facts = {name: value for name, value in told["situation"].items() if name != "for"}
    print(words["facts"].format(**facts, stages=words["yes" if facts["has_stages"] else "no"]))
    for row in rows:
        print(f"\n{row['what']}: {row['model']}\n  {row['why']}".replace(": \n", ":\n"))
    print("\n" + words["window"].format(days=told["window_days"]))


def _advice(told: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what it is, model, words), the model to use first."""
    here, words = language(), HEADINGS[language()]
    yield words["use"], told["model"], told["why"][here]
    for what in ("beside", "against"):
        for point in told[what]:
            yield words[what], point["model"], point["why"][here]
    for code in told["then"]:
        yield words["then"], "", code[here]


def _completed(known: dict[str, Any]) -> dict[str, Any]:
    """What decides and was not given is asked for."""
    asked = {"cycle_days": float, "conversions": int, "channels": int, "lift_tests": int}
    return known | {name: _asked(name, of) for name, of in asked.items() if name not in known}


def _asked(name: str, of: type) -> Any:
    """An answer from the terminal; where nobody sits at one, it must be given."""
    option = OPTIONS[name]
    if not sys.stdin.isatty():
        raise BadInput("bad_argument", name=option, value="", why="is missing: give it, or DIR.")
    print(HEADINGS[language()][f"ask_{name}"], end=" ", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    try:
        return of(answer)
    except ValueError:
        raise BadInput("bad_argument", name=option, value=answer, why="is no number.") from None


def _leaderboard(args: argparse.Namespace) -> int:
    """Exit 1 when something that was asked for could not be scored."""
    from touchline.demo.worlds.leaderboard import leaderboard, worlds_named

    for name, value, least in (("--seeds", args.seeds, 1), ("--people", args.people, 1_000)):
        if value < least:
            why = f"is less than {least}."
            raise BadInput("bad_argument", name=name, value=value, why=why)
    words = HEADINGS[language()]
    found = leaderboard(
        worlds_named(args.worlds),
        seeds=args.seeds,
        people=args.people,
        models=args.models,
        on_progress=progress_line(words["progress"]),
    )
    for world, why in found.skipped:
        print(words["skipped"].format(world=world, why=why.text(language())), file=sys.stderr)
    whole = found.as_json()
    if args.format == "table":
        _show(whole)
    else:
        emit(whole["rows"], [("world", "world", str), ("model", "model", str)], args.format, whole)
    return 1 if found.skipped and not (args.worlds == "all" and found.lines) else 0


def _show(whole: dict[str, Any]) -> None:
    words = HEADINGS[language()]
    if not whole["rows"]:
        print(words["nothing"])
        return
    figures: list[Column] = [
        (words["model"], "model", str),
        (words["misallocated"], "misallocated", share),
        (words["misallocated_revenue"], "misallocated_revenue", share),
        (words["rank"], "rank", _two),
        (words["credited"], "credited", _two),
        (words["covered"], "covered", share),
    ]
    title = words["title"].format(
        worlds=len(whole["overall_of"]), seeds=whole["seeds"], people=f"{whole['people']:,}"
    )
    table(whole["overall"], figures, title)
    for name in ("misallocated_is", "rank_is", "credited_is", "covered_is"):
        print(words[name])
    print()
    _show_worlds(whole)


def _show_worlds(whole: dict[str, Any]) -> None:
    """Models down, worlds across; the best over all first, then those that not every world had."""
    words = HEADINGS[language()]
    models = [line["model"] for line in (*whole["overall"], *whole["rows"])]
    cells: dict[str, dict[str, Any]] = {model: {"model": model} for model in models}
    worlds = list(dict.fromkeys(line["world"] for line in whole["rows"]))
    for line in whole["rows"]:
        cells[line["model"]][line["world"]] = line["misallocated"]
    for low in range(0, len(worlds), WIDE):
        some = worlds[low : low + WIDE]
        columns: list[Column] = [(words["model"], "model", str)]
        columns.extend((str(words.get(name, name)), str(name), share) for name in some)
        rows = [{**dict.fromkeys(some), **row} for row in cells.values()]
        table(rows, columns, words["by_world"])


def _two(value: float | None) -> str:
    return number(value, 2)
