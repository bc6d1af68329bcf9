import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import rules
from touchline.attribution.shapley import equal_set
from touchline.attribution.stages import UNKNOWN_US, Stages
from touchline.errors import BadInput


def test_first_and_last_take_all(paths):
    journeys = paths(("A B C", 1, 10, 0), ("B", 1, 10, 0))
    assert rules.first_touch(journeys).tolist() == [1, 0, 0, 1]
    assert rules.last_touch(journeys).tolist() == [0, 0, 1, 1]


def test_linear_shares_equally(paths):
    journeys = paths(("A B A C", 1, 10, 0), ("A B", 1, 10, 0))
    assert rules.linear(journeys).tolist() == [0.25] * 4 + [0.5] * 2


@pytest.mark.parametrize(
    ("path", "shares"),
    [
        ("A", [1]),
        ("A B", [0.5, 0.5]),
        ("A B C", [0.4, 0.2, 0.4]),
        ("A B C D", [0.4, 0.1, 0.1, 0.4]),
        ("A A A A A A", [0.4, 0.05, 0.05, 0.05, 0.05, 0.4]),
    ],
)
def test_position_based_favours_both_ends(paths, path, shares):
    assert rules.weighted(paths((path, 1, 1, 0)), rules.POSITIONS) == pytest.approx(
        shares, abs=1e-15
    )


@pytest.mark.parametrize(
    ("path", "winner"),
    [
        ("Email Direct", 0),
        ("Email SMS Direct direct", 1),
        ("Direct Email", 1),
        ("(direct) Email (Direct)", 1),
        ("Direct", 0),
        ("Direct DIRECT (direct)", 2),
        ("Email", 0),
    ],
)
def test_last_non_direct_skips_direct_unless_there_is_nothing_else(paths, path, winner):
    share = rules.last_non_direct(paths((path, 1, 1, 0)))
    assert share.tolist() == [float(i == winner) for i in range(len(path.split()))]


def test_last_non_direct_never_looks_into_the_neighbouring_journey(paths):
    journeys = paths(("Email", 1, 1, 0), ("Direct", 1, 1, 0), ("", 1, 1, 0), ("Email", 0, 0, 1))
    assert rules.last_non_direct(journeys).tolist() == [1, 1]


def test_time_decay_halves_per_half_life(people):
    journeys = people([("A@0 B@7 C@14", 100)])
    assert rules.time_decay(journeys, 7) == pytest.approx(np.array([1, 2, 4]) / 7, abs=1e-15)
    assert rules.time_decay(journeys, 14) == pytest.approx(
        np.array([0.5, 2**-0.5, 1]) / (1.5 + 2**-0.5), abs=1e-15
    )


def test_time_decay_of_touches_in_the_same_second_is_linear(people):
    assert rules.time_decay(people([("A@3 B@3 C@3 A@3", 1)]), 7).tolist() == [0.25] * 4


def test_time_decay_survives_a_half_life_of_seconds_over_years(people):
    share = rules.time_decay(people([("A@0 B@900", 1), ("C@5", 1)]), 1e-4)
    assert share.tolist() == [0, 1, 1]


def test_time_decay_without_times_is_a_programming_error(paths):
    with pytest.raises(ValueError, match="times"):
        rules.time_decay(paths(("A", 1, 1, 0)), 7)


def test_set_shapley_splits_over_distinct_channels_then_over_their_touches(paths):
    journeys = paths(("A B A C", 1, 10, 0), ("B B", 1, 10, 0), ("", 2, 5, 0), ("C", 0, 0, 9))
    assert equal_set(journeys) == pytest.approx([1 / 6, 1 / 3, 1 / 6, 1 / 3, 0.5, 0.5], abs=1e-15)


@pytest.mark.parametrize(
    "rule",
    [
        rules.first_touch,
        rules.last_touch,
        rules.last_non_direct,
        rules.linear,
        lambda journeys: rules.weighted(journeys, rules.POSITIONS),
        equal_set,
        lambda journeys: rules.time_decay(journeys, 7),
    ],
)
def test_conversions_that_nothing_preceded_have_no_shares(people, rule):
    assert rule(people([("", 5), ("", 6)], others=["A B"])).tolist() == []
    assert rule(people([])).tolist() == []
    assert rule(people([("", 5), ("A@1", 6), ("", 7)])).tolist() == [1]


def staged(people, path, lead=None, opportunity=None):
    journeys = people([(path, 100)])
    at = [UNKNOWN_US if day is None else int(day * 86_400_000_000) for day in (lead, opportunity)]
    return journeys, Stages.at(journeys, np.array(at[:1]), np.array(at[1:]))


@pytest.mark.parametrize(
    ("path", "lead", "opportunity", "shares"),
    [
        ("A@1 B@2 C@3 D@4 E@5", 2.5, 4, [0.3, 0.3, 0.05, 0.3, 0.05]),
        ("A@1 B@2 C@3 D@4", 1, 3, [0.6, 0.05, 0.3, 0.05]),
        ("A@1 B@2", 1, 2, [0.6 / 0.9, 0.3 / 0.9]),
        ("A@1 B@2 C@3", None, None, [0.75, 0.125, 0.125]),
        ("A@1 B@2 C@3", 0.5, 9, [3 / 7, 1 / 7, 3 / 7]),
        ("A@1", 1, 1, [1]),
    ],
)
def test_w_favours_the_first_touch_and_those_at_the_stages(people, path, lead, opportunity, shares):
    journeys, stages = staged(people, path, lead, opportunity)
    assert rules.weighted(journeys, rules.W_SHAPE, stages) == pytest.approx(shares, abs=1e-15)


def test_z_favours_the_last_touch_too(people):
    journeys, stages = staged(people, "A@1 B@2 C@3 D@4 E@5", 2, 4)
    found = rules.weighted(journeys, rules.Z_SHAPE, stages)
    assert found == pytest.approx([0.225, 0.225, 0.1, 0.225, 0.225], abs=1e-15)


def test_a_stage_at_the_second_of_a_touch_is_that_touch_and_the_last_of_several(people):
    journeys, stages = staged(people, "A@1 B@2 C@2 D@3", 2, 2)
    assert stages.lead.tolist() == [2]
    found = rules.weighted(journeys, rules.W_SHAPE, stages)
    assert found == pytest.approx([0.3, 0.05, 0.6, 0.05], abs=1e-15)


def test_stages_never_look_into_the_neighbouring_journey(people):
    journeys = people([("A@1", 1), ("", 1), ("B@5 C@6", 1)])
    day = 86_400_000_000
    stages = Stages.at(journeys, np.array([day, day, day]), np.array([9, 9, 9]) * day)
    assert stages.lead.tolist() == [0, -1, -1]
    assert stages.opportunity.tolist() == [0, -1, 2]


def test_stages_without_times_or_for_others_are_programming_errors(paths, people):
    with pytest.raises(ValueError, match="times"):
        Stages.at(paths(("A", 1, 1, 0)), np.array([1]), np.array([1]))
    with pytest.raises(ValueError, match="moment"):
        Stages.at(people([("A@1", 1)]), np.array([1, 2]), np.array([1, 2]))


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 30)), max_size=6), max_size=6
    ),
    st.tuples(*[st.sampled_from([0.0, 0.1, 1.0, 7.5])] * 5),
    st.lists(st.integers(-1, 31), min_size=12, max_size=12),
)
def test_weights_of_any_kind_share_out_each_conversion(people, found, given_weights, days):
    won = [(" ".join(f"{c}@{d}" for c, d in sorted(p, key=lambda t: t[1])), 9) for p in found]
    journeys = people(won)
    if not any(given_weights):
        given_weights = (0.1, *given_weights[1:])
    moments = np.array(days) * 86_400_000_000
    stages = Stages.at(journeys, moments[: len(won)], moments[6 : 6 + len(won)])
    share = rules.weighted(journeys, rules.Weights(*given_weights), stages)
    assert (share >= 0).all()
    summed = np.bincount(journeys.journey_of, share, journeys.converting)
    assert summed == pytest.approx(journeys.is_touched.astype(float), abs=1e-12)


def test_weights_that_weigh_nothing_share_evenly(paths):
    journeys = paths(("A B C", 1, 9, 0), ("A", 1, 9, 0))
    assert rules.weighted(journeys, rules.Weights(lead=1)).tolist() == [1 / 3] * 3 + [1]
    assert rules.weighted(journeys, rules.Weights(rest=1)) == pytest.approx([1 / 3] * 3 + [1])


@pytest.mark.parametrize(
    "wrong",
    [{}, {"first": -1, "last": 2}, {"rest": float("nan")}, {"lead": float("inf"), "rest": 1}],
)
def test_weights_below_nothing_and_of_nothing_at_all_are_refused(wrong):
    with pytest.raises(BadInput) as refused:
        rules.Weights(**wrong)
    assert refused.value.code == "bad_weights"
    assert refused.value.text("zh")
