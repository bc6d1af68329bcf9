"""`touchline lift`: from entering a test to a report that stands on it."""

import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

ADS = ["--channel", "Ads", "--from", "2026-03-01", "--to", "2026-03-31"]


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    Workspace.init(folder, time_zone="UTC").close()
    return folder


@pytest.fixture
def sold(shop, tmp_path):
    """12 orders after Ads, 6 after Store, in March."""
    touches, orders = ["time,channel,user id"], ["order id,order date,amount,user id"]
    for number in range(18):
        channel = "Ads" if number < 12 else "Store"
        touches.append(f"2026-03-02 10:{number:02},{channel},p{number}")
        orders.append(f"{number},2026-03-03 10:{number:02},100,p{number}")
    for kind, lines in (("events", touches), ("conversions", orders)):
        path = tmp_path / f"{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert main(["import", kind, str(path), "--to", str(shop)]) == 0
    return shop


def test_a_test_is_entered_listed_and_taken_back(shop, capsys):
    assert main(["lift", "add", str(shop), "geo", *ADS, "--effect", "3", "--error", "1"]) == 0
    printed = capsys.readouterr()
    assert "Ads" in printed.out
    assert "calibrated" in printed.err
    assert main(["lift", "list", str(shop), "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["effect"], told["error"]) == ("geo", 3, 1)
    assert main(["lift", "remove", str(shop), "geo"]) == 0
    assert main(["lift", "list", str(shop), "--format", "csv"]) == 0
    assert "geo" not in capsys.readouterr().out.splitlines()[0]


def test_what_is_no_test_exits_2_with_the_remedy(shop, capsys):
    assert main(["lift", "add", str(shop), "geo", *ADS, "--effect", "3"]) == 2
    assert "error" in capsys.readouterr().err
    assert main(["lift", "remove", str(shop), "geo"]) == 2
    assert "touchline lift list" in capsys.readouterr().err


def test_a_report_shows_model_test_and_calibrated_number(sold, capsys, monkeypatch):
    main(["lift", "add", str(sold), "geo", *ADS, "--effect", "3", "--error", "1"])
    capsys.readouterr()
    asked = ["attribute", str(sold), "--models", "calibrated", "--format"]
    assert main([*asked, "json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    ads = whole["calibration"]["rows"][0]
    assert (ads["channel"], ads["modelled"], ads["tested"]) == ("Ads", 12, 3)
    assert sum(row["revenue"] for row in whole["rows"]) == 180_000
    assert main([*asked, "table"]) == 0
    assert "lift test and calibrated number" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main([*asked, "table"]) == 0
    assert "校准值" in capsys.readouterr().out


def test_the_next_test_is_told_before_and_after_the_first(sold, capsys):
    assert main(["lift", "next", str(sold)]) == 0
    printed = capsys.readouterr()
    assert printed.out.index("Ads") < printed.out.index("Store")
    assert "No lift test" in printed.err
    main(["lift", "add", str(sold), "geo", *ADS, "--effect", "3", "--error", "0.5"])
    capsys.readouterr()
    assert main(["lift", "next", str(sold), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tests"] == 1
    assert [row["channel"] for row in found["rows"]] == ["Store", "Ads"]


def test_without_journeys_there_is_nothing_to_test(shop, capsys):
    assert main(["lift", "next", str(shop)]) == 0
    assert "Nothing to test" in capsys.readouterr().err
    for error in ("-1", "0", "nan"):
        assert main(["lift", "next", str(shop), "--error", error]) == 2


def test_a_share_of_next_to_nothing_stores_no_infinity(shop, capsys):
    tested = ["--effect", "1000", "--error", "10", "--share", "1e-310"]
    assert main(["lift", "add", str(shop), "geo", *ADS, *tested]) == 2
    capsys.readouterr()
    main(["lift", "list", str(shop), "--format", "json"])
    assert json.loads(capsys.readouterr().out) == []


def test_calibrated_without_a_test_is_refused_with_the_remedy(sold, capsys):
    assert main(["attribute", str(sold), "--models", "calibrated"]) == 2
    assert "lift" in capsys.readouterr().err


def test_a_name_that_nothing_has_is_told_when_the_test_is_entered(sold, capsys):
    found = ["--effect", "3", "--error", "1"]
    for more, is_told in (([], False), (["--campaign", "nope"], True)):
        assert main(["lift", "add", str(sold), "geo", *ADS, *found, *more]) == 0
        assert ("Nothing that came in so far is of nope" in capsys.readouterr().err) == is_told
