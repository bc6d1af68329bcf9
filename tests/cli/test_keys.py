"""`touchline keys`: the key on stdout, everything else on stderr."""

import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace, key_hash


@pytest.fixture
def shop(tmp_path):
    Workspace.init(tmp_path / "shop", write_keys={"web": "site-key"}, admin_keys=["boss"]).close()
    return tmp_path / "shop"


def listed(shop, capsys):
    assert main(["keys", "list", str(shop), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_stdout_is_the_key_and_nothing_else(shop, capsys):
    assert main(["keys", "create", str(shop), "--name", "app", "--alias", "umami:U-1"]) == 0
    key = capsys.readouterr().out.strip()
    workspace = Workspace.open(shop)
    assert workspace.write_keys()[key_hash(key)] == "app"
    workspace.close()
    (app,) = [key for key in listed(shop, capsys) if key["name"] == "app"]
    assert app["aliases"] == ["umami:u-1"]


def test_a_key_with_a_value_is_that_value(shop, capsys):
    asked = ["--kind", "admin", "--value", "looker", "--scope", "read", "--format", "json"]
    assert main(["keys", "create", str(shop), *asked]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["key"], made["kind"], made["scopes"]) == ("looker", "admin", ["read"])


def test_a_revoked_key_is_listed_with_its_end(shop, capsys):
    assert main(["keys", "revoke", str(shop), "web"]) == 0
    assert "10 s" in capsys.readouterr().err
    assert [key["name"] for key in listed(shop, capsys) if key["revoked_at"]] == ["web"]
    assert main(["keys", "revoke", str(shop), "web"]) == 2
    assert "touchline keys list" in capsys.readouterr().err


def test_the_list_is_a_table_for_people(shop, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["keys", "list", str(shop)]) == 0
    printed = capsys.readouterr().out
    assert "编号" in printed
    assert "read write keys" in printed
    assert "site-key" not in printed
    assert main(["keys", "list", str(shop), "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("id,kind,name,scopes,")


def test_an_alias_of_no_protocol_is_bad_input(shop, capsys):
    assert main(["keys", "create", str(shop), "--alias", "fax:1"]) == 2
    assert "matomo" in capsys.readouterr().err
