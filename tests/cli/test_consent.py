"""`touchline consent` and `touchline people preferences-link`: data on stdout, notes on stderr."""

import json

import pytest

import build
from build import Tracker, track
from touchline.cli import main


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "w"
    workspace = build.workspace(folder)
    Tracker(workspace).send(track("a", "Visit"))
    workspace.close()
    return str(folder)


def test_an_answer_is_recorded_and_shown_with_what_it_comes_to(shop, capsys):
    asked = ["--purpose", "marketing", "--channel", "email", "--grant", "--reason", "phone call"]
    assert main(["consent", "record", shop, "ann", *asked]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Recorded for 1 identifiers of the person.\n")
    assert main(["consent", "show", shop, "user_id:ann", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["channel"] for row in found["permissions"] if row["why"] == "granted"] == ["email"]
    (row,) = found["ledger"]
    assert (row["identifier"]["value"], row["granted"]) == ("ann", True)
    assert row["source"].endswith(" phone call")
    assert main(["consent", "show", shop, "ann"]) == 0
    assert "never asked" in capsys.readouterr().out


def test_a_link_is_printed_by_itself(shop, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    asked = ["people", "preferences-link", shop, "ann", "--host", "shop.cn", "--channel", "email"]
    assert main(asked) == 0
    told = capsys.readouterr()
    assert told.out.startswith("https://shop.cn/preferences/")
    assert told.out.count("\n") == 1
    assert "一键退订:https://shop.cn/unsubscribe/" in told.err


@pytest.mark.parametrize(
    "asked",
    [
        ["consent", "record", "{}", "ann", "--purpose", "magic", "--grant"],
        ["consent", "record", "{}", "nobody", "--purpose", "marketing", "--refuse"],
        ["consent", "show", "{}", "nobody"],
        ["people", "preferences-link", "{}", "ann", "--days", "0"],
        ["people", "preferences-link", "{}", "ann", "--channel", "pigeon"],
    ],
)
def test_what_cannot_be_is_said_in_one_line(shop, capsys, asked):
    assert main([part.format(shop) for part in asked]) == 2
    assert capsys.readouterr().err.count("\n") == 1
