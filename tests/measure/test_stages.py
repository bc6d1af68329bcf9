"""Buyer stages, other grains than labels, partners, and reports as of a day."""

import pytest

from build import DAY, HOUR, T0
from touchline import clock
from touchline.errors import BadInput
from touchline.jobs.asked import question_of
from touchline.jobs.definitions import apply, goals_of
from touchline.journey.goal import Goal
from touchline.measure.crediting import Crediting
from touchline.storage import definition

ANN, BEN = "user_id:ann", "user_id:ben"
WON = Goal("deals", stages=("won",))


def by(whole, *names):
    return {tuple(row[name] for name in names): row["conversions"] for row in whole["rows"]}


def test_a_deals_touches_are_told_by_how_far_its_buyer_was(rows):
    rows.touch(ANN, T0, "Search")
    rows.conversion("lead-1", ANN, T0 + HOUR, kind="lead", stage="新线索")
    rows.touch(ANN, T0 + 2 * HOUR, "Email")
    rows.conversion("deal", ANN, T0 + DAY, stage="报价")
    rows.touch(ANN, T0 + 2 * DAY, "Visit")
    rows.conversion("deal", ANN, T0 + 3 * DAY, stage="won", amount=900, currency="CNY")
    rows.touch(BEN, T0, "Search")
    rows.conversion("other", BEN, T0 + DAY, stage="won", amount=100, currency="CNY")
    whole = rows.report("linear,w_shaped", goal=WON, by=("channel", "stage")).as_json()
    assert all(line["adds_up"] for line in whole["footer"])
    linear = {k[1:]: v for k, v in by(whole, "model", "channel", "stage").items() if "lin" in k[0]}
    third = pytest.approx(1 / 3)
    assert linear == {
        ("Search", "visitor"): third,
        ("Email", "lead"): third,
        ("Visit", "opportunity"): third,
        ("Search", None): 1.0,
    }
    shaped = by(rows.report("w_shaped", goal=WON).as_json(), "channel")
    assert shaped[("Search",)] == pytest.approx(1 + 0.6)
    assert shaped[("Email",)] == pytest.approx(0.3)


def test_a_deal_that_is_won_became_an_opportunity_when_it_was_created(rows):
    rows.touch(ANN, T0, "Search")
    rows.touch(ANN, T0 + 2 * DAY, "Visit")
    row = {"kind": "opportunity", "created_us": T0 + DAY, "stage": "won", "account_id": "acme"}
    rows.conversion("deal", ANN, T0 + 3 * DAY, amount=900, currency="CNY", **row)
    whole = rows.report("linear", goal=WON, by=("channel", "stage")).as_json()
    assert by(whole, "channel", "stage") == {
        ("Search", "visitor"): 0.5, ("Visit", "opportunity"): 0.5
    }  # fmt: skip


def test_without_a_crm_no_touch_has_a_stage_and_shapes_are_not_offered(rows):
    rows.touch(ANN, T0, "Search")
    rows.conversion("deal", ANN, T0 + DAY, stage="won", amount=900, currency="CNY")
    whole = rows.report(goal=WON, by=("channel", "stage")).as_json()
    assert {row["stage"] for row in whole["rows"]} == {None}
    assert "w_shaped" not in {row["model"] for row in whole["rows"]}
    with pytest.raises(BadInput) as caught:
        rows.report("w_shaped", goal=WON)
    assert caught.value.code == "model_needs_stages"


def test_a_landing_page_is_its_path_and_a_content_asset_has_its_row(rows):
    page = "https://shop.cn/spring"
    rows.session(ANN, T0, "Search", landing_page=f"{page}?utm_source=x&mail=a@b.cn")
    rows.session(BEN, T0, "Search", landing_page=f"{page}#top", content_id="guide-1")
    for name, person in (("a", ANN), ("b", BEN)):
        rows.conversion(name, person, T0 + DAY, stage="won", amount=100, currency="CNY")
    rows.cost(clock.from_us(T0).date(), "Search", 50)
    whole = rows.report("linear", goal=WON, by=("channel", "landing_page", "content_id")).as_json()
    assert by(whole, "landing_page", "content_id") == {
        (page, None): 1.0, (page, "guide-1"): 1.0, (None, None): 0.0
    }  # fmt: skip
    assert [row["cost"] for row in whole["rows"]] == [0, 0, 50]


def test_a_partners_share_has_its_row_under_every_model(rows):
    rows.touch(ANN, T0, "Search")
    shared = {"stage": "won", "amount": 1001, "currency": "CNY"}
    deal = '{"dealer": "North", "their part": "30%"}'
    rows.conversion("a", ANN, T0 + DAY, properties=deal, **shared)
    rows.conversion("b", BEN, T0 + DAY, properties=deal, **shared)
    rows.conversion("c", ANN, T0 + DAY, properties='{"dealer": "East"}', **shared)
    apply(rows.workspace, {"attribution": {"partner": "dealer", "partner_share": "their part"}})
    report = rows.report("linear,markov_1", goal=WON, by=("channel", "campaign"))
    assert report.notes[-1] == ("partner_unread", {"count": 1})
    whole = report.as_json()
    assert (whole["conversions"], whole["revenue"]) == (3, 3003)
    assert whole["unattributed"]["no_touch"] == {"conversions": pytest.approx(0.7), "revenue": 701}
    for line in whole["footer"]:
        assert line["adds_up"]
        assert line["partner"] == {"conversions": pytest.approx(0.6), "revenue": 600}
    (row,) = [r for r in whole["rows"] if r["model"] == "linear" and r["channel"] == "(partner)"]
    assert row["campaign"] == "North"


def test_a_deal_is_the_partners_that_its_newest_row_names(rows):
    """What is re-imported with the cells empty takes the partner off; a refund names nobody."""
    won = {"stage": "won", "amount": 1000, "currency": "CNY"}
    for name in ("off", "kept", "other"):
        rows.touch(ANN, T0, "Search")
        rows.conversion(name, ANN, T0 + DAY, properties='{"dealer": "North"}', **won)
    rows.conversion("off", ANN, T0 + DAY, properties='{"region": "dealer"}', **won)
    rows.conversion("other", ANN, T0 + DAY, properties='{"dealer": "East"}', **won)
    rows.conversion("kept", ANN, T0 + DAY, properties=None, **(won | {"amount": -100}))
    apply(rows.workspace, {"attribution": {"partner": "dealer", "partner_share": 0.5}})
    whole = rows.report("linear", goal=WON, by=("channel", "campaign")).as_json()
    theirs = {row["campaign"]: row["revenue"] for row in whole["rows"] if row["campaign"]}
    assert theirs == {"North": 450, "East": 500}


@pytest.mark.parametrize(
    "wrong", [{"partner_share": 3.0}, {"partner": " "}, {"lead": "x"}, {"a": 1}]
)
def test_a_wrong_table_of_attribution_is_refused(wrong):
    with pytest.raises(BadInput) as caught:
        Crediting.of({"attribution": wrong})
    assert caught.value.code == "bad_attribution"


def test_as_of_a_day_goals_are_those_of_the_day_for_ever(rows, monkeypatch):
    workspace = rows.workspace
    for at, stage in ((T0, "won"), (T0 + 2 * DAY, "signed")):
        monkeypatch.setattr(clock, "now_us", lambda at=at: at)
        apply(workspace, {"goal": [{"name": "deals", "stages": [stage], "window": "7d"}]})
    assert goals_of(workspace)[0].stages == ("signed",)
    assert goals_of(workspace, T0 + DAY)[0].stages == ("won",)
    # Asked of a day before there was any goal: as it was first defined, whatever came later.
    assert goals_of(workspace, T0 - DAY)[0].stages == ("won",)
    asked = question_of(workspace, {}, ("channel",), T0 + DAY)
    assert (asked.goal.stages, asked.window_days) == (("won",), 7)
    assert question_of(workspace, {"window": "3d"}, ("channel",)).window_days == 3
    assert definition.known(workspace.state, T0 + DAY)["goal"][0]["stages"] == ["won"]
    with workspace.view(as_of_us=T0 + DAY) as view:
        assert view.documents["goal"][0]["stages"] == ["won"]


def test_a_deal_that_changes_years_later_is_credited_anew_and_old_reports_stay(rows):
    later = T0 + 1000 * DAY
    rows.touch(ANN, T0 - DAY, "Fair")
    rows.touch(ANN, T0 + 990 * DAY, "Visit")
    told = {"currency": "CNY", "account_id": None}
    rows.conversion("deal", ANN, T0, stage="won", amount=1000, known_at_us=T0, **told)
    rows.conversion("late", ANN, T0, stage="opportunity", amount=500, known_at_us=T0, **told)
    rows.conversion("deal", ANN, T0, stage="won", amount=1500, known_at_us=later, **told)
    rows.conversion("late", ANN, later, stage="won", amount=600, known_at_us=later, **told)

    def of(**asked):
        whole = rows.report("linear", goal=WON, window_days=1095, **asked).as_json()
        assert whole["footer"][0]["adds_up"]
        return {row["channel"]: row["revenue"] for row in whole["rows"]}

    assert of() == {"Fair": 1500 + 300, "Visit": 300}
    assert of(as_of_us=later - 1) == of(as_of_us=T0 + DAY) == {"Fair": 1000}
