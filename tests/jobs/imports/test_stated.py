"""Deals that name their lead source: a touch each, once, and credit where there was none."""

import datetime as dt
import json

import pytest

from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import preview

SPEND = "月份,渠道,费用(万元)\n2026-03,百度推广,1.5\n2026-03,展会,3\n2026-03,小红书,0.8\n"
DEALS = (
    "合同编号,客户名称,来源,赢单日期,合同金额(万元)\n"
    "HT-1,诊所A,百度推广,2026-03-10,8.8\n"
    "HT-2,沙龙B,展会,2026-03-12,3.8\n"
    "HT-3,诊所C,百度推广,2026-03-20,16.8\n"
    "HT-4,沙龙D,,2026-03-21,3.8\n"
)


def events(workspace):
    lines = queries.events(workspace, Registry(workspace), {})
    return [json.loads(line) for line in lines]


def by_channel(workspace, **asked):
    found = queries.attribution(workspace, Registry(workspace), {"models": "linear", **asked})
    rows = {row.labels["channel"]: (row.conversions, row.revenue, row.cost) for row in found.rows}
    return rows, found.unattributed["no_touch"]["conversions"]


def test_two_spreadsheets_are_a_report(workspace, load):
    assert load("costs", SPEND) == (3, 0, 0, 0)
    assert load("conversions", DEALS) == (4, 0, 0, 0)
    rows, untouched = by_channel(workspace)
    assert rows == {
        "百度推广": (2.0, 25_600_000, 1_500_000),
        "展会": (1.0, 3_800_000, 3_000_000),
        "小红书": (0.0, 0, 800_000),
    }
    assert untouched == 1
    assert examine(workspace)["findings"] == []


def test_importing_the_deals_again_adds_no_touch(workspace, load):
    load("conversions", DEALS)
    assert load("conversions", DEALS) == (0, 4, 0, 0)
    assert len(events(workspace)) == 3
    assert by_channel(workspace)[0]["百度推广"][0] == 2.0
    assert examine(workspace)["findings"] == []


def test_a_corrected_source_moves_the_credit(workspace, load):
    load("conversions", DEALS)
    assert load("conversions", DEALS.replace("沙龙B,展会", "沙龙B,老客户转介绍")) == (0, 3, 1, 0)
    rows, _ = by_channel(workspace)
    assert rows["老客户转介绍"][0] == 1.0
    assert "展会" not in rows
    assert len(events(workspace)) == 3


def test_a_deal_s_stages_are_one_touch_on_the_day_it_was_made(workspace, load):
    header = "商机编号,创建时间,赢单时间,阶段,商机金额,线索来源,联系手机\n"
    first = header + "S1,2026-01-05,,方案,10,展会,13800138001\n"
    won = header + "S1,2026-01-05,2026-03-01,赢单,12,展会,13800138001\n"
    assert load("conversions", first) == (1, 0, 0, 0)
    assert load("conversions", won) == (0, 0, 1, 0)
    (touch,) = events(workspace)
    assert (touch["name"], touch["channel"], touch["order_id"]) == ("Lead Source", "展会", "S1")
    assert touch["timestamp"].startswith("2026-01-05")
    assert by_channel(workspace)[0] == {"展会": (1.0, 1200, 0)}


def test_a_history_without_a_creation_day_leaves_the_touch_where_the_deal_began(workspace, load):
    header = "conversion_id,occurred_at,stage,amount,lead source,crm_id\n"
    rows = "D1,2026-01-05,lead,,Trade Show,c1\nD1,2026-03-01,won,9,Trade Show,c1\n"
    load("conversions", header + rows)
    (touch,) = events(workspace)
    assert touch["timestamp"].startswith("2026-01-05")


def test_what_a_tracker_saw_and_what_the_crm_says_share_the_credit(workspace, load):
    load("events", "time,name,phone,channel\n2026-02-20,Visit,13800138001,自然搜索\n")
    deals = "合同编号,来源,赢单日期,合同金额,联系手机\nHT-1,展会,2026-03-10,10,13800138001\n"
    load("conversions", deals)
    assert by_channel(workspace)[0] == {"自然搜索": (0.5, 500, 0), "展会": (0.5, 500, 0)}


def test_a_company_s_deal_is_credited_with_its_own_source_and_its_contacts_touches(workspace, load):
    load("people", "crm_id,account_id\nc1,acme\n")
    load("events", "time,name,crm_id,channel\n2026-02-20,Webinar,c1,直播\n")
    deals = "合同编号,来源,赢单日期,合同金额,客户编号,企业编号\nHT-1,展会,2026-03-10,10,,acme\n"
    load("conversions", deals)
    assert by_channel(workspace)[0] == {"直播": (0.5, 500, 0), "展会": (0.5, 500, 0)}


def test_deals_that_name_nobody_stay_apart(workspace, load):
    load("conversions", DEALS)
    people = [json.loads(line) for line in queries.people(workspace, Registry(workspace), {})]
    assert sorted(p["identifiers"][0]["value"] for p in people) == [
        "deal:HT-1",
        "deal:HT-2",
        "deal:HT-3",
    ]


@pytest.mark.parametrize("column", ["渠道", "来源", "channel", "source"])
def test_where_an_order_was_placed_is_no_lead_source(workspace, load, column):
    orders = f"订单号,下单时间,实付金额,手机号,{column}\nO1,2026-03-01,5,13800138001,天猫旗舰店\n"
    load("conversions", orders)
    assert events(workspace) == []
    assert by_channel(workspace) == ({}, 1)


def test_a_map_may_say_that_it_is(workspace, load, tmp_path):
    (tmp_path / "m.toml").write_text('[columns]\nchannel = "渠道"\n', "utf-8")
    orders = "订单号,下单时间,实付金额,渠道\nO1,2026-03-01,5,抖音达人\n"
    load("conversions", orders, map_path=tmp_path / "m.toml")
    assert by_channel(workspace)[0] == {"抖音达人": (1.0, 500, 0)}


def test_finer_labels_go_with_the_source(workspace, load):
    deals = "合同编号,来源,市场活动,赢单日期,合同金额\nHT-1,百度推广,品牌词,2026-03-10,10\n"
    load("conversions", deals)
    load("costs", "date,channel,campaign,cost\n2026-03-01,百度推广,品牌词,4\n")
    found = queries.attribution(
        workspace, Registry(workspace), {"models": "linear", "by": "channel,campaign"}
    )
    (row,) = found.rows
    assert (row.labels, row.revenue, row.cost) == (
        {"channel": "百度推广", "campaign": "品牌词"},
        1000,
        400,
    )


def test_an_alias_joins_what_two_departments_call_it(workspace, load):
    load("costs", "date,channel,cost\n2026-03-01,百度,4\n")
    load("conversions", DEALS)
    apply(workspace, {"alias": [{"name": "百度", "also": ["百度推广"]}]})
    assert by_channel(workspace)[0]["百度"] == (2.0, 25_600_000, 400)


def test_what_was_stated_stays_readable_in_the_deal(workspace, load):
    load("conversions", DEALS)
    with workspace.view("conversions") as view:
        table = view.table("conversions")
        (row,) = view.fetch(table.filter(table.conversion_id == "HT-1")).to_pylist()
    assert json.loads(row["properties"]) == {"客户名称": "诊所A", "channel": "百度推广"}


def test_a_dry_run_shows_the_column_and_stores_nothing(workspace, tmp_path):
    from touchline.jobs.definitions import site_of

    (tmp_path / "deals.csv").write_text(DEALS, "utf-8")
    found = preview(site_of(workspace), "conversions", tmp_path / "deals.csv")
    assert {c.column: c.field for c in found.columns}["来源"] == "channel"
    assert events(workspace) == []


@pytest.mark.parametrize("stated", ["", "展会"])
def test_a_stated_source_does_not_move_the_day_of_a_code(workspace, load, stated):
    code = {"code": "ANNA10", "channel": "KOL", "from": dt.date(2026, 4, 1)}
    apply(workspace, {"promo_code": [code]})
    header = "合同编号,创建时间,赢单日期,合同金额,来源,联系手机,优惠码\n"
    load("conversions", header + f"HT-1,2026-03-01,2026-04-10,10,{stated},13800138001,anna10\n")
    credited, _ = by_channel(workspace)
    assert set(credited) == {"KOL", stated} - {""}
