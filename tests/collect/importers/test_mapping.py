import re
from pathlib import Path

import pytest

from touchline.collect import importers
from touchline.collect import reasons as of_events
from touchline.collect.importers import reasons as of_files
from touchline.errors import BadInput


def fields(read, kind, header):
    cells = ",".join("1" for _ in header.split(","))
    return read(kind, f"{header}\n{cells}\n").fields


def test_columns_are_guessed_in_chinese_and_english(read):
    assert fields(
        read, "conversions", "订单号,下单时间,实付金额(元),会员号,手机号,门店编码,导购工号"
    ) == {
        "订单号": "conversion_id",
        "下单时间": "occurred_at",
        "实付金额(元)": "amount",
        "会员号": "member_code",
        "手机号": "phone",
        "门店编码": "store_code",
        "导购工号": "staff_id",
    }
    assert fields(
        read,
        "costs",
        "Day,Campaign name,Ad set name,Amount spent (USD),Impressions,Link clicks,Platform",
    ) == {
        "Day": "date",
        "Campaign name": "campaign",
        "Ad set name": "ad_group",
        "Amount spent (USD)": "cost",
        "Impressions": "impressions",
        "Link clicks": "clicks",
        "Platform": "channel",
    }
    assert fields(read, "costs", "投放日期,渠道,平台,消耗")["平台"] == "source"


def test_a_field_s_own_name_goes_before_every_guess(read):
    found = fields(read, "events", "date,occurred_at,event,name,用户ID")
    assert found == {"occurred_at": "occurred_at", "name": "name", "用户ID": "user_id"}


def test_a_column_left_over_keeps_its_name_even_if_that_is_a_field_s(read):
    rows = "date,amount,金额,phone\n2026-03-01,1,2,13800138001\n"
    toml = '[columns]\namount = "金额"\n[constants]\nphone = "13800138009"\n'
    row = read("conversions", rows, toml=toml).only
    assert (row.amount, row.properties) == (200, {"amount": "1", "phone": "13800138001"})
    assert [i.value for i in row.identifiers] == ["+8613800138009"]


def test_what_could_mean_two_things_is_not_guessed(read):
    found = fields(read, "conversions", "id,date,状态,status,quantity,type,user_id")
    assert found == {"date": "occurred_at", "user_id": "user_id"}


def test_the_map_decides_before_any_guess(read):
    rows = "date,金额,实付,uid,when\n2026-03-01,5,3,u1,2026-04-01\n"
    toml = '[columns]\namount = "金额"\noccurred_at = "when"\n'
    toml += '[constants]\nkind = "renewal"\nshop = "淘宝"\n'
    row = read("conversions", rows, toml=toml).only
    assert (row.amount, row.kind) == (500, "renewal")
    assert row.properties == {"date": "2026-03-01", "实付": "3", "shop": "淘宝"}


def test_a_constant_stands_in_for_a_column_and_is_part_of_the_content(read):
    rows = "time,user_id\n2026-03-01,u1\n"
    plain = read("events", rows, toml='[constants]\nname = "Visit"\n').only
    other = read("events", rows, toml='[constants]\nname = "Call"\n').only
    assert plain.name == "Visit"
    assert plain.message_id != other.message_id


def test_an_identifier_may_come_from_several_columns(read):
    rows = "time,name,a,b\n2026-03-01,Call,13800138001,13800138002\n"
    found = read("events", rows, toml='[columns]\nphone = ["a", "b"]\n')
    assert [i.value for i in found.only.identifiers] == ["+8613800138001", "+8613800138002"]


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        ("columns = 3", ["map.toml", "columns"]),
        ("[columns]\nname = \n", ["map.toml", "line 2"]),
        ("[colums]\n", ["[colums]", "columns"]),
        ('[columns]\noccured_at = "time"\n', ["occured_at", "did you mean occurred_at"]),
        ('[columns]\noccurred_at = "tme"\n', ["'tme'", "time, name, user_id"]),
        ("[columns]\noccurred_at = 1.5\n", ["occurred_at", "name"]),
        ('[columns]\nname = ["event", "what"]\n', ["'event'", "time, name, user_id"]),
        ('[columns]\nname = "name"\n[constants]\nname = "x"\n', ["name", "already"]),
        ("[constants]\nname = []\n", ["name", "one text or number"]),
        ("[format]\ndelimeter = ';'\n", ["delimeter", "delimiter"]),
        ("[format]\ndelimiter = ';;'\n", ["delimiter", "whitespace"]),
        ("[format]\nencoding = 'utf-99'\n", ["utf-99", "gb18030"]),
        ("[format]\nencoding = 'zlib'\n", ["zlib"]),
        ("[format]\nheader = 99\n", ["99", "header"]),
        ("[format]\nheader = 'no'\n", ["header", "row"]),
        ("[format]\nsheet = 1.5\n", ["sheet"]),
        ("[format]\ndate_order = 'myd'\n", ["date_order", "dmy"]),
        ("[format]\nfill_down = 'channel'\n", ["fill_down", "list"]),
        ("[format]\nfill_down = ['渠道']\n", ["fill_down", "fields of events"]),
        ("[format]\nfill_down = ['revenue']\n", ["fill_down", "twice"]),
    ],
)
def test_a_bad_map_names_the_place_and_the_remedy(read, toml, parts):
    with pytest.raises(BadInput) as error:
        read("events", "time,name,user_id\n2026-03-01,Visit,u1\n", toml=toml)
    for language in ("en", "zh"):
        assert "\n" not in error.value.text(language)
    for part in parts:
        assert part in str(error.value)


def test_a_map_that_is_not_there_or_no_text_is_told(read, tmp_path):
    from touchline.collect.importers.mapfile import read_map

    with pytest.raises(BadInput, match="no such file"):
        read_map(tmp_path / "no.toml", "events")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not a map"):
        read_map(tmp_path / "b.toml", "events")


@pytest.mark.parametrize(
    ("kind", "header", "missing"),
    [
        ("events", "name,user_id", "occurred_at"),
        ("events", "time,name", "user_id"),
        ("costs", "date,channel", "cost"),
        ("conversions", "order_id,amount", "occurred_at"),
        ("people", "level,city", "user_id"),
        ("rates", "date,from,to", "rate"),
    ],
)
def test_a_file_without_a_needed_column_is_refused_and_shows_what_it_has(
    read, kind, header, missing
):
    with pytest.raises(BadInput) as error:
        read(kind, header + "\n" + header + "\n")
    assert missing in str(error.value)
    assert header.split(",")[0] in str(error.value)


def test_the_columns_shown_are_those_under_the_title(read):
    with pytest.raises(BadInput, match="It has: 项目, 博主, 结算金额"):
        read("costs", "结案表,,\n,,\n项目,博主,结算金额\nA,小鹿,5\n")


def test_a_file_of_costs_is_not_a_place_for_properties(read):
    with pytest.raises(BadInput, match="is no field of costs"):
        read("costs", "date,channel,cost\n", toml='[columns]\nmood = "cost"\n')


def test_blanks_of_a_named_field_repeat_what_is_above(read):
    rows = "time,name,user_id\n2026-03-01,Visit,u1\n,Visit,u2\n2026-03-02,,u3\n"
    found = read("events", rows, toml='[format]\nfill_down = ["occurred_at"]\n')
    assert [event.ts_us - found.good[0].ts_us for event in found.good] == [0, 0]
    assert found.rejects == [(4, "missing_event")]


def test_columns_of_the_same_name_are_told_apart(read):
    found = read("events", "time,name,user_id,note,note,\n2026-03-01,Visit,u1,a,b,c\n")
    assert found.only.properties == {"note": "a", "note 2": "b", "6": "c"}


def test_every_reason_has_words_and_a_remedy():
    used = set()
    for path in Path(importers.__path__[0]).glob("*.py"):
        text = path.read_text("utf-8")
        used |= set(re.findall(r'BadRow\("(\w+)"\)', text))
        used |= set(re.findall(r'(?:an_id|count)\([^()]*\([^()]*\), "(\w+)"\)', text))
        used |= set(re.findall(r'Broken\(\w+(?:\.\w+)?, "(\w+)"', text))
    assert len(used) > 15
    assert used <= {**of_events.REASONS, **of_files.REASONS}.keys()
