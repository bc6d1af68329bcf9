"""Code of a piece of advice (`attribution.guide`) -> (English, Chinese)."""

__all__ = ["ADVICE"]

ADVICE: dict[str, tuple[str, str]] = {
    "has_tests": (
        (
            "Your lift tests say what marketing causes; this model holds the data to them and "
            "carries their error on. In the proving ground it misplaces least."
        ),
        "增量实验说明了营销真正带来多少转化;该模型用实验校准数据,并保留实验误差。在模拟世界里它错配最少。",
    ),
    "too_few": (
        (
            "There are too few conversions to tell channels apart; among the rules this one lies "
            "least wrong. Take its shares as a rough picture, and move no money on them alone."
        ),
        "转化太少,数据无法区分各渠道;在规则模型中它的偏差最小。结果只能作粗略参考,不要仅凭它调整预算。",
    ),
    "long_cycle": (
        (
            "People take long to decide. This model takes open deals as not yet decided instead of "
            "lost, and keeps what would have come anyway in a row of its own."
        ),
        "决策周期长。该模型把未结束的商机视为“尚未决定”而不是“失败”,并把本来就会发生的转化单列为自然基线。",
    ),
    "enough_data": (
        (
            "There is enough data to compare people who met a channel with like people who had not "
            "yet; what would have come anyway stands in a row of its own."
        ),
        "数据足够:可以把接触过某渠道的人与条件相近但尚未接触的人比较;本来就会发生的转化单列为自然基线。",
    ),
    "stages": (
        (
            "Your CRM says when a lead and an opportunity began, and this rule credits the touches "
            "that made them, beside the first."
        ),
        "CRM 记录了线索和商机的时间,该规则把贡献分给首次触达以及促成线索、促成商机的触点。",
    ),
    "short_cycle": (
        (
            "People decide at once, so few journeys have much to divide; this rule is what most "
            "reports of the web show, and everybody can check it."
        ),
        "客户当天就决定,路径很短,没有太多需要分摊;该规则与多数网站报表一致,人人都能核对。",
    ),
    "middle_cycle": (
        (
            "Shares add up, can be checked by hand, and what was close to the decision counts "
            "more. Of the rules it lies among the least wrong."
        ),
        "份额可加总、可手工核对,离成交越近的触点权重越高;在规则模型中它的偏差较小。",
    ),
    "both_ends": (
        (
            "Journeys are long: this rule gives weight to what opened and to what closed, and its "
            "shares can be checked by hand."
        ),
        "路径很长:该规则兼顾首次触达和最终转化,份额可以手工核对。",
    ),
    "opens": (
        "It credits what brought people in. It does not say that they would not have come without.",
        "它把贡献归给带来客户的首次触达,但不代表没有它客户就不会来。",
    ),
    "closes": (
        "It credits what came last, direct visits aside. It does not say that it made them buy.",
        "它把贡献归给最后一次非直接访问的触达,但不代表是它促成了购买。",
    ),
    "see_openers": ("which channels bring people in", "看哪些渠道负责拉新"),
    "see_closers": ("which channels close", "看哪些渠道负责收口"),
    "see_both_ends": ("opening and closing in one number", "把拉新和收口放在一个数里看"),
    "see_caused": (
        "what channels cause, and how many conversions would have come anyway",
        "看渠道真正带来多少转化,以及有多少转化本来就会发生",
    ),
    "takes_from_openers": (
        "gives what others began to whoever stands last, most of all to brand search",
        "会把别的渠道种下的成果算给最后一环,品牌词搜索尤其如此",
    ),
    "no_better": (
        "places credit no better than a rule, whatever its order",
        "无论几阶,归因都不比规则模型更准",
    ),
    "cannot_tell_apart": (
        "fewer than some twenty conversions a channel: its numbers are mostly chance",
        "平均每个渠道不到约 20 个转化,结果多半是偶然",
    ),
    "cut_short": (
        "journeys that convert end early and look short; it reads that as channels doing harm",
        "转化的路径提前结束、显得更短,它会误以为某些渠道有害",
    ),
    "test_intent_channels": (
        (
            "Make a lift test where people go who want to buy anyway: brand search, then "
            "retargeting. Two such tests halve what a regression lays wrong (touchline lift add)."
        ),
        (
            "先在本来就想买的人聚集的渠道做增量实验:品牌词搜索,其次是再营销。两次实验能让回归模型的错配减半"
            "(touchline lift add)。"
        ),
    ),
    "next_test": (
        "Ask which test to make next: touchline lift next tells what each would teach.",
        "查看下一个该做哪项实验:touchline lift next 会给出每项实验能减少多少不确定性。",
    ),
    "gather": (
        "Take a longer period, or a goal that comes earlier and more often, such as leads.",
        "拉长统计周期,或改用更早、更频繁的转化目标,例如线索。",
    ),
    "group_channels": (
        "Group small channels: what is split too finely cannot be told apart.",
        "合并小渠道:拆得太细就无法区分。",
    ),
    "wait_for_deals": (
        "Look again when deals are decided: those of the last cycle are still open.",
        "等商机有结果后再看一次:最近一个周期的商机还没有结束。",
    ),
    "look_at_interval": (
        "Look at the interval beside each number before you act on a difference.",
        "根据差异做决定之前,先看每个数字旁边的误差范围。",
    ),
}
