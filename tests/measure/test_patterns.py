"""Transitions, pairs, combinations and positions: of a workspace, of a file, by the command."""

import datetime as dt
import json

import pytest

from build import DAY, HOUR, T0
from touchline.cli import main
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.jobs.asked import asking
from touchline.measure.patterns import KINDS, paths_patterns, patterns

PATHS = """path,total_conversions,total_conversion_value,total_null
A > B,6,60,4
A > B > A,1,40,0
A,1,10,9
B,1,10,9
C,1,5.5,9
,2,7,3
"""
ANN, BEN, CAT = "user_id:ann", "user_id:ben", "user_id:cat"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "paths.csv"
    path.write_text(PATHS)
    return path


def told(rows, show, asked=None, **options):
    rows.commit()
    registry = Registry(rows.workspace)
    with asking(rows.workspace, registry, asked or {}, ("channel",)) as question:
        return patterns(*question, show, **options)


def test_combinations_of_a_file_add_up(file):
    whole = paths_patterns(file, "combinations", limit=2)
    assert [row["channels"] for row in whole["rows"]] == [["A", "B"], ["A"]]
    first = whole["rows"][0]
    assert (first["journeys"], first["conversions"], first["revenue"]) == (11, 7, 100)
    assert first["conversion_rate"] == pytest.approx(7 / 11)
    assert (first["people"], first["cost"], first["roas"]) == (None, None, None)
    parts = [*whole["rows"], whole["rest"], whole["unattributed"]["no_touch"]]
    assert whole["rest"]["combinations"] == 2
    assert sum(part["conversions"] for part in parts) == whole["conversions"] == 12
    assert sum(part["revenue"] for part in parts) == whole["revenue"] == 132.5


def test_positions_of_a_file_add_up_to_the_shapley_credit(file):
    whole = paths_patterns(file, "positions")
    assert sum(row["conversions"] for row in whole["rows"]) + 2 == pytest.approx(12)
    assert sum(row["revenue"] for row in whole["rows"]) + 7 == pytest.approx(132.5)
    of_a = {r["position"]: r["conversions"] for r in whole["rows"] if r["channel"] == "A"}
    assert of_a == pytest.approx({1: 4.25, 3: 0.25})


def test_transitions_and_pairs_of_a_file(file):
    chain = paths_patterns(file, "transitions", order=2)["rows"]
    assert {(r["from"], r["to"]): r["count"] for r in chain if "A > B" in r["from"]} == {
        ("A > B", "(null)"): 4,
        ("A > B", "(conversion)"): 6,
        ("A > B", "B > A"): 1,
    }
    (pair,) = paths_patterns(file, "synergy")["rows"]
    assert (pair["first"], pair["second"], pair["journeys"]) == ("A", "B", 11)
    assert pair["extra_conversions"] == pytest.approx(11 * (7 / 11 - 0.1 - 0.1 + 0.1))
    assert pair["standard_error"] > 0


def test_money_that_went_back_alone_has_its_set_of_channels(rows):
    """It has touches and no journey, and its channels may be met by nothing else on these days."""
    rows.touch(ANN, T0, "A")
    rows.conversion("a1", ANN, T0 + DAY, amount=1000, currency="CNY")
    rows.touch(BEN, T0, "B")
    rows.conversion("b1", BEN, T0 + DAY, amount=-300, currency="CNY")
    day = dt.datetime.fromtimestamp((T0 + DAY) / 1e6, dt.UTC).date()
    found = told(rows, "combinations", {"from": day.isoformat()})["rows"]
    assert [(r["channels"], r["journeys"], r["revenue"]) for r in found] == [
        (["A"], 1, 1000),
        (["B"], 0, -300),
    ]


def test_a_workspace_knows_people_and_costs(rows):
    rows.touch(ANN, T0, "A")
    rows.touch(ANN, T0 + HOUR, "B")
    rows.conversion("a1", ANN, T0 + DAY, amount=100, currency="CNY")
    rows.conversion("a2", ANN, T0 + 2 * DAY, amount=101, currency="CNY")
    rows.touch(BEN, T0, "A")
    rows.touch(CAT, T0, "A")
    rows.conversion("lone", "user_id:dan", T0, amount=7, currency="CNY")
    day = dt.datetime.fromtimestamp(T0 / 1e6, dt.UTC).date()
    rows.cost(day, "A", 1000)
    rows.cost(day, "Poster", 50)
    whole = told(rows, "combinations")
    assert [row["channels"] for row in whole["rows"]] == [["A", "B"], ["A"]]
    both, alone = whole["rows"]
    assert (both["people"], both["conversions"], both["revenue"]) == (1, 2, 201)
    assert (alone["people"], alone["journeys"], alone["conversion_rate"]) == (2, 2, 0)
    assert (both["cost"], alone["cost"], whole["cost_elsewhere"]) == (500, 500, 50)
    assert whole["unattributed"]["no_touch"] == {"conversions": 1, "revenue": 7}
    assert sum(row["revenue"] for row in told(rows, "positions")["rows"]) == 201


@pytest.fixture
def mixed(rows):
    """An order with a dealer's part, one without a touch, one without a rate."""
    rows.touch(ANN, T0, "A")
    dealer = {"properties": '{"dealer": "D"}'}
    rows.conversion("a1", ANN, T0 + DAY, amount=100, currency="CNY", **dealer)
    rows.conversion("lone", "user_id:dan", T0, amount=7, currency="CNY")
    rows.conversion("usd", ANN, T0 + DAY, amount=900, currency="USD")
    with rows.workspace.write_lock():
        crediting = {"partner": "dealer", "partner_share": 0.3}
        definitions.apply(rows.workspace, {"attribution": crediting}, "test")
    return rows


@pytest.mark.parametrize("show", KINDS)
def test_what_stands_apart_and_totals_are_told_with_every_pattern(mixed, show):
    whole = told(mixed, show)
    assert (whole["conversions"], whole["revenue"]) == (3, 107)
    apart = whole["unattributed"]
    assert apart["no_touch"] == {"conversions": 1, "revenue": 7}
    assert apart["no_rate"] == {"conversions": 1, "revenue": 0}
    assert apart["partner"] == {"conversions": 0.3, "revenue": 30}
    if show in ("combinations", "positions"):
        parts = [*whole["rows"], *apart.values()]
        assert sum(part["conversions"] for part in parts) == pytest.approx(3)
        assert sum(part["revenue"] for part in parts) == 107


@pytest.mark.parametrize(
    "verb",
    [
        *(("patterns",), ("roles",), ("attribute", "--models", "linear")),
        *(("explain", "a1", "--models", "linear"), ("explain", "--model", "linear")),
    ],
)
def test_a_missing_rate_is_named_by_every_verb_that_tells_of_money(mixed, verb, capsys):
    mixed.commit()
    mixed.workspace.close()
    name, *more = verb
    assert main([name, str(mixed.workspace.dir), *more]) == 1
    printed = capsys.readouterr()
    assert "No exchange rate for USD on 2026-03-02" in printed.err
    if name in ("patterns", "roles"):
        assert "partner" in printed.out
        assert "no exchange rate" in printed.out


@pytest.mark.parametrize("show", KINDS)
def test_nothing_has_no_patterns(rows, show):
    assert told(rows, show)["rows"] == []


def test_what_cannot_be_shown_is_refused(file):
    with pytest.raises(BadInput):
        paths_patterns(file, "everything")
    for order in (0, 60, 100):
        with pytest.raises(BadInput):
            paths_patterns(file, "transitions", order=order)


@pytest.mark.parametrize("show", KINDS)
@pytest.mark.parametrize("language", ["en", "zh_CN.UTF-8"])
def test_the_command_tells_it_in_every_form(file, show, language, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", language)
    asked = ["patterns", "--paths", str(file), "--show", show, "--limit", "2"]
    assert main([*asked, "--format", "json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["show"] == show
    assert main([*asked, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(whole["rows"]) + 1
    assert main(asked) == 0
    assert "A" in capsys.readouterr().out


def test_the_command_answers_of_a_workspace(rows, capsys):
    rows.touch(ANN, T0, "A")
    rows.conversion("a1", ANN, T0 + DAY, amount=100, currency="CNY")
    rows.commit()
    rows.workspace.close()
    assert main(["patterns", str(rows.workspace.dir), "--format", "json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["currency"] == "CNY"
    assert whole["rows"][0]["channels"] == ["A"]
    assert main(["patterns"]) == 2
