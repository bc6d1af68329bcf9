"""Spend that may still change, and touches that name nobody: imported, reported, never doubled."""

import datetime as dt
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline import clock
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply
from touchline.jobs.doctor import examine
from touchline.measure.provisional import Finality

COSTS = "date,channel,source,cost\n"
MARCH_3 = clock.to_us(dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC))
DAY = clock.DAY_US


@pytest.fixture
def at(monkeypatch):
    return lambda us: monkeypatch.setattr(clock, "now_us", lambda: us)


def report(workspace, **asked):
    return queries.attribution(workspace, Registry(workspace), {"models": "linear", **asked})


def cost_of(found):
    return {row.labels["channel"]: row.cost for row in found.rows}


def spend_findings(workspace):
    return [f["what"] for f in examine(workspace)["findings"] if f["check"] == "spend"]


# Provisional spend


def test_without_a_rule_and_a_flag_all_spend_is_final(workspace, load):
    load("costs", COSTS + "2026-03-03,SEM,baidu,10\n")
    assert report(workspace).provisional is None
    assert "provisional" not in report(workspace).as_json()


def test_spend_is_provisional_until_it_is_imported_when_final(workspace, load, at):
    apply(workspace, {"spend_final_after": {"百度": 1, "tencent_ads": 3}})
    sheet = COSTS + "2026-03-01,SEM,baidu,10\n2026-03-03,SEM,baidu,20\n2026-03-03,TV,,40\n"
    at(MARCH_3)
    assert load("costs", sheet) == (3, 0, 0, 0)
    found = report(workspace)
    assert found.as_json()["provisional"] == {
        "cost": 2000,
        "from": "2026-03-03",
        "to": "2026-03-03",
        "channels": ["SEM"],
    }
    assert [code for code, _ in found.notes] == ["spend_provisional"]
    assert spend_findings(workspace) == []
    at(MARCH_3 + DAY)
    assert report(workspace).provisional is not None, "nobody looked again"
    assert len(spend_findings(workspace)) == 1
    assert load("costs", sheet) == (0, 3, 0, 0), "equal rows are duplicates all the same"
    assert report(workspace).provisional is None
    assert spend_findings(workspace) == []
    assert cost_of(report(workspace)) == {"SEM": 3000, "TV": 4000}


def test_a_sheet_imported_daily_is_stored_once_it_is_final_and_then_no_more(workspace, load, at):
    apply(workspace, {"spend_final_after": {"default": 2}})
    sheet = COSTS + "2026-03-03,SEM,baidu,20\n"
    versions = []
    for later in range(5):
        at(MARCH_3 + later * DAY)
        load("costs", sheet)
        versions.append(workspace.lake.costs.snapshot().version)
    assert [b - a for a, b in itertools.pairwise(versions)] == [0, 1, 0, 0]


def test_a_column_says_what_is_provisional_whatever_the_rule(workspace, load):
    header = "日期,渠道,消耗,结算状态\n"
    rows = "2026-03-01,SEM,10,暂估\n2026-03-02,SEM,20,已结算\n2026-03-03,SEM,30,\n"
    assert load("costs", header + rows) == (3, 0, 0, 0)
    assert report(workspace).provisional.cost == 1000
    assert load("costs", header + rows.replace("暂估", "已结算")) == (0, 2, 1, 0)
    assert report(workspace).provisional is None
    assert load("costs", header + "2026-03-04,SEM,1,maybe\n") == (0, 0, 0, 1)


def test_a_source_of_the_import_has_its_rule_too(workspace, load, at):
    apply(workspace, {"spend_final_after": {"agency": 5}})
    at(MARCH_3)
    load("costs", COSTS + "2026-03-03,TV,,1\n", source="agency")
    load("costs", COSTS + "2026-03-03,Radio,,2\n", source="other")
    assert report(workspace).provisional.channels == ("TV",)


def test_as_of_an_earlier_day_spend_is_what_it_was_then(workspace, load, at):
    apply(workspace, {"spend_final_after": {"baidu": 1}})
    at(MARCH_3)
    load("costs", COSTS + "2026-03-03,SEM,baidu,20\n")
    at(MARCH_3 + 2 * DAY)
    load("costs", COSTS + "2026-03-03,SEM,baidu,25\n")
    assert report(workspace).provisional is None
    then = report(workspace, as_of="2026-03-03")
    assert (then.provisional.cost, cost_of(then)) == (2000, {"SEM": 2000})


@pytest.mark.parametrize("table", [{"baidu": -1}, {"baidu": "1"}, {"baidu": 400}, [1], {"b": 1.5}])
def test_a_bad_rule_is_named(workspace, table):
    with pytest.raises(BadInput, match="spend_final_after"):
        apply(workspace, {"spend_final_after": table})


@given(st.integers(0, 366), st.integers(-5, 400))
def test_final_is_so_many_days_after(days, later):
    rule = Finality({"a": days}, "Asia/Shanghai")
    known_us = (20_000 + later) * DAY  # 08:00 in Shanghai
    assert rule.is_final(20_000, known_us, rule.after("a", None)) == (later >= days)


# Touches that name nobody

OUTDOOR = (
    "上刊日期,下刊日期,渠道,城市,费用(万元),覆盖人次(万)\n"
    "2026/3/1,2026/3/28,户外,杭州,2.8,56\n2026/3/1,2026/3/28,户外,上海,5.6,84\n"
)


def test_aggregates_stand_beside_the_credit_with_period_place_cost_and_exposure(workspace, load):
    load("events", "time,name,user_id,channel\n2026-03-02,Visit,u1,门店\n")
    load("conversions", "order_id,date,amount,user_id\no1,2026-03-05,10,u1\n")
    assert load("aggregates", OUTDOOR) == (2, 0, 0, 0)
    whole = report(workspace).as_json()
    assert [(r["channel"], r["conversions"], r["cost"]) for r in whole["rows"]] == [
        ("门店", 1.0, 0),
        ("户外", 0.0, 8_400_000),
    ]
    assert whole["aggregates"][0] == {
        "channel": "户外",
        "place": "上海",
        "from": "2026-03-01",
        "to": "2026-03-28",
        "cost": 5_600_000,
        "impressions": 840_000,
        "clicks": None,
        "engagements": None,
        "visits": None,
    }
    week = report(workspace, **{"from": "2026-03-01", "to": "2026-03-07"}).as_json()
    assert [(r["cost"], r["impressions"]) for r in week["aggregates"]] == [
        (1_400_000, 210_000),
        (700_000, 140_000),
    ]


def test_a_second_import_changes_nothing_and_a_revised_one_replaces(workspace, load):
    assert load("aggregates", OUTDOOR) == (2, 0, 0, 0)
    assert load("aggregates", OUTDOOR) == (0, 2, 0, 0)
    revised = OUTDOOR.replace("2026/3/28,户外,杭州,2.8", "2026/3/31,户外,杭州,3.1")
    assert load("aggregates", revised) == (1, 1, 0, 0)
    rows = report(workspace).as_json()["aggregates"]
    assert [(r["place"], r["to"], r["cost"]) for r in rows] == [
        ("上海", "2026-03-28", 5_600_000),
        ("杭州", "2026-03-31", 3_100_000),
    ]


def test_what_a_cost_file_speaks_of_is_not_counted_again(workspace, load):
    load("aggregates", OUTDOOR)
    agency = "date,date_to,channel,cost\n2026-03-01,2026-03-28,户外,80000\n"
    assert load("costs", agency) == (1, 0, 0, 0)
    found = report(workspace)
    assert cost_of(found) == {"户外": 8_000_000}
    assert found.notes == [("aggregates_covered", {"channels": "户外"})]
    assert sum(row["cost"] for row in found.aggregates) == 8_400_000
    later = "date,channel,cost\n2026-04-01,户外,1\n"
    load("costs", later)
    assert cost_of(report(workspace)) == {"户外": 8_000_100}


@pytest.mark.parametrize("order", ["ca", "acca"])
def test_the_order_and_number_of_imports_change_nothing(workspace, load, order):
    files = {"a": ("aggregates", OUTDOOR), "c": ("costs", COSTS + "2026-03-02,户外,,500\n")}
    for name in order:
        load(*files[name])
    found = report(workspace)
    day = 8_400_000 // 28
    assert cost_of(found) == {"户外": 8_400_000 - day + 50_000}
    assert sum(row["cost"] for row in found.aggregates) == 8_400_000


def test_costs_of_another_campaign_of_the_channel_do_not_hide_an_aggregate(workspace, load):
    header = "date,channel,campaign,cost,impressions\n"
    load("aggregates", header + "2026-03-01,KOL,小鹿,100,5000\n2026-03-01,KOL,,7,1\n")
    load("costs", "date,channel,campaign,cost\n2026-03-01,KOL,阿May,30\n")
    assert cost_of(report(workspace)) == {"KOL": 13_000}


def test_an_export_gives_back_what_was_imported_a_row_a_period(workspace, load):
    lines_of = OUTDOOR.splitlines()
    more = [lines_of[0] + ",点位", lines_of[1] + ",", lines_of[2] + ",地铁1号线"]
    load("aggregates", "\n".join(more) + "\n")
    lines = [json.loads(line) for line in queries.aggregates(workspace, Registry(workspace), {})]
    assert [(r["place"], r["from"], r["to"], r["days"], r["cost"]) for r in lines] == [
        ("上海", "2026-03-01", "2026-03-28", 28, 5_600_000),
        ("杭州", "2026-03-01", "2026-03-28", 28, 2_800_000),
    ]
    assert {r["channel"] for r in lines} == {"户外"}


def test_what_is_wrong_with_a_row_is_said(workspace, load):
    rows = (
        "date,channel,place,impressions\n2026-03-01,播客,A,\n2026-03-01,,B,5\nsoon,TV,,5\n"
        "2026-03-01,TV,央视,9\n合计,,,14\n"
    )
    assert load("aggregates", rows) == (1, 0, 0, 4)
    reasons = sorted(
        json.loads(line)["reason"] for line in queries.rejects(workspace, Registry(workspace), {})
    )
    assert reasons == ["bad_date", "missing_channel", "missing_cost", "total_row"]


def test_a_workspace_of_an_older_version_gets_its_table_when_it_is_opened(workspace):
    import shutil

    from touchline.storage.workspace import Workspace

    shutil.rmtree(workspace.lake.aggregates.root)
    again = Workspace.open(workspace.dir)
    assert report(again).aggregates == []
    again.close()
