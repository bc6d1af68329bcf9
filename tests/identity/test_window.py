"""Limits within a window: in one place on arrays, in the other on a cluster's times; they agree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.clock import DAY_US
from touchline.identity.evidence import NEVER_US
from touchline.identity.rules import Rules
from touchline.identity.window import breaking, crowded
from touchline.model import TYPE_RANK

times = st.one_of(st.integers(0, 12), st.just(NEVER_US))
PHONE = TYPE_RANK["phone"]


def naive(seen, most, window):
    """Some window holds too many: one begins at each value, and undated ones are in all of them."""
    undated = sum(t == NEVER_US for t in seen)
    dated = [t for t in seen if t < NEVER_US]
    fullest = max((sum(a <= t < a + window for t in dated) for a in dated), default=0)
    return fullest + undated > most


@given(st.lists(times, max_size=8), st.integers(1, 4), st.integers(1, 6))
def test_a_window_is_crowded_when_it_holds_too_many(seen, most, window):
    seen.sort()
    told = [seen[place] for place in crowded(seen, most, window)]
    assert bool(told) == naive(seen, most, window) == naive(told, most, window)
    assert not told or len(told) == most + 1 or set(told) == {NEVER_US}


@given(
    st.lists(st.tuples(st.integers(0, 4), times), max_size=30),
    st.integers(1, 4),
    st.integers(1, 6),
)
def test_clusters_break_when_one_of_their_windows_is_crowded(rows, most, window):
    cluster = np.array([c for c, _ in rows], np.int32)
    seen = np.array([t for _, t in rows], np.int64)
    expected = [c for c in range(5) if naive([t for own, t in rows if own == c], most, window)]
    assert breaking(cluster, seen, most, window).tolist() == expected


def yearly(most, days):
    windows = [None] * 10
    windows[PHONE] = days
    limits = [None] * 10
    limits[PHONE] = most
    return Rules(limits=tuple(limits), windows_us=tuple(windows))


def test_phones_of_different_times_are_one_persons_and_of_one_time_are_not(facts):
    rows = [facts.Row(("c1", f"p{n}"), day * 10) for n, day in enumerate((0, 1, 40, 41))]
    apart = facts.solve(rows, rules=yearly(1, 5))  # days here are microseconds
    assert len(apart.groups()) == 1
    together = facts.solve(rows, rules=yearly(1, 15))
    assert sorted(len(group) for group in together.groups()) == [1, 1, 3]
    assert facts.solve(rows, rules=yearly(2, 15)).groups() == apart.groups()


def test_a_window_is_written_as_a_text():
    rules = Rules.from_document(
        {"identity": {"limits": {"phone": "3 a year", "email": "2 per 7d"}}}
    )
    assert (rules.limits[PHONE], rules.windows_us[PHONE]) == (3, 365 * DAY_US)
    email = TYPE_RANK["email"]
    assert (rules.limits[email], rules.windows_us[email]) == (2, 7 * DAY_US)
