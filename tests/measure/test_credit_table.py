"""What each touch got of each conversion: the rows from which every report rolls up."""

from collections import Counter

import pytest

import build
from build import DAY, T0
from touchline.attribution import MODELS
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.journey.goal import DEFAULT
from touchline.measure.basis import Question
from touchline.measure.credit_table import credit_table
from touchline.model import LABELS

ANN, BEN, CAT = "user_id:ann", "user_id:ben", "user_id:cat"
COLUMNS = [
    *("conversion_id", "person_id", "model", "message_id", "touched_at", "channel", "source"),
    *("medium", "campaign", "ad_group", "term", "content", "credit", "revenue"),
]


def table(rows, models="all"):
    rows.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=LABELS)
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        return list(credit_table(view, people, question, models)), people


@pytest.fixture
def world(rows):
    """Two orders, a refund on its own, and a channel that leads nowhere."""
    rows.touch(ANN, T0, "Ads", message_id="t1", campaign="x", source_name="google")
    rows.touch(ANN, T0 + 1, "Mail", message_id="t2", term="y")
    rows.touch(BEN, T0, "Mail", message_id="t3")
    rows.touch(BEN, T0 + 1, "TV", message_id="t4")
    rows.touch(CAT, T0, "TV", message_id="t5", campaign="z")
    rows.touch(CAT, T0 + 1, "Radio", message_id="t6")
    rows.conversion("a", ANN, T0 + DAY, amount=1001, currency="CNY")
    rows.conversion("b", BEN, T0 + DAY, amount=500, currency="CNY")
    rows.conversion("r", ANN, T0 + DAY, amount=-101, currency="CNY")
    rows.conversion("n", None, T0 + DAY, amount=7, currency="CNY")
    return rows


def test_a_row_names_conversion_person_touch_and_its_labels(rows):
    rows.touch(
        ANN,
        T0,
        "Ads",
        message_id="t1",
        source_name="google",
        medium="cpc",
        campaign="x",
        ad_group="g",
        term="shoes",
        content="red",
    )
    rows.conversion("a", ANN, T0 + DAY, amount=1001, currency="CNY")
    ((row,), people) = table(rows, "linear")
    assert list(row) == COLUMNS
    assert row == {
        "conversion_id": "a",
        "person_id": people.person_ids[0],
        "model": "linear",
        "message_id": "t1",
        "touched_at": "2026-03-01T00:00:00.000Z",
        "channel": "Ads",
        "source": "google",
        "medium": "cpc",
        "campaign": "x",
        "ad_group": "g",
        "term": "shoes",
        "content": "red",
        "credit": 1.0,
        "revenue": 1001,
    }


def test_the_rows_of_a_model_add_up_to_its_report(world):
    """Money to the unit in all; by channel too under models that are fitted on all conversions.

    Under a rule each conversion is exact, and a channel differs by what their rounding leaves.
    """
    found, _ = table(world)
    report = world.report().as_json()
    for model in MODELS:
        mine = [row for row in found if row["model"] == model]
        credit, revenue = Counter(), Counter()
        for row in mine:
            credit[row["channel"]] += row["credit"]
            revenue[row["channel"]] += row["revenue"]
        wanted = [row for row in report["rows"] if row["model"] == model]
        assert sum(revenue.values()) == sum(row["revenue"] for row in wanted)
        for row in wanted:
            slack = 0 if model.startswith(("markov", "shapley_rate")) else 3
            assert abs(revenue[row["channel"]] - row["revenue"]) <= slack
            assert credit[row["channel"]] == pytest.approx(row["conversions"], abs=1e-9)


def test_rules_give_each_conversion_exactly_its_worth(world):
    for n in range(3):
        world.touch(CAT, T0 + 2 + n, f"c{n}")
    world.conversion("c", CAT, T0 + DAY, amount=1, currency="CNY")
    found, _ = table(world, "linear,time_decay,position_based,shapley,first_touch")
    worth = {"a": (1, 1001), "b": (1, 500), "c": (1, 1), "r": (0, -101)}
    for model in {row["model"] for row in found}:
        for name, (count, revenue) in worth.items():
            mine = [r for r in found if (r["model"], r["conversion_id"]) == (model, name)]
            assert sum(r["revenue"] for r in mine) == revenue
            assert sum(r["credit"] for r in mine) == pytest.approx(count)


def test_what_an_aggregate_model_gives_to_no_converting_touch_names_the_channel_alone(world):
    found, _ = table(world, "shapley_rate")
    left = [row for row in found if row["channel"] == "Radio"]
    assert len(left) == 1
    nothing = set(COLUMNS) - {"model", "channel", "credit", "revenue"}
    assert {left[0][name] for name in nothing} == {None}
    assert left[0]["credit"] != 0


def test_touches_that_got_nothing_have_no_row(world):
    found, _ = table(world, "first_touch")
    assert {(r["conversion_id"], r["message_id"]) for r in found} == {
        ("a", "t1"),
        ("b", "t3"),
        ("r", "t1"),
    }


def test_a_contacts_touch_of_a_deal_names_the_contact(rows):
    rows.touch(ANN, T0, "Fair", account_id="acme")
    rows.touch(BEN, T0 + 1, "Mail", account_id="acme")
    rows.conversion("d", ANN, T0 + DAY, stage="won", account_id="acme", amount=10, currency="CNY")
    found, people = table(rows, "linear")
    who = dict(zip([ANN, BEN], people.person_of([build.node(ANN), build.node(BEN)]), strict=True))
    assert {(row["channel"], row["person_id"]) for row in found} == {
        ("Fair", people.person_ids[who[ANN]]),
        ("Mail", people.person_ids[who[BEN]]),
    }


def test_a_touch_of_an_order_that_names_nobody_has_no_person(rows):
    definitions.apply(rows.workspace, {"promo_code": [{"code": "ANNA10", "channel": "KOL"}]})
    coded = {"properties": '{"promo_code": "anna10"}', "amount": 1000, "currency": "CNY"}
    rows.conversion("a", None, T0, **coded)
    rows.touch(ANN, T0, "Ads")
    (row,), _ = table(rows, "linear")
    assert (row["conversion_id"], row["person_id"], row["channel"]) == ("a", None, "KOL")
