"""What no report may swallow: each ends in a clear error or in a row that has a name."""

import datetime as dt

import numpy as np
import pytest

from build import DAY, HOUR, T0
from touchline.attribution import Journeys, Labels, credit
from touchline.errors import BadInput
from touchline.measure.paths import paths_report

ANN, BEN = "user_id:ann", "user_id:ben"
HEAD = "path,total_conversions,total_conversion_value,total_null\n"
MARCH = dt.date(2026, 3, 1)


@pytest.fixture
def paths(tmp_path):
    def paths(*lines, models="all"):
        file = tmp_path / "paths.csv"
        file.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        whole = paths_report(file, models).as_json()
        assert all(line["adds_up"] for line in whole["footer"])
        return whole

    return paths


def of(whole, model):
    return {row["channel"]: row["conversions"] for row in whole["rows"] if row["model"] == model}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        *(("A,-1,5,0", "paths_negative_count"), ("A,1,5,-2", "paths_negative_count")),
        *(("A,nan,5,0", "paths_bad_number"), ("A,1,5,inf", "paths_bad_number")),
        *(("A,1,1e400,0", "paths_bad_number"), ("A,1e400,5,0", "paths_bad_number")),
        *(("A > > B,1,5,0", "paths_empty_step"), ("A,0,5,3", "paths_value_alone")),
    ],
)
def test_counts_that_are_none_and_steps_without_a_name_are_refused(paths, line, code):
    with pytest.raises(BadInput) as caught:
        paths("A,1,1,1", line)
    assert caught.value.code == code
    assert caught.value.params["line"] == 3


@pytest.mark.parametrize("name", ["conversions", "nulls", "value"])
@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf, -np.inf, 1e19])
def test_arrays_of_such_counts_are_refused_and_the_first_is_named(name, wrong):
    columns = {"conversions": [1.0, 1.0], "nulls": [0.0, 0.0], "value": [5.0, 5.0]}
    columns[name][1] = wrong
    made = {key: np.array(column) for key, column in columns.items()}
    labels = Labels.of_channels(("A",))
    if name == "value" and wrong in (-1, 1e19):
        Journeys(np.array([0, 1, 2]), np.array([0, 0]), labels, **made)
        return
    with pytest.raises(BadInput) as caught:
        Journeys(np.array([0, 1, 2]), np.array([0, 0]), labels, **made)
    assert (caught.value.code, caught.value.params["at"]) == ("bad_counts", 1)


def test_empty_paths_stand_under_no_touch(paths):
    whole = paths(",2,10,3", "A,1,5,1")
    assert whole["unattributed"]["no_touch"] == {"conversions": 2, "revenue": 10}
    assert of(whole, "linear") == {"A": 1}


def test_a_channel_never_seen_without_a_conversion_is_a_channel_like_others(paths):
    whole = paths("A > B,4,40,0", "B,1,10,5")
    effects = {r["channel"]: r["removal_effect"] for r in whole["rows"] if r["model"] == "markov_1"}
    assert effects == {"A": pytest.approx(0.4), "B": 1}
    assert all(np.isfinite(row["conversions"]) for row in whole["rows"])


def test_a_path_of_a_thousand_touches_is_a_path(paths):
    long = " > ".join(["A", "B", "C", "B"] * 250)
    whole = paths(f"{long},1,10,2", "A,1,5,9")
    assert of(whole, "linear") == {"A": 1.25, "B": 0.5, "C": 0.25}


def test_one_journey_alone_gives_all_there_is(paths):
    whole = paths("A > B,1,10,0")
    assert of(whole, "linear") == of(whole, "markov_1") == {"A": 0.5, "B": 0.5}
    assert of(paths("A,0,0,1"), "linear") == {"A": 0}


def test_all_conversions_in_one_channel_are_that_channels(paths):
    whole = paths("A,9,90,1", "B,0,0,50", "C > B,0,0,7")
    for model in ("linear", "markov_1", "markov_2", "shapley"):
        assert of(whole, model) == {"A": pytest.approx(9), "B": 0, "C": 0}


def test_money_of_two_currencies_is_converted_or_named(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(BEN, T0, "Ads")
    rows.conversion("a", ANN, T0 + DAY, amount=1000, currency="CNY")
    rows.conversion("b", BEN, T0 + DAY, amount=100, currency="USD")
    found = rows.report("linear")
    whole = found.as_json()
    assert whole["unattributed"]["no_rate"] == {"conversions": 1, "revenue": 0}
    assert [currency for currency, _ in found.missing_rates] == ["USD"]
    rows.rate(dt.date(2026, 1, 1), "USD", "CNY", "7")
    whole = rows.report("linear").as_json()
    assert (whole["revenue"], whole["unattributed"]["no_rate"]["conversions"]) == (1700, 0)
    assert whole["footer"][0]["adds_up"]


def test_the_same_spend_under_two_names_counts_and_is_told_of(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0 + HOUR, amount=1000, currency="CNY")
    rows.cost(MARCH, "Ads", 100_00, source="export", campaign="spring")
    rows.cost(MARCH, "Ads", 100_00, source="again", campaign="spring")
    rows.cost(MARCH, "Ads", 100_00, source="again", campaign="summer")
    found = rows.report("linear")
    assert found.notes == [
        ("spend_twice", {"cost": "100.00 CNY", "sources": "again, export", "channels": "Ads"})
    ]
    assert found.rows[0].cost == 300_00


def test_a_refund_and_touches_of_one_second_change_no_sum(rows):
    for channel in ("Ads", "Email", "Ads", "Ads"):
        rows.touch(ANN, T0, channel)
    rows.conversion("a", ANN, T0, amount=1001, currency="CNY")
    rows.refund("a", T0 + DAY, revenue=-2000, currency="CNY")
    whole = rows.report().as_json()
    assert whole["revenue"] == -999
    assert all(line["adds_up"] for line in whole["footer"])


def test_credit_of_nothing_is_nothing():
    labels = Labels.of_channels(())
    empty = Journeys(np.array([0]), np.zeros(0, int), labels, *(np.zeros(0),) * 3)
    assert credit(empty, ["linear"])["linear"].channel_conversions.tolist() == []
