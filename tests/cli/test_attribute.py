import json

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
    assert show(EMPTY, [], "csv") == 0
    row = Row("linear", {"channel": "Email"}, 1.0, 100, 0).as_json()
    assert capsys.readouterr().out == ",".join(row) + "\n"
    assert tuple(row) == FIELDS


def test_json_without_rows_is_the_whole_report(capsys):
    assert show(EMPTY, [], "json") == 0
    assert json.loads(capsys.readouterr().out) == EMPTY
