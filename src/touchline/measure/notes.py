"""A model → what its answer means, and when not to believe it: for marketers, in two languages.

    note_of("linear")["zh"]["means"]

A Markov model of any order shares one note. The doubts are not about rounding: all models here are
exact. They are about what a fixed rule, or watching alone, cannot know.
"""

import re
from collections.abc import Iterable
from typing import Any

from touchline.errors import MESSAGES, BadInput

__all__ = ["NOTES", "left_out", "note_of", "noted"]

Said = tuple[str, str]  # English, Chinese
ORDER = re.compile(r"markov_\d+")

# What it means, and when not to believe it.
NOTES: dict[str, tuple[Said, Said]] = {
    "first_touch": (
        (
            "All credit goes to the touch that began the journey: it shows what brings people in.",
            "功劳全部归于第一个触点,用来看拉新靠什么。",
        ),
        (
            (
                "Do not use it to cut channels that follow up; and with a short window, or people"
                " not recognised across devices, the first touch seen is often not the first."
            ),
            "不要据此砍掉跟进、转化类渠道;窗口较短或跨设备识别不全时,看到的首触往往不是真正的首触。",
        ),
    ),
    "last_touch": (
        (
            "All credit goes to the last touch: it shows where people were when they converted.",
            "功劳全部归于最后一个触点,用来看客户在哪里完成转化。",
        ),
        (
            "It favours brand search, direct and retargeting, which meet people who have decided.",
            "品牌词搜索、直接访问和再营销会被高估:它们接触的多是已经决定购买的人。",
        ),
    ),
    "last_non_direct": (
        (
            "Like last touch, but direct visits count only where there is nothing else.",
            "同末次触达,但仅当没有其他触点时才归给直接访问。",
        ),
        (
            "The doubts of last touch hold; and untracked links look like direct and vanish here.",
            "末次触达的问题同样存在;没有打标的链接会显示为直接访问,在这里会被忽略。",
        ),
    ),
    "linear": (
        (
            "Every touch of a journey gets the same: it shows who takes part.",
            "路径上每个触点平分功劳,用来看哪些渠道参与其中。",
        ),
        (
            "It rewards sending often: a channel with many touches a person gains by number alone.",
            "触达次数多的渠道会因频次占便宜,例如群发短信、推送。",
        ),
    ),
    "time_decay": (
        (
            "The nearer to the journey's end, the more: half as much for each half-life before.",
            "越接近转化的触点功劳越大,每往前一个半衰期减半。",
        ),
        (
            "With long sales cycles and the default of 7 days, what began a deal is near nothing.",
            "销售周期长而半衰期仍为 7 天时,早期触点几乎得不到功劳,应调整半衰期。",
        ),
    ),
    "position_based": (
        (
            "First and last touch get 40 % each, those between share the rest.",
            "首末触点各得 40%,中间触点分享其余部分。",
        ),
        (
            "The shares are a convention: nothing in the data says that ends matter this much.",
            "这一比例只是约定,数据本身并不能证明首尾就这么重要。",
        ),
    ),
    "w_shaped": (
        (
            "First touch, and the touches that made the lead and the opportunity, get 30 % each.",
            "首次触达、促成线索、促成商机的触点各得 30%,其余触点分享 10%。",
        ),
        (
            "It is as good as the stages in your CRM: entered late, they credit the wrong touch.",
            "依赖 CRM 阶段的录入质量,阶段补录过晚会把功劳记到错误的触点上。",
        ),
    ),
    "z_shaped": (
        (
            "First touch, lead, opportunity and close get 22.5 % each, all others share 10 %.",
            "首次触达、线索、商机、成交四个触点各得 22.5%,其余触点分享 10%。",
        ),
        (
            "As for the W shape; and the touch before closing is often the salesperson's own.",
            "同 W 型;此外成交前的触点往往就是销售本人的跟进。",
        ),
    ),
    "custom": (
        (
            "Your own weights by position, divided so that a conversion adds up to one.",
            "按贵公司自定的位置权重分配,每个转化合计为一。",
        ),
        (
            "It says what you think, not what the data says. Write down why the weights are so.",
            "反映的是预设的看法而非数据结论,请记录权重的依据。",
        ),
    ),
    "markov": (
        (
            "Journeys become a chain of channels; credit follows what would be lost without each.",
            "把路径看成渠道间的转移,按“去掉该渠道会少多少转化”分配功劳。",
        ),
        (
            (
                "It sees paths, not causes: who would have bought anyway is in it. With few"
                " journeys and high orders it learns chance by heart."
            ),
            "只看路径、不证因果,本来就会购买的人也算在内;路径少而阶数高时容易把偶然当规律。",
        ),
    ),
    "markov_auto": (
        (
            "A Markov model whose memory is as long as predicts unseen journeys best.",
            "马尔可夫模型,阶数按对未见路径的预测效果自动选择。",
        ),
        (
            "Predicting journeys well is not the same as crediting causes well.",
            "路径预测得准,不等于因果归得准。",
        ),
    ),
    "shapley": (
        (
            "Each channel of a journey gets the same, however often it was met.",
            "一条路径中出现过的渠道平分功劳,不论触达多少次。",
        ),
        (
            "It is an equal split by channel and nothing deeper: presence counts, effect does not.",
            "本质是按渠道平分,只看是否出现,不看是否有效。",
        ),
    ),
    "shapley_rate": (
        (
            "Channels get what they add to the conversion rate in every company of channels.",
            "按渠道在各种组合中对转化率的提升来分配。",
        ),
        (
            (
                "Rare combinations make it jump, and a channel shown to keen people looks"
                " effective. Negative values are findings, not errors."
            ),
            "罕见组合会让结果波动;投给高意向人群的渠道会显得有效。负值是结论,不是错误。",
        ),
    ),
    "hazard": (
        (
            (
                "Each touch raises the chance to convert for a while; deals still open are taken as"
                " open, not as lost, and what would have come anyway has its own row."
            ),
            "每个触点在一段时间内提高转化概率;未结束的商机按“尚未结束”处理,自然转化单独成行。",
        ),
        (
            (
                "It needs times and many conversions; what moves people and touches alike (season,"
                " intent) is still taken for an effect. Intervals tell of chance alone, not of that"
                " fault."
            ),
            (
                "需要准确的时间和足够的转化量;季节、意向等同时影响触达与购买的因素仍会被误认为效果。"
                "误差区间只反映随机波动,不含这类偏差。"
            ),
        ),
    ),
    "incremental": (
        (
            (
                "Compares alike people with and without a channel: what would be missing without"
                " it. Organic demand has its own row, so channels need not add up to all revenue."
            ),
            "比较相似人群有无该渠道的差异,即“没有它会少多少”;自然需求单独成行,合计可低于总金额。",
        ),
        (
            (
                "As good as what is known of people before the touch. Intent that no field shows is"
                " credited to whoever targets it: check with a lift test. Intervals tell of chance"
                " alone, not of that fault."
            ),
            (
                "取决于触达前掌握的客户信息。数据中看不到的意向会算到定向投放的渠道头上,请用增量实验核对;"
                "误差区间只反映随机波动,不含这类偏差。"
            ),
        ),
    ),
    "calibrated": (
        (
            (
                "Model and lift tests together, each as far as it is certain. The best answer"
                " there is where tests have been made."
            ),
            "把模型与增量实验按各自的可信程度合并;做过实验的渠道以此为准。",
        ),
        (
            "Untested channels borrow the bias learned from tested ones; old tests grow stale.",
            "未做实验的渠道借用已测渠道的偏差;实验时间过久也会失效。",
        ),
    ),
}
UNKNOWN: tuple[Said, Said] = (
    ("A model of your own.", "自定义模型。"),
    ("Ask who wrote it what it assumes.", "请向编写者了解其假设。"),
)


def note_of(model: str) -> dict[str, Any]:
    """`{"en": {"means", "doubt"}, "zh": {…}}` of a model."""
    means, doubt = NOTES.get("markov" if ORDER.fullmatch(model) else model, UNKNOWN)
    return {
        language: {"means": means[place], "doubt": doubt[place]}
        for place, language in enumerate(("en", "zh"))
    }


def _said(code: str, params: dict[str, Any]) -> dict[str, Any]:
    """A note as JSON tells it: its code and its words in both languages."""
    english, chinese = (text.format(**params) for text in MESSAGES[code])
    return {"code": code, "en": english, "zh": chinese}


def noted(notes: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What is to be known of an answer, under its name in JSON; nothing where there is nothing."""
    found = [_said(code, params) for code, params in notes]
    return {"notes": found} if found else {}


def left_out(why: Iterable[BadInput]) -> dict[str, Any]:
    """Models of "all" that are not there, with the reason; nothing where all are."""
    notes = [_said(one.code, one.params) for one in why]
    return {"left_out": notes} if notes else {}
