"""Four journeys worked out by hand, in fractions. A change of any figure here is a change of what a
marketer was told yesterday: it needs a reason and a line in the changelog.

    1  Search > Social > Direct    converts, 900
    2  Social                      converts, 300
    3  Search > Social             does not
    4  Direct                      does not

The chain of order 1 (counts by state, of visits): Search 2 → Social 2; Social 3 → Direct 1,
conversion 1 (of 300), end 1; Direct 2 → conversion 1 (of 900), end 1.

    ahead, conversions: Direct 1/2, Social 1/3 + 1/3 x 1/2 = 1/2, Search 1/2
    ahead, money:       Direct 450, Social 100 + 1/3 x 450 = 250, Search 250
    first meetings:     Search 2 (both start there), Social 1 + 2 = 3, Direct 1 + 3 x 1/3 = 2
    lost, conversions:  Search 1, Social 3/2, Direct 1        together 7/2 of 2 conversions
    lost, money:        Search 500, Social 750, Direct 900    together 2150 of 1200

At order 2 nothing merges but the two visits of (Search, Social): they convert 1 in 2, through
(Search, Social, Direct); (Social) alone converts 1 in 1; Direct at the start never.
    lost, conversions:  Search 1, Social 2, Direct 1
    lost, money:        Search 900, Social 1200, Direct 900

Rate game, journeys inside each set: {Se} 0, {So} 1 (1 won), {D} 1 (0), {Se,So} 2 (1), {Se,D} 1 (0),
{So,D} 2 (1), all 4 (2). Rates: So 1, SeSo 1/2, SoD 1/2, all 1/2, the others 0; in orders of joining
    Search: 1/3 x 0 + 1/6 x (1/2 - 1) + 1/6 x 0 + 1/3 x (1/2 - 1/2)  = -1/12
    Social: 1/3 x 1 + 1/6 x 1/2 + 1/6 x 1/2 + 1/3 x 1/2              =  8/12
    Direct: 1/3 x 0 + 1/6 x 0 + 1/6 x (1/2 - 1) + 1/3 x 0            = -1/12
times 4 journeys. Money: So 300, SeSo 150, SoD 150, all 300:
    Search: 1/6 x (150 - 300) + 1/3 x (300 - 150)  = 25;   Direct the same;   Social 250
"""

from fractions import Fraction

import numpy as np
import pytest

from touchline.attribution import MODELS, Journeys, Labels, Touches, credit

DAY_US = 86_400_000_000
CHANNELS = ("Direct", "Search", "Social")
DIRECT, SEARCH, SOCIAL = range(3)
GOLDEN = {
    # model: conversions of Direct, Search, Social; then money
    "first_touch": ([0, 1, 1], [0, 900, 300]),
    "last_touch": ([1, 0, 1], [900, 0, 300]),
    "last_non_direct": ([0, 0, 2], [0, 0, 1200]),
    "linear": ([Fraction(1, 3), Fraction(1, 3), Fraction(4, 3)], [300, 300, 600]),
    # 14, 7 and 0 days before the conversion: weights 1, 2, 4
    "time_decay": (
        [Fraction(4, 7), Fraction(1, 7), Fraction(9, 7)],
        [Fraction(3600, 7), Fraction(900, 7), 300 + Fraction(1800, 7)],
    ),
    "position_based": ([Fraction(2, 5), Fraction(2, 5), Fraction(6, 5)], [360, 360, 480]),
    "markov_1": (
        [Fraction(4, 7), Fraction(4, 7), Fraction(6, 7)],
        [1200 * Fraction(n, 43) for n in (18, 10, 15)],
    ),
    "markov_2": ([Fraction(1, 2), Fraction(1, 2), 1], [360, 360, 480]),
    "markov_3": ([Fraction(1, 2), Fraction(1, 2), 1], [360, 360, 480]),
    # Four journeys are too few to choose an order by: the chain looks one step back.
    "markov_auto": (
        [Fraction(4, 7), Fraction(4, 7), Fraction(6, 7)],
        [1200 * Fraction(n, 43) for n in (18, 10, 15)],
    ),
    "shapley": ([Fraction(1, 3), Fraction(1, 3), Fraction(4, 3)], [300, 300, 600]),
    "shapley_rate": ([Fraction(-1, 3), Fraction(-1, 3), Fraction(8, 3)], [100, 100, 1000]),
}
REMOVAL = {
    "markov_1": [Fraction(1, 2), Fraction(1, 2), Fraction(3, 4)],
    "markov_2": [Fraction(1, 2), Fraction(1, 2), 1],
}


@pytest.fixture(scope="module")
def journeys():
    days = np.array([0, 7, 14, 3]) * DAY_US
    return Journeys.from_touches(
        Touches(np.array([0, 0, 0, 1]), np.array([SEARCH, SOCIAL, DIRECT, SOCIAL]), days),
        Touches(np.array([2, 2, 3]), np.array([SEARCH, SOCIAL, DIRECT])),
        value=np.array([900, 300]),
        labels=Labels.of_channels(CHANNELS),
    )


@pytest.mark.parametrize("model", MODELS)
def test_credit_by_hand(journeys, model):
    answer = credit(journeys, [model])[model]
    conversions, revenue = GOLDEN[model]
    assert answer.channel_conversions == pytest.approx([float(x) for x in conversions], abs=1e-12)
    assert answer.channel_revenue == pytest.approx([float(x) for x in revenue], abs=1e-9)


@pytest.mark.parametrize("model", REMOVAL)
def test_removal_effects_by_hand(journeys, model):
    effects = credit(journeys, [model])[model].removal_effect
    assert effects == pytest.approx([float(x) for x in REMOVAL[model]], abs=1e-12)
