"""How journeys go, from rows of a lake: roles, times, paths, losses."""

import pytest

from build import DAY, HOUR, T0
from touchline.identity.people import Registry
from touchline.journey.goal import Goal
from touchline.measure.basis import Question
from touchline.measure.roles import roles_report

ANN, BEN, CY = "user_id:ann", "user_id:ben", "user_id:cy"
WON = Goal("deals", stages=("won",))


def ask(rows, goal=WON, **more):
    rows.commit()
    question = Question(goal=goal, currency="CNY", **more)
    with rows.workspace.view() as view:
        return roles_report(view, Registry(rows.workspace).at(view), question)


def test_journeys_of_a_goal_are_told_from_end_to_end(rows):
    for at, channel in enumerate(("Ads", "Email", "Email", "Store")):
        rows.touch(ANN, T0 + at * DAY, channel)
    rows.conversion("lead", ANN, T0 + DAY, kind="lead")
    rows.conversion("a", ANN, T0 + 4 * DAY, stage="won", amount=1000, currency="CNY")
    rows.touch(BEN, T0, "Ads")
    rows.conversion("b", BEN, T0 + HOUR, stage="won", amount=500, currency="CNY")
    rows.conversion("alone", "user_id:dee", T0, stage="won", amount=1, currency="CNY")
    rows.touch(CY, T0, "Email")
    rows.touch("user_id:eve", T0, "Store")
    rows.conversion("c", CY, T0 + 3 * DAY, stage="输单", amount=700, currency="CNY")
    found = ask(rows)
    ads, *_ = mine = found["rows"]
    assert [row["channel"] for row in mine] == ["Ads", "Email", "Store"]
    assert ads["opener"] == {"conversions": 2, "share": 1, "revenue": 1500}
    assert mine[1]["assist"] == {"conversions": 1, "share": 1, "revenue": 1000}
    assert mine[2]["closer"] == {"conversions": 1, "share": 0.5, "revenue": 1000}
    assert (ads["begun"], mine[1]["helped"], mine[2]["closed"]) == (1, 0.5, 0.5)
    assert (ads["early"], mine[1]["mid"], mine[2]["late"], ads["alone"]) == (1, 2, 1, 1)
    assert all(line["adds_up"] for line in found["footer"])
    assert found["footer"][0]["total"] == {"conversions": 3, "revenue": 1501}
    assert found["unattributed"]["no_touch"] == {"conversions": 1, "revenue": 1}
    assert found["touches_to_convert"]["mean"] == 2.5
    bands = {(b["from"], b["to"]): b["conversions"] for b in found["touches_to_convert"]["bands"]}
    assert (bands[1, 1], bands[4, 5]) == (1, 1)
    assert found["days_to_convert"]["median"] == pytest.approx(1 / 24)
    assert found["days_to_convert"]["p90"] == 4
    waits = {(one["from"], one["to"]): one["median"] for one in found["between_stages"]}
    assert (waits["first_touch", "lead"], waits["lead", "conversion"]) == (1, 3)
    assert waits["lead", "opportunity"] is None
    assert found["paths"][0] == {
        "path": ["Ads", "Email", "Store"], "conversions": 1, "revenue": 1000, "others": 0, "rate": 1
    }  # fmt: skip
    loss = {row["channel"]: row for row in found["loss"]["rows"]}
    assert (loss["Store"]["last_of_others"], loss["Store"]["lost_rate"]) == (1, 0.5)
    assert found["loss"]["deals"]["deals"] == 1
    (last,) = found["loss"]["deals"]["last_touch"]
    assert last == {"channel": "Email", "deals": 1, "share": 1, "share_of_won": 0}
    assert found["loss"]["deals"]["days_of_silence"]["median"] == 3


def test_a_lost_deal_without_a_rate_is_lost_all_the_same(rows):
    rows.touch(CY, T0, "Email")
    rows.conversion("c", CY, T0 + DAY, stage="lost", amount=700, currency="USD")
    rows.conversion("d", CY, T0 + DAY, stage="lost", amount=700, currency="CNY")
    assert ask(rows)["loss"]["deals"]["deals"] == 2


def test_deals_that_a_goal_counts_at_any_stage_are_told_lost_all_the_same(rows):
    rows.touch(CY, T0, "Email")
    for name, stage in (("c", "lost"), ("d", "won")):
        rows.conversion(name, CY, T0 + DAY, stage=stage, amount=700, currency="CNY")
    found = ask(rows, goal=Goal("opportunities", stages=("opportunity", "won", "lost")))
    assert found["loss"]["deals"]["deals"] == 1


def test_nothing_is_told_of_nothing(rows):
    found = ask(rows)
    assert (found["rows"], found["paths"], found["loss"]["rows"]) == ([], [], [])
    assert found["touches_to_convert"]["mean"] is None
    assert all(line["adds_up"] for line in found["footer"])


def test_roles_may_be_asked_by_any_grain(rows):
    rows.touch(ANN, T0, "Ads", campaign="spring")
    rows.touch(ANN, T0 + HOUR, "Ads", campaign="summer")
    rows.conversion("a", ANN, T0 + DAY, stage="won", amount=1000, currency="CNY")
    found = ask(rows, by=("channel", "campaign"))
    assert found["paths"][0]["path"] == ["Ads · spring", "Ads · summer"]
    assert [row["campaign"] for row in found["rows"]] == ["spring", "summer"]
