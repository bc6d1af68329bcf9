import json

import pytest

from touchline.cli import main
from touchline.cli.attribute import FIELDS, show
from touchline.measure.report import Row

EMPTY = {
    "goal": "default",
    "window_days": 90,
    "currency": "CNY",
    "conversions": 0,
    "revenue": 0,
    "rows": [],
    "unattributed": {},
}


def test_a_csv_without_rows_still_names_its_columns(capsys):
    assert show(EMPTY, "csv") == 0
    row = Row("linear", {"channel": "Email"}, 1.0, 100, 0).as_json()
    assert capsys.readouterr().out == ",".join(row) + "\n"
    assert tuple(row) == FIELDS


def test_json_without_rows_is_the_whole_report(capsys):
    assert show(EMPTY, "json") == 0
    assert json.loads(capsys.readouterr().out) == EMPTY


def spread(low, high):
    return {"low": low, "high": high}


def test_a_table_shows_the_ends_beside_each_figure(capsys):
    told = {"conversions": spread(0.5, 1.5), "revenue": spread(50, 150), "roas": None}
    told |= {"cac": spread(100.0, None), "rank": spread(1, 1), "first": 0.9, "roi": None}
    row = Row("linear", {"channel": "Email"}, 1.0, 100, 0).as_json() | {"interval": told}
    how = {"level": 0.95, "method": "poisson", "replicates": 500, "warnings": []}
    assert show(EMPTY | {"rows": [row], "interval": how}, "table") == 0
    printed = capsys.readouterr().out
    assert "0.5 – 1.5" in printed
    assert "0.50 – 1.50" in printed
    assert "1.00 – ∞" in printed
    assert "90%" in printed
    assert "from – to holds 95% of 500 replicates (customers drawn again)" in printed


def test_a_csv_has_a_column_for_each_end_and_none_that_is_always_empty(capsys):
    told = {"conversions": spread(0.5, 1.5), "first": 0.9}
    row = Row("linear", {"channel": "Email"}, 1.0, 100, 0).as_json() | {"interval": told}
    other = row | {"interval": told | {"conversions": None}}
    assert show(EMPTY | {"rows": [row, other]}, "csv") == 0
    head, line, *_ = capsys.readouterr().out.splitlines()
    assert head.endswith("interval.conversions.low,interval.conversions.high,interval.first")
    assert line.endswith("0.5,1.5,0.9")


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_models_that_a_path_file_cannot_tell_are_named_beside_its_answer(tmp_path, capsys, output):
    paths = tmp_path / "paths.csv"
    head = "path,total_conversions,total_conversion_value,total_null\n"
    paths.write_text(head + "Ads > Email,2,20,1\n")
    assert main(["attribute", "--paths", str(paths), "--models", "all", "--format", output]) == 0
    assert "time_decay" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", [["--by", "campaign"], ["--goal", "x"], ["--as-of", "2026-01-01"], ["--from", "x"]]
)
def test_what_a_path_file_knows_nothing_of_is_refused(tmp_path, capsys, more):
    assert main(["attribute", "--paths", str(tmp_path / "paths.csv"), *more]) == 2
    assert more[0] in capsys.readouterr().err
