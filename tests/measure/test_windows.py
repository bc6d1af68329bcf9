"""A goal and its touches: windows by channel and kind, direct traffic, repeat purchases."""

import pytest

from build import DAY, HOUR, T0
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.journey.goal import DEFAULT, Goal, goals
from touchline.measure.basis import Question, basis_of
from touchline.measure.options import options_of
from touchline.measure.tuning import Tuning

ANN, BEN = "user_id:ann", "user_id:ben"


def goal(**more):
    return Goal("default", event=DEFAULT.event, stages=DEFAULT.stages, **more)


def credited(rows, model="linear", **more):
    whole = rows.report(model, goal=goal(**more)).as_json()
    assert all(line["adds_up"] for line in whole["footer"])
    apart = whole["unattributed"]["no_touch"]["conversions"]
    return {row["channel"]: row["conversions"] for row in whole["rows"]} | {"": apart}


def won(rows, name, person, at):
    rows.conversion(name, person, at, amount=1000, currency="CNY")


def test_a_channel_and_a_kind_of_touch_have_windows_of_their_own(rows):
    rows.touch(ANN, T0, "Display", name="Ad Viewed")
    rows.touch(ANN, T0, "Display", name="Ad Clicked")
    rows.touch(ANN, T0 + 2 * DAY, "Paid Search")
    rows.touch(ANN, T0 + 2 * DAY, "Banner", medium="impression")
    rows.touch(ANN, T0 + 2 * DAY, "Store")
    won(rows, "a", ANN, T0 + 4 * DAY)
    assert credited(rows) == {
        "Display": pytest.approx(0.4),
        "Paid Search": pytest.approx(0.2),
        "Banner": pytest.approx(0.2),
        "Store": pytest.approx(0.2),
        "": 0,
    }
    third = pytest.approx(1 / 3)
    short = {"view": "1d", "paid search": "30d"}
    assert credited(rows, windows=short) == {
        "Display": third, "Paid Search": third, "Store": third, "": 0
    }  # fmt: skip
    assert credited(rows, windows={"paid": 1, "store": "1.5d", "view": 0}) == {"": 1}
    assert credited(rows, windows={"click": "1d"}, window="90d") == {
        "Display": 0.5, "Banner": 0.5, "": 0
    }  # fmt: skip


@pytest.mark.parametrize("direct", ["count", "last_resort"])
def test_a_half_life_is_fitted_with_the_window_of_each_touch(rows, direct):
    rows.touch(ANN, T0, "Email")
    rows.touch(ANN, T0 + 3 * DAY, "Display", name="Ad Viewed")
    rows.touch(BEN, T0, "Display", name="Ad Viewed")
    won(rows, "a", ANN, T0 + 4 * DAY)
    rows.commit()
    question = Question(
        goal=goal(windows={"view": "2d"}, direct=direct),
        currency="CNY",
        tuning=Tuning(half_life="fitted"),
    )
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        given = options_of(view, people, basis_of(view, people, question), "time_decay")
    assert given["window_days"].tolist() == [90, 2]


def test_direct_as_a_last_resort_counts_where_there_is_nothing_else(rows):
    rows.touch(ANN, T0, "Email")
    rows.touch(ANN, T0 + HOUR, "(direct)")
    rows.touch(BEN, T0, "Direct")
    won(rows, "a", ANN, T0 + DAY)
    won(rows, "b", BEN, T0 + DAY)
    assert credited(rows) == {"Email": 0.5, "(direct)": 0.5, "Direct": 1.0, "": 0}
    assert credited(rows, direct="last_resort") == {"Email": 1.0, "Direct": 1.0, "": 0}


def test_repeat_purchases_are_counted_apart_and_may_begin_anew(rows):
    rows.touch(ANN, T0, "Email")
    won(rows, "a", ANN, T0 + HOUR)
    won(rows, "same moment", ANN, T0 + HOUR)
    rows.touch(ANN, T0 + DAY, "SMS")
    won(rows, "b", ANN, T0 + 2 * DAY)
    won(rows, "c", BEN, T0)
    won(rows, "nobody", None, T0)
    assert credited(rows) == {"Email": 2.5, "SMS": 0.5, "": 2}
    assert credited(rows, restarts=True) == {"Email": 2.0, "SMS": 1.0, "": 2}
    assert credited(rows, count="once") == {"Email": 1.0, "": 2}
    assert credited(rows, count="repeat") == {"Email": 1.5, "SMS": 0.5, "": 0}


def test_money_that_went_back_begins_nothing_anew(rows):
    rows.touch(ANN, T0, "Email")
    rows.conversion("back", ANN, T0 + HOUR, amount=-500, currency="CNY", stage="won")
    won(rows, "a", ANN, T0 + DAY)
    assert credited(rows, restarts=True) == {"Email": 1.0, "": 0}


def test_a_report_says_which_touches_its_goal_counts():
    assert goal().touch_rules == {}
    assert goal(direct="last_resort", windows={"view": "1d"}, restarts=True).touch_rules == {
        "windows": {"view": "1d"}, "direct": "last_resort", "restarts": True
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        *({"window": "soon"}, {"window": 0}, {"window": -1}, {"windows": {"view": "1w"}}),
        *({"windows": {"view": -1}}, {"direct": "never"}, {"count": "twice"}),
    ],
)
def test_a_goal_that_says_no_window_is_refused(wrong):
    with pytest.raises(BadInput) as caught:
        goals([{"name": "g", "event": "Order Completed", **wrong}])
    assert caught.value.code == "bad_goal"
