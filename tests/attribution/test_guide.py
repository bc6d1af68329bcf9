"""The guide: a model that the data can bear, a reason in two languages, and what comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.guide import AIMS, WINDOWS, Situation, advise
from touchline.attribution.models import TABLE
from touchline.errors import BadInput
from touchline.messages.advising import ADVICE

SITUATIONS = st.builds(
    Situation,
    aim=st.sampled_from(AIMS),
    cycle_days=st.floats(0, 2_000),
    conversions=st.integers(0, 100_000),
    channels=st.integers(1, 200),
    lift_tests=st.integers(0, 5),
    has_stages=st.booleans(),
)


@pytest.mark.parametrize(
    ("situation", "model"),
    [
        (Situation("budget", 5, 3_000, 8, lift_tests=2), "calibrated"),
        (Situation("budget", 5, 3_000, 8), "incremental"),
        (Situation("budget", 60, 3_000, 8), "hazard"),
        (Situation("budget", 60, 100, 8), "time_decay"),
        (Situation("budget", 60, 100, 8, lift_tests=1), "calibrated"),
        (Situation("report", 60, 100, 8, has_stages=True), "w_shaped"),
        (Situation("report", 60, 100, 8), "position_based"),
        (Situation("report", 10, 100, 8), "time_decay"),
        (Situation("report", 0.5, 100, 8), "last_non_direct"),
        (Situation("openers", 10, 1_000, 8), "first_touch"),
        (Situation("closers", 10, 1_000, 8), "last_non_direct"),
    ],
)
def test_the_model_fits_the_situation(situation, model):
    assert advise(situation).model == model


@given(SITUATIONS)
def test_advice_names_models_that_there_are_and_reasons_in_both_languages(situation):
    found = advise(situation)
    points = [*found.beside, *found.against]
    assert {found.model, *(point.model for point in points)} <= set(TABLE)
    assert found.model not in {point.model for point in points}
    codes = [found.why, *(point.why for point in points), *found.then]
    assert len(set(codes)) == len(codes)
    assert all(all(ADVICE[code]) for code in codes)
    assert found.then


@given(SITUATIONS)
def test_the_window_holds_three_cycles_or_is_the_longest(situation):
    window = advise(situation).window_days
    assert window in WINDOWS
    assert window >= 3 * situation.cycle_days or window == WINDOWS[-1]


def test_no_advice_stands_for_nothing():
    """Every text can be reached."""
    told = set()
    for aim in AIMS:
        for cycle in (0, 10, 90):
            for conversions in (10, 100_000):
                for tests in (0, 1, 2):
                    for channels in (3, 30):
                        for stages in (False, True):
                            one = advise(
                                Situation(aim, cycle, conversions, channels, tests, stages)
                            )
                            told |= {one.why, *one.then}
                            told |= {point.why for point in (*one.beside, *one.against)}
    assert told == set(ADVICE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"aim": "fame"},
        {"cycle_days": -1},
        {"cycle_days": float("nan")},
        {"conversions": -1},
        {"channels": 0},
        {"lift_tests": -1},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(BadInput, match=next(iter(wrong))):
        Situation(**({"aim": "budget", "cycle_days": 1, "conversions": 1, "channels": 1} | wrong))
