import pytest

from touchline.errors import BadInput, NotFound
from touchline.journey.goal import DEFAULT, goal_named, goals


def test_without_goals_finished_orders_count():
    assert goals([]) == (DEFAULT,)
    assert DEFAULT.event == "Order Completed"
    assert set(DEFAULT.stages) == {"", "won", "closed_won", "成交", "赢单"}
    assert (DEFAULT.value, DEFAULT.count) == (None, "every")


def test_the_first_goal_of_the_document_answers_when_none_is_named():
    known = goals([{"name": "deals", "stages": ["won"]}, {"name": "leads", "event": "Lead"}])
    assert goal_named(known, None).name == "deals"
    assert goal_named(known, "leads").event == "Lead"


def test_a_name_that_is_no_goal_is_answered_with_those_there_are():
    with pytest.raises(NotFound, match="deals"):
        goal_named(goals([{"name": "deals", "stages": ["won"]}]), "sales")


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([{"event": "Lead"}], "name"),
        ([{"name": "x"}], "event or stages"),
        ([{"name": "x", "stages": []}], "stages is empty"),
        ([{"name": "x", "event": " "}], "event is empty"),
        ([{"name": "x", "event": "e", "coun": "once"}], "coun"),
        ([{"name": "x", "event": "e", "count": "twice"}], "count|twice"),
        ([{"name": "x", "event": 5}], "event"),
        ([{"name": "x", "event": "e", "value": float("nan")}], "value"),
        ([{"name": "x", "event": "e", "value": float("inf")}], "value"),
        ([{"name": "x", "event": "e", "value": -1}], "value"),
        ([{"name": "x", "event": "e"}, {"name": "x", "event": "f"}], "twice"),
    ],
)
def test_what_cannot_be_a_goal_is_refused_with_its_name_and_why(documents, why):
    with pytest.raises(BadInput, match=why) as caught:
        goals(documents)
    assert caught.value.code == "bad_goal"
    assert "[[goal]]" in str(caught.value)
