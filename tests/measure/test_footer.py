"""The footer: parts of a report add up to its totals, or say that they do not."""

import pytest

from build import DAY, T0
from touchline.identity.people import Registry
from touchline.journey.goal import DEFAULT
from touchline.measure.basis import Question
from touchline.measure.credit_table import credit_table
from touchline.measure.footer import footer, part_of
from touchline.measure.path_file import read_paths
from touchline.measure.paths import paths_report
from touchline.model import LABELS

ANN, BEN = "user_id:ann", "user_id:ben"


def row(channel, conversions, revenue, model="linear"):
    return {"model": model, "channel": channel, "conversions": conversions, "revenue": revenue}


def test_each_part_holds_its_rows_and_all_together_the_totals():
    rows = [row("Ads", 1.5, 150), row("(Direct)", 0.5, 50), row("(baseline)", 1.0, 100)]
    apart = {"no_touch": {"conversions": 1, "revenue": 7}}
    (line,) = footer(["linear"], rows, apart, {"conversions": 4, "revenue": 307})
    assert line == {
        "model": "linear",
        "credited": {"conversions": 1.5, "revenue": 150},
        "direct": {"conversions": 0.5, "revenue": 50},
        "baseline": {"conversions": 1, "revenue": 100},
        "unattributed": {"conversions": 1, "revenue": 7},
        "total": {"conversions": 4, "revenue": 307},
        "adds_up": True,
    }


@pytest.mark.parametrize("totals", [(3, 100), (2, 101)])
def test_a_cent_or_a_conversion_too_few_is_told(totals):
    wanted = dict(zip(("conversions", "revenue"), totals, strict=True))
    (line,) = footer(["linear"], [row("Ads", 2.0, 100)], {}, wanted)
    assert not line["adds_up"]


@pytest.mark.parametrize(
    ("channel", "part"),
    [
        *(("Direct", "direct"), ("(direct)", "direct"), ("(baseline)", "baseline")),
        *(("(partner)", "partner"), ("Direct Mail", "credited"), (None, "credited")),
    ],
)
def test_a_channel_is_of_one_part(channel, part):
    assert part_of(channel) == part


def test_every_model_of_a_report_has_a_footer_that_adds_up(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + 1, "Direct")
    rows.touch(BEN, T0, "Email")
    rows.conversion("a", ANN, T0 + DAY, amount=1001, currency="CNY")
    rows.conversion("b", "user_id:cy", T0 + DAY, amount=500, currency="CNY")
    whole = rows.report().as_json()
    assert [line["model"] for line in whole["footer"]] == list(
        dict.fromkeys(one["model"] for one in whole["rows"])
    )
    assert all(line["adds_up"] for line in whole["footer"])
    for line in whole["footer"]:
        assert line["total"] == {"conversions": pytest.approx(2), "revenue": 1501}
        assert line["unattributed"] == {"conversions": 1, "revenue": 500}


def test_a_report_without_rows_has_its_footer_too(rows):
    rows.conversion("a", ANN, T0, amount=1001, currency="CNY")
    (line,) = rows.report("linear").as_json()["footer"]
    assert line["adds_up"]
    assert line["unattributed"] == line["total"] == {"conversions": 1, "revenue": 1001}


def test_a_file_of_paths_has_one_too(tmp_path):
    path = tmp_path / "paths.csv"
    head = "path,total_conversions,total_conversion_value,total_null\n"
    path.write_text(f"{head}A > direct,3,10.1,4\nB,1,0.2,1\n,2,1.5,0\n", encoding="utf-8")
    assert read_paths(path).converting == 3
    whole = paths_report(path).as_json()
    assert len(whole["footer"]) > 5
    assert all(line["adds_up"] for line in whole["footer"])
    assert all(line["total"]["conversions"] == pytest.approx(6) for line in whole["footer"])


def test_the_credit_table_tells_what_it_adds_up_to(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + 1, "Direct")
    rows.touch(BEN, T0, "Email")
    rows.conversion("a", ANN, T0 + DAY, amount=1001, currency="CNY")
    rows.conversion("b", "user_id:cy", T0 + DAY, amount=500, currency="CNY")
    rows.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=LABELS)
    aside = {}
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        list(credit_table(view, people, question, "linear,markov_1", aside))
    told = aside["footer"]
    assert [(line["model"], line["adds_up"]) for line in told] == [
        ("linear", True), ("markov_1", True)
    ]  # fmt: skip
    assert told[0]["direct"] == {"conversions": 0.5, "revenue": 500}
    assert told[0]["unattributed"] == {"conversions": 1, "revenue": 500}
