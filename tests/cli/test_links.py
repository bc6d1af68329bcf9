"""`touchline links` and `touchline qr`: addresses on stdout, files where they were asked for."""

import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

PAGE = "https://shop.cn/p"


@pytest.fixture
def shop(tmp_path):
    Workspace.init(tmp_path / "shop").close()
    return tmp_path / "shop"


def test_stdout_is_the_address_and_the_note_says_where_it_leads(shop, capsys):
    asked = ["--source", "wechat", "--campaign", "春季", "--code", "spring"]
    assert main(["links", "create", str(shop), PAGE, *asked, "--host", "go.shop.cn"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "https://go.shop.cn/l/spring\n"
    assert PAGE + "?utm_source=wechat&utm_campaign=%E6" in printed.err


def test_without_an_address_of_the_server_the_path_is_printed(shop, capsys):
    assert main(["links", "create", str(shop), PAGE, "--code", "spring"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "/l/spring\n"
    assert "public_url" in printed.err


def test_links_are_listed_as_table_json_and_csv(shop, capsys, monkeypatch):
    for code in ("one", "two"):
        assert main(["links", "create", str(shop), PAGE, "--code", code, "--label", "=门店"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["links", "list", str(shop)]) == 0
    assert "目标网址" in capsys.readouterr().out
    assert main(["links", "list", str(shop), "--format", "json", "--limit", "1"]) == 0
    (newest,) = json.loads(capsys.readouterr().out)
    assert newest["code"] == "two"
    assert main(["links", "list", str(shop), "--format", "csv"]) == 0
    assert "'=门店" in capsys.readouterr().out


def test_a_trial_is_shown_and_not_kept(shop, capsys):
    asked = ["--code", "spring", "--dry-run", "--format", "json"]
    assert main(["links", "create", str(shop), PAGE, *asked]) == 0
    assert json.loads(capsys.readouterr().out)["code"] == "spring"
    assert main(["links", "list", str(shop), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_names_against_the_rules_are_told_in_the_language_of_the_terminal(
    shop, capsys, tmp_path, monkeypatch
):
    (tmp_path / "names.toml").write_text('[naming]\ncase = "lower"\nrequired = ["medium"]\n')
    assert main(["apply", str(shop), str(tmp_path / "names.toml")]) == 0
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["links", "create", str(shop), PAGE, "--source", "Baidu"]) == 2
    assert "应使用小写字母" in capsys.readouterr().err


def test_a_qr_code_is_a_file_of_the_kind_its_name_says(shop, capsys, tmp_path):
    main(["links", "create", str(shop), PAGE, "--code", "spring"])
    asked = ["qr", str(shop), "spring", "--host", "go.shop.cn", "--label", "Scan me"]
    for name, start in (("a.svg", b"<svg"), ("a.png", b"\x89PNG")):
        assert main([*asked, "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_bytes().startswith(start)
    other = ["qr", str(shop), "--url", PAGE, "--source", "poster", "--out"]
    assert main([*other, str(tmp_path / "b.svg")]) == 0
    capsys.readouterr()
    for wrong in (
        ["qr", str(shop), "--out", str(tmp_path / "c.svg")],
        ["qr", str(shop), "spring", "--url", PAGE, "--out", str(tmp_path / "c.svg")],
        ["qr", str(shop), "spring", "--out", str(tmp_path / "c.svg")],
        [*asked, "--out", str(tmp_path / "c.gif")],
        [*asked, "--out", str(tmp_path / "nowhere" / "c.svg")],
    ):
        assert main(wrong) == 2
        assert not (tmp_path / "c.svg").exists()


def test_names_that_came_in_are_checked_and_a_finding_ends_with_1(shop, capsys, tmp_path):
    events = (
        "message_id,occurred_at,type,user_id,url\nm,2026-11-01,page,u,https://s.cn/?utm_source=A\n"
    )
    (tmp_path / "events.csv").write_text(events)
    assert main(["import", "events", str(tmp_path / "events.csv"), "--to", str(shop)]) == 0
    checked = ["links", "check", str(shop), "--days", "3660"]
    capsys.readouterr()
    assert main(checked) == 0
    assert "[naming]" in capsys.readouterr().err
    (tmp_path / "names.toml").write_text('[naming]\ncase = "lower"\n')
    main(["apply", str(shop), str(tmp_path / "names.toml")])
    capsys.readouterr()
    assert main([*checked, "--format", "csv"]) == 1
    assert "use small letters" in capsys.readouterr().out
