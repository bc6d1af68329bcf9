"""`touchline channel explain`: which channel a visit gets, and which rule says so."""

import argparse
from typing import Any

from touchline.cli import language
from touchline.cli.output import emit
from touchline.jobs.channel import explain
from touchline.storage.workspace import Workspace

__all__ = ["run"]

ROWS = {
    "channel": ("channel", "渠道"),
    "source": ("source", "来源"),
    "medium": ("medium", "媒介"),
    "campaign": ("campaign", "营销活动"),
    "told_by": ("told by", "来源依据"),
    "rule": ("rule", "规则"),
    "conditions": ("conditions", "规则条件"),
    "client": ("device", "设备"),
    "bot": ("bot", "爬虫"),
}
HEADINGS = {"en": ("", "answer"), "zh": ("", "结果")}
OWNERS = {
    "site": ("rule {number} of this workspace", "本工作区的第 {number} 条规则"),
    "extended": ("rule {number} of Touchline", "Touchline 的第 {number} 条规则"),
    "ga4": ("rule {number} of GA4", "GA4 的第 {number} 条规则"),
    None: ("none", "无"),
}


def run(args: argparse.Namespace) -> None:
    asked = {name: getattr(args, name) for name in ("url", "referrer", "user_agent", "mode")}
    workspace = Workspace.open(args.dir)
    try:
        told = explain(workspace, asked)
    finally:
        workspace.close()
    here = language()
    at = ("en", "zh").index(here)
    rows = [{"what": ROWS[name][at], "answer": text} for name, text in _answers(told, here)]
    first, second = HEADINGS[here]
    emit(rows, [(first, "what", str), (second, "answer", str)], args.format, told)


def _answers(told: dict[str, Any], here: str) -> list[tuple[str, str]]:
    owner = OWNERS[told["rule"]["of"]][("en", "zh").index(here)].format(**told["rule"])
    reason = told["rule"][here]
    answers = {
        **{name: told[name] for name in ("channel", "source", "medium", "campaign")},
        "told_by": told["told_by"][here],
        "rule": f"{owner}: {reason}" if reason else owner,
        "conditions": " · ".join(
            f"{k} = {_plain(v)}" for k, v in told["rule"]["conditions"].items()
        ),
        "client": " · ".join(text for k, text in told["client"].items() if k[:3] != "bot"),
        "bot": f"{told['bot'][here]} ({told['bot']['name']})" if told["bot"] else "",
    }
    return [(name, str(answer)) for name, answer in answers.items() if answer]


def _plain(condition: Any) -> str:
    if isinstance(condition, dict):
        return " ".join(f"{how} {_plain(what)}" for how, what in condition.items())
    return ", ".join(condition) if isinstance(condition, list) else str(condition)
