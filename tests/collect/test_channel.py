import pytest

from touchline.collect.channel import ChannelRules
from touchline.collect.mode import MODES, mode
from touchline.collect.sources import KINDS, folded, table
from touchline.errors import BadInput

OURS = ChannelRules.compile()


def test_nothing_known_is_direct_and_unknown_tags_are_unassigned():
    assert OURS.channel(None, None) == "Direct"
    assert OURS.channel("(direct)", "(none)") == "Direct"
    assert OURS.channel("(direct)", "(not set)") == "Direct"
    assert OURS.channel("somewhere", "somehow") == "Unassigned"


def test_earlier_rules_win():
    assert OURS.channel("google", "cpc", "cross-network shop") == "Cross-network"
    assert OURS.channel("google", "cpc", "shop") == "Paid Shopping"
    assert OURS.channel("facebook", "email") == "Organic Social"
    assert OURS.channel("firebase", "sms") == "SMS"


def test_a_site_s_rules_come_before_the_base_in_their_order():
    rules = ChannelRules.compile(
        [
            {
                "channel_rule": [
                    {"channel": "达人", "source": "xhs", "medium": {"matches": "^ko[lc]$"}},
                    {
                        "channel": "品牌词",
                        "medium": ["cpc", "CPM"],
                        "campaign": {"matches": "brand"},
                    },
                ]
            },
            {"channel_rule": [{"channel": "Later", "source": "小红书", "medium": "kol"}]},
        ]
    )
    assert rules.channel("xiaohongshu", "KOL") == "达人"
    assert rules.channel("baidu", "cpm", "2611_Brand") == "品牌词"
    assert rules.channel("baidu", "cpc", "2611") == "Paid Search"


def test_rules_may_ask_for_referrer_host_and_click_id():
    rules = ChannelRules.compile(
        [
            {
                "channel_rule": [
                    {"channel": "Dealers", "referrer_host": ["dealer.cn", "b.cn"]},
                    {"channel": "千川", "click_id": "clickid", "source": {"equals": "douyin"}},
                    {"channel": "Ads", "click_id": {"in": ["GCLID"]}},
                ]
            }
        ]
    )
    assert rules.channel("partner", "referral", referrer_host="www.dealer.cn") == "Dealers"
    assert rules.channel("partner", "referral", referrer_host="shop.dealer.cn") == "Dealers"
    assert rules.channel("partner", "referral", referrer_host="notdealer.cn") == "Referral"
    assert rules.channel("douyin", None, click_ids=["clickid"]) == "千川"
    assert rules.channel("douyin", None) == "Organic Social"
    assert rules.channel("google", "cpc", click_ids=("gclid",)) == "Ads"


def test_a_site_s_aliases_and_kinds_make_one_source_of_many():
    rules = ChannelRules.compile(
        [
            {
                "source_alias": {"xiaohongshu": ["红薯"], "ourpartner": ["伙伴", "partner.cn"]},
                "source_kind": {"social": ["ourforum", "forum.ours.cn"]},
            }
        ]
    )
    assert rules.named(" 红薯 ").name == "xiaohongshu"
    assert rules.named("www.partner.cn").name == "ourpartner"
    assert rules.channel("伙伴", "cpc") == "Paid Other"
    assert rules.channel("OurForum", "cpc") == "Paid Social"
    at = rules.sources.at("forum.ours.cn")
    assert at is not None
    assert at.kind == "social"
    assert OURS.named("红薯").kind is None


@pytest.mark.parametrize(
    "document",
    [
        {"channel_rule": {"channel": "A"}},
        {"channel_rule": ["A"]},
        {"channel_rule": [{"channel": "A"}]},
        {"channel_rule": [{"source": "a"}]},
        {"channel_rule": [{"channel": " ", "source": "a"}]},
        {"channel_rule": [{"channel": "A", "sorce": "a"}]},
        {"channel_rule": [{"channel": "A", "source": 1}]},
        {"channel_rule": [{"channel": "A", "source": []}]},
        {"channel_rule": [{"channel": "A", "source": [1]}]},
        {"channel_rule": [{"channel": "A", "source": {"like": "a"}}]},
        {"channel_rule": [{"channel": "A", "source": {"kind": "dreams"}}]},
        {"channel_rule": [{"channel": "A", "medium": {"kind": "social"}}]},
        {"channel_rule": [{"channel": "A", "source": {"matches": "("}}]},
        {"channel_rule": [{"channel": "A", "source": {"matches": "a", "in": ["b"]}}]},
        {"source_alias": ["a"]},
        {"source_alias": {"a": "b"}},
        {"source_alias": {"a": [""]}},
        {"source_kind": {"dreams": ["a"]}},
    ],
)
def test_a_rule_that_cannot_be_read_is_named(document):
    with pytest.raises(BadInput) as caught:
        ChannelRules.compile([document])
    assert caught.value.code == "bad_channel_rule"
    assert next(iter(document)) in caught.value.text("zh")


def test_every_spelling_in_the_table_belongs_to_one_source():
    owner = {}
    for kind in KINDS:
        for name, spellings in table()[kind].items():
            for spelling in {folded(text) for text in (name, *spellings)}:
                assert owner.setdefault(spelling, name) == name, spelling
                assert OURS.named(spelling.replace(".*", ".com")).kind is not None


def test_every_app_and_click_id_names_a_known_kind_of_source():
    assert all(OURS.named(name).kind for name in table()["in_app"])
    paid = [group["source"] for group in table()["click_id"] if group.get("paid")]
    assert all(OURS.named(name).kind in {"search", "social"} for name in paid)


def test_every_rule_and_reason_of_both_modes_is_told_in_both_languages():
    for name in MODES:
        assert all(rule["en"] and rule["zh"] for rule in mode(name).rules)
        assert ChannelRules.compile(by=name).mode is mode(name)


def test_a_source_has_one_name_in_both_modes_and_a_kind_in_each():
    theirs = ChannelRules.compile(by="ga4")
    for label in ("xhs", "小红书", "baidu", "www.facebook.com", "perplexity", "企微"):
        assert theirs.named(label).name == OURS.named(label).name
    assert (OURS.named("xhs").kind, theirs.named("xhs").kind) == ("social", None)
    assert theirs.named("baidu").kind == "search"


def test_a_site_s_kinds_and_rules_hold_in_ga4_s_mode_too():
    rules = ChannelRules.compile(
        [
            {
                "channel": {"mode": "ga4"},
                "source_kind": {"social": ["xhs"]},
                "channel_rule": [{"channel": "达人", "medium": "kol", "reason": "ours"}],
            }
        ]
    )
    assert rules.channel("小红书", "cpc") == "Paid Social"
    assert rules.channel("x", "kol") == "达人"


def test_a_rule_may_ask_for_one_of_several_kinds():
    document = {"channel_rule": [{"channel": "A", "source": {"kind": ["social", "video"]}}]}
    rules = ChannelRules.compile([document])
    assert [rules.channel(name, None) for name in ("xhs", "b站", "baidu")] == [
        "A",
        "A",
        "Organic Search",
    ]
