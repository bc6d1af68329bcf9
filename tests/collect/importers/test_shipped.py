"""Exports of platforms and systems, by invented samples: recognised by their columns, and read."""

from pathlib import Path

import pytest

from touchline.collect.importers.mapfile import read_map
from touchline.collect.importers.shipped import recognised, shipped
from touchline.errors import BadInput

SAMPLES = Path(__file__).parent / "samples"
# A first row as it is understood: some columns of what it becomes.
FIRST = {
    "google_ads": {"channel": "Paid Search", "source_name": "google", "campaign": "Brand CN",
                   "ad_group": "Exact", "cost": 5812, "currency": "USD", "impressions": 1204},
    "meta_ads": {"channel": "Paid Social", "source_name": "facebook", "content": "Video A",
                 "cost": 6130, "currency": "USD", "clicks": 212},
    "meta_ads_period": {"source_name": "facebook", "cost": 4725, "currency": "USD"},
    "baidu_ads": {"channel": "Paid Search", "source_name": "baidu", "campaign": "品牌词",
                  "term": "澄屿精华", "cost": 9810, "currency": "CNY", "impressions": 320},
    "tencent_ads": {"source_name": "tencent_ads", "medium": "cpm", "cost": 153020, "clicks": 410},
    "ocean_engine": {"source_name": "oceanengine", "campaign": "信息流-拉新", "cost": 82055,
                     "ad_group": "视频口播01"},
    "qianchuan": {"source_name": "qianchuan", "campaign": "直播间-精华专场", "cost": 320000},
    "juguang": {"source_name": "xiaohongshu_ads", "ad_group": "搜索-成分词", "content": "笔记A",
                "cost": 51230, "clicks": 405},
    "salesforce_opportunities": {"conversion_id": "0065g01", "kind": "opportunity",
                                 "stage": "Closed Won", "amount": 8_800_000, "staff_id": "Lin",
                                 "account_id": "001A"},
    "salesforce_leads": {"conversion_id": "00Q01", "kind": "lead", "staff_id": "Lin"},
    "hubspot_deals": {"conversion_id": "90001", "stage": "closedwon", "amount": 16_800_000,
                      "account_id": "771"},
    "fxiaoke_opportunities": {"conversion_id": "SJ-0001", "stage": "赢单", "amount": 8_800_000,
                              "account_id": "KH-1", "staff_id": "林晓"},
    "fxiaoke_leads": {"conversion_id": "XS-0001", "kind": "lead", "stage": "未处理"},
    "xiaoshouyi_opportunities": {"conversion_id": "JH-001", "amount": 8_800_000,
                                 "account_id": "KH-9"},
    "xiaoshouyi_leads": {"conversion_id": "XL-001", "kind": "lead", "stage": "未联系"},
    "pos_receipts": {"conversion_id": "HZ01-0301-001", "amount": 65_700, "store_code": "HZ01"},
    "call_log": {"message_id": "c-1", "name": "Call", "channel": "Phone", "staff_id": "A01"},
    "chat_log": {"message_id": "t-1", "name": "Chat", "channel": "Online Chat",
                 "source_name": "baidu"},
    "hubspot_contacts": {"account_id": "771"},
    "kol_notes": {"channel": "KOL", "place": "小鹿的护肤日记", "cost": 1_200_000,
                  "impressions": 86000, "engagements": 3100},
    "marketplace": {"channel": "手淘搜索", "place": "天猫旗舰店", "visits": 1820},
}  # fmt: skip
CASES = [pytest.param(one, id=one.name) for one in shipped().values()]


@pytest.mark.parametrize("one", CASES)
def test_an_export_is_recognised_by_its_columns_and_read_without_a_map(read, one):
    found = read(one.kind, SAMPLES / f"{one.name}.csv")
    assert found.file.map_name == one.name
    row = found.good[0]
    row = row.days[0] if hasattr(row, "days") else row
    assert {name: getattr(row, name) for name in FIRST[one.name]} == FIRST[one.name]
    assert {reason for _, reason in found.rejects} <= {"total_row", "missing_cost", "missing_id"}


@pytest.mark.parametrize("one", CASES)
def test_a_map_names_fields_of_its_kind_and_its_sample_shows_its_signs_alone(one):
    assert read_map(Path(one.name), one.kind).is_loose
    text = (SAMPLES / f"{one.name}.csv").read_text("utf-8")
    fitting = [
        other.name
        for other in shipped().values()
        if any(
            (found := recognised(other.kind, line.split(","))) is not None and found is other
            for line in text.splitlines()[:6]
        )
    ]
    assert fitting == [one.name]


def test_a_map_asked_for_by_name_is_laid_over_what_would_not_be_recognised(read):
    sheet = "日期,推广计划,消费\n2026-03-01,品牌词,5\n"
    with pytest.raises(BadInput):
        read("events", sheet, map_name="baidu_ads")
    (cost,) = read("costs", sheet, map_name="baidu_ads").costs
    assert (cost.source_name, cost.campaign, cost.cost) == ("baidu", "品牌词", 500)


def test_generic_reads_by_guesses_alone(read):
    found = read("costs", SAMPLES / "tencent_ads.csv", map_name="generic")
    assert found.file.map_name == "generic"
    assert {reason for _, reason in found.rejects} == {"missing_channel", "total_row"}


def test_a_summary_that_names_channels_is_no_platforms_export(read):
    sheet = "日期,渠道,推广计划,单元,消费,展现\n2026-03-01,搜狗,A,a,5,6\n2026-03-01,百度,B,b,7,8\n"
    found = read("costs", sheet)
    assert found.file.map_name is None
    assert [(c.channel, c.source_name) for c in found.costs] == [("搜狗", None), ("百度", None)]


def test_a_users_own_map_is_never_mixed_with_one_that_is_recognised(read):
    toml = '[constants]\nchannel = "SEM"\n'
    found = read("costs", SAMPLES / "baidu_ads.csv", toml=toml)
    assert found.file.map_name is None
    assert {(c.channel, c.source_name) for c in found.costs} == {("SEM", None)}


def test_a_shipped_map_is_copied_adjusted_and_used(read):
    toml = shipped()["baidu_ads"].text.replace('medium = "cpc"', 'medium = "brand"')
    found = read("costs", SAMPLES / "baidu_ads.csv", toml=toml)
    assert {(c.source_name, c.medium) for c in found.costs} == {("baidu", "brand")}


@pytest.mark.parametrize(
    "toml",
    ['[map]\nkind = "events"\n', '[map]\nname = "x"\n', '[map]\nignore = "x"\n'],
)
def test_a_bad_opening_of_a_map_is_named(read, toml):
    with pytest.raises(BadInput, match=r"\[map\]"):
        read("costs", "date,channel,cost\n2026-03-01,A,1\n", toml=toml)
