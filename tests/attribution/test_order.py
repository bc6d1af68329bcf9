"""Rows dealt to their groups in order of time: the same as sorting them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.order import ordered

ROW = st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 9))


def sorted_places(rows):
    group, ts_us, seq = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    places, at = ordered(group.astype(np.int32), ts_us, seq, 6)
    return [tuple(rows[place]) for place in places], at.tolist()


@given(st.lists(ROW))
def test_dealing_is_sorting_by_group_time_and_seq(rows):
    found, at = sorted_places(rows)
    assert found == sorted(rows)
    assert at == [sum(row[0] < group for row in rows) for group in range(7)]


@given(st.lists(st.tuples(st.integers(0, 4), *[st.integers(0, 2)] * 3)))
def test_rows_of_one_moment_and_number_stand_as_their_labels_do(rows):
    group, ts_us, seq, label = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    places, _ = ordered(group, ts_us, seq, 6, label)
    assert [rows[place] for place in places] == sorted(rows)


@given(st.lists(st.lists(ROW, min_size=1)))
def test_it_is_no_matter_in_which_runs_rows_come(runs):
    rows = [row for run in runs for row in sorted(run, key=lambda row: row[1:])]
    assert sorted_places(rows)[0] == sorted(rows)
