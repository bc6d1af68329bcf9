"""`touchline source`: added with secrets that nobody sees, tried, run, listed, removed."""

import contextlib
import io
import json

import pytest

from touchline.cli import main
from touchline.collect.connectors import table
from touchline.collect.connectors.extract import extract
from touchline.jobs.imports import pull
from touchline.storage.workspace import Workspace

FILE = """
[[source]]
name = "spend"
kind = "sql_database"
yields = "costs"
url = "postgresql://reader@db.example.com/shop"
password = "secret:shop"
table = "spend"
schedule = "15 6 * * *"
cursor = "date"
[source.columns]
cost = "amount"
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    Workspace.init(tmp_path / "shop").close()
    (tmp_path / "source.toml").write_text(FILE)
    seen = []

    def rows(source, *_):
        seen.append(source.password)
        return iter([{"date": "2026-03-01", "channel": "Ads", "amount": "5"},
                     {"date": "2026-03-02", "channel": "Ads", "amount": "much"}])  # fmt: skip

    monkeypatch.setattr(table, "table_rows", rows)
    monkeypatch.setattr(pull, "fetching", lambda _: contextlib.nullcontext(extract))
    monkeypatch.setenv("LC_ALL", "C")
    return tmp_path / "shop", tmp_path / "source.toml", seen


def test_a_source_from_its_file_to_its_rows(shop, capsys, monkeypatch):
    directory, file, seen = shop
    assert main(["source", "add", str(directory), str(file)]) == 2
    assert "secret:shop has no value" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("w0rd\n"))
    assert main(["source", "add", str(directory), str(file), "--secret", "shop"]) == 0
    assert "--dry-run" in capsys.readouterr().err
    assert main(["source", "run", str(directory), "spend", "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "amount" in told.out
    assert "1 would be rejected" in told.err
    assert main(["source", "run", str(directory), "spend", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["read"], told["stored"], told["rejected"]) == (2, 1, 1)
    assert set(seen) == {"w0rd"}
    assert main(["source", "list", str(directory), "--format", "json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["status"], one["cursor"], one["secrets"]) == ("ok", "2026-03-02", ["secret:shop"])
    assert main(["source", "list", str(directory), "spend"]) == 0
    assert "2026-03-02" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["source", "list", str(directory)]) == 0
    assert "已拉取至" in capsys.readouterr().out
    assert main(["dump", str(directory)]) == 0
    dumped = capsys.readouterr().out
    assert "secret:shop" in dumped
    assert "w0rd" not in dumped
    assert main(["source", "stop", str(directory), "spend"]) == 0
    assert main(["source", "remove", str(directory), "spend"]) == 0
    assert main(["source", "run", str(directory), "spend"]) == 2
