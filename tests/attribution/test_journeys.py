import numpy as np
import pytest

from touchline.attribution import Journeys, Labels, Touches
from touchline.errors import BadInput

LABELS = Labels.of_channels(("A", "B"))


def test_people_become_arrays_with_converting_journeys_first(people):
    journeys = people([("A/x@1 B@2", 10), ("", 5), ("A/y@3", 7)], others=["B A/x", "B"])
    assert journeys.labels.channels == ("A", "B")
    assert journeys.offsets.tolist() == [0, 2, 2, 3, 5, 6]
    assert journeys.label.tolist() == [0, 2, 1, 2, 0, 2]
    assert journeys.channel.tolist() == [0, 1, 0, 1, 0, 1]
    assert journeys.converting == 3
    assert journeys.converting_touches == 3
    assert journeys.is_touched.tolist() == [True, False, True]
    assert journeys.journey_of.tolist() == [0, 0, 2]
    assert journeys.nulls.tolist() == [0, 0, 0, 1, 1]
    assert journeys.touch_weight is None
    assert journeys.no_touch == (1, 5)


def test_paths_keep_both_parts_of_a_row_in_one_journey(paths):
    journeys = paths(("A", 0, 0, 4), ("B A", 2, 9, 3), ("", 1, 1, 0))
    assert journeys.offsets.tolist() == [0, 2, 2, 3]
    assert journeys.channel.tolist() == [1, 0, 0]
    assert journeys.conversions.tolist() == [2, 1]
    assert journeys.nulls.tolist() == [3, 0, 4]
    assert journeys.weight.tolist() == [5, 1, 4]
    assert journeys.touch_weight is not None
    assert journeys.touch_weight.tolist() == [5, 5, 4]
    assert journeys.no_touch == (1, 1)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("conversions", ([1, -2, 1], [5, 7, 9], [0, 0, 0])),
        ("conversions", ([1, np.nan, 1], [5, 7, 9], [0, 0, 0])),
        ("nulls", ([1, 1, 1], [5, 7, 9], [0, -1, 0])),
        ("value", ([1, 1, 1], [5, np.inf, 9], [0, 0, 0])),
        ("value", ([1, 0, 1], [5, 7, 9], [0, 3, 0])),
    ],
)
def test_paths_with_what_no_journey_can_stand_for_are_refused_by_row(name, counts):
    arrays = tuple(np.array(one, dtype=float) for one in counts)
    with pytest.raises(BadInput) as refused:
        Journeys.from_paths(np.arange(4), np.array([0, 1, 0]), LABELS, counts=arrays)
    assert refused.value.code == "bad_counts"
    assert refused.value.params["name"] == name
    assert refused.value.params["at"] == 1
    column = arrays[("conversions", "value", "nulls").index(name)]
    assert refused.value.params["value"] == pytest.approx(column[1], nan_ok=True)


def test_money_that_goes_back_alone_stands_for_no_journey(people):
    journeys = people([("A@1", 10), ("B@1", -4)], counts=[1, 0])
    assert journeys.conversions.tolist() == [1, 0]
    assert journeys.weight.tolist() == [1, 0]
    assert journeys.is_modelled.tolist() == [True, False]


def test_direct_is_found_whatever_its_case():
    names = ("Direct", "direct", "(DIRECT)", " direct ", "Direct Mail", "Email")
    assert Labels.of_channels(names).direct.tolist() == [True] * 4 + [False] * 2


def test_others_need_no_dense_numbers():
    journeys = Journeys.from_touches(
        Touches(np.array([0]), np.array([1])),
        Touches(np.array([7, 7, 90]), np.array([0, 1, 0])),
        value=np.array([5]),
        labels=LABELS,
    )
    assert journeys.offsets.tolist() == [0, 1, 3, 4]
    assert journeys.ts_us is None


def test_unsorted_touches_are_a_programming_error():
    with pytest.raises(ValueError, match="sorted"):
        Journeys.from_touches(
            Touches(np.array([1, 0]), np.array([0, 0])), value=np.array([1, 1]), labels=LABELS
        )


def test_a_converting_journey_without_a_value_is_a_programming_error():
    with pytest.raises(ValueError, match="value"):
        Journeys.from_touches(
            Touches(np.array([0, 2]), np.array([0, 0])), value=np.array([1, 1]), labels=LABELS
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": np.array([1.0])}, "value"),
        ({"nulls": np.zeros(1)}, "value"),
        ({"offsets": np.array([0, 1, 3])}, "offsets"),
        ({"offsets": np.array([1, 1, 2])}, "offsets"),
        ({"ts_us": np.array([1])}, "times"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(change, message):
    fitting = {
        "offsets": np.array([0, 1, 2]),
        "label": np.array([0, 1]),
        "labels": LABELS,
        "conversions": np.ones(2),
        "value": np.ones(2),
        "nulls": np.zeros(2),
    }
    assert Journeys(**fitting).converting == 2
    with pytest.raises(ValueError, match=message):
        Journeys(**fitting | change)
