"""Half-life and weights: said by a question, else decided by the site, else as usual."""

import json

import pytest

import touchline
from build import DAY, T0
from touchline.attribution.rules import POSITIONS, Weights
from touchline.cli import main
from touchline.errors import BadInput
from touchline.jobs.asked import question_of
from touchline.jobs.definitions import apply
from touchline.measure.tuning import Tuning, tuning_of

ANN = "user_id:ann"


def shared(whole, model):
    return {r["channel"]: r["conversions"] for r in whole["rows"] if r["model"] == model}


def test_text_becomes_what_models_take():
    asked = {"half_life": "14", "positions": "first=1, last=3", "weights": "lead=2,rest=1"}
    assert tuning_of(asked).options() == {
        "half_life_days": 14,
        "positions": Weights(first=1, last=3),
        "weights": Weights(lead=2, rest=1),
    }
    assert tuning_of({}).options() == {}
    fitted = tuning_of({"half_life": "fitted"}).options(30)
    assert fitted == {"half_life_days": None, "window_days": 30}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"half_life": "soon"}, "bad_half_life"),
        ({"half_life": "0"}, "bad_half_life"),
        ({"half_life": 0}, "bad_half_life"),
        ({"weights": {}}, "bad_weights"),
        ({"half_life": "nan"}, "bad_half_life"),
        ({"half_life": "inf"}, "bad_half_life"),
        ({"weights": "first"}, "bad_weights"),
        ({"weights": "first=x"}, "bad_weights"),
        ({"weights": "first=-1,last=2"}, "bad_weights"),
        ({"weights": "first=nan"}, "bad_weights"),
        ({"weights": "middle=1"}, "bad_weights"),
        ({"weights": "first=0,last=0"}, "bad_weights"),
        ({"positions": "lead=1"}, "bad_weights"),
    ],
)
def test_what_cannot_be_used_is_refused(asked, code):
    with pytest.raises(BadInput) as refused:
        tuning_of(asked).options()
    assert refused.value.code == code
    assert refused.value.text("zh")


def test_a_question_goes_before_the_site_and_the_site_before_what_is_usual():
    site = Tuning(half_life=3, weights={"first": 1.0})
    said = Tuning(half_life="fitted").over(site)
    assert said == Tuning(half_life="fitted", weights={"first": 1.0})
    assert "positions" not in said.options()
    assert Weights(first=0.4, last=0.4, rest=0.2) == POSITIONS


def test_definitions_and_questions_reach_the_report(rows):
    rows.touch(ANN, T0, "A")
    rows.touch(ANN, T0 + 10 * DAY, "B")
    rows.conversion("a", ANN, T0 + 11 * DAY, amount=400, currency="CNY")
    decided = {"half_life": 10, "positions": {"first": 3, "last": 1}, "weights": {"last": 1}}
    apply(rows.workspace, {"attribution": decided})
    whole = rows.report().as_json()
    assert shared(whole, "time_decay") == pytest.approx({"A": 1 / 3, "B": 2 / 3})
    assert shared(whole, "position_based") == {"A": 0.75, "B": 0.25}
    assert shared(whole, "custom") == {"B": 1}
    asked = {"half_life": "5", "weights": "first=1"}
    question = question_of(rows.workspace, asked, ("channel",))
    answer = rows.report("time_decay,custom", tuning=question.tuning).as_json()
    assert shared(answer, "time_decay") == pytest.approx({"A": 0.2, "B": 0.8})
    assert shared(answer, "custom") == {"A": 1}
    fitted = rows.report("time_decay", tuning=Tuning("fitted")).as_json()["fitted"]
    assert fitted["time_decay"]["half_life_days"] == pytest.approx(7.1, abs=0.2)
    with pytest.raises(BadInput):
        apply(rows.workspace, {"attribution": {"weights": {"middle": 1}}})


def test_an_endless_half_life_is_null_in_json(rows):
    rows.touch(ANN, T0, "A")
    rows.touch(ANN, T0 + 80 * DAY, "B")
    rows.conversion("a", ANN, T0 + 80 * DAY, amount=400, currency="CNY")
    whole = rows.report("time_decay", tuning=Tuning("fitted")).as_json()
    assert whole["fitted"] == {"time_decay": {"half_life_days": None}}
    assert shared(whole, "time_decay") == {"A": 0.5, "B": 0.5}


def test_a_librarys_caller_gives_numbers(rows):
    rows.touch(ANN, T0, "A")
    rows.touch(ANN, T0 + 10 * DAY, "B")
    rows.conversion("a", ANN, T0 + 11 * DAY, amount=400, currency="CNY")
    rows.commit()
    rows.workspace.close()
    with touchline.open(rows.workspace.dir) as site:
        asked = {"half_life": 10, "weights": {"first": 1, "last": 3}}
        whole = site.attribution(models="time_decay,custom", **asked).as_json()
    assert shared(whole, "time_decay") == pytest.approx({"A": 1 / 3, "B": 2 / 3})
    assert shared(whole, "custom") == {"A": 0.25, "B": 0.75}


def test_exported_credit_is_tuned_as_a_report_is(rows, capsys):
    rows.touch(ANN, T0, "A")
    rows.touch(ANN, T0 + 10 * DAY, "B")
    rows.conversion("a", ANN, T0 + 11 * DAY, amount=400, currency="CNY")
    rows.commit()
    rows.workspace.close()
    asked = ["export", str(rows.workspace.dir), "credit", "--models", "custom,time_decay"]
    assert main([*asked, "--weights", "first=1,last=3", "--half-life", "10"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["model"], line["channel"], line["revenue"]) for line in lines] == [
        ("custom", "A", 100),
        ("custom", "B", 300),
        ("time_decay", "A", 133),
        ("time_decay", "B", 267),
    ]
