"""`touchline import` as a user meets it: what is printed where, and the exit code."""

import csv
import io
import json

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
