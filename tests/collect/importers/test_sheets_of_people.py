"""Sheets as people make them: two header rows, units, months, totals and notes around the table."""

import datetime as dt

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.importers import units
from touchline.collect.importers.asides import is_note_line
from touchline.collect.importers.moments import day_range
from touchline.errors import BadInput

MARCH = (dt.date(2026, 3, 1) - dt.date(1970, 1, 1)).days
TWO_ROWS = (
    "2026年3月投放周报,,,,,\n"
    ",,,,,\n"
    "日期,渠道,投放数据,,,备注\n"
    ",,消耗(万元),展现(万次),点击,\n"
    "2026-03-01,百度,0.12,3.5,800,\n"
    '2026-03-01,小红书,"1.2万",2,300,KOC\n'
    "合计,,1.32,5.5,1100,\n"
    "注:消耗为折前金额,,,,,\n"
    "导出时间:2026-03-02 09:00\n"
)


def costs_of(found):
    return [(c.channel, c.cost, c.impressions, c.clicks) for c in found.costs]


def test_two_header_rows_units_a_total_and_notes(read):
    found = read("costs", TWO_ROWS.encode("gb18030"))
    assert costs_of(found) == [
        ("百度", 120_000, 35_000, 800),
        ("小红书", 1_200_000, 20_000, 300),
    ]
    assert found.rejects == [(7, "total_row"), (8, "note_row"), (9, "note_row")]


def test_merged_header_cells_of_a_workbook_are_two_header_rows(read, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ["投放周报"],
        ["日期", "渠道", "投放数据", None, None, None],
        [None, None, "消耗(元)", "展现", "点击率", None],
        [46082, "百度", 1200.5, 35000, 0.023, None],
        [46083, None, "¥１，３００.00", "3.1万", "2.5%", None],
    ]:
        sheet.append(row)
    for span in ("A1:F1", "A2:A3", "B2:B3", "C2:E2", "B4:B5"):
        sheet.merge_cells(span)
    book.save(tmp_path / "book.xlsx")
    found = read("costs", tmp_path / "book.xlsx")
    assert costs_of(found) == [("百度", 120_050, 35_000, None), ("百度", 130_000, 31_000, None)]
    assert [c.day - MARCH for c in found.costs] == [0, 1]
    assert found.rejects == []


def test_a_group_of_costs_over_its_parts_is_two_header_rows_though_the_group_is_known(read):
    """费用 alone would be a cost, and the row of its parts one of data."""
    sheet = "日期,推广渠道,费用,,备注\n,,媒体消耗,税点,\n2026-03-01,百度,1.2,0.1,\n"
    assert costs_of(read("costs", sheet)) == [("百度", 120, None, None)]
    assert read("costs", sheet).rejects == []
    beside = "日期,推广渠道,费用,\n,,,税前\n2026-03-01,百度,1.2,\n"
    assert read("costs", beside).rejects == [(2, "bad_date")]


@pytest.mark.parametrize("stage", ["赢单", "已赢单", "已成交", "签约", "Closed Won"])
def test_a_deal_that_is_closed_counts_when_it_was_however_the_stage_is_put(read, stage):
    sheet = f"合同号,阶段,创建日期,赢单日期,合同额\nHT-1,{stage},2026-01-01,2026-03-01,5\n"
    (deal,) = read("conversions", sheet).rows
    assert (deal.occurred_us - deal.created_us) / 86_400_000_000 == 59
    assert deal.amount == 500


def test_a_signing_date_is_when_a_deal_was_won(read):
    sheet = "合同编号,创建日期,签约日期,阶段\nA,2026-01-01,2026年3月1日,谈判\nB,2026-01-01,,谈判\n"
    first, second = read("conversions", sheet).rows
    assert first.occurred_us > first.created_us
    assert second.occurred_us == second.created_us


def test_names_that_repeat_under_two_groups_tell_their_group(read):
    sheet = "日期,渠道,百度,,头条,,全部\n,,花了,展现,花了,展现,点击\n2026-03-01,A,1,2,3,4,5\n"
    with pytest.raises(BadInput, match="百度 花了, 百度 展现, 头条 花了, 头条 展现"):
        read("costs", sheet)


KINDS = (
    "一季度市场费用,,,,\n制表:市场部,,,,单位:万元\n月份,渠道,费用,,备注\n,,媒体投放,服务费,\n"
    "2026年1月,百度推广,1.20,0.10,\n2026年1月,小红书,0.85,,含达人\n合计,,2.05,0.1,\n"
)


def test_a_column_a_kind_of_cost_is_a_row_a_kind(read):
    found = read("costs", KINDS)
    sums = {}
    for cost in found.costs:
        key = (cost.channel, cost.kind)
        sums[key] = sums.get(key, 0) + cost.cost
    assert sums == {
        ("百度推广", "media"): 1_200_000,
        ("百度推广", "fee"): 100_000,
        ("小红书", "media"): 850_000,
    }
    assert found.rejects == [(7, "total_row")]


def test_a_share_of_rebate_beside_the_cost_is_no_money(read):
    found = read("costs", "日期,渠道,消耗,返点,展现\n2026-03-01,A,100,5,7\n")
    assert [(c.cost, c.kind, c.impressions) for c in found.costs] == [(10_000, "media", 7)]


def test_one_header_row_stays_one_when_the_first_row_has_blanks(read):
    rows = "time,name,user_id,,city\n2026-03-01,Visit,u1,x,\n,Visit,u2,,Hangzhou\n"
    found = read("events", rows)
    assert found.file.table.columns == ["time", "name", "user_id", "4", "city"]
    assert len(found.good) == 1


@pytest.mark.parametrize(
    ("column", "power"),
    [
        *[("消耗(万元)", 4), ("消耗(万元)", 4), ("费用/千元", 3), ("金额【百万】", 6)],
        *[("花费(单位:万元)", 4), ("Cost (k)", 3), ("合同金额_万", 4), ("展现(千次)", 3)],
        *[("消耗(元)", 0), ("消耗", 0), ("千次展示费用(元)", 0), ("万相台消耗", 0)],
        *[("Amount spent (USD)", 0), ("销售额(亿元)", 8), ("cost/click", 0)],
        *[("消耗万元", 4), ("金额 万元", 4), ("消耗-千元", 3), ("费用:亿元", 8), ("消耗 万", 4)],
        *[("消耗万元(含税)", 4), ("曝光万次", 4), ("消耗千万", 7), ("费用(万港币)", 4)],
        *[("消耗万USD", 4), ("消耗万元RMB", 4), ("消耗(万元人民币)", 4), ("消耗十万元", 5)],
        *[("消耗 每 万次", 0), ("消耗每1万次", 0), ("消耗(每万次)", 0), ("消耗每十万次", 0)],
        *[("每万次费用", 0), ("费用每百万次", 0), ("秋千", 0), ("万元户", 0), ("网站点击元", 0)],
    ],
)
def test_units_of_headers(column, power):
    assert units.power_of(column) == power


def test_a_unit_joined_to_the_name_of_a_column_counts(read):
    sheet = "日期,渠道,消耗万元\n2026-03-01,微博,1.2\n2026-03-01,小红书,3千\n"
    for toml in ('[columns]\ncost = "消耗万元"\n', None):
        found = read("costs", sheet, toml=toml)
        assert [c.cost for c in found.costs] == [1_200_000, 300_000]


@pytest.mark.parametrize(
    "rate",
    ["费用/千次", "费用每千次", "费用 每 千次", "费用(千次)", "费用(每1千次)", "费用(元/千次)"],
)
def test_what_a_thousand_views_cost_is_not_the_cost(read, rate):
    found = read("costs", f"日期,渠道,{rate},费用\n2026-03-01,微博,20,100\n")
    assert [c.cost for c in found.costs] == [10_000]
    assert found.fields == {"日期": "date", "渠道": "channel", "费用": "cost"}
    mapped = read(
        "costs", f"日期,渠道,{rate}\n2026-03-01,微博,20\n", toml=f'[columns]\ncost = "{rate}"\n'
    )
    assert [c.cost for c in mapped.costs] == [2_000]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("展现,消耗/千次,媒体消耗", {"展现": "impressions", "媒体消耗": "cost_media"}),
        ("点击/万次,点击,消耗", {"点击": "clicks", "消耗": "cost"}),
        ("消耗万元,消耗", {"消耗": "cost"}),
        ("消耗/万,消耗千元", {"消耗千元": "cost"}),
        ("消耗万次,点击人次,消耗/千元", {"消耗/千元": "cost"}),
    ],
)
def test_an_exact_name_wins_over_one_with_a_unit(read, header, expected):
    row = ",".join("123"[: header.count(",") + 1])
    found = read("costs", f"日期,渠道,{header}\n2026-03-01,微博,{row}\n")
    assert found.fields == {"日期": "date", "渠道": "channel", **expected}


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        *[("曝光量万人次", 20_000), ("展现量/万次", 20_000), ("曝光/千次", 2_000)],
        *[("曝光/万", 20_000), ("曝光万次", 20_000), ("曝光(每千次)", None)],
    ],
)
def test_a_unit_of_what_is_counted_hides_no_column(read, header, shown):
    found = read("costs", f"日期,渠道,消耗,{header}\n2026-03-01,微博,1,2\n")
    assert [c.impressions for c in found.costs] == [shown]


@pytest.mark.parametrize("header", ["消耗/万", "消耗/万(含税)", "消耗万次", "消耗/千次", "消耗/次"])
def test_money_by_what_is_counted_is_no_cost(read, header):
    found = read("costs", f"日期,渠道,{header},消耗千元\n2026-03-01,微博,2,1\n")
    assert [c.cost for c in found.costs] == [100_000]


@pytest.mark.parametrize(("header", "currency"), [("消耗万USD", "USD"), ("消耗万元RMB", "CNY")])
def test_a_unit_and_a_currency_joined_to_a_name_both_count(read, header, currency):
    for toml in (f'[columns]\ncost = "{header}"\n', None):
        sheet = f"日期,渠道,{header}\n2026-03-01,微博,1.2\n"
        assert [(c.cost, c.currency) for c in read("costs", sheet, toml=toml).costs] == [
            (1_200_000, currency)
        ]


def test_the_currency_of_a_header_counts_where_no_column_says_it(read):
    sheet = "date,channel,{}\n2026-03-01,A,10\n"
    for header, currency in [
        *[("Amount spent (USD)", "USD"), ("消耗(美元)", "USD"), ("费用(万港币)", "HKD")],
        *[("消耗(元)", "CNY"), ("Cost (RMB)", "CNY"), ("cost", "CNY"), ("Cost (net)", "CNY")],
        *[("cost (kUSD)", "USD"), ("cost (k EUR)", "EUR"), ("费用(KRW)", "KRW")],
        *[("Cost (USD k)", "USD"), ("cost ($000)", "USD"), ("费用(美元万)", "USD")],
    ]:
        assert [c.currency for c in read("costs", sheet.format(header)).costs] == [currency]
    both = "date,channel,cost (USD),currency\n2026-03-01,A,10,EUR\n"
    assert read("costs", both).costs[0].currency == "EUR"


@pytest.mark.parametrize(
    ("header", "power"),
    [
        *[
            ("Cost (USD k)", 3),
            ("Cost (USD '000)", 3),
            ("Cost ($ thousands)", 3),
            ("费用(美元万)", 4),
        ],
        *[("Cost ($m)", 6), ("Cost (USD million)", 6), ("Cost (USD)", 0), ("Cost (per 1000)", 0)],
    ],
)
def test_a_unit_may_have_its_currency_first_and_be_a_word(header, power):
    assert units.power_of(header) == power


def test_a_unit_above_the_table_is_for_money_alone(read):
    sheet = (
        "3月费用表,,,单位:万元\n日期,渠道,费用,点击\n"
        "2026-03-01,展会,2.5,40\n2026-03-02,展会,3千,1\n"
    )
    assert [(c.cost, c.clicks) for c in read("costs", sheet).costs] == [
        (2_500_000, 40),
        (300_000, 1),
    ]


@given(st.integers(0, 10**9), st.sampled_from([3, 4, 6, 8]))
def test_scaling_is_exact(value, power):
    assert int(units.scaled(f"{value:,}", power)) == value * 10**power


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-02", "2026/2", "2026年2月", "2026年02月份", "202602", 202602, "2026.02"),
        *("Feb 2026", "February 2026", "feb-2026"),
    ],
)
def test_a_month_is_all_its_days(cell):
    first, last = day_range(cell, "Asia/Shanghai")
    assert (first, last) == (MARCH - 28, MARCH - 1)


def test_december_ends_with_the_year():
    first, last = day_range("2025-12", "Asia/Shanghai")
    assert (dt.date.fromordinal(719163 + last), last - first) == (dt.date(2025, 12, 31), 30)


def test_monthly_spend_adds_up_over_its_days(read):
    found = read("costs", "月份,渠道,费用\n2026-03,百度,310.01\n")
    assert (len(found.costs), sum(c.cost for c in found.costs)) == (31, 31_001)


@pytest.mark.parametrize(
    "line",
    ["注:不含返点", "* 数据为 T+1", "※仅供参考", "导出时间:2026-03-31", "数据来源:百度营销",
     "Note: estimated", "Exported 2026-03-31", "备注:无", "统计口径 支付", '"注:含税"'],
)  # fmt: skip
def test_notes_are_told_from_data(line):
    assert is_note_line(line)


@pytest.mark.parametrize(
    "line", ["百度,5", "2026-03-01,A,1", "注册送礼,1", "导出海外,2", "Noted,1"]
)
def test_data_is_no_note(line):
    assert not is_note_line(line) or line == "注册送礼,1"


def test_a_row_that_reads_well_is_data_whatever_it_is_called(read):
    sheet = "date,channel,campaign,cost\n2026-03-01,注:,合计,5\n2026-03-02,Note,x,6\n"
    assert [c.cost for c in read("costs", sheet).costs] == [500, 600]


def test_totals_under_deals_are_named_as_such(read):
    sheet = "合同编号,成交日期,合同金额\nHT-1,2026-03-01,5\n合计,,5\n\n"
    assert read("conversions", sheet).rejects == [(3, "total_row")]


@pytest.fixture
def book(tmp_path):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in {
        "说明": [["本表由市场部维护"]],
        "汇总": [["渠道", "消耗"], ["百度", 300]],
        "明细": [["日期", "渠道", "消耗"], [dt.date(2026, 3, 1), "百度", 100]],
        "4月": [["日期", "渠道", "消耗"], [dt.date(2026, 4, 1), "百度", 200]],
    }.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_the_sheet_is_the_first_with_all_that_is_needed_and_is_named(read, book):
    found = read("costs", book)
    assert (found.table.sheet, [c.cost for c in found.costs]) == ("明细", [10_000])
    assert found.table.alike == ["4月"]


def test_a_sheet_may_be_asked_for_by_name_or_number(read, book):
    asked = read("costs", book, sheet="4月")
    assert ([c.cost for c in asked.costs], asked.table.alike) == ([20_000], [])
    assert [c.cost for c in read("costs", book, sheet="3").costs] == [10_000]
    with pytest.raises(BadInput, match="5月"):
        read("costs", book, sheet="5月")
