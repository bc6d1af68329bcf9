"""`touchline retention`: what has run out is counted, and only then taken away."""

import json

import pytest

import build
from touchline import clock
from touchline.cli import main
from touchline.jobs import definitions

NOTHING = {"persons_forgotten": 0, "identifiers_forgotten": 0, "changes_deleted": 0}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    made = build.workspace(tmp_path / "shop")
    told = [build.track("a", "Visit", userId="ann"), build.track("b", "Help", userId="ann")]
    build.Tracker(made).send(*told, {"type": "?", "messageId": "bad"}, at=build.T0)
    rule = {"what": "events", "days": 100, "names": ["Visit"], "purpose": "analytics"}
    rejects = {"what": "rejects", "days": 30, "purpose": "support"}
    definitions.apply(made, {"retention": [rule, rejects]})
    made.close()
    monkeypatch.setattr(clock, "now_us", lambda: build.T0 + 200 * build.DAY)
    return tmp_path / "shop"


def counted(shop, capsys, *more):
    assert main(["retention", str(shop), "--format", "json", *more]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["what"] for one in found.pop("rules")] == ["events", "rejects"]
    return found


def test_a_dry_run_says_what_would_go_and_takes_nothing(shop, capsys):
    # What waits in the log is filed first, so that it is counted.
    due = {"events_deleted": 1, "events_anonymised": 0, "rejects_deleted": 1} | NOTHING
    assert main(["export", str(shop), "events"]) == 0
    capsys.readouterr()
    assert counted(shop, capsys, "--dry-run") == due
    assert counted(shop, capsys, "--dry-run") == due
    assert counted(shop, capsys) == due
    assert set(counted(shop, capsys).values()) == {0}
    assert main(["export", str(shop), "events"]) == 0
    (left,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert left["name"] == "Help"


def test_it_is_a_table_for_people_in_their_language(shop, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["retention", str(shop), "--dry-run"]) == 0
    assert "删除的事件" in capsys.readouterr().out
    assert main(["retention", str(shop), "--dry-run", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("what,number\n")
