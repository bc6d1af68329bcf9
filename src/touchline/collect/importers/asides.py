"""Rows that are no rows: totals, and what is written under a table (导出时间, 注:…).

They are rejected with a reason of their own, so that nobody takes them for data that was lost.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Any

from touchline.collect.money import EXPONENTS

__all__ = ["is_note", "is_note_line", "says_all", "says_total"]

_TOTAL = re.compile(
    r"[(\[【]?(?:.{0,20}(?:合计|总计|小计|累计)(?:金额|费用|花费|消耗)?(?:[(\[【].*[)\]】])?"
    r"|汇总|(?:grand)?(?:sub-?)?totals?)[)\]】]?(?::.{0,30})?",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"[(\[【]?(?:(?:全部|所有)(?:渠道|媒体|平台)?|all(?:channels)?|汇总|(?:grand)?(?:sub-?)?totals?)"
    r"(?:[(\[【].*[)\]】])?[)\]】]?:?",
    re.IGNORECASE,
)
# 合 计, Total (CNY): what people write into and behind the word.
_AROUND = re.compile(
    rf"\s|[(\[【](?:[十百千]?[万亿]?(?:元|人民币|rmb|{'|'.join(EXPONENTS)})|[千万亿¥$])[)\]】]",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\s*[\"'((【\[]?\s*(?:[*※#注]"
    r"|(?:备注|说明|附注|提示|声明|以上|数据(?:来源|说明|口径|截至|截止)|统计(?:口径|时间|周期)"
    r"|(?:导出|下载|生成|更新|制表|打印|查询|报表)(?:时间|日期|人|于)?|制表|审核|复核)"
    r"(?=[::\s,,])"
    r"|(?:notes?|source|exported|downloaded|generated|created|printed|report)\b)",
    re.IGNORECASE,
)
FEW = 2  # cells of a note: 导出时间 | 2026-03-31


def says_total(value: Any) -> bool:
    return type(value) is str and len(value) <= 40 and _TOTAL.fullmatch(_bare(value)) is not None


def says_all(value: Any) -> bool:
    """Whether a cell says what may be a total, and may as well be a name: 全部, Total (TV)."""
    return type(value) is str and len(value) <= 40 and _ALL.fullmatch(_bare(value)) is not None


def _bare(text: str) -> str:
    return _AROUND.sub("", unicodedata.normalize("NFKC", text))


def is_note(cells: Collection[Any]) -> bool:
    """Whether a row that could not be read is a note: few cells, one opening like one."""
    return len(cells) <= FEW and any(
        type(cell) is str and is_note_line(f"{cell} ") for cell in cells
    )


def is_note_line(text: str) -> bool:
    return _NOTE.match(text) is not None
