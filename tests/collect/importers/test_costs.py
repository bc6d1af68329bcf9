import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.importers.costs import share

HEADER = "date,channel,cost\n"


def test_a_range_is_spread_evenly_and_adds_up_to_the_cent(read):
    found = read(
        "costs", "date,date_to,channel,cost,impressions\n2026-02-27,2026-03-01,户外,100,8\n"
    )
    assert [c.cost for c in found.costs] == [3334, 3333, 3333]
    assert [c.impressions for c in found.costs] == [3, 3, 2]
    assert [c.day - found.costs[0].day for c in found.costs] == [0, 1, 2]


@given(st.integers(-(10**15), 10**15), st.integers(1, 400))
def test_shares_add_up_and_differ_by_one_at_most(total, parts):
    shares = [share(total, parts, at) for at in range(parts)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    "cell",
    [
        *("2026/3/1-2026/3/4", "2026-03-01 ~ 2026-03-04"),
        *("2026年3月1日至2026年3月4日", "2026年3月1日-2026年3月4日"),
    ],
)
def test_a_range_may_stand_in_one_cell(read, cell):
    assert [c.cost for c in read("costs", HEADER + f"{cell},户外,100\n").costs] == [2500] * 4


def test_days_without_decimals_are_spread_in_whole_units(read):
    found = read("costs", "date,date_to,channel,cost,currency\n2026-03-01,2026-03-03,A,100,JPY\n")
    assert [c.cost for c in found.costs] == [34, 33, 33]


def test_equal_keys_of_one_file_add_up_and_kinds_stay_apart(read):
    found = read(
        "costs",
        "date,channel,campaign,cost,clicks,kind\n"
        "2026-03-01,A,x,1.10,1,\n"
        "2026-03-01,A,x,2.20,,media\n"
        "2026-03-01,A,x,3,,服务费\n"
        "2026-03-01,A,y,4,,\n",
    )
    assert [(c.campaign, c.kind, c.cost, c.clicks) for c in found.costs] == [
        ("x", "media", 330, 1),
        ("x", "fee", 300, None),
        ("y", "media", 400, None),
    ]


def test_a_blank_of_a_text_file_is_blank_unless_the_map_says_otherwise(read):
    sheet = (
        "channel,date,source,medium,kind,cost\nTV,2026-03-01,,,rebate,5\n,2026-03-01,baidu,cpc,,6\n"
    )
    found = read("costs", sheet)
    assert [(c.channel, c.kind) for c in found.costs] == [
        ("TV", "rebate"),
        ("Paid Search", "media"),
    ]
    assert read("costs", "date,channel,cost\n2026-04-01,TV,5\n,Radio,6\n").rejects == [
        (3, "bad_date")
    ]


def test_blanks_left_by_merging_repeat_what_is_above(read):
    sheet = (
        "投放日期,渠道,计划,单元,消耗\n"
        "2026-03-01,千川,A,a1,1\n"
        ",,,a2,2\n"
        ",,B,b1,3\n"
        ",聚光,C,,4\n"
        ",,,c2,5\n"
        "2026-03-02,聚光,,d1,6\n"
        "合计,,,,28\n"
    )
    toml = '[format]\nfill_down = ["date", "channel"]\n'
    found = read("costs", sheet.encode("gb18030"), toml=toml)
    assert [(c.channel, c.campaign, c.ad_group, c.cost) for c in found.costs] == [
        ("千川", "A", "a1", 100),
        ("千川", None, "a2", 200),
        ("千川", "B", "b1", 300),
        ("聚光", "C", None, 400),
        ("聚光", None, "c2", 500),
        ("聚光", None, "d1", 600),
    ]
    assert found.rejects == [(8, "total_row")]


def test_a_merged_column_in_the_middle_is_named_in_the_map(read):
    sheet = "date,channel,cost\n2026-03-01,A,1\n2026-03-02,,2\n"
    assert read("costs", sheet).rejects == [(3, "missing_channel")]
    found = read("costs", sheet, toml='[format]\nfill_down = ["channel"]\n')
    assert [c.channel for c in found.costs] == ["A", "A"]


def test_a_row_without_a_channel_gets_it_by_the_rules_and_labels_are_those_of_events(read):
    found = read(
        "costs",
        "date,source,medium,campaign,cost\n2026-03-01,Google,CPC,spring,1\n"
        "2026-03-01,XHS,CPC,,2\n2026-03-01,小红书,cpc,,3\n2026-03-01,,,,4\n",
    )
    assert found.costs[0].channel == "Paid Search"
    assert found.costs[0].medium == "cpc"
    assert len(found.costs) == 2
    assert found.costs[1].cost == 500
    assert found.rejects == [(5, "missing_channel")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("soon,A,1", "bad_date"),
        (",A,1", "bad_date"),
        ("03/04/2026,A,1", "bad_date"),
        ("2026-03-01,A,", "missing_cost"),
        ("2026-03-01,A,many", "bad_amount"),
        ("2026-03-04 ~ 2026-03-01,A,1", "bad_range"),
        ("2000-01-01 ~ 2026-03-01,A,1", "bad_range"),
        ("Total,,1", "total_row"),
        ("抖音小计,,1", "total_row"),
        ("Grand Total:,,1", "total_row"),
    ],
)
def test_bad_rows_say_why(read, row, reason):
    assert read("costs", HEADER + row + "\n2026-03-01,A,1\n").rejects == [(2, reason)]


def test_a_bad_currency_kind_or_count_rejects_the_row(read):
    header = "date,channel,cost,currency,kind,clicks\n"
    rows = ["A,1,XXY,,", "A,1,,tax,", "A,1,,,-3", "A,1,usd,,1.2万"]
    found = read("costs", header + "".join(f"2026-03-01,{row}\n" for row in rows))
    assert found.rejects == [(2, "unknown_currency"), (3, "bad_kind"), (4, "bad_count")]
    assert (found.costs[0].currency, found.costs[0].clicks) == ("USD", 12000)


LABELS = ("channel", "source_name", "medium", "campaign", "ad_group", "term", "content")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("channel,campaign", "信息流（付费）,春季　上新！"),
        ("channel,ad_group,term,content", "ＳＥＭ,Ａ组 ,关键词（精确）,①号素材"),
        ("channel,source,medium", "达人,小红书,ＫＯＬ"),
        ("channel,source,medium", "(not set),XHS,Paid"),
        ("source,medium,campaign", " Ｂａｉｄｕ,CPC,品牌词（上海）"),
        ("source", "newsletter"),
        ("medium", "Ｅｍａｉｌ"),
        ("campaign", "春季（返场）"),
    ],
)
def test_costs_and_events_that_are_spelt_alike_get_the_same_labels(read, header, cells):
    cost = read("costs", f"date,cost,{header}\n2026-03-01,1,{cells}\n").only.days[0]
    toml = "\n".join(["[columns]", *(f'{name} = "{name}"' for name in header.split(","))])
    row = f"2026-03-01 10:00,visit,13800138000,{cells}\n"
    event = read("events", f"time,event,phone,{header}\n{row}", toml=toml).only
    of_cost = {name: getattr(cost, name) for name in LABELS}
    assert of_cost == {name: getattr(event, name) for name in LABELS}
    assert cost.channel not in {None, "Direct"}


TOTAL_WORDS = ["Total", "TOTALS", "Sub-total", "合计", "总计", "小计:", "汇总"]
TOTAL_WORDS += [
    "累计",
    "本月累计消耗",
    "合 计",
    "总  计",
    "合计(元)",
    "总计(万元):",
    "合计金额",
    " Total ",
    "Grand total [CNY]",
    "(合计)",
    "【合计】",
    "合计:300",
    "合计(全部渠道)",
]


@pytest.mark.parametrize("word", TOTAL_WORDS)
def test_a_dated_row_is_no_total_whatever_its_campaign_is_called(read, word):
    sheet = (
        "date,channel,source,campaign,ad_group,cost\n"
        f"2026-03-01,TV,,{word},,1\n2026-03-02,,baidu,{word},,2\n2026-03-03,TV,,c,{word},3\n"
        f"2026-03-04,{word},,c,,4\n2026-03-05,,,{word},,5\n"
    )
    found = read("costs", sheet)
    assert ([c.cost for c in found.costs], found.rejects) == ([100, 200, 300, 400, 500], [])


@pytest.mark.parametrize("word", TOTAL_WORDS)
@pytest.mark.parametrize(
    "row", ["{},,,9", ",{},,9", ",,{},9", ",TV,{},9", "{},TV,c,9", "soon,{},,9", "2026-03-01,{},,9"]
)
def test_a_row_of_totals_says_so_and_has_no_date_or_no_placement(read, row, word):
    sheet = "date,channel,campaign,cost\n2026-03-01,TV,c,1\n" + row.format(word) + "\n"
    found = read("costs", sheet)
    assert ([c.cost for c in found.costs], found.rejects) == ([100], [(3, "total_row")])


def test_all_is_a_total_if_it_is_the_sum_of_others_and_else_a_channel(read):
    sheet = (
        "日期,渠道,消耗\n2026-03-01,全部,5\n2026-03-02,微博,1\n2026-03-02,小红书,2\n"
        "2026-03-02,全 部,3\n2026-03-01 ~ 2026-03-02,全部,8\n,全部,8\n2026-04-01,全部,7\n"
        "2026-04-01,全部流量,1\n"
    )
    found = read("costs", sheet)
    assert [c.cost for c in found.costs] == [500, 100, 200, 700, 100]
    assert found.rejects == [(5, "total_row"), (6, "total_row"), (7, "bad_date")]


DAY = "日期,渠道,消耗\n"
KINDS_OF_COST = "日期,渠道,费用类型,消耗\n"
FILLED = '[format]\nfill_down = ["date"]\n'
MERGED = '[format]\nfill_down = ["date", "channel"]\n'


@pytest.mark.parametrize(
    ("sheet", "toml", "kept"),
    [
        # A column that is not mapped, or that says 全部 of a named channel, makes no total.
        ("日期,渠道,设备,消耗\n2026-03-01,微博,全部,100\n,小红书,全部,200\n", FILLED, 300),
        (
            "日期,渠道,设备,消耗\n2026-03-01,微博,全部,100\n,小红书,全部,200\n",
            FILLED + '[columns]\ncampaign = "设备"\n',
            300,
        ),
        ("日期,渠道,口径,消耗\n2026-03-01,微博,累计,100\n,小红书,汇总,200\n", FILLED, 300),
        # Another kind of cost, an amount that differs, a row that cannot be read.
        (KINDS_OF_COST + "2026-03-01,微博,media,100\n2026-03-01,全部,production,50\n", None, 150),
        (KINDS_OF_COST + "2026-03-01,微博,media,100\n2026-03-01,全部,production,100\n", None, 200),
        (DAY + "2026-03-01,微博,100\n2026-03-01,全部,90\n", None, 190),
        (DAY + "2026-03-01,微博,x\n2026-03-01,全部,300\n", None, 300),
        (DAY + "2026-03,全部,300\n2026-03,全部,300\n", None, 600),
        ("日期,渠道,消耗,币种\n2026-03-01,微博,3,USD\n2026-03-01,全部,3,CNY\n", None, 6),
        (DAY + "2026-03-01,微博,0\n2026-03-01,全部,0.01\n", None, 0.01),
        (DAY + "2026-03-01,Total (TV),100\n2026-03-01,Radio,50\n", None, 150),
        (DAY + "2026-03-01,微博,100\n2026-03-02,小红书,200\n2026-03-02,累计,5000\n", None, 300),
        *(
            (
                DAY + f"2026-03-01,微博,100\n2026-03-01,小红书,200\n2026-03-01,{word},300\n",
                None,
                300,
            )
            for word in ("Total (excl. VAT)", "汇总(不含返点)", "全部(含税)")
        ),
        # What it covers: its days, whatever their order, and its kind.
        (
            (
                "开始日期,结束日期,渠道,消耗\n2026-03-05,2026-03-05,微博,100\n"
                "2026-03-06,2026-03-06,小红书,200\n2026-03-01,2026-03-31,全部,300\n"
            ),
            None,
            300,
        ),
        (DAY + "2026-03-01,全部,300\n2026-03-01,微博,100\n2026-03-01,小红书,200\n", None, 300),
        (DAY + "2026-03-01,微博,100\n2026-03-01,小红书,200\n2026-03-01,All,300.2\n", None, 300),
        (DAY + "2026-03,微博,100\n2026-03,小红书,200\n2026-03,所有渠道,300\n", None, 300),
        (
            KINDS_OF_COST + "2026-03-01,微博,media,100\n2026-03-01,微博,fee,10\n"
            "2026-03-01,全部,media,100\n2026-03-01,全部,fee,10\n2026-03-01,累计,,110\n",
            None,
            110,
        ),
        (
            KINDS_OF_COST + "2026-03-01,微博,media,100\n2026-03-01,小红书,fee,10\n"
            "2026-03-01,全部,,110\n",
            '[format]\nfill_down = ["kind"]\n',
            110,
        ),
        (
            (
                "日期,渠道,媒体费,服务费\n2026-03-01,微博,100,10\n2026-03-01,小红书,50,\n"
                "2026-03-01,全部,150,10\n"
            ),
            None,
            160,
        ),
        (
            (
                "日期,渠道,计划,消耗\n2026-03-01,微博,A,100\n2026-03-01,小红书,B,200\n"
                "2026-03-01,全部,全部,300\n2026-03-01,合计,全部,300\n"
            ),
            None,
            300,
        ),
        # A constant of the map names nothing.
        *(
            (
                f"月份,渠道,消耗\n2026-03,微博,100\n2026-03,小红书,200\n2026-03,{word},300\n",
                '[constants]\nmedium = "cpc"\n',
                300,
            )
            for word in ("合计", "全部")
        ),
        ("渠道,计划,消耗\nTV,Total,100\nTV,b,50\n", '[constants]\ndate = "2026-03-01"\n', 150),
        # Of one channel, or of a campaign's groups.
        *(
            (
                (
                    "日期,渠道,计划,消耗\n2026-03-01,微博,A,100\n2026-03-01,微博,B,200\n"
                    f"2026-03-01,微博,{word},300\n2026-03-01,小红书,C,50\n"
                    f"2026-03-01,小红书,{word},70\n2026-03-01,全部,,420\n"
                ),
                None,
                420,
            )
            for word in ("小计", "全部", "Total")
        ),
        (
            (
                "日期,渠道,计划,单元,消耗\n2026-03-01,微博,A,x,100\n2026-03-01,微博,A,y,200\n"
                "2026-03-01,微博,A,小计,300\n2026-03-01,微博,B,x,5\n2026-03-01,微博,小计,,305\n"
            ),
            None,
            305,
        ),
        # What has a day of its own may be of a day that nobody took apart.
        (DAY + "2026-03-01,微博,100\n2026-03-02,全部,100\n", None, 200),
        (
            "日期,渠道,计划,消耗\n2026-03-01,微博,A,100\n2026-03-02,微博,全部,100\n",
            None,
            200,
        ),
        # Beneath merged cells: of the day, of the channel, of the whole sheet.
        (
            (
                "日期,渠道,计划,消耗\n2026-03-01,聚光,A,1\n,,B,2\n,,全部,3\n,千川,C,4\n,,全部,4\n"
                "2026-03-02,聚光,D,8\n,,累计,15\n"
            ),
            MERGED,
            15,
        ),
    ],
)
def test_what_sums_up_others_counts_once_and_all_else_in_full(read, sheet, toml, kept):
    assert sum(c.cost for c in read("costs", sheet, toml=toml).costs) == round(kept * 100)


def test_a_date_that_reads_two_ways_is_told_as_such_beside_all(read):
    rows = "03/04/2026,微博,全部,100\n03/05/2026,全部,全部,200\n"
    found = read("costs", "日期,渠道,设备,消耗\n" + rows)
    assert found.rejects == [(2, "bad_date"), (3, "bad_date")]


@pytest.mark.parametrize(
    ("header", "rows", "kept"),
    [
        ("费用", "户外,北京,100\n2026-03-01,全部,北京,30", [100, 30]),
        ("费用", "户外,北京,100\n2026-03-01,全部,全部,100", [100]),
        ("费用", "户外,北京,100\n2026-03-01,户外,合计,100", [100]),
        ("曝光量", "户外,北京,100\n2026-03-01,电台,上海,50\n2026-03-01,全部,,150", [100, 50]),
        ("曝光量", "户外,北京,100\n2026-03-01,全部,,90", [100, 90]),
    ],
)
def test_a_place_is_a_name_and_what_nobody_paid_is_summed_up_by_its_views(read, header, rows, kept):
    found = read("aggregates", f"日期,渠道,城市,{header}\n2026-03-01,{rows}\n")
    views = [c.impressions for c in found.costs]
    assert (views if header == "曝光量" else [c.cost // 100 for c in found.costs]) == kept


@pytest.mark.parametrize("word", ["合 计", "全部", "合计(元)"])
def test_a_total_of_a_month_or_beneath_merged_dates_doubles_nothing(read, word):
    months = f"月份,渠道,消耗\n2026-03,微博,100\n2026-03,小红书,200\n2026-03,{word},300\n"
    found = read("costs", months)
    assert (sum(c.cost for c in found.costs), found.rejects) == (30_000, [(4, "total_row")])
    merged = f"日期,渠道,消耗\n2026-03-01,微博,100\n,小红书,200\n,{word},300\n"
    found = read("costs", merged, toml='[format]\nfill_down = ["date"]\n')
    assert (sum(c.cost for c in found.costs), found.rejects) == (30_000, [(4, "total_row")])


@pytest.mark.parametrize("row", [",,合计,9", ",小计,,9", "合计,,,9"])
def test_a_date_repeated_from_above_is_not_the_total_s_own(read, row):
    sheet = "日期,渠道,计划,消耗\n2026-03-01,聚光,A,1\n,,B,2\n" + row + "\n"
    found = read("costs", sheet, toml='[format]\nfill_down = ["date", "channel"]\n')
    assert ([c.cost for c in found.costs], found.rejects) == ([100, 200], [(4, "total_row")])


@pytest.mark.parametrize("word", ["合计", "本月小计", "Total"])
@pytest.mark.parametrize(
    ("sheet", "toml"),
    [
        ("序号,日期,渠道,计划,消耗\n1,2026-03-01,微博,A,100\n2,,,B,200\n{},,,,300\n", MERGED),
        ("负责人,日期,渠道,消耗\n张三,2026-03-01,微博,100\n李四,,小红书,200\n{},,,300\n", MERGED),
        ("序号,日期,渠道,消耗\n1,2026-03-01,微博,100\n2,2026-03-02,微博,200\n{},,,300\n", None),
    ],
)
def test_a_total_may_say_so_in_a_column_that_is_not_mapped(read, sheet, toml, word):
    found = read("costs", sheet.format(word), toml=toml)
    assert (sum(c.cost for c in found.costs), found.rejects) == (30_000, [(4, "total_row")])


def test_no_row_with_a_placement_of_its_own_is_a_total_by_what_is_not_mapped(read):
    sheet = "组别,日期,渠道,消耗\nA,2026-03-01,微博,100\n合计,,小红书,200\n"
    assert sum(c.cost for c in read("costs", sheet, toml=FILLED).costs) == 30_000


def test_a_total_of_orders_may_say_so_in_a_column_that_is_not_mapped(read):
    found = read("conversions", "序号,金额,下单时间\n1,5,2026-03-01\n合计,5,\n")
    assert found.rejects[-1] == (3, "total_row")


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("2026-03-01,微博,100,\n2026-03-01,小红书,x,\n2026-03-01,全部,300,\n", [4]),
        ("2026-03-01,微博,3,USD\n2026-03-01,小红书,7,CNY\n2026-03-01,全部,28,CNY\n", [4]),
        ("2026-03-01,Total (TV),100,\n2026-03-01,Radio,50,\n", [2]),
        ("2026-03-01,微博,100,\n2026-03-01,全部,100,\n2026-03-02,全部,70,\n", [4]),
        ("2026-03-01,微博,100,\n2026-03-01,电台,50,\n2026-03-01,全部,0,\n", []),
        ("2026-03-01,微博,100,\n2026-03-02,电台,50,\n2026-03-31,全部,150,\n", [4]),
    ],
)
def test_what_may_be_a_total_beside_others_and_is_taken_is_told(read, rows, lines):
    file = read("costs", "日期,渠道,消耗,币种\n" + rows).file
    assert file.unproven == lines
    assert list(file.rows())
    assert file.unproven == lines


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("渠道,来源,计划", ["搜索,baidu,A,{}", "搜索,baidu,B,{}", "搜索,baidu,小计,{}"]),
        ("source,medium,campaign", ["google,cpc,A,{}", "google,cpc,B,{}", "google,cpc,Total,{}"]),
        ("渠道,计划", ["微博,双11,{}", "小红书,双11,{}", "全部,双11,{}"]),
        ("渠道,计划,关键词", ["百度,A,k1,{}", "百度,A,k2,{}", "百度,A,合计,{}"]),
    ],
)
def test_a_total_of_any_level_is_proven_by_what_it_sums_up(read, head, rows):
    lines = [row.format(cost) for row, cost in zip(rows, (100, 50, 150), strict=True)]
    sheet = f"日期,{head},消耗\n" + "".join(f"2026-03-01,{line}\n" for line in lines)
    found = read("costs", sheet)
    assert (sum(c.cost for c in found.costs), found.rejects) == (15_000, [(4, "total_row")])


def test_all_channels_of_a_medium_are_told_and_taken(read):
    sheet = "日期,渠道,媒介,消耗\n2026-03-01,微博,cpc,100\n2026-03-01,全部,cpc,100\n"
    found = read("costs", sheet)
    assert (sum(c.cost for c in found.costs), found.file.unproven) == (20_000, [3])


@pytest.mark.parametrize(("views", "is_total"), [(50, False), (990, True), (1000, True)])
def test_what_views_deny_is_no_total(read, views, is_total):
    rows = f"2026-03-01,Radio,100,1000,10\n2026-03-01,Total (TV),100,{views},10\n"
    found = read("costs", "日期,渠道,消耗,展现,点击\n" + rows)
    assert [line for line, _ in found.rejects] == ([3] if is_total else [])
    assert found.file.unproven == ([] if is_total else [3])


def test_a_sheet_that_says_all_in_every_row_has_no_total(read):
    found = read("costs", "日期,渠道,计划,消耗\n2026-03-01,微博,全部,1\n2026-03-02,微博,全部,1\n")
    assert (len(found.costs), found.rejects, found.file.unproven) == (2, [], [])


def test_a_row_that_says_all_that_an_earlier_one_says_counts_and_is_told(read):
    sheet = "date,channel,campaign,cost,note\n2026-03-01,Ads,a,100,x\n2026-03-01,Ads,a,100,y\n"
    found = read("costs", sheet + "2026-03-01,Ads,a,100,x\n")
    assert (sum(c.cost for c in found.costs), found.file.repeated) == (30_000, [4])
    assert list(found.file.rows())
    assert found.file.repeated == [4]
