"""What one source may send: refused in time, let in again in time, and nobody else's business."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.errors import TooMany, Unavailable
from touchline.web import sender as module
from touchline.web.sender import BURST_S, EVENT_BYTES, LONGEST_S, Senders


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


def sent_by(rate):
    return Senders(rate).of("web")


def is_let_in(sender):
    try:
        sender.check()
    except TooMany:
        return False
    return True


def test_a_burst_is_let_in_and_what_is_beyond_it_waits_as_long_as_told(time):
    sender = sent_by(100)
    sender.spend(int(100 * BURST_S), 0)
    with pytest.raises(TooMany) as refused:
        sender.check()
    time.now += refused.value.params["after"]
    sender.check()


def test_a_request_that_overdraws_is_paid_for_before_the_next(time):
    sender = sent_by(10)
    sender.spend(int(10 * BURST_S) + 25, 0)
    time.now += 2.4
    with pytest.raises(TooMany) as refused:
        sender.check()
    assert refused.value.params["after"] == 1
    time.now += 0.2
    sender.check()


def test_nobody_is_told_to_wait_for_hours(time):
    sender = sent_by(1)
    sender.spend(1_000_000, 0)
    with pytest.raises(TooMany) as refused:
        sender.check()
    assert refused.value.params["after"] == LONGEST_S


def test_no_rate_is_no_limit(time):
    sender = sent_by(0)
    sender.spend(10**12, 0)
    sender.check()


@pytest.mark.parametrize(("items", "size", "events"), [(0, 0, 1), (3, 100, 3), (1, 40960, 10)])
def test_a_large_request_of_few_items_counts_by_its_bytes(time, items, size, events):
    assert size // EVENT_BYTES in (0, events)
    sender = sent_by(1)
    sender.spend(int(BURST_S), 0)
    sender.spend(items, size)
    with pytest.raises(TooMany) as refused:
        sender.check()
    assert refused.value.params["after"] == events + 1


def test_bytes_in_memory_are_bounded_for_one_source_and_for_all(monkeypatch):
    monkeypatch.setattr(module, "MAX_HELD", 1000)
    monkeypatch.setattr(module, "MAX_SHARE", 600)
    senders = Senders()
    one, other = senders.of("web"), senders.of("app")
    one.hold(600)
    with pytest.raises(TooMany):
        one.hold(1)
    other.hold(400)
    with pytest.raises(Unavailable):
        other.hold(1)
    one.let_go(600)
    other.hold(200)
    assert senders.held == 600


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5000)), min_size=1, max_size=60),
)
def test_in_the_long_run_no_more_is_let_in_than_was_allowed(rate, story):
    clock, real = Time(), module.time
    module.time = clock
    try:
        sender = sent_by(rate)
        start, sent, largest = clock.now, 0, 0
        for pause, events in story:
            clock.now += pause
            if is_let_in(sender):
                sender.spend(events, 0)
                sent += events
                largest = max(largest, events)
        assert sent <= rate * (BURST_S + clock.now - start) + largest
    finally:
        module.time = real
