"""`touchline keys rotate|receipts`: what was changed is told, and what is sealed can be opened."""

import json

import pytest

import build
from touchline.cli import main
from touchline.jobs.privacy import rotate


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setattr(rotate, "GRACE_US", 0)
    made = build.workspace(tmp_path / "shop")
    build.Tracker(made).send(build.track("a", "Visit", userId="ann"))
    made.close()
    return tmp_path / "shop"


def test_a_root_key_is_changed_and_everybody_can_still_be_read(shop, capsys):
    root = shop / "secrets" / "root.key"
    before = root.read_bytes()
    asked = ["keys", "rotate", str(shop), "root", "--reason", "yearly"]
    assert main([*asked, "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"what": "root", "rewrapped": 1}
    assert "1 keys wrapped anew" in printed.err
    assert root.read_bytes() != before
    assert main(["people", "show", str(shop), "ann"]) == 0
    assert "ann" in capsys.readouterr().out
    assert main(["audit", str(shop), "--action", "key.rotate", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["about"]["what"], row["reason"]) == ("root", "yearly")


def test_public_keys_of_receipts_are_listed_with_those_of_before(shop, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    listing = ["keys", "receipts", str(shop)]
    assert main(["keys", "rotate", str(shop), "signing"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "请公布新的公钥列表" in printed.err
    assert main([*listing, "--format", "json"]) == 0
    now, before = json.loads(capsys.readouterr().out)
    assert now["fingerprint"] in printed.err
    assert now["until"] is None
    assert before["until"] is not None
    assert main(listing) == 0
    assert "停用时间" in capsys.readouterr().out


def test_another_key_is_bad_input_and_changes_none(shop, capsys):
    before = (shop / "secrets" / "root.key").read_bytes()
    with pytest.raises(SystemExit) as caught:
        main(["keys", "rotate", str(shop), "write"])
    assert caught.value.code == 2
    assert main(["keys", "rotate", str(shop / "none"), "root"]) == 2
    assert (shop / "secrets" / "root.key").read_bytes() == before
    capsys.readouterr()
