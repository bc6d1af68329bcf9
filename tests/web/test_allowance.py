"""What one source may send: refused in time, let in again in time, and nobody else's business."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.errors import TooMany
from touchline.web import allowance as module
from touchline.web.allowance import BURST_S, EVENT_BYTES, LONGEST_S, Allowance, weight


class Time:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    found = Time()
    monkeypatch.setattr(module, "time", found)
    return found


def is_let_in(allowance):
    try:
        allowance.check()
    except TooMany:
        return False
    return True


def test_a_burst_is_let_in_and_what_is_beyond_it_waits_as_long_as_told(time):
    allowance = Allowance(100)
    allowance.spend(int(100 * BURST_S))
    with pytest.raises(TooMany) as refused:
        allowance.check()
    time.now += refused.value.params["after"]
    allowance.check()


def test_a_request_that_overdraws_is_paid_for_before_the_next(time):
    allowance = Allowance(10)
    allowance.spend(int(10 * BURST_S) + 25)
    time.now += 2.4
    with pytest.raises(TooMany) as refused:
        allowance.check()
    assert refused.value.params["after"] == 1
    time.now += 0.2
    allowance.check()


def test_nobody_is_told_to_wait_for_hours(time):
    allowance = Allowance(1)
    allowance.spend(1_000_000)
    with pytest.raises(TooMany) as refused:
        allowance.check()
    assert refused.value.params["after"] == LONGEST_S


def test_no_rate_is_no_limit(time):
    allowance = Allowance(0)
    allowance.spend(10**12)
    allowance.check()


def test_a_large_request_of_few_items_counts_by_its_bytes():
    assert weight(0, 0) == 1
    assert weight(3, 100) == 3
    assert weight(1, 10 * EVENT_BYTES) == 10


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5000)), min_size=1, max_size=60),
)
def test_in_the_long_run_no_more_is_let_in_than_was_allowed(rate, story):
    clock, real = Time(), module.time
    module.time = clock
    try:
        allowance = Allowance(rate)
        start, sent, largest = clock.now, 0, 0
        for pause, events in story:
            clock.now += pause
            if is_let_in(allowance):
                allowance.spend(events)
                sent += events
                largest = max(largest, events)
        assert sent <= rate * (BURST_S + clock.now - start) + largest
    finally:
        module.time = real
