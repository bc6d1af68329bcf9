"""Sums that a day is added to and a person taken from: always those of the journeys there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import Journeys, Labels, Touches, credit
from touchline.attribution.figures import figures
from touchline.attribution.statistics import Statistics
from touchline.errors import BadInput

MODELS = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "shapley",
    "markov_1",
    "markov_2",
    "markov_3",
    "shapley_rate",
)
DAY_US = 86_400_000_000
NAMES = (
    ("Direct", None),
    ("Search", None),
    ("Search", "brand"),
    ("Search", "generic"),
    ("Social", "spring"),
    ("Store", None),
)
STEP = st.tuples(st.sampled_from(NAMES), st.integers(0, 30))
# A journey: its steps, and what it came to: money of a conversion, money back alone, or nothing.
OUTCOME = st.one_of(
    st.tuples(st.just(1), st.integers(-500, 90_000)),
    st.tuples(st.just(0), st.integers(-500, -1)),
    st.none(),
)
PATHS = st.lists(st.tuples(st.lists(STEP, max_size=5), OUTCOME), max_size=12)


def journeys_of(paths):
    """Journeys, and the names of their labels: only those that occur."""
    paths = sorted(paths, key=lambda path: path[1] is None)
    labels = tuple(name for name in NAMES if any(name == s[0] for p, _ in paths for s in p))
    channels = tuple(sorted({name[0] for name in labels}))
    rows = [
        (number, labels.index(name), day * DAY_US)
        for number, (steps, _) in enumerate(paths)
        for name, day in sorted(steps, key=lambda step: step[1])
    ]
    won = sum(outcome is not None for _, outcome in paths)
    column = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    split = int(np.searchsorted(column[0], won))
    outcomes = np.array([p[1] for p in paths[:won]], dtype=np.int64).reshape(-1, 2)
    journeys = Journeys.from_touches(
        Touches(*(c[:split] for c in column)),
        Touches(*(c[split:] for c in column)),
        value=outcomes[:, 1],
        counts=outcomes[:, 0].astype(float),
        labels=Labels(channels, np.array([channels.index(n[0]) for n in labels], dtype=np.int64)),
    )
    return journeys, labels


def of(paths, models=MODELS):
    return Statistics.of(*journeys_of(paths), models)


@given(PATHS, PATHS)
def test_days_add_up_to_the_last_bit(one, other):
    assert (of(one) + of(other)).is_same(of(one + other))
    assert (of(other) + of(one)).is_same(of(one + other))


@given(PATHS, PATHS)
def test_what_is_taken_away_leaves_no_trace(stay, leave):
    assert (of(stay + leave) - of(leave)).is_same(of(stay))
    assert (of(leave) - of(leave)).is_same(Statistics.nothing(MODELS))


@given(PATHS)
def test_credit_from_sums_is_credit_from_journeys(paths):
    journeys, labels = journeys_of(paths)
    kept = Statistics.of(journeys, labels, MODELS)
    found = figures(kept, MODELS)
    money = max(float(np.abs(journeys.value).sum()), 1)
    code = [labels.index(label) for label in kept.labels]
    for model, wanted in credit(journeys, MODELS).items():
        mine = found[model]
        assert mine.channels == journeys.labels.channels
        for name, size in (("conversions", 1), ("revenue", money)):
            near = {"rtol": 1e-9, "atol": 1e-9 * size}
            np.testing.assert_allclose(
                getattr(mine, f"channel_{name}"), getattr(wanted, f"channel_{name}"), **near
            )
            np.testing.assert_allclose(
                getattr(mine, f"label_{name}"), getattr(wanted, f"label_{name}")[code], **near
            )
            np.testing.assert_allclose(
                getattr(mine, f"leftover_{name}"), getattr(wanted, f"leftover_{name}"), **near
            )
        if wanted.removal_effect is not None:
            assert np.array_equal(mine.removal_effect, wanted.removal_effect)
            assert np.array_equal(mine.removal_effect_revenue, wanted.removal_effect_revenue)


def test_a_channel_that_comes_later_moves_the_codes_of_others():
    early = [([(("Search", "brand"), 1), (("Store", None), 2)], (1, 700))]
    late = [([(("Direct", None), 3), (("Social", "spring"), 4)], None)]
    kept = of(early) + of(late)
    assert kept.channels == ("Direct", "Search", "Social", "Store")
    assert (kept - of(early)).channels == ("Direct", "Social")


def test_sums_of_different_models_do_not_mix():
    with pytest.raises(ValueError, match="different models"):
        of([], ("linear",)) + of([], ("markov_1",))
    with pytest.raises(ValueError, match="know nothing of markov_1"):
        figures(of([], ("linear",)), ["markov_1"])


def test_a_half_life_that_is_fitted_on_all_journeys_does_not_add_up():
    with pytest.raises(BadInput, match="time_decay"):
        Statistics.of(*journeys_of([]), ("time_decay",), half_life_days=None)


def test_half_a_journey_is_refused():
    journeys, labels = journeys_of([([(("Search", None), 1)], (1, 100))])
    half = Journeys(
        journeys.offsets,
        journeys.label,
        journeys.labels,
        conversions=np.array([0.5]),
        value=journeys.value,
        nulls=journeys.nulls,
    )
    with pytest.raises(ValueError, match="whole"):
        Statistics.of(half, labels, ("linear",))


def of_channels(*numbers):
    """One journey through channels of these numbers, and its labels."""
    labels = tuple((f"c{i:02}",) for i in numbers)
    size = len(labels)
    journeys = Journeys.from_touches(
        Touches(np.zeros(size, np.int64), np.arange(size), np.arange(size)),
        value=np.array([100]),
        labels=Labels.of_channels(tuple(label[0] for label in labels)),
    )
    return journeys, labels


@pytest.mark.parametrize(("model", "most"), [("shapley_rate", 62), ("markov_10", 48)])
def test_more_channels_than_fit_into_one_integer_are_refused(model, most):
    refused = pytest.raises(BadInput, match=f"{model}.*{most}")
    with refused:
        Statistics.of(*of_channels(*range(63)), (model,))
    one = Statistics.of(*of_channels(*range(40)), (model,))
    other = Statistics.of(*of_channels(*range(30, 70)), (model,))
    with refused:
        one + other
    assert len(Statistics.of(*of_channels(*range(63)), ("linear", "markov_2")).labels) == 63


def test_a_model_that_looks_at_all_journeys_at_once_does_not_add_up():
    with pytest.raises(BadInput, match="markov_auto"):
        Statistics.of(*of_channels(1, 2), ("markov_auto",))
