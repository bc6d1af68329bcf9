import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.session import IDLE_US, sessions

MINUTE = 60 * 1_000_000


def naive(rows, day_us=None):
    """The rule as it is told: one event after the other, a state per device."""
    state = {}
    out = []
    for place, (device, ts, brings, key) in enumerate(rows):
        last, held, opener, labels = state.get(device, (None, None, None, None))
        is_start = last is None or ts - last > IDLE_US or (brings and key != held)
        if is_start:
            opener, labels, held = place, place, key if brings else None
        elif day_us and ts // day_us != last // day_us:
            is_start, opener = True, place
        out.append((is_start, opener, place if brings else labels))
        state[device] = (ts, held, opener, labels)
    return out


def run(rows, day_us=None):
    kinds = (np.int64, np.int64, bool, np.int64)
    columns = [np.array([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]
    day = columns[1] // day_us if day_us else None
    return list(zip(*(part.tolist() for part in sessions(*columns, day)), strict=True))


events = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 200).map(lambda m: m * MINUTE),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=60,
).map(lambda rows: sorted(rows, key=lambda row: row[:2]))


@given(events, st.sampled_from((None, 7 * MINUTE, 60 * MINUTE)))
def test_sessions_are_those_of_the_plain_loop(rows, day_us):
    assert run(rows, day_us) == naive(rows, day_us)


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
    assert [labels for _, _, labels in told] == [0, 1, 1, 3, 4, 4]


def test_devices_do_not_touch_each_other():
    told = run([(1, 0, True, 1), (2, 0, False, 0), (2, 1, True, 1)])
    assert [start for start, *_ in told] == [True, True, True]


def test_no_events_have_no_sessions():
    assert run([]) == []
