"""The page about this stage says what the code does."""

import re
import tomllib
from pathlib import Path

from touchline.collect.channel import ChannelRules
from touchline.collect.sources import table

PAGE = (Path(__file__).parents[2] / "docs/concepts/collect.md").read_text(encoding="utf-8")


def test_the_example_of_channel_rules_can_be_applied():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (block,) = [block for block in blocks if "[[channel_rule]]" in block]
    rules = ChannelRules.compile([tomllib.loads(block)])
    assert rules.channel("XHS", "KOL") == "达人种草"
    assert rules.channel("红薯", "koc") == "达人种草"
    assert rules.channel("baidu", "cpc", "2611_品牌") == "品牌词"
    assert rules.channel("x", "referral", referrer_host="m.dealer.example.cn") == "Dealers"
    assert rules.channel("forum.example.cn", "cpc") == "Paid Social"


def test_the_paid_click_ids_are_those_of_the_table():
    paid = [name for group in table()["click_id"] if group.get("paid") for name in group["names"]]
    sentence = re.search(r"Paid by themselves: `([^`]+)`", PAGE)
    assert sentence is not None
    assert sentence.group(1).split() == paid
