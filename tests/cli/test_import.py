"""`touchline import` as a user meets it: what is printed where, and the exit code."""

import csv
import io
import json
import tomllib

import openpyxl
import pytest

from touchline.cli import main

VISITS = "到店时间,会员号,渠道\n2026-03-01,m1,门店\n明天,m2,门店\n"


@pytest.fixture
def place(tmp_path, capsys, monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert main(["init", str(tmp_path / "w")]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def load(place, capsys):
    def run(kind, text, *options):
        (place / "file.csv").write_text(text, "utf-8")
        code = main(["import", kind, str(place / "file.csv"), "--to", str(place / "w"), *options])
        return code, *capsys.readouterr()

    return run


def test_json_is_the_five_counts_and_bad_rows_are_no_failure(load):
    code, out, err = load("events", VISITS, "--format", "json")
    assert code == 0
    assert list(json.loads(out).items()) == [
        ("read", 2),
        ("stored", 1),
        ("duplicate", 0),
        ("updated", 0),
        ("rejected", 1),
    ]
    assert "rejects" in err


def test_a_table_and_csv_say_the_same(load):
    _, out, _ = load("events", VISITS)
    assert out.split()[:5] == ["Read", "Stored", "Duplicate", "Updated", "Rejected"]
    _, out, _ = load("events", VISITS, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row == {"read": "2", "stored": "0", "duplicate": "1", "updated": "0", "rejected": "1"}


def test_a_dry_run_shows_the_guesses_and_stores_nothing(load, monkeypatch):
    code, out, _ = load("events", VISITS, "--dry-run", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert [(c["column"], c["field"], c["how"]) for c in found["columns"]] == [
        ("到店时间", "occurred_at", "guess"),
        ("会员号", "member_code", "guess"),
        ("渠道", "channel", "guess"),
    ]
    assert (found["read"], found["rejected"], found["stored"]) == (2, 1, 0)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    _, out, _ = load("events", VISITS, "--dry-run")
    assert "自动识别" in out
    assert "请写成 2026-03-01 12:00" in out
    _, out, _ = load("events", VISITS, "--format", "json")
    assert json.loads(out)["stored"] == 1


def test_names_out_of_a_file_cannot_steer_the_terminal_or_the_table(load):
    text = "time,name,user_id,[/b]x\n2026-03-01,Visit,u1,[/i]\x1b[31m:smile:\n"
    code, out, _ = load("events", text, "--dry-run")
    assert code == 0
    assert "[/b]x" in out
    assert ":smile:" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("text", "options", "part"),
    [
        ("", [], "nothing in it"),
        ("a,b\n1,2\n", [], "no column for occurred_at"),
        (VISITS, ["--map", "nowhere.toml"], "no such file"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exit_2(load, text, options, part):
    code, out, err = load("events", text, *options)
    assert (code, out) == (2, "")
    assert part in err
    assert len(err.splitlines()) == 1


def test_an_unknown_kind_is_a_usage_error(place, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["import", "things", "f.csv", "--to", str(place / "w")])
    assert leaving.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_folder_that_is_no_workspace_is_exit_2(tmp_path, capsys):
    (tmp_path / "f.csv").write_text(VISITS, "utf-8")
    assert main(["import", "events", str(tmp_path / "f.csv"), "--to", str(tmp_path)]) == 2
    assert "not a Touchline workspace" in capsys.readouterr().err


def test_a_known_export_is_named_before_its_columns_and_a_map_asked_for_by_name(load):
    sheet = "日期,账户,推广计划,推广单元,展现,点击,消费\n2026-03-01,a,品牌词,b,9,3,12.5\n"
    code, out, err = load("costs", sheet, "--dry-run", "--format", "json")
    found = json.loads(out)
    assert (code, found["map"], found["sheet"]) == (0, "baidu_ads", None)
    assert "baidu_ads" in err
    code, _, err = load("costs", sheet, "--map", "generic", "--dry-run")
    assert (code, err) == (0, "")
    code, _, err = load("costs", sheet, "--map", "juguang")
    assert code == 0
    assert "聚光" in err
    code, _, err = load("costs", sheet, "--map", "call_log")
    assert code == 2
    assert "is events" in err


def test_the_sheet_that_was_read_is_named(place, capsys):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["给老板看的"])
    book.create_sheet("明细").append(["日期", "渠道", "消耗(万元)"])
    book["明细"].append(["2026-03-01", "百度", 1.5])
    book.save(place / "b.xlsx")
    words = ["import", "costs", str(place / "b.xlsx"), "--to", str(place / "w")]
    assert main([*words, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert "Sheet: 明细" in err
    assert "cost × 10,000" in out
    assert main([*words, "--sheet", "Q4"]) == 2
    assert "说明, 明细" in capsys.readouterr().err
    assert main([*words, "--sheet", "明细", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["stored"] == 1


def test_lines_that_may_be_totals_and_count_are_told(load):
    sheet = "日期,渠道,消耗\n2026-03-01,微博,100\n2026-03-01,小红书,x\n2026-03-01,全部,300\n"
    for asked in (["--dry-run"], []):
        code, _, err = load("costs", sheet, *asked)
        assert code == 0
        assert "Lines 4 may be totals" in err
    assert json.loads(load("costs", sheet, "--dry-run", "--format", "json")[1])["unproven"] == [4]


def test_maps_are_listed_and_printed(capsys):
    assert main(["maps", "--format", "json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert {"google_ads", "fxiaoke_opportunities", "call_log"} <= set(names)
    assert main(["maps", "baidu_ads"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["map"]["kind"] == "costs"
    assert main(["maps", "nothing"]) == 2
    assert "google_ads" in capsys.readouterr().err


def test_aggregates_stand_beside_the_report_and_are_exported(load, place, capsys):
    sheet = "开始日期,结束日期,渠道,城市,费用,覆盖人次\n2026-03-01,2026-03-02,户外,杭州,100,900\n"
    assert load("aggregates", sheet)[0] == 0
    assert main(["attribute", str(place / "w"), "--models", "linear"]) == 0
    out = capsys.readouterr().out
    assert "name nobody" in out
    assert "杭州" in out
    assert main(["export", str(place / "w"), "aggregates", "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["place"], row["cost"], row["impressions"]) == ("杭州", "10000", "900")
