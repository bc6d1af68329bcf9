"""Why an argument is refused, in Chinese: what is raised says it in English (`bad_argument`).

A detail is found by its words; `{}` stands for what is different each time, in the same order. One
that is not here is shown as it was raised, and a test says which.
"""

import re
from functools import cache

__all__ = ["DETAILS", "in_chinese"]

DETAILS = {
    "are more than {}.": "超过 {} 个。",
    "give DIR and CONVERSION_ID, DIR and --model, or --notes.": (
        "请给出 DIR 和 CONVERSION_ID,或 DIR 和 --model,或 --notes。"
    ),
    "is a write key too, which every page shows. Choose another.": (
        "同时也是写入密钥,而写入密钥在网页源码里人人可见,请另选一个。"
    ),
    "is before {}.": "早于 {}。",
    "is for admin keys: a write key can only write.": "只用于管理密钥:写入密钥只能写入。",
    "is for write keys.": "只用于写入密钥。",
    "is for DIR: a file of paths has no goals, times or other labels.": (
        "只能与 DIR 一起用:路径文件里没有转化目标、时间和其他标签。"
    ),
    "is given twice": "重复了",
    "is in tags as well.": "在 tags 中也有。",
    "is less than {}.": "小于 {}。",
    "is missing.": "没有填写。",
    "is missing: give DIR or --paths.": "没有填写:请给出 DIR 或 --paths。",
    "is missing: give it, or DIR.": "没有填写:请填写,或给出 DIR。",
    "is missing: say on which days the test ran.": "没有填写:请说明实验在哪些天进行。",
    "is missing: say why, for whoever reads it later.": "没有填写:请说明原因,方便日后查阅。",
    "is missing: {} go together.": "没有填写:{} 须一起给出。",
    "is no channel of marketing; known are {}.": "不是营销渠道,可用的有 {}。",
    "is no channel of {}; known are {}.": "不是 {} 的渠道,可用的有 {}。",
    "is no network such as 10.1.0.0/16.": "不是有效网段,请写成 10.1.0.0/16 这样。",
    "is no number below 1e15.": "不是小于 1e15 的数字。",
    "is no number.": "不是数字。",
    "is no purpose; known are {}.": "不是已定义的用途,可用的有 {}。",
    "is no question.": "不是可以查询的内容。",
    "is none of {}.": "不在可选范围内:{}。",
    "is not 1 to 99.": "须在 1 到 99 之间。",
    "is not PEOPLE:CONVERSIONS such as 20000:340.": "须写成 人数:转化数,如 20000:340。",
    "is not UTF-8.": "不是 UTF-8 编码。",
    "is not a cursor that an earlier answer gave.": "不是之前返回的翻页游标。",
    "is not a day or an ISO 8601 moment such as 2026-03-31T08:00:00Z.": (
        "不是有效的日期或 ISO 8601 时间,请写成 2026-03-31T08:00:00Z 这样。"
    ),
    "is not a day such as 2026-03-31.": "不是有效日期,请写成 2026-03-31 这样。",
    "is not a language. Known are {}.": "不是支持的语言,可用的有 {}。",
    "is not a number above 0.": "须为大于 0 的数字。",
    "is not a number below 1e15.": "不是小于 1e15 的数字。",
    "is not a number from {} on.": "须为不小于 {} 的数字。",
    "is not a number from {} to {}.": "须为 {} 到 {} 之间的数字。",
    "is not a number of days above 0, such as 90.": "须为大于 0 的天数,如 90。",
    "is not a number of days from 1 to {}.": "须为 1 到 {} 之间的天数。",
    "is not a number of days such as 90d.": "须为天数,如 90d,最长 3660d。",
    "is not a part of 1 such as 0.4.": "须为 0 到 1 之间的比例,如 0.4。",
    "is not a part of all replicates from {} to {}, such as 0.95.": (
        "须为 {} 到 {} 之间的置信水平,如 0.95。"
    ),
    "is not a part such as 0.15.": "须为比例,如 0.15。",
    "is not a probability from 0.5 to 1.": "须为 0.5 到 1 之间的概率。",
    "is not a whole number from {} to {}.": "须为 {} 到 {} 之间的整数。",
    "is not above {}.": "须大于 {}。",
    "is not accepted: {}.": "不能接受:{}。",
    "is not between 0 and 65535.": "须在 0 到 65535 之间。",
    "is not one of {}.": "不在可选范围内:{}。",
    "is not the name of one model.": "不是单个归因模型的名称。",
    "is one, and --reject another: give one of them.": "与 --reject 只能二选一。",
    "is one, and --unblock another: give one of them.": "与 --unblock 只能二选一。",
    "is root or signing.": "须为 root 或 signing。",
    "is to be told in one way, no more and no less: {}.": "须且只能用一种方式给出:{}。",
    "is too small: no test is so exact.": "太小:没有实验能这么精确。",
    "makes it {} pixels wide, at most {}.": "会使图片宽 {} 像素,最多 {} 像素。",
    "must be a name of at most {} characters.": "须为不超过 {} 个字符的名称。",
    "must be one line of 1 to {} characters.": "须为 1 到 {} 个字符的一行文字。",
    "must be one line of at most {} characters.": "须为不超过 {} 个字符的一行文字。",
    "must be one line.": "须为一行文字。",
    "must name the mail.": "须写明邮件名称。",
    "needs NAME=KEY": "须写成 名称=密钥",
    "needs a CODE or --url, and not both.": "CODE 与 --url 须且只能给出一个。",
    "needs a PERSON or --request, and not both.": "PERSON 与 --request 须且只能给出一个。",
    "needs a file: add --out FILE.": "需要写入文件:请加上 --out FILE。",
    "needs one --id": "须给出一个 --id",
    "of two groups can only be conversions.": "用两组人数表示时只能是 conversions(转化数)。",
    "would make more than {} tags.": "会使标签超过 {} 个。",
}


def in_chinese(detail: str) -> str:
    for english, chinese in _patterns():
        if (found := english.fullmatch(detail)) is not None:
            return chinese.format(*found.groups())
    return detail


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Those with the fewest blanks come first: what they say is meant."""
    known = sorted(DETAILS.items(), key=lambda pair: pair[0].count("{}"))
    return [(re.compile(re.escape(e).replace(r"\{\}", "(.*)"), re.DOTALL), c) for e, c in known]
