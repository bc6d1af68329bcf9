import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import credit
from touchline.attribution.decay import fitted_half_life


def aged(ages, window=90):
    """Journeys whose second touch is on day `window`, and whose first was so many days before."""
    return [(f"A@{window - age} B@{window}", 10) for age in ages]


@pytest.mark.parametrize("half_life", [3, 10, 30])
def test_the_half_life_that_made_the_ages_is_found(people, half_life):
    rng = np.random.default_rng(11)
    ages = rng.exponential(half_life / np.log(2), 20_000)
    within = ages[ages <= 90][:3_000]
    assert fitted_half_life(people(aged(within)), 90) == pytest.approx(half_life, rel=0.08)


def test_without_a_window_it_is_ln_2_times_the_mean_age(people):
    assert fitted_half_life(people(aged([2, 4, 6]))) == pytest.approx(4 * np.log(2))
    far = fitted_half_life(people(aged([2, 4, 6])), 36_500)
    assert far == pytest.approx(4 * np.log(2), rel=1e-3)


def test_ages_spread_evenly_over_the_window_show_no_decay(people):
    journeys = people(aged(np.linspace(0, 90, 31)))
    assert fitted_half_life(journeys, 90) == np.inf
    answer = credit(journeys, ["time_decay", "linear"], half_life_days=None, window_days=90)
    decayed, linear = answer["time_decay"], answer["linear"]
    assert decayed.channel_revenue == pytest.approx(linear.channel_revenue)


def test_touches_with_windows_of_their_own_are_cut_off_there(people):
    """Half of them are only looked for five days back, and so are younger than they would be."""
    rng = np.random.default_rng(5)
    ages = rng.exponential(10 / np.log(2), 12_000)
    window = np.where(np.arange(len(ages)) % 2, 5.0, 90.0)
    kept = ages <= window
    journeys = people(aged(ages[kept][:3_000]))
    own = np.repeat(window[kept][:3_000], 2)
    assert fitted_half_life(journeys, own) == pytest.approx(10, rel=0.1)
    assert fitted_half_life(journeys, 90) < 8
    assert fitted_half_life(journeys, np.where(own < 90, 0, own)) == pytest.approx(10, rel=0.1)
    assert fitted_half_life(journeys, own * 0) is None


def test_touches_of_one_moment_make_it_a_second(people):
    assert fitted_half_life(people([("A@1 B@1", 5)])) == pytest.approx(1 / 86_400)


@pytest.mark.parametrize("won", [[], [("", 5)], [("A@3", 5), ("B@4", 6)]])
def test_where_no_touch_precedes_another_the_usual_one_is_taken(people, won):
    journeys = people(won)
    assert fitted_half_life(journeys, 90) is None
    answer = credit(journeys, ["time_decay"], half_life_days=None)["time_decay"]
    assert answer.fitted == {"half_life_days": 7}


def test_money_that_went_back_alone_says_nothing(people):
    plain = people(aged([4, 8]))
    both = people([*aged([4, 8]), ("A@0 B@90", -5)], counts=[1, 1, 0])
    assert fitted_half_life(plain, 90) == fitted_half_life(both, 90)


def test_a_given_half_life_is_not_called_fitted(people):
    journeys = people(aged([4, 8]))
    assert credit(journeys, ["time_decay"])["time_decay"].fitted == {}


@given(st.lists(st.floats(0, 90), min_size=1, max_size=20), st.floats(0.1, 10))
def test_time_twice_as_long_makes_it_twice_as_long(people, ages, factor):
    one = fitted_half_life(people(aged(ages)), 100)
    other = fitted_half_life(people(aged(np.array(ages) * factor, 900)), 100 * factor)
    assert one is not None
    if one > 0.01:
        assert other == pytest.approx(one * factor, rel=1e-3)
