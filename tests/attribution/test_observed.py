"""Who is compared with whom, and what they had met by then."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.observed import (
    DAY_US,
    Moments,
    Observed,
    exposures,
    ranked,
    risk_set,
    taken,
    thinned,
)


def observed(*units, **more):
    """`("A@1 B@2", end day, converts?)` each."""
    touches = [[touch.split("@") for touch in unit[0].split()] for unit in units]
    flat = [touch for unit in touches for touch in unit]
    channels = tuple(sorted({name for name, _ in flat}))
    return Observed(
        channels=channels,
        offsets=np.cumsum([0, *map(len, touches)]),
        channel=np.array([channels.index(name) for name, _ in flat], dtype=np.int64),
        ts_us=np.array([int(float(day) * DAY_US) for _, day in flat], dtype=np.int64),
        end_us=np.array([int(unit[1] * DAY_US) for unit in units]),
        is_converted=np.array([unit[2] for unit in units]),
        value=np.zeros(len(units)),
        **more,
    )


def test_watching_begins_with_the_earliest_touch_of_all_unless_it_is_given():
    one = observed(("A@2", 9, True), ("A@1", 9, False))
    assert one.starts_us.tolist() == [DAY_US, DAY_US]


def test_only_those_who_could_have_converted_at_the_moment_are_compared():
    """Who came later, who had ended before and who converted at that very moment could not."""
    one = observed(
        ("A@1", 5, True),
        ("A@1", 4, False),
        ("A@6", 9, False),
        ("A@1", 5, True),
        ("A@1", 9, False),
        start_us=np.array([0, 0, 6, 0, 0]) * DAY_US,
    )
    found = risk_set(one, 50, 1, 100, 0)
    assert found.unit[found.is_case].tolist() == [0, 3]
    assert set(found.unit[~found.is_case].tolist()) == {4}
    assert set(found.at_us.tolist()) == {5 * DAY_US}


def test_the_same_seed_draws_the_same():
    one = observed(*[("A@1", day, day < 6) for day in range(2, 40)])
    first, again, other = (risk_set(one, 3, seed, 100, 0).unit.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_where_all_at_risk_are_few_enough_none_is_drawn():
    one = observed(*[("A@1", day, day < 6) for day in range(2, 40)])
    first, other = (risk_set(one, 3, seed, 100, 1000) for seed in (1, 2))
    assert first.unit.tolist() == other.unit.tolist()
    assert first.among.tolist()[:4] == [37, 36, 35, 34]
    assert len(first.unit) == 4 + 37 + 36 + 35 + 34


@given(st.permutations(range(12)))
def test_who_is_drawn_depends_on_what_they_did_and_not_on_where_they_stand(order):
    units = [(f"A@1 B@{1 + n % 3}", 4 + n // 2, n % 3 == 0) for n in range(12)]
    one = observed(*units)
    other = observed(*(units[place] for place in order))
    for most_rows in (0, 1000):
        told = [
            [(units_[i][0], *units_[i][1:], at) for i, at in zip(m.unit, m.at_us, strict=True)]
            for units_, m in (
                (units, risk_set(one, 2, 1, 3, most_rows)),
                ([units[place] for place in order], risk_set(other, 2, 1, 3, most_rows)),
            )
        ]
        assert told[0] == told[1]
    kept = [thinned(each, 3, 1)[0] for each in (one, other)]
    assert np.array_equal(kept[0].end_us, kept[1].end_us)
    assert np.array_equal(kept[0].ts_us, kept[1].ts_us)


def test_the_same_in_another_time_zone_is_drawn_the_same():
    """Where units are alike but for their touches, too."""
    units = [(f"A@{1 + n % 7} B@8", 9 + n % 2, n % 3 == 0) for n in range(40)]
    one = observed(*units, start_us=np.zeros(40, np.int64))
    for hours in (-8, 8, 13):
        off = hours * DAY_US // 24
        other = replace(
            one, ts_us=one.ts_us + off, end_us=one.end_us + off, start_us=one.start_us + off
        )
        assert ranked(one).tolist() == ranked(other).tolist()
        drawn = (risk_set(each, 2, 1, 5, 0).unit.tolist() for each in (one, other))
        assert next(drawn) == next(drawn)


def test_units_in_order_keep_their_own_touches():
    one = observed(("A@1 B@2", 9, True), ("B@1", 4, False))
    found = taken(one, ranked(one))
    assert found.end_us.tolist() == [4 * DAY_US, 9 * DAY_US]
    assert found.channel.tolist() == [1, 0, 1]


def test_at_most_so_many_conversions_are_looked_at():
    one = observed(*[("A@1", day, day < 20) for day in range(2, 40)])
    assert np.count_nonzero(risk_set(one, 2, 1, 5, 0).is_case) == 5


def test_touches_after_the_moment_are_not_known_and_those_before_the_window_only_counted():
    one = observed(("A@1 A@5 B@8 A@20", 30, False), window_us=10 * DAY_US)
    moments = Moments(np.array([0]), np.array([12 * DAY_US]), np.array([False]), np.zeros(1))
    found, earlier = exposures(one, moments)
    assert found.channel.tolist() == [0, 1]
    assert found.age.tolist() == [7, 4]
    assert earlier.tolist() == [1]


def test_a_sample_of_those_who_did_not_convert_stands_for_all_of_them():
    one = observed(*[(f"A@{day}", day + 1, day % 4 == 0) for day in range(40)])
    sample, weight = thinned(one, 10, seed=3)
    assert sample.conversions == 10
    assert sample.units == 20
    assert weight.sum() == 40
    assert np.array_equal(sample.ts_us + DAY_US, sample.end_us)
    assert np.array_equal(sample.moments_us, one.moments_us)


def test_few_enough_are_all_kept():
    one = observed(("A@1", 2, True), ("A@1", 3, False))
    sample, weight = thinned(one, 10, seed=3)
    assert sample.units == 2
    assert weight.tolist() == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"controls": np.zeros((1, 2))},
        {"controls": np.zeros((1, 1)), "control_names": ()},
    ],
)
def test_controls_without_names_are_refused(wrong):
    with pytest.raises(ValueError, match="controls"):
        observed(("A@1", 2, True), **wrong)


def test_touches_of_no_unit_are_refused():
    with pytest.raises(ValueError, match="belongs to a unit"):
        Observed(
            channels=("A",),
            offsets=np.array([0, 1]),
            channel=np.array([0, 0]),
            ts_us=np.array([1, 2]),
            end_us=np.array([3]),
            is_converted=np.array([True]),
            value=np.array([1]),
        )
