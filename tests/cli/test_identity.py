"""`touchline people merge …` and `touchline identity …`: from names on a line to decisions kept."""

import json
import re

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

ANN, BOB = "email:ann@shop.cn", "phone:+8613800138000"
EVENTS = """message_id,occurred_at,name,user_id,email,phone,anonymous_id
1,2026-03-01,Visit,ann,ann@shop.cn,,
2,2026-03-02,Visit,,,13800138000,c1
"""


@pytest.fixture
def shop(tmp_path, capsys):
    Workspace.init(tmp_path / "shop").close()
    (tmp_path / "events.csv").write_text(EVENTS)
    assert (
        main(["import", "events", str(tmp_path / "events.csv"), "--to", str(tmp_path / "shop")])
        == 0
    )
    capsys.readouterr()
    return str(tmp_path / "shop")


@pytest.fixture
def said(capsys):
    """What a command prints as JSON, and its notes."""

    def said(*args):
        assert main([*args, "--format", "json"]) == 0
        printed = capsys.readouterr()
        return json.loads(printed.out), printed.err

    return said


def test_a_merge_is_tried_made_listed_and_undone(shop, said, capsys, monkeypatch):
    asked = ("people", "merge", shop, "ann@shop.cn", "13800138000", "--reason", "a call")
    trial, notes = said(*asked, "--dry-run")
    assert (trial["decision"], trial["merged"]) == (None, 1)
    assert "Persons: 2 now, 1 then" in notes
    done, notes = said(*asked)
    assert done["decision"] == 1
    assert "--undo 1" in notes
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["identity", "decisions", shop]) == 0
    assert "合并" in capsys.readouterr().out
    assert main(["identity", "decisions", shop, "--format", "csv"]) == 0
    assert "email:ann@shop.cn · phone:+8613800138000" in capsys.readouterr().out
    undone, _ = said("identity", "decisions", shop, "--undo", "1", "--reason", "wrong one")
    assert undone["split"] == 1
    made, _ = said("identity", "decisions", shop)
    assert [(one["kind"], one["is_in_force"]) for one in made] == [
        ("undo", False),
        ("merge", False),
    ]


def test_a_value_is_blocked_and_listed_with_why(shop, said, capsys):
    asked = ["identity", "quarantine", shop]
    said(*asked, "--block", "13800138000", "--reason", "the shop's own", "--author", "ann")
    (held,), _ = said(*asked, "--why", "by_hand")
    assert (held["value"], held["reason"]) == ("+8613800138000", "by_hand")
    assert main(asked) == 0
    assert "blocked by hand" in capsys.readouterr().out
    said(*asked, "--unblock", BOB, "--reason", "no, hers")
    assert said(*asked)[0] == []


def test_without_a_reason_nothing_is_decided(shop, capsys):
    assert main(["people", "merge", shop, ANN, BOB]) == 2
    assert "--reason" in capsys.readouterr().err
    both = ["--block", ANN, "--unblock", BOB, "--reason", "r"]
    assert main(["identity", "quarantine", shop, *both]) == 2
    assert "give one" in capsys.readouterr().err


def test_rules_are_shown_and_others_are_tried(shop, said, capsys, tmp_path, monkeypatch):
    told, _ = said("identity", "rules", shop)
    assert told["limits"]["phone"]["most"] == 3
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["identity", "rules", shop]) == 0
    printed = capsys.readouterr().out
    assert "limits.phone" in printed
    assert re.search("staff_sources +staff +默认", printed)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    file = tmp_path / "rules.toml"
    file.write_text('[identity]\n[identity.blocked]\nsets = ["made_up_phones"]\n')
    told, notes = said("identity", "dry-run", shop, str(file))
    assert told["held_back"] == 1
    assert "held back 1" in notes
    assert main(["identity", "dry-run", shop, str(file)]) == 0
    assert "+8613800138000" in capsys.readouterr().out
