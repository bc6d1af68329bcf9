"""`touchline attribution guide`: from a situation, or from what a workspace knows, to a model."""

import io
import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

EVENTS = """message_id,occurred_at,name,user_id,channel
1,2026-03-01T08:00:00,Visit,ann,Paid Social
2,2026-03-07T08:00:00,Visit,ann,Email
3,2026-03-02T08:00:00,Visit,bob,Paid Social
4,2026-03-02T09:00:00,Visit,cem,Email
"""
ORDERS = """conversion_id,occurred_at,amount,currency,user_id
a,2026-03-11T08:00:00,100,CNY,ann
b,2026-03-06T08:00:00,200,CNY,bob
"""
GUIDE = ["attribution", "guide"]
FACTS = ["--cycle", "5", "--conversions", "3000", "--channels", "8", "--tests", "0"]


@pytest.fixture
def shop(tmp_path, capsys):
    Workspace.init(tmp_path / "shop").close()
    for kind, text in (("events", EVENTS), ("conversions", ORDERS)):
        (tmp_path / f"{kind}.csv").write_text(text)
        file = str(tmp_path / f"{kind}.csv")
        assert main(["import", kind, file, "--to", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    return str(tmp_path / "shop")


def test_a_situation_gets_a_model_and_a_reason(capsys):
    assert main([*GUIDE, "--for", "budget", *FACTS, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "incremental"
    assert told["situation"]["conversions"] == 3_000
    assert set(told["why"]) == {"code", "en", "zh"}
    assert told["window_days"] == 30


def test_a_workspace_knows_its_own_situation(shop, capsys):
    assert main([*GUIDE, shop, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["situation"] == {
        "for": "budget",
        "cycle_days": 4.0,
        "conversions": 2,
        "channels": 2,
        "lift_tests": 0,
        "has_stages": False,
    }
    assert told["model"] == "time_decay"
    assert main([*GUIDE, shop, "--conversions", "5000", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "incremental"


def test_an_empty_workspace_gets_advice_too(tmp_path, capsys):
    Workspace.init(tmp_path / "new").close()
    assert main([*GUIDE, str(tmp_path / "new"), "--for", "openers"]) == 0
    assert "first_touch" in capsys.readouterr().out


def test_who_sits_at_a_terminal_is_asked(monkeypatch, capsys):
    answers = io.StringIO("budget\n5\n3000\n8\n2\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    assert main(GUIDE) == 0
    said = capsys.readouterr()
    assert "calibrated" in said.out
    assert said.err.count("?") == 5


def test_where_nobody_sits_it_must_be_given(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([*GUIDE, "--for", "budget"]) == 2
    assert "--cycle" in capsys.readouterr().err


def test_an_answer_that_is_no_number_is_refused(monkeypatch, capsys):
    answers = io.StringIO("long\n")
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)
    assert main([*GUIDE, "--for", "budget"]) == 2
    assert "'long'" in capsys.readouterr().err


def test_a_chinese_terminal_reads_chinese(monkeypatch, capsys):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main([*GUIDE, "--for", "report", *FACTS]) == 0
    said = capsys.readouterr().out
    assert "推荐模型: time_decay" in said
    assert "Next" not in said


def test_csv_has_a_line_for_each_piece_of_advice(capsys):
    assert main([*GUIDE, "--for", "budget", *FACTS, "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "what,model,why"
    assert lines[1].startswith("Use,incremental,")
