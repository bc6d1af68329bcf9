import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.session import IDLE_US, NONE, Carry, sessions

MINUTE = 60 * 1_000_000


def naive(rows, carry):
    """The rule as it is told: one event after the other, a state per device."""
    state = {device: (last, key, -1) for device, last, key in carry}
    out = []
    for place, (device, ts, brings, key) in enumerate(rows):
        last, held, opener = state.get(device, (None, NONE, -1))
        is_start = last is None or ts - last > IDLE_US or (brings and key != held)
        if is_start:
            opener, held = place, key if brings else NONE
        out.append((is_start, opener, place if brings else opener, held))
        state[device] = (ts, held, opener)
    return out


def run(rows, carry=()):
    def column(source, index, kind=np.int64):
        return np.array([row[index] for row in source], dtype=kind)

    found = sessions(
        column(rows, 0),
        column(rows, 1),
        column(rows, 2, bool),
        column(rows, 3),
        Carry(column(carry, 0), column(carry, 1), column(carry, 2)) if carry else None,
    )
    return list(zip(*(part.tolist() for part in found), strict=True))


events = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 200).map(lambda m: m * MINUTE),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=60,
).map(lambda rows: sorted(rows, key=lambda row: row[:2]))
carries = st.dictionaries(
    st.integers(0, 4), st.tuples(st.integers(-100, 40), st.integers(-1, 2)), max_size=4
).map(lambda held: [(d, m * MINUTE, key) for d, (m, key) in sorted(held.items())])


@given(events, carries)
def test_sessions_are_those_of_the_plain_loop(rows, carry):
    assert run(rows, carry) == naive(rows, carry)


@given(events, st.integers(0, 60))
def test_cutting_the_stream_and_carrying_over_changes_no_start(rows, cut):
    whole = [start for start, *_ in run(rows)]
    head = [row for row in rows if row[1] <= cut * 4 * MINUTE]
    tail = [row for row in rows if row[1] > cut * 4 * MINUTE]
    first = run(head)
    carry = {row[0]: (row[0], row[1], told[3]) for row, told in zip(head, first, strict=True)}
    second = run(tail, sorted(carry.values()))
    told = {id(row): start for row, (start, *_) in zip(head + tail, first + second, strict=True)}
    assert [told[id(row)] for row in rows] == whole


def test_thirty_idle_minutes_end_a_session():
    rows = [(1, 0, False, 0), (1, 30 * MINUTE, False, 0), (1, 60 * MINUTE + 1, False, 0)]
    assert [start for start, *_ in run(rows)] == [True, False, True]


def test_a_direct_session_ends_when_a_campaign_is_brought_and_the_same_campaign_ends_none():
    rows = [
        (1, 0, False, 0),
        (1, MINUTE, True, 7),
        (1, 2 * MINUTE, False, 0),
        (1, 3 * MINUTE, True, 7),
        (1, 4 * MINUTE, True, 8),
        (1, 5 * MINUTE, False, 0),
    ]
    told = run(rows)
    assert [start for start, *_ in told] == [True, True, False, False, True, False]
    assert [labels for _, _, labels, _ in told] == [0, 1, 1, 3, 4, 4]


def test_an_event_that_brings_nothing_inherits_across_midnight():
    told = run([(5, 10 * MINUTE, False, 0), (5, 11 * MINUTE, True, 3)], [(5, 0, 3)])
    assert told == [(False, -1, -1, 3), (False, -1, 1, 3)]


def test_devices_do_not_touch_each_other():
    told = run([(1, 0, True, 1), (2, 0, False, 0), (2, 1, True, 1)])
    assert [start for start, *_ in told] == [True, True, True]


def test_no_events_have_no_sessions():
    assert run([]) == []
