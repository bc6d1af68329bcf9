"""Figures that several verbs tell: their names in both languages, what stands apart of all rows,
and the currencies that lack an exchange rate.
"""

import sys
from collections.abc import Mapping
from typing import Any

from touchline.cli import language
from touchline.cli.output import money

__all__ = ["figures", "named", "print_apart"]

# One name for one thing: credit is what a model gives, revenue what was paid.
FIGURES = {
    "channel": ("Channel", "渠道"),
    "campaign": ("Campaign", "营销活动"),
    "ad_group": ("Ad group", "单元"),
    "term": ("Keyword", "关键词"),
    "content": ("Content", "创意"),
    "landing_page": ("Landing page", "落地页"),
    "stage": ("Buyer stage", "旅程阶段"),
    "model": ("Model", "归因模型"),
    "conversions": ("Conversions", "转化数"),
    "revenue": ("Revenue", "成交金额"),
    "credited_conversions": ("Conversions", "归因转化数"),
    "credited_revenue": ("Revenue", "归因金额"),
    "cost": ("Cost", "营销费用"),
    "roi": ("ROI (rev.−cost)/cost", "ROI (金额−费用)/费用"),
    "cac": ("CAC cost/conv.", "获客成本 费用/转化"),
    "roas": ("ROAS rev./cost", "ROAS 金额/费用"),
    "conversion_rate": ("Rate", "转化率"),
    "standard_error": ("± (standard error)", "±(标准误差)"),
    "share": ("share", "占比"),
    "touches": ("Touches", "触点数"),
    "journeys": ("Journeys", "路径数"),
    "people": ("People", "人数"),
    "from": ("From", "开始"),
    "to": ("To", "结束"),
    "no_touch": ("no touch in the window", "窗口期内没有触点"),
    "no_rate": ("no exchange rate", "缺少汇率"),
    "partner": ("partners", "合作伙伴"),
}
APART = (
    "Unattributed: {reason}: {count} conversions, {money}",
    "未归因({reason}):{count} 个转化,{money}",
)
THEIRS = ("{reason}: {count} conversions, {money}", "{reason}:{count} 个转化,{money}")
NO_RATE = (
    "No exchange rate for {currency} on {day}. Add it: touchline import rates",
    "缺少 {currency} 在 {day} 的汇率,请用 touchline import rates 导入",
)


def figures() -> dict[str, str]:
    """Name → what it is called in the reader's language."""
    return {name: _said(both) for name, both in FIGURES.items()}


def print_apart(whole: Mapping[str, Any], digits: int | None) -> None:
    """What no row of an answer holds, a line a reason."""
    words = figures()
    for reason, part in (whole.get("unattributed") or {}).items():
        if part["conversions"] or part["revenue"]:
            line = _said(THEIRS if reason == "partner" else APART)
            count = f"{part['conversions']:,}"
            amount = money(part["revenue"], digits)
            print(line.format(reason=words[reason], count=count, money=amount))


def named(whole: Mapping[str, Any]) -> int:
    """Names on stderr models that were left out, currencies without a rate and what else is to be
    known of the answer; the exit code that goes with it.
    """
    for note in (*whole.get("notes", ()), *whole.get("left_out", ())):
        print(note[language()], file=sys.stderr)
    for one in whole.get("missing_rates", ()):
        print(_said(NO_RATE).format(**one), file=sys.stderr)
    return 1 if whole.get("missing_rates") else 0


def _said(both: tuple[str, str]) -> str:
    return both[language() == "zh"]
