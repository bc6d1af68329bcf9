import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import apportion, apportion_nested, apportion_within, credit, touch_money

weights = st.lists(st.floats(0, 1e3, allow_subnormal=False), min_size=1, max_size=30)
totals = st.integers(-(10**12), 10**12)


def shares_of(weight, total):
    weight = np.array(weight) + 1e-12
    return weight / weight.sum() * total


def test_equal_remainders_go_to_the_earlier_share():
    assert apportion(np.array([10 / 3] * 3), 10).tolist() == [4, 3, 3]
    assert apportion(np.array([2.5, 2.5]), 5).tolist() == [3, 2]


def test_the_largest_remainder_is_served_first():
    assert apportion(np.array([1.2, 1.7, 1.1]), 4).tolist() == [1, 2, 1]


def test_float_dust_moves_no_cent():
    assert apportion(np.array([2.9999999999, 4.0000000001, 0.0]), 7).tolist() == [3, 4, 0]
    thirds = np.array([0.1 + 0.2, 0.3, 0.4]) * 10 / 3
    assert apportion(np.array([thirds[0], thirds[1], 10 - thirds[:2].sum()]), 10).tolist() == [
        1,
        1,
        8,
    ]


@given(weights, totals)
def test_parts_sum_to_the_total_and_stay_within_one_unit(weight, total):
    shares = shares_of(weight, total)
    whole = apportion(shares, total)
    assert whole.sum() == total
    assert np.abs(whole - shares).max() < 1 + 1e-3


@given(weights, st.integers(0, 10**9))
def test_a_refund_mirrors_its_order(weight, total):
    shares = shares_of(weight, total)
    assert (apportion(-shares, -total) == -apportion(shares, total)).all()


def test_mixed_signs_add_up():
    assert apportion(np.array([7.5, -2.25, -0.25]), 5).sum() == 5
    assert apportion(np.array([-7.5, 2.25, 0.25]), -5).sum() == -5


def test_no_shares_sum_to_nothing():
    assert apportion(np.zeros(0), 0).tolist() == []
    assert apportion_nested(np.zeros(0), [np.zeros(0, dtype=int)], 0).tolist() == []


def test_shares_that_cannot_reach_their_total_are_a_programming_error():
    with pytest.raises(ValueError, match="add up"):
        apportion(np.array([1.0, 1.0]), 4)
    with pytest.raises(ValueError, match="add up"):
        apportion(np.array([2.0, 2.0]), 1)


def test_a_total_rounded_below_its_shares_is_kept():
    assert apportion(np.array([1.0, 1.0]), 1).tolist() == [1, 0]
    assert apportion(np.array([-1.0, -1.0]), -1).tolist() == [-1, 0]
    assert apportion(np.array([0.9999999999, 1.0]), 1).tolist() == [0, 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), max_size=40))
def test_every_group_sums_to_its_own_total(found):
    group = np.array([g for g, _ in found], dtype=np.int64)
    shares = np.array([share for _, share in found], dtype=float)
    sums = np.bincount(group, shares, 6)
    wanted = np.floor(sums).astype(np.int64)
    whole = apportion_within(shares, group, wanted)
    assert np.bincount(group, whole, 6).tolist() == wanted.tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats(0, 1e3)), min_size=1, max_size=40
    ),
    st.integers(0, 10**7),
)
def test_campaigns_add_up_to_their_channel_at_every_level(found, total):
    channel = np.array([c for c, _, _ in found])
    campaign = np.array([c * 3 + k for c, k, _ in found])
    shares = shares_of([w for *_, w in found], total)
    leaves = apportion_nested(shares, [channel, campaign], total)
    assert leaves.sum() == total
    by_channel = apportion_nested(np.bincount(channel, shares, 4), [], total)
    assert np.bincount(channel, leaves, 4).tolist() == by_channel.tolist()


def test_touches_of_a_conversion_sum_to_its_value_under_a_rule(people):
    journeys = people([("A@1 B@2 C@3", 100), ("", 77), ("A@1 A@1 B@2", -100), ("B@5", 0)])
    whole, left = touch_money(credit(journeys, ["linear"])["linear"])
    assert whole.tolist() == [34, 33, 33, -34, -33, -33, 0]
    assert left.tolist() == [0, 0, 0]


def test_touches_of_a_channel_sum_to_its_total_under_an_aggregate_model(people):
    journeys = people([("A@1 B@2 B@3", 100), ("A@1", 33)], others=["C A", "C", "A"])
    answer = credit(journeys, ["markov_1"])["markov_1"]
    whole, left = touch_money(answer)
    assert whole.sum() + left.sum() == 133
    assert left[:2].tolist() == [0, 0]
    assert left[2] == round(answer.channel_revenue[2])
    assert np.bincount(journeys.channel[:4], whole, 3) + left == pytest.approx(
        answer.channel_revenue, abs=1
    )
