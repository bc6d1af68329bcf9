"""Which touches lead to a conversion, and which lead nowhere."""

import pyarrow as pa
import pytest

import build
from build import DAY, HOUR, T0
from touchline.journey.path import paths
from touchline.journey.touchpoint import touches

ANN, BEN = "user_id:ann", "user_id:ben"
MEMBERS = pa.schema(
    [
        ("conversion_ix", pa.int64()),
        ("member_ix", pa.int64()),
        ("converted_us", pa.int64()),
        ("own_event", pa.binary()),
    ]
)


def led(rows, *members, window=DAY):
    """([(conversion, message_id)], [message_id of touches in none])"""
    rows.commit()
    columns = [dict(zip(MEMBERS.names, one, strict=True)) for one in members]
    with rows.workspace.view() as view:
        points = view.keep(touches(view, build.speakers(view, ANN, BEN)))
        given = view.given(pa.Table.from_pylist(columns, schema=MEMBERS))
        found = paths(points, given, window, 10)
        found = view.fetch(found.order_by("journey", "ts_us", "seq")).to_pylist()
    won = [(row["journey"], row["message_id"]) for row in found if row["journey"] < 10]
    return won, [row["message_id"] for row in found if row["journey"] == 10 + row["person_ix"]]


@pytest.mark.parametrize(
    ("at", "is_in"), [(0, True), (-DAY, True), (1, False), (-DAY - 1, False), (-HOUR, True)]
)
def test_both_edges_of_the_window_are_in_it(rows, at, is_in):
    rows.touch(ANN, T0 + at, "a", message_id="t")
    won, lost = led(rows, (0, 0, T0, None))
    assert (won, lost) == (([(0, "t")], []) if is_in else ([], ["t"]))


def test_a_touch_may_serve_several_conversions(rows):
    rows.touch(ANN, T0, "a", message_id="t")
    won, lost = led(rows, (0, 0, T0 + 1, None), (1, 0, T0 + 2, None), (2, 1, T0 + 2, None))
    assert won == [(0, "t"), (1, "t")]
    assert lost == []


def test_a_conversions_own_event_is_no_touch_of_it_but_of_another(rows):
    rows.touch(ANN, T0, "Store", message_id="sale")
    own = (1).to_bytes(16)
    won, lost = led(rows, (0, 0, T0, own), (1, 0, T0 + HOUR, b"other"))
    assert won == [(1, "sale")]
    assert lost == []


def test_a_conversions_own_event_is_no_path_that_leads_nowhere(rows):
    rows.touch(ANN, T0, "Store", message_id="sale")
    assert led(rows, (0, 0, T0, (1).to_bytes(16))) == ([], [])


def test_other_peoples_touches_are_not_in_it(rows):
    rows.touch(ANN, T0, "a", message_id="ann")
    rows.touch(BEN, T0, "a", message_id="ben")
    assert led(rows, (0, 1, T0, None)) == ([(0, "ben")], ["ann"])


def test_a_conversion_may_have_several_members(rows):
    rows.touch(ANN, T0, "a", message_id="ann")
    rows.touch(BEN, T0 + 1, "a", message_id="ben")
    won, lost = led(rows, (0, 0, T0 + 2, None), (0, 1, T0 + 2, None))
    assert won == [(0, "ann"), (0, "ben")]
    assert lost == []
