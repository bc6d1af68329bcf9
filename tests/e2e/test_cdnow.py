"""A real file with no ids: 69,659 purchases of 23,570 customers, 255 of them repeated rows."""

import json

import pytest

from peers import peer_file
from touchline.cli import main

MAP = """
[columns]
user_id = "customer_id"
occurred_at = "date"
amount = "dollar_value"

[format]
delimiter = "whitespace"
"""


@pytest.fixture
def run(capsys):
    def run(*args):
        code = main([str(arg) for arg in args])
        written = capsys.readouterr()
        assert code == 0, written.err
        return json.loads(written.out) if "json" in args else written.out

    return run


def test_every_purchase_counts_once_and_a_second_import_changes_nothing(tmp_path, run):
    path = peer_file("lifetimes/datasets/CDNOW_master.txt")
    site, mapped = tmp_path / "site", tmp_path / "cdnow.toml"
    mapped.write_text(MAP)
    run("init", site, "--currency", "USD", "--time-zone", "America/New_York", "--region", "US")
    given = ("import", "conversions", path, "--to", site, "--map", mapped, "--format", "json")
    first = run(*given)
    assert first == {
        "read": 69_659,
        "stored": 69_659,
        "duplicate": 0,
        "updated": 0,
        "rejected": 0,
    }
    report = run("attribute", site, "--models", "linear", "--format", "json")
    assert (report["conversions"], report["revenue"]) == (69_659, 250_031_563)
    assert report["unattributed"]["no_touch"] == {"conversions": 69_659, "revenue": 250_031_563}

    assert run(*given)["duplicate"] == 69_659
    assert run("attribute", site, "--models", "linear", "--format", "json") == report
    assert len(run("export", site, "people").splitlines()) == 23_570
