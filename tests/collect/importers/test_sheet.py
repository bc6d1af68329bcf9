import contextlib
import datetime as dt
import tracemalloc
import zipfile
import zlib

import openpyxl
import pytest

from touchline.collect.importers import sheetguard
from touchline.errors import BadInput

NOON = dt.datetime.fromisoformat("2026-03-01 12:30")


@pytest.fixture
def workbook(tmp_path):
    """Sheets by name, each a list of rows, saved; `merged` are ranges of the first."""

    def save(merged=(), hidden=(), **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
            sheet.sheet_state = "hidden" if name in hidden else "visible"
        for span in merged:
            book.worksheets[0].merge_cells(span)
        path = tmp_path / "book.xlsx"
        book.save(path)
        return path

    return save


def test_an_agency_sheet_with_title_merged_cells_and_totals(read, workbook):
    path = workbook(
        sheet=[
            ["澄屿 2026年3月投放报表", None, None, None, None],
            [None, None, None, None, None],
            ["投放日期", "渠道", "计划名称", "消耗(元)", "点击量"],
            [dt.date(2026, 3, 1), "巨量千川", "A", 100.5, 10],
            [None, None, "B", "1,200.00", 20],
            [None, "聚光", "C", 300, 30],
            [None, None, "D", None, 40],
            [dt.date(2026, 3, 2), "聚光", "C", 7, 1],
            ["小计", None, None, 1607.5, 101],
            ["合计", None, None, 1607.5, 101],
        ],
        merged=["A1:E1", "A4:A7", "B4:B5", "B6:B7", "D6:D7", "A10:C10"],
    )
    found = read("costs", path)
    assert found.rejects == [(9, "total_row"), (10, "total_row")]
    rows = [
        (c.day - found.costs[0].day, c.channel, c.campaign, c.cost, c.clicks) for c in found.costs
    ]
    assert rows == [
        (0, "巨量千川", "A", 10050, 10),
        (0, "巨量千川", "B", 120000, 20),
        (0, "聚光", "C", 30000, 30),
        (0, "聚光", "D", 0, 40),
        (1, "聚光", "C", 700, 1),
    ]


def test_the_sheet_is_the_one_whose_header_is_known(read, workbook):
    cover = [["报告说明", "作者"], ["请看第二页", "小王"]]
    data = [["date", "channel", "cost"], [dt.date(2026, 3, 1), "A", 5]]
    path = workbook(
        cover=cover, old=data, data=[*data, [dt.date(2026, 3, 2), "B", 6]], hidden=["old"]
    )
    assert [c.channel for c in read("costs", path).costs] == ["A", "B"]
    named = read("costs", path, toml='[format]\nsheet = "OLD"\n')
    assert [c.channel for c in named.costs] == ["A"]
    with pytest.raises(BadInput, match="no sheet 'x'; it has: cover, old, data"):
        read("costs", path, toml='[format]\nsheet = "x"\n')


def test_cells_come_as_people_typed_them(read, workbook):
    path = workbook(
        s=[
            ["日期", "事件", "手机号", "会员号", "备注", "金额"],
            [NOON, "到店", 13800138001, 1001, 2.5, 199],
            [46082.5, "到店", "13800138002", "m2", True, "1,299.00"],
        ]
    )
    first, second = read("events", path).good
    assert [(i.type, i.value) for i in first.identifiers] == [
        ("phone", "+8613800138001"),
        ("member_code", "1001"),
    ]
    assert (first.properties, first.revenue) == ({"备注": 2.5}, 19900)
    assert second.ts_us - first.ts_us == -30 * 60 * 1_000_000
    assert (second.properties, second.revenue) == ({"备注": True}, 129900)


def test_a_formula_is_its_value_and_never_runs(read, workbook):
    rows = [["occurred_at", "name", "user_id", "note"], ["2026-03-01", "Visit", "u1", "=1+1"]]
    assert read("events", workbook(s=rows)).only.properties == {}


def put(path, name, data, method=zipfile.ZIP_DEFLATED):
    """Replaces one entry of the archive."""
    with zipfile.ZipFile(path) as old:
        entries = {info.filename: old.read(info) for info in old.infolist()}
    entries[name] = data
    with zipfile.ZipFile(path, "w", method) as new:
        for filename, content in entries.items():
            new.writestr(filename, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
ROWS = [["date", "channel", "cost"], ["2026-03-01", "A", 5]]
HEAD = b'<?xml version="1.0"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


@pytest.mark.parametrize(
    "cells",
    [
        b'<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<x:row r="900000"><x:c t="n" r="ZZ900000"><v>1</v></x:c></x:row>',
        b"<row><c/></row>" * 30_000 + b"<row>" + b"<c/>" * 1_000 + b"</row>",
        b'<row r="1000000"><c><v>1</v></c></row><row>' + b"<c/>" * 2000 + b"</row>",
        b'<row r="1"><c r="ZZZZZZ1"><v>1</v></c><c r="A1"/></row>',
        b'<row><c x=">" r = "xfd1048576"><v>1</v></c><c r="A1"/></row>',
        b'<row x=" r=1 " s="' + b"x" * 999 + b'"><c s="1"r="ALL99999"><v>1</v></c></row><row/>',
        b"<row x=\" r='1' \"><c><v>1</v></c></row>" * 20_000
        + b"<row>"
        + b"<c/>" * 2000
        + b"</row>",
    ],
)
def test_a_sheet_that_asks_for_a_giant_grid_is_refused(read, workbook, cells):
    body = HEAD + b"<sheetData>" + cells + b"</sheetData></worksheet>"
    path = put(workbook(s=ROWS), SHEET, body)
    with pytest.raises(BadInput, match="too large to open as a workbook"):
        read("costs", path)


@pytest.fixture
def low_limit(monkeypatch):
    """Bombs of a tenth of the size, against a tenth of the limit: the same, but sooner."""
    monkeypatch.setattr(sheetguard, "MAX_UNPACKED", sheetguard.MAX_UNPACKED // 10)


@pytest.mark.usefixtures("low_limit")
def test_a_zip_bomb_is_refused_in_little_memory(read, workbook):
    bomb = HEAD + b"<sheetData>" + b" " * 40_000_000 + b"</sheetData></worksheet>"
    path = put(workbook(s=ROWS), SHEET, bomb)
    del bomb
    tracemalloc.start()
    with pytest.raises(BadInput, match="too large"):
        read("costs", path)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


@pytest.mark.usefixtures("low_limit")
def test_a_zip_that_lies_about_its_size_is_inflated_before_it_is_believed(read, workbook):
    path = put(workbook(s=ROWS), SHEET, HEAD + b" " * 40_000_000 + b"</worksheet>")
    raw = bytearray(path.read_bytes())
    lie = (1000).to_bytes(4, "little")
    central = raw.index(b"PK\x01\x02")
    while central >= 0:
        name_length = int.from_bytes(raw[central + 28 : central + 30], "little")
        if raw[central + 46 : central + 46 + name_length] == SHEET.encode():
            raw[central + 24 : central + 28] = lie
            raw[central + 16 : central + 20] = zlib.crc32(b"x").to_bytes(4, "little")
        central = raw.find(b"PK\x01\x02", central + 4)
    path.write_bytes(raw)
    with pytest.raises(BadInput, match="too large"):
        read("costs", path)


def test_entities_are_not_expanded(read, workbook):
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = (
        laughs
        + HEAD.partition(b"\n")[2]
        + b"<sheetData>"
        + b"".join(
            b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>%s</t></is></c></row>' % (n, n, text)
            for n, text in enumerate([b"date,channel,cost", b"&b;&f;"], 1)
        )
        + b"</sheetData></worksheet>"
    )
    path = put(workbook(s=ROWS), SHEET, body)
    with pytest.raises(BadInput) as error:
        read("costs", path)
    assert "root:" not in str(error.value)
    assert "haha" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (SHEET, b"<worksheet><sheetData><row"),
        (SHEET, b"\xff\xfe<\0w\0o\0r\0k\0"),
        ("xl/workbook.xml", b"no xml"),
        ("xl/sharedStrings.xml", b"<sst><si>"),
        ("../../outside.txt", b"slip"),
    ],
)
def test_damaged_workbooks_are_refused_or_read(read, workbook, name, data, tmp_path):
    path = put(workbook(s=ROWS), name, data)
    with contextlib.suppress(BadInput):
        read("costs", path)
    assert not (tmp_path.parent / "outside.txt").exists()


def test_damage_in_a_sheet_that_is_not_read_costs_nothing(read, workbook):
    good = read("costs", workbook(s=ROWS, t=ROWS))
    assert good.table.alike == ["t"]
    path = put(workbook(s=ROWS, t=ROWS), "xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row")
    found = read("costs", path)
    assert (found.table.alike, found.costs) == ([], good.costs)


def test_ranges_merged_over_each_other_a_million_times_are_refused(read, workbook):
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 5001))
    merged = b'<mergeCell ref="A3:A1048576"/>' * 1000
    body = HEAD + b"<sheetData>" + rows + b"</sheetData><mergeCells>" + merged
    path = put(workbook(s=ROWS), SHEET, body + b"</mergeCells></worksheet>")
    with pytest.raises(BadInput):
        read("costs", path)


def test_a_zip_without_a_workbook_is_refused(read, tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"x")
    with pytest.raises(BadInput, match="zip file without a workbook"):
        read("costs", path)


def test_all_is_told_by_the_sums_of_a_workbook_and_of_lines_of_json_too(read, workbook):
    rows = [["日期", "渠道", "消耗"], ["2026-03-01", "全部", 3], ["2026-03-01", "微博", 1]]
    found = read("costs", workbook(sheet=[*rows, ["2026-03-01", "小红书", 2]]))
    assert (sum(c.cost for c in found.costs), found.rejects) == (300, [(2, "total_row")])
    lines = '{"date":"2026-03-01","channel":"all","cost":2}\n'
    lines += '{"date":"2026-03-01","channel":"TV","cost":2}\n'
    found = read("costs", lines)
    assert (sum(c.cost for c in found.costs), found.rejects) == (200, [(1, "total_row")])
