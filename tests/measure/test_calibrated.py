"""Lift tests in a report: carried to its days, at every grain, and beside it what cannot be."""

import datetime as dt

import pytest

from build import DAY, T0
from touchline.identity.people import Registry
from touchline.journey.goal import DEFAULT
from touchline.measure import calibrated
from touchline.measure.basis import Question, basis_of
from touchline.measure.calibrated import next_tests, weigh
from touchline.measure.lift_test import LiftTest

MARCH = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
APRIL = (dt.date(2026, 4, 1), dt.date(2026, 4, 30))


def lift_test(channel, effect, error, **columns):
    row = {"kind": "geo", "goal": "default", "campaign": None, "metric": "conversions"}
    row |= {"days": MARCH, "name": f"{channel}-{columns.get('campaign')}"}
    return LiftTest(**(row | {"channel": channel, "effect": effect, "error": error} | columns))


@pytest.fixture
def sold(rows):
    """12 orders by Ads in March (9 by its campaign x), 6 by Store; in April a third of it. That is
    too little for `incremental`, so that tests are weighed against `shapley`.
    """
    number = 0
    for part, at in ((1, T0), (3, T0 + 35 * DAY)):
        for channel, campaign, count in (("Ads", "x", 9), ("Ads", "y", 3), ("Store", None, 6)):
            for _ in range(count // part):
                number += 1
                who = f"user_id:p{number}"
                rows.touch(who, at + number, channel, campaign=campaign)
                rows.conversion(f"c{number}", who, at + DAY, amount=100, currency="CNY")
    return rows


def rows_of(report, model="calibrated"):
    return {
        (row["channel"], row["campaign"]): row
        for row in report.as_json()["rows"]
        if row["model"] == model
    }


def calibration(report):
    return {
        (row["channel"], row["campaign"]): row for row in report.as_json()["calibration"]["rows"]
    }


def test_without_tests_no_report_speaks_of_them(sold):
    whole = sold.report("all").as_json()
    assert "calibration" not in whole
    assert "calibrated" not in {row["model"] for row in whole["rows"]}


def test_all_has_calibrated_where_there_are_tests(sold):
    whole = sold.report("all", lift=(lift_test("Ads", 10, 2),)).as_json()
    assert "calibrated" in {row["model"] for row in whole["rows"]}
    assert "calibration" not in sold.report("linear", lift=(lift_test("Ads", 10, 2),)).as_json()


def test_what_marketing_did_not_cause_is_the_baseline_and_all_adds_up(sold):
    tests = (lift_test("Ads", 3, 0.5), lift_test("Store", 3, 0.5))
    found = sold.report("calibrated", lift=tests, days=MARCH)
    rows = rows_of(found)
    assert rows["Ads", None]["conversions"] == pytest.approx(3, abs=0.5)
    assert rows["Store", None]["conversions"] == pytest.approx(3, abs=0.5)
    assert rows["(baseline)", None]["conversions"] == pytest.approx(12, abs=1)
    assert sum(row["conversions"] for row in rows.values()) == pytest.approx(18)
    assert sum(row["revenue"] for row in rows.values()) == 1800
    assert rows["(baseline)", None]["cost"] == 0


def test_model_test_and_calibrated_number_stand_side_by_side(sold):
    found = calibration(sold.report("calibrated", lift=(lift_test("Ads", 3, 1),), days=MARCH))
    ads, store = found["Ads", None], found["Store", None]
    assert (ads["modelled"], ads["tested"], ads["tested_error"]) == (12, 3, 1)
    assert 3 < ads["calibrated"] < 6
    assert ads["low"] < ads["calibrated"] < ads["high"]
    assert ads["tests"] == ["Ads-None"]
    assert (store["tested"], store["tests"]) == (None, [])
    assert store["calibrated"] < 6


def test_a_test_of_march_is_carried_to_april_by_what_the_channel_did_there(sold):
    here = calibration(sold.report("calibrated", lift=(lift_test("Ads", 6, 1),), days=APRIL))
    ads = here["Ads", None]
    assert ads["modelled"] == 4
    assert ads["tested"] == pytest.approx(2)
    assert ads["tested_error"] > 1 / 3  # as exact as in March, and the counts besides


def test_a_test_is_as_exact_for_a_longer_time_in_which_no_more_happened(sold):
    year = (dt.date(2026, 3, 1), None)
    march, later = (
        calibration(sold.report("calibrated", lift=(lift_test("Ads", 3, 1),), days=days))
        for days in (MARCH, (year[0], dt.date(2026, 4, 1)))
    )
    assert later["Ads", None]["tested_error"] == march["Ads", None]["tested_error"] == 1
    spring = calibration(sold.report("calibrated", lift=(lift_test("Ads", 3, 1),), days=year))
    assert spring["Ads", None]["tested"] == pytest.approx(4)
    assert spring["Ads", None]["tested_error"] > 4 / 3


def test_two_tests_of_the_same_are_pooled_by_their_precision(sold):
    tests = (lift_test("Ads", 2, 1, name="a"), lift_test("Ads", 4, 1, name="b"))
    ads = calibration(sold.report("calibrated", lift=tests, days=MARCH))["Ads", None]
    assert ads["tested"] == pytest.approx(3)
    assert ads["tested_error"] == pytest.approx(0.5**0.5)
    assert ads["tests"] == ["a", "b"]


def test_a_channel_has_one_number_at_every_grain_also_when_a_campaign_was_tested(sold):
    tests = (lift_test("Ads", 2, 0.5, campaign="x"), lift_test("Store", 4, 1))
    coarse, fine = (
        sold.report("calibrated", lift=tests, days=MARCH, by=by)
        for by in (("channel",), ("channel", "campaign"))
    )
    channels, campaigns = rows_of(coarse), rows_of(fine)
    ads = campaigns["Ads", "x"]["conversions"] + campaigns["Ads", "y"]["conversions"]
    assert channels["Ads", None]["conversions"] == pytest.approx(ads)
    assert campaigns["Ads", "x"]["conversions"] == pytest.approx(2, abs=0.5)
    assert calibration(coarse)["Ads", "x"]["calibrated"] == pytest.approx(
        campaigns["Ads", "x"]["conversions"]
    )


def test_a_test_of_money_is_read_in_money(sold):
    tests = (lift_test("Ads", 300.0, 50.0, metric="revenue"),)
    ads = calibration(sold.report("calibrated", lift=tests, days=MARCH))["Ads", None]
    assert ads["tested"] == pytest.approx(3)
    assert ads["revenue"] == pytest.approx(300, rel=0.3)


def test_a_test_of_what_is_on_no_journey_is_told_and_changes_nothing(sold):
    tests = (lift_test("Radio", 10, 2), lift_test("Ads", 10, 2))
    whole = sold.report("calibrated", lift=tests, days=MARCH).as_json()
    assert whole["calibration"]["unused"] == [{"name": "Radio-None", "reason": "not_on_journeys"}]
    alone = sold.report("all", lift=tests[:1], days=MARCH).as_json()
    assert "calibrated" not in {row["model"] for row in alone["rows"]}
    assert alone["calibration"]["rows"] == []


def test_tested_posters_stand_beside_the_credit_by_what_they_cost(sold):
    for day, cost in ((dt.date(2026, 3, 5), 800), (dt.date(2026, 4, 5), 400)):
        placed = {"day": day, "first_day": day, "last_day": day, "channel": "Radio"}
        paid = {"cost": cost, "currency": "CNY", "kind": "media", "source": "aggregates"}
        stored = {"batch": 1, "known_at_us": T0, "seq": 0, "properties": "{}"}
        sold.rows.setdefault("aggregates", []).append(placed | paid | stored)
    whole = sold.report("all", lift=(lift_test("Radio", 10, 2),), days=APRIL).as_json()
    (radio,) = whole["calibration"]["aggregates"]
    assert (radio["effect"], radio["error"], radio["cost"]) == (5, 1, 400)
    assert radio["carried_by"] == "cost"
    assert whole["calibration"]["unused"] == []
    assert "Radio" not in {row["channel"] for row in whole["rows"] if row["conversions"]}


def test_tests_of_many_days_are_looked_up_at_once(sold, monkeypatch):
    asked = []

    def counted(view, people, question):
        asked.append(question.days)
        return basis_of(view, people, question)

    monkeypatch.setattr(calibrated, "basis_of", counted)
    tests = [
        lift_test("Ads", 3, 1, name=f"t{n}", days=(MARCH[0], dt.date(2026, 4, 1 + n)))
        for n in range(5)
    ]
    found = sold.report("calibrated", lift=tuple(tests)).as_json()
    assert asked == [(MARCH[0], dt.date(2026, 4, 5))]
    assert len(found["calibration"]["rows"][0]["tests"]) == 5


def test_the_next_test_is_of_what_is_known_least(sold):
    sold.commit()
    question = Question(goal=DEFAULT, currency="CNY", days=MARCH, lift=(lift_test("Store", 5, 1),))
    with sold.workspace.view() as view:
        people = Registry(sold.workspace).at(view)
        weighed = weigh(view, people, question, basis_of(view, people, question), {})
    assert weighed is not None
    first, second = next_tests(weighed, 0.15, campaigns=False)
    assert (first["channel"], second["channel"]) == ("Ads", "Store")
    assert first["reduction"] > second["reduction"] > 0
    assert first["channel_error_after"] < first["error"]


def test_a_test_that_cannot_be_used_changes_nothing(sold):
    """Not even the grain at which the others are weighed."""
    good = lift_test("Ads", 4.0, 1.0)
    alone = sold.report("calibrated", lift=(good,)).as_json()
    typo = lift_test("Ads", 1.0, 1.0, campaign="nope")
    both = sold.report("calibrated", lift=(good, typo)).as_json()
    assert both["rows"] == alone["rows"]
