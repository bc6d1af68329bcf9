"""A report with intervals: every figure has its ends, and what data cannot tell is said."""

import datetime as dt

import pytest

from build import DAY, HOUR, T0
from touchline.errors import MESSAGES, BadInput
from touchline.identity.people import Registry
from touchline.jobs.arguments import interval
from touchline.jobs.definitions import apply
from touchline.journey.goal import DEFAULT
from touchline.measure.basis import Question
from touchline.measure.interval import Interval
from touchline.measure.paths import paths_report
from touchline.measure.report import report

MARCH = dt.date(2026, 3, 1)
ENDS = ["conversions", "revenue", "roi", "cac", "roas", "removal_effect", "rank", "first"]


def shop(rows, *, people=60):
    """Sixty people: every third buys; Ads open, Mail closes."""
    for i in range(people):
        who = f"user_id:p{i}"
        rows.touch(who, T0 + i * HOUR, "Ads", campaign="spring" if i % 2 else "autumn")
        if i % 4:
            rows.touch(who, T0 + i * HOUR + DAY, "Mail")
        if i % 3 == 0:
            rows.conversion(f"o{i}", who, T0 + i * HOUR + 2 * DAY, amount=1000 + i, currency="CNY")
    rows.conversion("stranger", None, T0 + 3 * DAY, amount=500, currency="CNY")
    rows.cost(MARCH, "Ads", 4000)
    rows.cost(MARCH, "Radio", 900)


def asked_of(rows, models="linear,markov_1", *, by=("channel",), given=None):
    rows.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=by)
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        return report(view, people, question, models, given or Interval(replicates=200))


def by_channel(whole, model):
    return {row["channel"]: row for row in whole["rows"] if row["model"] == model}


def is_inside(value, ends):
    return ends["low"] <= value <= ends["high"]


@pytest.mark.parametrize("by", [("channel",), ("channel", "campaign")])
def test_a_partners_row_has_its_ends(rows, by):
    shop(rows, people=12)
    dealers = {"0": "North", "3": "East", "6": "North"}
    for number, dealer in dealers.items():
        deal = {"properties": f'{{"dealer": "{dealer}"}}', "amount": 900, "currency": "CNY"}
        rows.conversion(f"d{number}", f"user_id:p{number}", T0 + 5 * DAY, **deal)
    crediting = {"partner": "dealer", "partner_share": 0.5}
    apply(rows.workspace, {"attribution": crediting})
    whole = asked_of(rows, "linear", by=by).as_json()
    mine = [row for row in whole["rows"] if row["channel"] == "(partner)"]
    assert len(mine) == len(by)
    for row in mine:
        assert is_inside(row["revenue"], row["interval"]["revenue"])
    assert is_inside(whole["revenue"], whole["interval"]["revenue"])


@pytest.mark.parametrize("given", [Interval(), Interval(replicates=200)])
def test_every_figure_lies_between_its_ends(rows, given):
    shop(rows)
    whole = asked_of(rows, given=given).as_json()
    for model in ("linear", "markov_1"):
        for channel in ("Ads", "Mail"):
            row = by_channel(whole, model)[channel]
            told = row["interval"]
            assert list(told) == ENDS
            assert is_inside(row["conversions"], told["conversions"])
            assert is_inside(row["revenue"], told["revenue"])
            assert type(told["revenue"]["low"]) is type(told["revenue"]["high"]) is int
    ads = by_channel(whole, "linear")["Ads"]
    assert all(is_inside(ads[name], ads["interval"][name]) for name in ("roi", "roas", "cac"))
    assert ads["interval"]["roas"]["low"] == ads["interval"]["revenue"]["low"] / 4000
    assert ads["interval"]["cac"]["low"] == 4000 / ads["interval"]["conversions"]["high"]
    assert ads["interval"]["removal_effect"] is None
    chain = by_channel(whole, "markov_1")["Mail"]
    assert is_inside(chain["removal_effect"], chain["interval"]["removal_effect"])


def test_the_chances_to_be_first_are_those_of_one_winner(rows):
    shop(rows)
    whole = asked_of(rows).as_json()
    for model in ("linear", "markov_1"):
        mine = by_channel(whole, model).values()
        ranked = [row["interval"] for row in mine if row["interval"]["rank"]]
        assert sum(told["first"] for told in ranked) == pytest.approx(1)
        assert all(1 <= told["rank"]["low"] <= told["rank"]["high"] <= 2 for told in ranked)


def test_a_channel_with_costs_alone_is_surely_worth_nothing(rows):
    shop(rows)
    radio = by_channel(asked_of(rows).as_json(), "linear")["Radio"]
    assert radio["interval"]["conversions"] == {"low": 0.0, "high": 0.0}
    assert radio["interval"]["roas"] == {"low": 0.0, "high": 0.0}
    assert (radio["interval"]["cac"], radio["interval"]["rank"]) == (None, None)


def test_totals_have_their_ends_and_say_how_they_were_drawn(rows):
    shop(rows)
    told = asked_of(rows).as_json()["interval"]
    assert (told["level"], told["method"], told["replicates"]) == (0.95, "poisson", 200)
    assert told["customers"] == 61
    assert is_inside(21, told["conversions"])
    assert is_inside(1, told["no_touch"]["conversions"])
    assert told["warnings"][0] == {"code": "few_conversions", "count": 20, "least": 30}
    assert {one["code"] for one in told["warnings"]} <= set(MESSAGES)


def test_finer_rows_have_ends_and_no_removal_effect(rows):
    shop(rows)
    whole = asked_of(rows, by=("channel", "campaign")).as_json()
    found = {(row["channel"], row["campaign"]): row for row in whole["rows"]}
    row = found["Ads", "spring"]
    assert row["removal_effect"] is row["interval"]["removal_effect"] is None
    assert is_inside(row["conversions"], row["interval"]["conversions"])


def test_the_same_report_has_the_same_ends(rows):
    shop(rows)
    first, again = asked_of(rows).as_json(), asked_of(rows).as_json()
    assert first == again
    alone = asked_of(rows, "markov_1").as_json()
    assert by_channel(alone, "markov_1") == by_channel(first, "markov_1")


def test_without_a_question_there_is_no_interval(rows):
    shop(rows)
    whole = rows.report("linear").as_json()
    assert "interval" not in whole
    assert not any("interval" in row for row in whole["rows"])


def test_an_empty_workspace_has_no_ends(rows):
    told = asked_of(rows).as_json()["interval"]
    assert told["conversions"] == {"low": 0.0, "high": 0.0}
    assert (told["customers"], told["warnings"]) == (0, [])


def test_paths_have_intervals_in_the_unit_of_the_file(tmp_path):
    path = tmp_path / "paths.csv"
    path.write_text(
        "path,total_conversions,total_conversion_value,total_null\n"
        "A > B,30,1200.5,100\nA,20,10.25,300\nB,10,5,50\n"
    )
    found = paths_report(path, "linear,markov_2", interval=Interval(replicates=100))
    whole = found.as_json()
    for row in whole["rows"]:
        assert is_inside(row["conversions"], row["interval"]["conversions"])
        assert is_inside(row["revenue"], row["interval"]["revenue"])
        assert row["interval"]["cac"] is row["interval"]["roas"] is None
    assert whole["interval"]["customers"] is None
    assert is_inside(60, whole["interval"]["conversions"])
    assert [code for code, _ in found.notes] == [w["code"] for w in whole["interval"]["warnings"]]


# What is asked


def test_an_interval_is_asked_for_by_either_option():
    assert interval({}) is None
    assert interval({"interval": None, "replicates": None}) is None
    assert interval({"interval": "0.9"}) == Interval(level=0.9)
    assert interval({"replicates": "500"}) == Interval(replicates=500)
    assert interval({"interval": 0.8, "replicates": 20}) == Interval(level=0.8, replicates=20)


@pytest.mark.parametrize(
    "asked",
    [
        {"interval": "95"},
        {"interval": "wide"},
        {"interval": "nan"},
        {"interval": "1"},
        {"replicates": "0"},
        {"replicates": "-5"},
        {"replicates": "2e3"},
        {"replicates": 1_000_000},
        {"interval": "0.99", "replicates": 100},
    ],
)
def test_an_interval_that_cannot_be_drawn_is_refused(asked):
    with pytest.raises(BadInput, match=r"interval|replicates"):
        interval(asked)


def test_ends_stand_in_order_also_where_rebates_exceed_the_spend(rows):
    shop(rows)
    rows.cost(MARCH, "Ads", 24_000, kind="rebate")
    ads = by_channel(asked_of(rows).as_json(), "linear")["Ads"]
    assert ads["cost"] < 0
    for name in ("roi", "roas", "cac"):
        ends = ads["interval"][name]
        assert ends["low"] <= ads[name] <= ends["high"]
        assert ends["low"] < ends["high"]
