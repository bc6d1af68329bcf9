"""Which events reached a person."""

import pytest

import build
from build import MINUTE, T0
from touchline.identity.people import person_map
from touchline.journey.touchpoint import touches
from touchline.model import Flag

ANN, BEN = "user_id:ann", "user_id:ben"


def names(rows, **options):
    """message ids of touchpoints, in time"""
    rows.commit()
    with rows.workspace.view(**options) as view:
        found = view.fetch(touches(view, build.speakers(view, ANN, BEN)))
    listed = found.sort_by([("ts_us", "ascending"), ("seq", "ascending")]).to_pylist()
    return [row["message_id"] for row in listed]


def test_an_explicit_channel_and_a_session_opener_are_touches_and_nothing_else(rows):
    rows.touch(ANN, T0, "Store", message_id="explicit")
    rows.session(ANN, T0 + 1, "Direct", message_id="opener")
    rows.event(ANN, T0 + 2, channel="Paid", flags=int(Flag.IN_SESSION), message_id="inside")
    rows.event(ANN, T0 + 3, message_id="bare")
    assert names(rows) == ["explicit", "opener"]


def test_an_event_that_is_both_is_one_touch(rows):
    both = int(Flag.EXPLICIT_CHANNEL | Flag.OPENS_SESSION)
    rows.event(ANN, T0, channel="Store", flags=both, message_id="a")
    assert names(rows) == ["a"]


def test_bots_and_events_of_nobody_are_no_touch(rows):
    rows.touch(ANN, T0, "Store", bot=True)
    rows.touch(ANN, T0, "Store", node_ids=[])
    assert names(rows) == []


def test_explicit_touches_never_collapse(rows):
    for n in range(3):
        rows.touch(ANN, T0 + n, "Ads", campaign="spring", message_id=str(n))
    assert names(rows) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("gap", "campaign", "person", "is_landing"),
    [
        (0, "spring", ANN, True),
        (30 * MINUTE, "spring", ANN, True),
        (30 * MINUTE + 1, "spring", ANN, False),
        (-1, "spring", ANN, False),
        (MINUTE, "autumn", ANN, False),
        (MINUTE, None, ANN, False),
        (MINUTE, "spring", BEN, False),
    ],
)
def test_a_session_of_the_same_person_and_campaign_within_half_an_hour_is_the_clicks_landing(
    rows, gap, campaign, person, is_landing
):
    rows.touch(ANN, T0, "Ads", campaign="spring", message_id="click")
    rows.session(person, T0 + gap, "Paid Search", campaign=campaign, message_id="visit")
    assert ("visit" not in names(rows)) == is_landing


def test_a_click_and_a_session_without_campaign_are_two_touches(rows):
    rows.touch(ANN, T0, "Store", message_id="click")
    rows.session(ANN, T0 + 1, "Direct", message_id="visit")
    assert names(rows) == ["click", "visit"]


def test_the_devices_of_one_person_share_the_click(rows):
    rows.touch("user_id:ann", T0, "Ads", campaign="spring", message_id="click")
    rows.session("anonymous_id:x", T0 + 1, "Paid", campaign="spring", message_id="visit")
    rows.people("user_id:ann", "anonymous_id:x")
    rows.commit()
    with rows.workspace.view() as view:
        who = person_map(view).speakers(view)
        assert view.fetch(touches(view, who)).column("message_id").to_pylist() == ["click"]


def test_fresh_rows_are_touches_too_and_each_once(rows):
    rows.touch(ANN, T0, "Store", message_id="a")
    rows.rows["fresh"] = [dict(row) for row in rows.rows["events"]]
    rows.touch(ANN, T0, "Store", message_id="b")
    rows.rows["fresh"].append(rows.rows["events"].pop())
    rows.workspace.lake.events.commit(None, offsets={"settled": 1})
    assert names(rows) == ["a", "b"]


def test_as_of_leaves_out_what_came_later(rows):
    rows.touch(ANN, T0, "Store", message_id="a", known_at_us=T0)
    rows.touch(ANN, T0, "Store", message_id="b", known_at_us=T0 + 1)
    assert names(rows, as_of_us=T0) == ["a"]


def test_only_the_labels_asked_for_are_read(rows):
    rows.touch(ANN, T0, "Store", campaign="spring")
    rows.commit()
    with rows.workspace.view() as view:
        found = touches(view, build.speakers(view, ANN), ("channel",))
        assert "channel" in found.columns
        assert "campaign" not in found.columns
